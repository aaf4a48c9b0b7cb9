"""What Orch adds to one task's work."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.local.models import Call
from tests.benchmarks.bed import PATIENCE, ROOT, Bed, bed, is_merged, offers_approval
from tests.benchmarks.effects import do_effects
from tests.benchmarks.measure import Line, beside, milliseconds, spread
from tests.benchmarks.spans import Span, read_spans, shape, split, within
from tests.benchmarks.work import assign

GOAL = 2.0
#: The first tasks load the SDKs and fill caches.
WARM_UP = 2
#: Of one task, in Unix seconds: created to awaiting approval, and approved to merged.
Windows = tuple[tuple[float, float], tuple[float, float]]
EFFECTS = ("checks", "git", "model")
WORDS = {
    "checks": "checks (copy, sandbox, the sample's own checks)",
    "git": "git",
    "model": "model calls (SDK and HTTP, no thinking)",
    "tx": "Orch's own code in transactions",
    "step": "Orch's own code in steps",
    "stage": "DBOS, within stages",
    "between": "between stages (foreman, DBOS start)",
}


@dataclass(frozen=True)
class Done:
    """One task as it was seen from outside, and its model calls."""

    seen: tuple[float, float]  # seconds from the command, and from the click, to the card
    calls: Sequence[Call]


async def measure(quick: bool) -> list[Line]:
    """One task at a time, models at zero latency, the sample's own checks: from `created` to `awaiting approval`, and
    from the click on Approve merge to the end of the last stage; the person's time between is left out. The bot is
    `serve` with a stopwatch at each port (profiled_serve). In turns with it, in a process of its own:
    floor A, as many bare DBOS workflows, steps and transactions as the task had, with the same DBOS configuration on
    SQLite (a step does nothing, a transaction one UPDATE); floor B, A and as many programs, sandboxes with the sample's
    check, and model calls as the task had, each as small as can be (effects.py). `Orch and DBOS` is the whole less the
    time within the ports for git, checks and models."""
    rounds = 1 if quick else 12
    done: list[Done] = []
    async with bed() as place, bed() as other:
        told = place.home / "spans"
        async with place.running("-m", "tests.benchmarks.profiled_serve", str(told), last_words=True):
            for n in range(WARM_UP + (0 if quick else 1)):
                await _one_task(place, n)
        spans = read_spans(told)
        tried = await _windows(place)
        form, programs = _shape_of(spans, tried[-1])
        floors: dict[str, list[float]] = {"A": [], "B": []}
        async with (
            _bare_dbos(other, form) as bare,
            place.running("-m", "tests.benchmarks.profiled_serve", str(told), last_words=True),
        ):
            for n in range(len(tried), len(tried) + WARM_UP + rounds):
                one = await _one_task(place, n)
                a = await bare()
                models = f"{other.world.base_url}/models"
                b = a + await do_effects(programs, one.calls, models, other.repository)
                if n >= len(tried) + WARM_UP:
                    done.append(one)
                    floors["A"].append(a)
                    floors["B"].append(b)
        return _lines(done, await _windows(place), read_spans(told), floors, form, programs)


def _lines(
    done: Sequence[Done], windows: Sequence[Windows], spans: Sequence[Span],
    floors: dict[str, list[float]], form: list[list[str]], programs: Sequence[Span],
) -> list[Line]:  # fmt: skip
    parts = [_parts(spans, _until_last_stage(spans, window)) for window in windows[-len(done) :]]
    whole = [sum(part.values()) for part in parts]
    own = [sum(seconds for room, seconds in part.items() if room not in EFFECTS) for part in parts]
    kinds = Counter(kind for kinds in form for kind in kinds)
    names = Counter(program.what.split()[0] for program in programs)
    size = f"{len(form)} workflows, {kinds['step']} steps, {kinds['tx']} transactions"
    started = ", ".join(f"{count} {name}" for name, count in names.most_common())
    return [
        beside("one task: the whole, beside floor B", whole, floors["B"], milliseconds, GOAL),
        beside("one task: Orch and DBOS, beside floor A", own, floors["A"], milliseconds, GOAL),
        *(
            Line(f"of the whole: {words}", spread([part[room] for part in parts], milliseconds),
                 ratio=f"{sum(part[room] for part in parts) / sum(whole):.0%}")
            for room, words in WORDS.items()
        ),
        Line("command to the card's Approve button", spread([one.seen[0] for one in done], milliseconds)),
        Line("click to the card's Merged", spread([one.seen[1] for one in done], milliseconds)),
        Line(f"(a task is {size}; it starts {started}; {len(done[-1].calls)} model calls)", ""),
    ]  # fmt: skip


def _parts(spans: Sequence[Span], windows: Windows) -> dict[str, float]:
    total: Counter[str] = Counter()
    for begin, end in windows:
        near = [span for span in spans if span.end > begin and span.begin < end]
        total.update(split(near, begin, end))
    return dict(total)


def _until_last_stage(spans: Sequence[Span], windows: Windows) -> Windows:
    """With the second window up to the end of the stage that it ends in: tidying up counts too."""
    first, (begin, end) = windows
    ends = [span.end for span in spans if span.room == "stage" and begin <= span.end and span.begin < end]
    return first, (begin, max([end, *ends]))


def _shape_of(spans: Sequence[Span], windows: Windows) -> tuple[list[list[str]], list[Span]]:
    inside = [span for begin, end in _until_last_stage(spans, windows) for span in within(spans, begin, end)]
    return shape(inside), [span for span in inside if span.room == "program"]


async def _one_task(place: Bed, n: int) -> Done:
    calls = len(place.script.book)
    began = time.perf_counter()
    await place.ask(assign(n))
    (card,) = await place.card_shows(offers_approval)
    offered = time.perf_counter()
    await place.quiet()
    clicked = time.perf_counter()
    await place.approve(card)
    await place.card_shows(is_merged, n + 1)
    merged = time.perf_counter()
    await place.quiet()
    await asyncio.sleep(0.3)  # the last stage tidies up
    return Done((offered - began, merged - clicked), place.script.book[calls:])


async def _windows(place: Bed) -> list[Windows]:
    """Of every task, oldest first: (created, awaiting approval), (approved, merged)."""
    found: dict[int, dict[str, float]] = {}
    for task, kind, state, at in await place.events():
        found.setdefault(task, {}).setdefault(kind if kind in ("created", "approved", "merged") else state, at)
    return [((t["created"], t["awaiting_approval"]), (t["approved"], t["merged"])) for _, t in sorted(found.items())]


@asynccontextmanager
async def _bare_dbos(place: Bed, form: list[list[str]]) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Floor A as a function that runs it once and tells the seconds."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.bare_dbos", json.dumps(form), cwd=ROOT, env=place.environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert (await process.stdout.readline()).strip() == b"ready"
    stdin, stdout = process.stdin, process.stdout

    async def once() -> float:
        stdin.write(b"\n")
        async with asyncio.timeout(PATIENCE):
            return float(await stdout.readline())

    try:
        await once()
        yield once
    finally:
        process.kill()
        await process.wait()
