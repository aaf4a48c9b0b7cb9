"""When the sprint's work will be finished, and what it will cost, judged by how fast work was finished so far.

Each day to come finishes as many tasks as some working day of the last twenty did, each with the same chance. The
distribution is computed exactly, not sampled, so the same history always gives the same answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from bot.domain.report_facts import Facts, TaskFact
from bot.domain.task import Frozen, Rung
from bot.domain.working_days import WorkingDays

#: How many working days of history count.
HISTORY_DAYS = 20
#: As many working days ahead are looked at; what takes longer has no date that means anything.
HORIZON = 130
#: The range that is said: of ten such histories, eight end within it.
EARLY, LIKELY, LATE = 0.1, 0.5, 0.9


class Forecast(Frozen):
    """When the remaining tasks of the open sprint are finished. `likely` is as often missed as met; of ten times,
    once it is before `early` and once after `late`. Without history no date is known, and `unknown` says why.
    Micro-dollars: `spent` so far, `expected` in the end."""

    remaining: int
    early: date | None = None
    likely: date | None = None
    late: date | None = None
    planned: date | None = None  # the sprint's last working day
    unknown: str = ""
    empty: bool = False  # there was no task yet, so that none remains
    spent_microusd: int = 0
    expected_microusd: int = 0
    expected_tokens: int = 0

    @property
    def behind(self) -> bool:
        """More likely than not, the work ends after the sprint."""
        return bool(self.likely and self.planned and self.likely > self.planned)

    @property
    def may_slip(self) -> bool:
        """The sprint's end lies within the range, or before it."""
        return bool(self.late and self.planned and self.late > self.planned)


def forecast(facts: Facts) -> Forecast:
    """For the open sprint; where none is, for all open work. A day that is not over yet is drawn like those to come,
    and what it finished already is part of that: models work at any hour."""
    own = facts.sprint
    sprint = own.sprint if own else None
    open_now = [task for task in facts.of_sprint if not task.finished]
    planned = [each for each in facts.planned if sprint and sprint.state == "open" and each.sprint == sprint.number]
    remaining = len(open_now) + len(planned)
    tokens, microusd = _to_come(facts, open_now)
    spent_tokens, spent = (own.level.taken, own.microusd) if own else (0, 0)
    known = {
        "remaining": remaining,
        "planned": _planned_end(facts),
        "spent_microusd": spent,
        "expected_microusd": spent + microusd + sum(each.microusd for each in planned),
        "expected_tokens": spent_tokens + tokens + sum(each.tokens for each in planned),
    }
    if not remaining:
        return Forecast(**known, early=facts.day, likely=facts.day, late=facts.day, empty=not facts.of_sprint)
    last = facts.day if facts.day_is_over else facts.day - timedelta(days=1)  # the last whole day
    history = daily_finishes(facts.finished_on, facts.working_days, last)
    if not sum(history):
        return Forecast(**known, unknown="no day has passed yet on which something was finished")
    today = 0 if facts.day_is_over else sum(day == facts.day for day in facts.finished_on.values())
    found = [days_needed(remaining + today, history, share) for share in (EARLY, LIKELY, LATE)]
    if found[1] is None:
        return Forecast(**known, unknown=f"at the pace so far it takes more than {HORIZON} working days")
    early, likely, late = (facts.working_days.nth(last + timedelta(days=1), n) if n else None for n in found)
    return Forecast(**known, early=early, likely=likely, late=late)


def daily_finishes(finished_on: Mapping[str, date], days: WorkingDays, until: date) -> list[int]:
    """How many tasks each of the last working days finished, oldest first, from the first one that finished any. What
    was finished on a day off counts for the working day before it."""
    ended = [day for day in finished_on.values() if day <= until]
    if not ended:
        return []
    counts = Counter(ended)
    found: list[int] = []
    carried, day = 0, until
    while day >= min(ended) and len(found) < HISTORY_DAYS:
        carried += counts[day]
        if days.includes(day):
            found.append(carried)
            carried = 0
        day -= timedelta(days=1)
    return [*([carried] if carried and len(found) < HISTORY_DAYS else []), *reversed(found)]


def days_needed(remaining: int, history: Sequence[int], share: float) -> int | None:
    """The fewest days after which at least `share` of all draws from history have finished `remaining` tasks; None
    beyond the horizon."""
    return next((n for n, done in enumerate(_chances(remaining, history), 1) if done >= share - 1e-12), None)


def _chances(remaining: int, history: Sequence[int]) -> Iterator[float]:
    """The chance that all is finished after 1, 2, 3, ... days."""
    draws = [(count, times / len(history)) for count, times in Counter(history).items()]
    left: dict[int, float] = {remaining: 1.0}  # tasks left -> its chance
    done = 0.0
    for _ in range(HORIZON):
        after: dict[int, float] = defaultdict(float)
        for tasks, chance in left.items():
            for count, part in draws:
                if count >= tasks:
                    done += chance * part
                else:
                    after[tasks - count] += chance * part
        left = after
        yield done


def _planned_end(facts: Facts) -> date | None:
    sprint = facts.sprint.sprint if facts.sprint else None
    if sprint is None or sprint.state != "open" or sprint.first_day is None:
        return None
    return facts.working_days.nth(sprint.first_day, sprint.days)


def _to_come(facts: Facts, open_now: Sequence[TaskFact]) -> tuple[int, int]:
    """(tokens, micro-dollars) that open tasks still take: the mean of what the finished tasks of their rung took, less
    what they took already. Of a rung that finished nothing yet: what the route expects of one attempt."""
    finished: dict[Rung, list[TaskFact]] = defaultdict(list)
    for task in facts.tasks:
        if task.finished and task.tokens:
            finished[task.rung].append(task)
    tokens = microusd = 0
    for task in open_now:
        if like := finished.get(task.rung):
            each = round(sum(t.tokens for t in like) / len(like)), round(sum(t.microusd for t in like) / len(like))
        else:
            each = task.expected_tokens, task.expected_microusd
        tokens += max(0, each[0] - task.tokens)
        microusd += max(0, each[1] - task.microusd)
    return tokens, microusd
