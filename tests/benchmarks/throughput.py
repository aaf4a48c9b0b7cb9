"""How much work gets done at once."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from tests.benchmarks.bed import SERVE, Bed, bed
from tests.benchmarks.measure import Line, cpu_of, milliseconds, quantile, seconds
from tests.benchmarks.work import do_tasks

#: Seconds within which Slack wants its acknowledgement; the promise is "usually < 0.3 s".
ACK_GOAL = 0.3


async def measure(quick: bool) -> list[Line]:
    """20 tasks on different files, assigned one after the other as fast as commands are answered, each approved by the
    lead as soon as its card offers it, models at zero latency, Slack's rate limits off; until every card says Merged
    (or Blocked, which is a failure).
    CPU: of the bot's process, and of what it starts (git, the sandbox, the sample's own checks), per task; two tasks
    before have loaded what is loaded at first use. Meanwhile someone types `/orch list` four times a second."""
    count = 2 if quick else 20
    async with bed() as place, place.running(*SERVE) as process:
        await do_tasks(place, 1 if quick else 2)
        own, children = cpu_of(process.pid)
        acks: list[float] = []
        asking = asyncio.ensure_future(_ask(place, acks))
        began = time.perf_counter()
        done = await do_tasks(place, count)
        took = time.perf_counter() - began
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        own_after, children_after = cpu_of(process.pid)
        merged = [at for _, kind, _, at in await place.events() if kind == "merged"][-done:]
    high = quantile(acks, 0.99)
    goal = f"< {milliseconds(ACK_GOAL)}"
    return [
        Line(f"{count} tasks at once: throughput", f"{count / took:.2f} tasks/s ({seconds(took)} in all)"),
        Line("the same: merged without a person's help", f"{done} of {count}", goal="all", met=done == count),
        Line("the same: first and last merge apart", seconds(merged[-1] - merged[0])),
        Line("the same: CPU of the bot per task", seconds((own_after - own) / count)),
        Line("the same: CPU of git, sandbox and checks per task", seconds((children_after - children) / count)),
        Line(
            "the same: `/orch list` ack meanwhile, p50",
            milliseconds(quantile(acks, 0.5)),
            goal=goal,
            met=quantile(acks, 0.5) < ACK_GOAL,
        ),
        Line("the same: `/orch list` ack meanwhile, p99", milliseconds(high), goal="< 3 s (Slack's)", met=high < 3.0),
    ]


async def _ask(place: Bed, acks: list[float]) -> None:
    while True:
        acked, _ = await place.ask("list", answered=False)
        acks.append(acked)
        await asyncio.sleep(0.25)
