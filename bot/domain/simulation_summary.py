"""What many runs of a plan came to: percentiles, the longest waits, and the curves of money and progress."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from bot.domain.chart import LineChart, Series, Tone
from bot.domain.prices import DOLLAR
from bot.domain.simulation_model import Run, Wait, WaitKind

HOUR = timedelta(hours=1)
#: So many of the longest waits are told.
MOST_WAITS = 10
TONES: tuple[Tone, ...] = ("main", "second", "third", "fourth")


class Spread(NamedTuple):
    """The 10th, 50th and 90th percentile of the runs, by nearest rank."""

    p10: float
    p50: float
    p90: float


class LongWait(NamedTuple):
    """A task's wait for one thing, in hours; `runs`: in how many it waited so at all."""

    wait: Wait
    hours: Spread
    runs: int


class Summary(NamedTuple):
    """All runs of one policy. Money in dollars, times in hours, shares 0..1."""

    name: str
    runs: int
    working_days: Spread
    hours: Spread
    dollars: Spread
    tokens: Spread
    saving: Spread
    done: Spread
    by_hand: Spread
    late: Spread
    raised: Spread
    waits: Mapping[WaitKind, Spread]  # of all tasks together
    longest: tuple[LongWait, ...]
    left: Mapping[str, tuple[int, str]]  # task -> in how many runs it did not end, and why in one of them
    first_day: date
    spent: tuple[Spread, ...]  # dollars by the end of each day
    progress: tuple[Spread, ...]  # tasks done by the end of each day


def spread(values: Iterable[float]) -> Spread:
    found = sorted(values)
    if not found:
        return Spread(0, 0, 0)
    return Spread(*(found[max(0, -(-len(found) * share // 100) - 1)] for share in (10, 50, 90)))


def summarise(name: str, runs: Sequence[Run]) -> Summary:
    """`runs` are not empty."""

    def of(value: Callable[[Run], float]) -> Spread:
        return spread(map(value, runs))

    by_kind: list[Counter[WaitKind]] = []
    for run in runs:
        hours: Counter[WaitKind] = Counter()
        for wait, took in run.waits.items():
            hours[wait.kind] += took / HOUR  # type: ignore[assignment]
        by_kind.append(hours)
    kinds = {kind for hours in by_kind for kind in hours}
    return Summary(
        name=name,
        runs=len(runs),
        working_days=of(lambda run: run.working_days),
        hours=of(lambda run: run.took / HOUR),
        dollars=of(lambda run: run.saving.actual / DOLLAR),
        tokens=of(lambda run: run.saving.tokens),
        saving=of(lambda run: run.saving.share or 0.0),
        done=of(lambda run: run.done),
        by_hand=of(lambda run: run.by_hand),
        late=of(lambda run: run.late),
        raised=of(lambda run: run.raised),
        waits={kind: spread(hours[kind] for hours in by_kind) for kind in sorted(kinds)},
        longest=_longest(runs),
        left=_left(runs),
        first_day=runs[0].days[0].day,
        spent=_curve(runs, lambda run, at: run.days[at].microusd / DOLLAR),
        progress=_curve(runs, lambda run, at: run.days[at].done),
    )


def _longest(runs: Sequence[Run]) -> tuple[LongWait, ...]:
    """By their median over all runs, then by their sum; a run without that wait counts as none."""
    hours: dict[Wait, list[float]] = defaultdict(list)
    for run in runs:
        for wait, took in run.waits.items():
            hours[wait].append(took / HOUR)
    found = [
        LongWait(wait, spread([*each, *[0.0] * (len(runs) - len(each))]), len(each)) for wait, each in hours.items()
    ]
    return tuple(sorted(found, key=lambda long: (-long.hours.p50, -sum(hours[long.wait]), long.wait))[:MOST_WAITS])


def _left(runs: Sequence[Run]) -> dict[str, tuple[int, str]]:
    times = Counter(left.task for run in runs for left in run.left)
    why = {left.task: left.why for run in reversed(runs) for left in run.left}
    return {task: (times[task], why[task]) for task in why}


def _curve(runs: Sequence[Run], value: Callable[[Run, int], float]) -> tuple[Spread, ...]:
    """One spread for each day; a run that is over stays where it ended."""
    days = max(len(run.days) for run in runs)
    return tuple(spread(value(run, min(at, len(run.days) - 1)) for run in runs) for at in range(days))


def budget_chart(title: str, summaries: Sequence[Summary]) -> LineChart:
    """Dollars by the end of each day."""
    return _chart(f"{title}: dollars spent", "$", summaries, lambda summary: summary.spent)


def progress_chart(title: str, summaries: Sequence[Summary]) -> LineChart:
    """Tasks that are done by the end of each day."""
    return _chart(f"{title}: tasks done", "tasks", summaries, lambda summary: summary.progress)


def _chart(
    title: str, unit: str, summaries: Sequence[Summary], curve: Callable[[Summary], Sequence[Spread]]
) -> LineChart:
    days = max(len(curve(summary)) for summary in summaries)
    first = summaries[0].first_day
    labels = tuple((first + timedelta(days=n)).strftime("%d %b") for n in range(days))
    series, bands, told = [], [], []
    for tone, summary in zip(TONES, summaries, strict=False):
        known = curve(summary)
        whole = [known[min(at, len(known) - 1)] for at in range(days)]
        line = Series(name=f"{summary.name} (p50)", values=tuple(each.p50 for each in whole), tone=tone)
        low = Series(name="", values=tuple(each.p10 for each in whole), tone=tone)
        high = Series(name="p10 to p90", values=tuple(each.p90 for each in whole), tone=tone)
        series.append(line)
        bands.append((low, high))
        last = whole[-1]
        told.append(f"{summary.name}: {last.p50:,.4g} in the end ({last.p10:,.4g} to {last.p90:,.4g})")
    return LineChart(
        title=title, alt=f"{title}, by day. {'; '.join(told)}.", unit=unit, labels=labels, series=tuple(series),
        bands=tuple(bands),
    )  # fmt: skip
