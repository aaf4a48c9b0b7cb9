"""Anthropic's prompt cache, emulated: beginnings of prompts, kept for five minutes where a request marks them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple

LIFETIME_SECONDS = 300.0
#: A hit is looked for at so many blocks before a mark, and no further.
LOOK_BACK = 20
MOST_MARKS = 4
MINIMUM = {"claude-haiku-4-5-20251001": 4096}
MINIMUM_ELSE = 512


class Split(NamedTuple):
    """How a prompt's tokens are billed."""

    plain: int
    written: int
    read: int


@dataclass
class PromptCache:
    """What is cached now. `clock`: seconds, as a test may say."""

    clock: Callable[[], float] = monotonic
    _until: dict[tuple[str, str], float] = field(default_factory=dict)

    def bill(self, body: Mapping[str, Any], total: int) -> Split:
        """Look the prompt up, keep what it marks, and split its `total` tokens."""
        model = str(body.get("model"))
        blocks = list(_blocks(body))
        ends = [(_digest(blocks, n), sum(size for _, size, _ in blocks[: n + 1])) for n in range(len(blocks))]
        marks = [n for n, (_, _, marked) in enumerate(blocks) if marked]
        tokens = [min(total, -(-chars // 4)) for _, chars in ends]
        least = MINIMUM.get(model, MINIMUM_ELSE)
        now = self.clock()
        hits = [
            n
            for mark in marks
            for n in range(max(0, mark - LOOK_BACK), mark + 1)
            if self._until.get((model, ends[n][0]), 0.0) > now
        ]
        read = tokens[max(hits)] if hits else 0
        written = max([tokens[n] for n in marks if tokens[n] >= least], default=0)
        for n in {*hits, *(n for n in marks if tokens[n] >= least)}:
            self._until[model, ends[n][0]] = now + LIFETIME_SECONDS
        return Split(total - max(read, written), max(0, written - read), read)

    def clear(self) -> None:
        self._until.clear()


def marks_of(body: Mapping[str, Any]) -> int:
    """How many marks a request has."""
    return sum(marked for _, _, marked in _blocks(body))


def unmarked(value: Any) -> Any:
    """The same without marks, which are no part of the prompt."""
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    if isinstance(value, Mapping):
        return {key: unmarked(item) for key, item in value.items() if key != "cache_control"}
    return value


def _blocks(body: Mapping[str, Any]) -> Iterator[tuple[str, int, bool]]:
    """(content, characters, whether it is marked), in the order in which they are cached: tools, system, messages."""
    for tool in body.get("tools") or ():
        yield _block("tool", tool)
    system = body.get("system") or []
    for item in [{"type": "text", "text": system}] if isinstance(system, str) else system:
        yield _block("system", item)
    for message in body.get("messages") or ():
        said = message.get("content")
        for item in [{"type": "text", "text": said}] if isinstance(said, str) else said:
            yield _block(str(message.get("role")), item)


def _block(place: str, item: Mapping[str, Any]) -> tuple[str, int, bool]:
    bare = json.dumps(unmarked(item), sort_keys=True)
    size = len(item["text"]) if item.get("type") == "text" and isinstance(item.get("text"), str) else len(bare)
    return f"{place}:{bare}", size, "cache_control" in item


def _digest(blocks: list[tuple[str, int, bool]], last: int) -> str:
    return hashlib.sha256("\0".join(content for content, _, _ in blocks[: last + 1]).encode()).hexdigest()
