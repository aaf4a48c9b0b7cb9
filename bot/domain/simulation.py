"""A plan's run in model time (issue 4): the product's own decisions, with assumed answers of models and people.

After each moment the queue is looked at. The functions that Orch works with decide what may start, what a call may
take, whether it waits in a batch, what follows a failure and what it costs. Providers do not fail here, and nothing is
merged without an approval.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.batching import latest
from bot.domain.file_holds import conflicts
from bot.domain.local_time import instant
from bot.domain.order import Start, chains, urgency
from bot.domain.plan import PlanSprint
from bot.domain.plan_budget import Planned
from bot.domain.simulation_calls import Cashier
from bot.domain.simulation_clock import Clock
from bot.domain.simulation_life import Life
from bot.domain.simulation_model import DayEnd, Left, Run, Setup
from bot.domain.simulation_queue import Queue
from bot.domain.simulation_waits import Waits
from bot.domain.simulation_work import Work
from bot.domain.task import Task

#: A run that takes longer ends there, and says what is left.
LONGEST = timedelta(days=3 * 365)


def simulate(setup: Setup, seed: int) -> Run:
    """One run of the plan, the same for the same seed."""
    return _Simulation(setup, seed).run()


class _Simulation:
    def __init__(self, setup: Setup, seed: int) -> None:
        self._setup, self._seed = setup, seed
        self._project, self._assumed = setup.project, setup.assumed
        self._clock = Clock(setup.start, self._project.hours, self._passes)
        self._works: dict[str, Work] = {}
        self._over: set[str] = set()
        self._waits = Waits(setup.start)
        self._cashier = Cashier(setup)
        self._queue = Queue(self._project, self._waits, self._cashier)
        self._life = Life(setup, seed, self._clock, self._waits, self._cashier, self._queue, self._ended)
        self._ends: list[DayEnd] = []
        self._done = self._late = 0
        self._last_end = setup.start
        self._midnight_set = self._idle_day = False

    def run(self) -> Run:
        for sprint in self._setup.plan.sprints:
            self._clock.go_to(self._next_morning() if self._works else self._clock.now)
            self._open(sprint)
            self._round()
            while self._clock and self._clock.now - self._setup.start < LONGEST:
                self._clock.step()
                self._round()
            if self._clock:
                break
        self._cashier.day_is_over(self._ends, self._done)
        left = tuple(Left(work.id, self._why_left(work)) for work in self._works.values() if work.id not in self._over)
        day = self._project.day
        return Run(
            seed=self._seed,
            took=self._last_end - self._setup.start,
            working_days=self._project.working_days.number(day(self._setup.start), day(self._last_end)),
            done=self._done,
            by_hand=self._life.by_hand,
            late=self._late,
            saving=self._cashier.saving(self._works),
            waits=dict(self._waits.total),
            left=left,
            days=tuple(self._ends),
            raised=self._cashier.tokens_raised,
            over_limit=tuple(sorted(self._cashier.counters.over)),
        )

    def _why_left(self, work: Work) -> str:
        if work.why:
            return work.why
        before = [name for name in work.task.after if name in self._works and name not in self._over]
        return (
            f"waiting for {', '.join(before)}" if before else self._queue.why(work) or "the simulation ended before it"
        )

    def _passes(self, moment: datetime) -> None:
        self._cashier.pass_time(self._ends, moment, self._done)
        self._waits.pass_time(moment)

    def _open(self, sprint: PlanSprint) -> None:
        """The sprint's tasks are queued; those of earlier ones that did not end go on."""
        open_works = [work for work in self._works.values() if work.id not in self._over]
        made = [_task(each, self._setup, self._clock.now) for each in self._setup.planned.values()
                if each.task.sprint == sprint.number]  # fmt: skip
        lengths = chains([*(work.task for work in open_works), *made])
        for task in made:
            length = lengths[task.id]
            self._works[task.id] = Work(self._setup.planned[task.id], task, length, urgency(task, length))
        for task in made:
            work = self._works[task.id]
            before = [name for name in task.after if name in self._works and name not in self._over]
            work.waits_on = len(before)
            for name in before:
                self._works[name].behind.append(work)
        self._cashier.due = latest(self._project, [*(work.task for work in open_works), *made])
        still = [*open_works, *(self._works[task.id] for task in made)]
        self._queue.know(still, conflicts(work.task for work in still))
        for task in made:
            self._queue.put(self._works[task.id], self._clock.now)

    def _next_morning(self) -> datetime:
        """The first working morning from now on: the next sprint starts once all that can end has ended."""
        today = self._project.day(self._clock.now)
        for day in (today, today + timedelta(days=1)):
            working = self._project.working_days.from_(day)
            at = instant(working, self._project.times.morning, self._project.timezone)
            if at >= self._clock.now:
                break
        return at

    def _round(self) -> None:
        """Start what may start now (R-PAR); then the reviews that waited for budget."""
        self._cashier.look_at(self._clock.now)
        for work in self._queue.reviews_that_may():
            self._life.review(work)
        while decisions := self._queue.decide(self._clock.now):
            for decision in decisions:
                if isinstance(decision, Start):
                    self._life.begin(self._works[decision.task.id])
        self._queue.end_round(self._clock.now)
        self._idle_day &= not self._life.went_on
        self._life.went_on = False
        pointless = self._midnight_set or (self._idle_day and not self._clock)  # a whole day's budget changed nothing
        if not pointless and self._queue.waits_for_budget:
            self._clock.at(self._cashier.midnight, self._day_turned)
            self._midnight_set = True
        if not self._clock and self._assumed.raises and (sprints := self._queue.sprints_without_tokens):
            self._raise_later(sprints)

    def _day_turned(self) -> None:
        self._midnight_set, self._idle_day = False, True

    def _raise_later(self, sprints: set[int]) -> None:
        """Nothing goes on without more tokens for the sprint: a lead adds some, once they had the time to decide."""

        def add() -> None:
            for sprint in sorted(sprints):
                self._cashier.raise_sprint(sprint, self._assumed.raises)
            self._idle_day = False

        at = self._project.hours.after(self._clock.now, timedelta(minutes=self._assumed.decision_minutes))
        self._clock.at(at, add)

    def _ended(self, work: Work) -> None:
        self._over.add(work.id)
        self._done += 1
        self._late += work.task.deadline is not None and work.task.deadline < self._clock.now
        self._last_end = self._clock.now
        self._cashier.prompts_changed()
        for waiting in work.behind:
            waiting.waits_on -= 1
            self._queue.dependency_is_over(waiting, work.id, self._clock.now)
        work.behind.clear()


def _task(each: Planned, setup: Setup, now: datetime) -> Task:
    planned, project = each.task, setup.project
    first = project.day(now)
    due = planned.deadline_at(lambda nth: project.working_days.nth(first, nth), project.zone)
    return Task(
        project=project.key, id=planned.id, text=planned.text, route=each.route, priority=planned.priority,
        files=planned.files, after=planned.after, deadline=due, token_budget=each.budget,
        created_at=now + timedelta(microseconds=planned.number), updated_at=now,
    )  # fmt: skip
