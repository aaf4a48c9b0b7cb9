"""Numbers: quantiles with their spread, what /proc knows of a process, and the lines of the table."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Line:
    """One line of the table. `met` None: no goal was set."""

    what: str
    measured: str
    floor: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1) of the values do not exceed: one that was measured, nothing interpolated."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float], show: Callable[[float], str]) -> str:
    """`median (lowest-highest)`; of many values the middle nine tenths."""
    low, high = (0.05, 0.95) if len(values) >= 20 else (0.0, 1.0)
    return f"{show(statistics.median(values))} ({show(quantile(values, low))}-{show(quantile(values, high))})"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def seconds(value: float) -> str:
    return f"{value:.2f} s"


def beside(
    what: str,
    measured: Sequence[float],
    floor: Sequence[float],
    show: Callable[[float], str],
    most: float | None = None,
) -> Line:
    """A line of medians: measured, floor, and their ratio, which is to be at most `most`."""
    ratio = statistics.median(measured) / statistics.median(floor)
    goal, met = (f"<= {most:g}x", ratio <= most) if most is not None else ("", None)
    return Line(what, spread(measured, show), spread(floor, show), f"{ratio:.2f}x", goal, met)


@dataclass(frozen=True)
class Memory:
    """Of one process, in bytes. Of pages that processes share, `pss` counts this one's part only."""

    rss: int
    pss: int


def memory_of(pid: int) -> Memory:
    words = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    sizes = {word[0]: int(word[1]) * 1024 for word in words if len(word) == 3}
    return Memory(sizes["Rss:"], sizes["Pss:"])


def cpu_of(pid: int) -> tuple[float, float]:
    """(seconds of CPU of the process itself, of its children that have ended)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, children_user, children_system = (int(field) / TICKS for field in fields[11:15])
    return user + system, children_user + children_system


def megabytes(size: float) -> str:
    return f"{size / 1e6:.0f} MB"


def table(lines: Sequence[Line]) -> str:
    """Markdown, with the columns aligned."""
    said = {True: "yes", False: "**no**", None: ""}
    head = ("what", "measured", "floor", "ratio", "goal", "met")
    rows = [head, *((x.what, x.measured, x.floor, x.ratio, x.goal, said[x.met]) for x in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    shown = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])
