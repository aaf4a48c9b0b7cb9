"""Several messages as one, within Slack's limits: what gathered for a person while it was quiet (issue 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Slack takes so many blocks in a message; two are for the heading and for what finds no room.
MOST_BLOCKS = 50 - 2

Message = Mapping[str, Any]


def that_fit(messages: Sequence[Message]) -> int:
    """How many of them, the first ones, one message has room for."""
    room = MOST_BLOCKS + 1  # no divider before the first
    for count, message in enumerate(messages):
        room -= len(_blocks(message)) + 1
        if room < 0:
            return count
    return len(messages)


def together(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Their blocks, with dividers between. A block's name that comes again is left out: Slack refuses such."""
    blocks: list[dict[str, Any]] = []
    names: set[str] = set()
    for message in messages:
        blocks += [{"type": "divider"}] if blocks else []
        for block in _blocks(message):
            name = block.get("block_id")
            blocks.append({key: value for key, value in block.items() if key != "block_id" or name not in names})
            names |= {name} if name else set()
    return blocks


def _blocks(message: Message) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] | None = message.get("blocks")
    return found or [{"type": "section", "text": {"type": "mrkdwn", "text": message["text"]}}]
