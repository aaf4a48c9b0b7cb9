"""The pictures of `/orch budget chart`: the day's tokens by rung within their limits, and the sprint's tokens left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from bot.domain.budget import Level, Limits
from bot.domain.chart import BarChart, LineChart, Marker, Series, beside_even_pace
from bot.domain.sprint import Sprint
from bot.domain.working_days import WorkingDays


def usage(project: str, day: date, levels: Mapping[str, Level], marks: Limits) -> BarChart | None:
    """Tokens used and reserved, each bar in the frame of its limit with its own yellow and red mark (R-BUD-3); None
    where nothing is limited and nothing was taken."""
    shown = {name: level for name, level in levels.items() if level.limit.tokens or level.taken}
    if not shown:
        return None
    of = list(shown.values())
    return BarChart(
        title=f"{project} · tokens on {day}",
        alt=f"Tokens used and reserved on {day}: {', '.join(_said(*each) for each in shown.items())}.",
        unit="tokens",
        labels=tuple(shown),
        series=(
            Series(name="used", values=tuple(level.used_tokens for level in of)),
            Series(name="reserved", values=tuple(level.reserved_tokens for level in of), tone="light"),
        ),
        limits=tuple(level.limit.tokens for level in of),
        ticks=(
            Series(name=f"yellow, {marks.yellow:.0%}", values=_at(of, marks.yellow), tone="second"),
            Series(name=f"red, {marks.red:.0%}", values=_at(of, marks.red), tone="warning"),
        ),
    )


def _said(name: str, level: Level) -> str:
    reserved = f" and {level.reserved_tokens:,} reserved" if level.reserved_tokens else ""
    return f"{name} {level.used_tokens:,}{reserved} of {level.limit.tokens:,}"


def _at(levels: list[Level], share: float) -> tuple[float | None, ...]:
    return tuple(level.limit.tokens * share or None for level in levels)


def tokens_left(
    project: str, sprint: Sprint, level: Level, used: Mapping[date, int], day: date, days: WorkingDays, marks: Limits
) -> LineChart | None:
    """What is left of an open sprint's budget at the end of each of its days, beside an even pace; None where none is
    open. `used`: tokens by day, reserved ones too."""
    first, budget = sprint.first_day, level.limit.tokens
    if sprint.state != "open" or first is None or not budget:
        return None
    last = max(days.nth(first, sprint.days), day)
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    shown = [each for each in every if days.includes(each) or used.get(each)]
    left = [budget - sum(used[d] for d in used if d <= each) for each in shown if each <= day]
    passed = [sum(days.includes(d) for d in shown[: n + 1]) for n in range(len(shown))]
    even = [budget * max(0.0, 1 - n / sprint.days) for n in (0, *passed)]
    now = left[-1] if left else budget
    return beside_even_pace(
        title=f"{project} · sprint {sprint.number}: tokens left",
        alt=f"Burn-down of sprint {sprint.number}'s budget: {now:,} of {budget:,} tokens are left on {day}; at an even "
        f"pace it would be {even[len(left)]:,.0f}.",
        unit="tokens",
        days=shown,
        even=even,
        left=[budget, *left],
        markers=(
            Marker(name=f"yellow, {marks.yellow:.0%} used", value=budget * (1 - marks.yellow), tone="second"),
            Marker(name=f"red, {marks.red:.0%} used", value=budget * (1 - marks.red)),
        ),
    )
