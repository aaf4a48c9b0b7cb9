"""How long the bot takes to start."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import Counter

from tests.benchmarks.bed import BOLT, BOLT_AND_DBOS, ROOT, SERVE, Bed, bed
from tests.benchmarks.measure import Line, beside, seconds

#: What any bot on these two frameworks has to import.
FLOOR_IMPORTS = (
    "import slack_bolt.async_app, slack_bolt.adapter.socket_mode.aiohttp, dbos, aiosqlite, sqlalchemy.ext.asyncio"
)
#: How many packages are named that cost most at import.
NAMED = 6


async def measure(quick: bool) -> list[Line]:
    """Seconds from the start of a process to its socket at the emulated Slack, and to the visible answer to a command
    that is typed as soon as the socket is there. Orch is `python -m bot serve` on a database that exists (and once on
    none); the floor is bare Bolt with bare DBOS launched on SQLite, on files that exist as well; bare Bolt alone stands
    beside it. In turns. Imports: seconds of `python -c 'import bot.process'` beside a bare import of Bolt, DBOS and
    SQLAlchemy."""
    rounds = 1 if quick else 5
    kinds = {"orch": SERVE, "floor": BOLT_AND_DBOS, "bolt": BOLT}
    connected: dict[str, list[float]] = {kind: [] for kind in kinds}
    answered: dict[str, list[float]] = {kind: [] for kind in kinds}
    imports: dict[str, list[float]] = {"orch": [], "floor": []}
    for n in range(rounds + 1):  # the first only warms the disk's cache; each bed lives for one round of it
        async with bed() as place, bed() as other:
            first = await _start(place, SERVE)
            await _start(other, BOLT_AND_DBOS)
            for kind, arguments in kinds.items():
                took = await _start(place if kind == "orch" else other, arguments)
                if n:
                    connected[kind].append(took[0])
                    answered[kind].append(took[1])
        if n:
            connected.setdefault("fresh", []).append(first[0])
            imports["orch"].append(await _python("import bot.process"))
            imports["floor"].append(await _python(FLOOR_IMPORTS))
    return [
        beside("start to connected", connected["orch"], connected["floor"], seconds),
        beside("start to connected, beside bare Bolt without DBOS", connected["orch"], connected["bolt"], seconds),
        beside("start to connected, new database", connected["fresh"], connected["floor"], seconds),
        beside("start to first command answered", answered["orch"], answered["floor"], seconds),
        beside("`import bot.process`", imports["orch"], imports["floor"], seconds),
        Line("of which most: " + await _most_expensive(), ""),
    ]


async def _start(place: Bed, arguments: tuple[str, ...]) -> tuple[float, float]:
    began = time.perf_counter()
    process = await place.start(*arguments)
    try:
        await place.connected(process)
        connected = time.perf_counter() - began
        await place.ask("help")
        return connected, time.perf_counter() - began
    finally:
        process.kill()  # how long a clean stop takes is not measured here
        await process.wait()


async def _python(code: str) -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT)
    assert await process.wait() == 0
    return time.perf_counter() - began


async def _most_expensive() -> str:
    """Packages by the time that their own modules took, without what those imported from other packages."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-X", "importtime", "-c", "import bot.process", cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    own: Counter[str] = Counter()
    for microseconds, name in re.findall(r"import time: +(\d+) \| +\d+ \| +([\w.]+)", told.decode()):
        own[name.split(".")[0]] += int(microseconds)
    return ", ".join(f"{name} {spent / 1e6:.2f} s" for name, spent in own.most_common(NAMED))
