"""How much memory the bot takes."""

from __future__ import annotations

import asyncio
import time

from tests.benchmarks.bed import BOLT_AND_DBOS, SERVE, bed
from tests.benchmarks.measure import Line, Memory, cpu_of, megabytes, memory_of
from tests.benchmarks.work import do_tasks

#: Bytes that the idle bot may hold (RSS).
GOAL = 200e6


async def measure(quick: bool) -> list[Line]:
    """RSS (and PSS, where pages that other processes map too count in part) of the one process of `python -m bot
    serve`: 5 s after its socket is connected, and 5 s after the last of 10 tasks was merged, when everything that is
    loaded at first use is there. The floor is bare Bolt with bare DBOS, 5 s after its start. CPU: of 10 idle s."""
    rest = 0.5 if quick else 5.0
    async with bed() as place, bed() as other:
        async with other.running(*BOLT_AND_DBOS) as process:
            floor = await _after(rest, process)
        async with place.running(*SERVE) as process:
            idle = await _after(rest, process)
            await do_tasks(place, 1 if quick else 10)
            worked = await _after(rest, process)
            before, began = sum(cpu_of(process.pid)), time.perf_counter()
            await asyncio.sleep(2 * rest)
            share = (sum(cpu_of(process.pid)) - before) / (time.perf_counter() - began)
    return [
        _line("memory, idle", idle, floor),
        _line("memory, idle after 10 tasks", worked, floor),
        Line("CPU, idle after 10 tasks", f"{share:.1%} of a core"),
    ]


async def _after(rest: float, process: asyncio.subprocess.Process) -> Memory:
    await asyncio.sleep(rest)
    return memory_of(process.pid)


def _line(what: str, mine: Memory, floor: Memory) -> Line:
    def show(memory: Memory) -> str:
        return f"{megabytes(memory.rss)} RSS, {megabytes(memory.pss)} PSS"

    ratio = f"{mine.rss / floor.rss:.2f}x"
    return Line(what, show(mine), show(floor), ratio, f"< {megabytes(GOAL)}", mine.rss < GOAL)
