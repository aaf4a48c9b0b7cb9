"""Where a task's time went, read from the spans of profiled_serve."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

#: Where several spans overlap, the moment belongs to the first of these rooms.
ROOMS = ("checks", "git", "model", "tx", "step", "stage")


@dataclass(frozen=True)
class Span:
    room: str
    what: str
    begin: float  # Unix seconds
    end: float


def read_spans(path: Path) -> list[Span]:
    spans = [Span(*json.loads(line)) for line in path.read_text().splitlines()]
    return sorted(spans, key=lambda span: span.begin)


def within(spans: Sequence[Span], begin: float, end: float) -> list[Span]:
    return [span for span in spans if begin <= span.begin < end]


def split(spans: Sequence[Span], begin: float, end: float) -> dict[str, float]:
    """Seconds of a window by room; what is in none is `between`. Each moment counts once."""
    edges = sorted({begin, end, *(e for s in spans for e in (s.begin, s.end) if begin < e < end)})
    found = dict.fromkeys((*ROOMS, "between"), 0.0)
    for left, right in pairwise(edges):
        there = {span.room for span in spans if span.begin <= left and span.end >= right}
        found[next((room for room in ROOMS if room in there), "between")] += right - left
    return found


def shape(spans: Sequence[Span]) -> list[list[str]]:
    """The workflows of a window, each as the list of its steps and transactions, in order."""
    return [
        [span.room for span in within(spans, stage.begin, stage.end) if span.room in ("step", "tx")]
        for stage in spans
        if stage.room == "stage"
    ]
