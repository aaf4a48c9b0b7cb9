"""Tasks, from the command to the merge: each changes a file of its own, and the lead approves it at once."""

from __future__ import annotations

import asyncio

from bot.local.slack import Message
from tests.benchmarks.bed import Bed, is_merged, is_over, offers_approval


async def do_tasks(place: Bed, count: int) -> int:
    """Assign them all at once, approve each card as soon as it offers that, until every card says Merged or Blocked;
    returns how many of them are merged."""
    before = len(place.cards())
    for n in range(before, before + count):
        await place.ask(assign(n))
    approving = asyncio.ensure_future(_approve(place))
    try:
        await place.card_shows(is_over, before + count)
        await place.quiet()
        return sum(map(is_merged, place.cards()[before:]))
    finally:
        approving.cancel()


def assign(n: int) -> str:
    return f"assign Describe page {n} in docs/page-{n}.md --files docs/page-{n}.md"


async def _approve(place: Bed) -> None:
    clicked: set[str] = set()

    def waits(card: Message) -> bool:
        return offers_approval(card) and card.ts not in clicked

    while True:
        for card in await place.card_shows(waits):
            clicked.add(card.ts)
            await place.approve(card)
