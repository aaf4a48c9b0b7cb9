"""The pictures of the reports: burn-down, budget and throughput, from the reports' own facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from bot.domain.chart import BarChart, LineChart, Series, beside_even_pace
from bot.domain.forecast import HISTORY_DAYS, daily_finishes
from bot.domain.report_facts import Facts
from bot.domain.usage_charts import usage

#: As many working days as the picture of throughput shows.
SHOWN_DAYS = 10


def charts(facts: Facts, kind: str) -> tuple[tuple[str, LineChart | BarChart], ...]:
    """(name, chart) of those that show something: of the sprint and the day; of the week, throughput for the day."""
    last = ("throughput", throughput(facts)) if kind == "weekly" else ("budget", budget(facts))
    return tuple((name, chart) for name, chart in (("burn-down", burn_down(facts)), last) if chart is not None)


def burn_down(facts: Facts) -> LineChart | None:
    """Tasks left at the end of each working day of the open sprint, beside an even pace; None before it has tasks."""
    own = facts.sprint
    if own is None or own.sprint.state != "open" or own.sprint.first_day is None:
        return None
    sprint, first = own.sprint, own.sprint.first_day
    last = max(facts.working_days.nth(first, sprint.days), facts.day)
    days = list(_working_days(facts, first, last))
    planned = sum(each.sprint == sprint.number for each in facts.planned)
    total = len(facts.of_sprint) + planned
    if not total or not days:
        return None
    ended = [facts.ended_on[task.id] for task in facts.of_sprint if task.finished]
    left = [total, *(total - sum(day <= until for day in ended) for until in days if until <= facts.day)]
    even = [total * max(0.0, 1 - n / sprint.days) for n in range(len(days) + 1)]
    return beside_even_pace(
        title=f"{facts.project} · sprint {sprint.number}: tasks left",
        alt=f"Burn-down of sprint {sprint.number}: {left[-1]} of {total} tasks are left on {facts.day}; at an "
        f"even pace it would be {even[len(left) - 1]:.0f}.",
        unit="tasks",
        days=days,
        even=even,
        left=left,
    )


def budget(facts: Facts) -> BarChart | None:
    """The day's tokens by rung and together, used and reserved; None where no limit is set, or nothing was used yet."""
    levels = {rung.value: level for rung, level in facts.rungs.items()}
    used = any(level.taken for level in (*levels.values(), facts.today))
    return usage(facts.project, facts.day, {**levels, "all": facts.today} if levels and used else {}, facts.limits)


def throughput(facts: Facts) -> BarChart | None:
    """Tasks finished on each of the last working days; None before any was."""
    counts = daily_finishes(facts.finished_on, facts.working_days, facts.day)[-SHOWN_DAYS:]
    if not counts:
        return None
    back = facts.day - timedelta(days=HISTORY_DAYS * 7)
    days = list(_working_days(facts, back, facts.day))[-len(counts) :]
    return BarChart(
        title=f"{facts.project} · tasks finished a day",
        alt=f"Tasks finished on each of the last {len(counts)} working days: {', '.join(map(str, counts))}.",
        unit="tasks",
        labels=tuple(f"{day:%a %d %b}" for day in days),
        series=(Series(name="finished", values=tuple(counts)),),
    )


def _working_days(facts: Facts, first: date, last: date) -> Iterator[date]:
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return (day for day in every if facts.working_days.includes(day))
