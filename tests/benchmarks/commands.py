"""How quickly a command is answered, beside a bare Bolt app."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.benchmarks.bed import BOLT, SERVE, Bed, bed
from tests.benchmarks.measure import Line, beside, milliseconds, quantile

#: Waits on the first task, so that it is created like any other but nothing starts to work on it meanwhile.
ASSIGN = "assign Describe page {n} in docs/page-{n}.md --files docs/page-{n}.md --after S0-D0-1"
GOAL = 1.5


async def measure(quick: bool) -> list[Line]:
    """Seconds from sending the envelope over Socket Mode until its acknowledgement arrives, and until the answer
    (by response_url) is visible, as the emulated Slack sees them. Orch is `python -m bot serve`; the floor is a Bolt
    app on the same adapter that only acks, then answers one word. Each is a process of its own with an emulated Slack
    of its own; both Slacks run in this process, and the two are asked in turns, one command at a time."""
    rounds = 3 if quick else 100
    kinds = ("help", "list", "assign")
    acks: dict[str, list[float]] = {kind: [] for kind in (*kinds, "bare")}
    answers: dict[str, list[float]] = {kind: [] for kind in (*kinds, "bare")}
    async with AsyncExitStack() as stack:
        orch, bare = [await stack.enter_async_context(bed()) for _ in range(2)]
        await stack.enter_async_context(orch.running(*SERVE))
        await stack.enter_async_context(bare.running(*BOLT))
        await orch.ask("assign Think about the pages --model manual")
        for n in range(-1 if quick else -3, rounds):  # the first few only warm up
            for kind in kinds:
                for where, side, text in ((bare, "bare", "hello"), (orch, kind, _text(kind, n + 10))):
                    acked, answered = await where.ask(text)
                    if n >= 0:
                        acks[side].append(acked)
                        answers[side].append(answered)
                    await _settle(orch if kind == "assign" else None)
    return [
        *(line for kind in kinds for line in _ack_lines(kind, acks[kind], acks["bare"])),
        *(beside(f"`/orch {kind}`: answer visible", answers[kind], answers["bare"], milliseconds) for kind in kinds),
    ]


def _ack_lines(kind: str, mine: list[float], floor: list[float]) -> list[Line]:
    high, floor_high = quantile(mine, 0.99), quantile(floor, 0.99)
    ratio = high / floor_high
    name = f"`/orch {kind}`: ack"
    p99 = Line(
        f"{name}, p99", milliseconds(high), milliseconds(floor_high), f"{ratio:.2f}x", f"<= {GOAL:g}x", ratio <= GOAL
    )
    return [beside(f"{name}, median (5-95 %)", mine, floor, milliseconds, GOAL), p99]


def _text(kind: str, n: int) -> str:
    return ASSIGN.format(n=n) if kind == "assign" else kind


async def _settle(assigned: Bed | None) -> None:
    """Let the work end that an answered command leaves behind: an inbox row, and a new task's card."""
    await asyncio.sleep(0.02)
    if assigned is not None:
        await assigned.quiet()
