"""A plan's run in model time (issue 4): the product's own decisions, with assumed answers of models and people.

Events stand in a heap; after each moment the queue is looked at. What may start, what a call may take, what follows a
failure and what it costs is asked of the same functions as at work: order.decide, budget.size_call, budget_waits.stuck,
escalation.next_step, prices. Providers do not fail here, and nothing is merged but by approval.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from bot.domain.budget_waits import Need
from bot.domain.escalation import Again, Attempt, Outcome, Policy, next_step
from bot.domain.file_holds import conflicts
from bot.domain.order import Start, chains, urgency
from bot.domain.plan import PlanSprint
from bot.domain.plan_budget import Planned
from bot.domain.routing import ROWS
from bot.domain.simulation_calls import Cashier
from bot.domain.simulation_model import DayEnd, Left, Run, Setup
from bot.domain.simulation_queue import Queue
from bot.domain.simulation_waits import Waits
from bot.domain.simulation_work import Act, Call, Luck, Work
from bot.domain.slots import instant
from bot.domain.task import Rung, Task, TaskState

MORE_URGENT = {"low": "normal", "normal": "high"}
#: A run that takes longer ends there, and says what is left.
LONGEST = timedelta(days=3 * 365)
S = TaskState
Event = tuple[datetime, int, Callable[[], None]]


def simulate(setup: Setup, seed: int) -> Run:
    """One run of the plan, the same for the same seed."""
    return _Simulation(setup, seed).run()


class _Simulation:
    def __init__(self, setup: Setup, seed: int) -> None:
        self._setup, self._seed = setup, seed
        self._project, self._assumed = setup.project, setup.assumed
        self._now = setup.start
        self._luck = Luck(seed, setup.assumed, setup.chance)
        self._events: list[Event] = []
        self._number = count()
        self._works: dict[str, Work] = {}
        self._blocks: dict[str, list[Work]] = {}  # id -> those of begun sprints that wait for it
        self._over: set[str] = set()
        self._waits = Waits(setup.start)
        self._cashier = Cashier(setup)
        self._queue = Queue(self._project, self._waits, self._cashier)
        self._ends: list[DayEnd] = []
        self._done, self._by_hand = 0, 0
        self._last_end = setup.start
        self._midnight_set = self._idle_day = False

    def run(self) -> Run:
        for sprint in self._setup.plan.sprints:
            self._go_to(self._next_morning() if self._works else self._now)
            self._open(sprint)
            self._round()
            while self._events and self._now - self._setup.start < LONGEST:
                self._step()
            if self._events:
                break
        self._cashier.day_is_over(self._ends, self._last_end, self._done)
        left = tuple(Left(work.id, self._why_left(work)) for work in self._works.values() if work.id not in self._over)
        day = self._project.day
        return Run(
            seed=self._seed,
            took=self._last_end - self._setup.start,
            working_days=self._project.working_days.number(day(self._setup.start), day(self._last_end)),
            done=self._done,
            by_hand=self._by_hand,
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

    def _step(self) -> None:
        """All that happens at the next moment, then a look at the queue."""
        moment = self._events[0][0]
        self._go_to(moment)
        while self._events and self._events[0][0] == moment:
            heapq.heappop(self._events)[2]()
        self._round()

    def _go_to(self, moment: datetime) -> None:
        self._cashier.pass_time(self._ends, moment, self._done)
        self._waits.pass_time(moment)
        self._now = moment

    def _at(self, moment: datetime, happens: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._number), happens))

    def _later(self, minutes: float, act: Act, work: Work) -> None:
        self._at(self._now + timedelta(minutes=minutes), partial(act, work))

    def _after_working(self, minutes: float, act: Act, work: Work) -> None:
        """In so much working time of people."""
        at = self._project.hours.after(self._now, timedelta(minutes=minutes))
        self._at(at, partial(act, work))

    def _open(self, sprint: PlanSprint) -> None:
        """The sprint's tasks are queued; those of earlier ones that did not end go on."""
        open_works = [work for work in self._works.values() if work.id not in self._over]
        made = [_task(each, self._setup, self._now) for each in self._setup.planned.values()
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
                self._blocks.setdefault(name, []).append(work)
        still = [*open_works, *(self._works[task.id] for task in made)]
        self._queue.know(still, conflicts(work.task for work in still))
        for task in made:
            self._queue.put(self._works[task.id], self._now)

    def _next_morning(self) -> datetime:
        """The first working morning from now on: the next sprint starts once all that can end has ended."""
        today = self._project.day(self._now)
        for day in (today, today + timedelta(days=1)):
            working = self._project.working_days.from_(day)
            at = instant(working, self._project.times.morning, self._project.timezone)
            if at >= self._now:
                break
        return at

    def _round(self) -> None:
        """Start what may start now (R-PAR); then the reviews that waited for budget."""
        self._cashier.look_at(self._now)
        for work in self._queue.reviews_that_may(self._cashier):
            self._review(work)
        while decisions := self._queue.decide(self._now):
            for decision in decisions:
                if isinstance(decision, Start):
                    self._begin(self._works[decision.task.id])
        self._queue.end_round(self._now)
        pointless = self._midnight_set or (self._idle_day and not self._events)  # a whole day's budget changed nothing
        if not pointless and self._queue.waits_for_budget:
            self._at(self._cashier.midnight, self._day_turned)
            self._midnight_set = True
        if not self._events and self._assumed.raises and (sprints := self._queue.sprints_without_tokens):
            self._raise_later(sprints)

    def _day_turned(self) -> None:
        self._midnight_set, self._idle_day = False, True

    def _raise_later(self, sprints: set[int]) -> None:
        """Nothing goes on without more tokens for the sprint: a lead adds some, once they had the time to decide."""

        def add() -> None:
            for sprint in sorted(sprints):
                self._cashier.raise_sprint(sprint, self._assumed.raises)
            self._idle_day = False

        at = self._project.hours.after(self._now, timedelta(minutes=self._assumed.decision_minutes))
        self._at(at, add)

    def _move(self, work: Work, state: TaskState) -> None:
        self._queue.move(work, state, self._now)

    # What a task goes through.

    def _begin(self, work: Work) -> None:
        self._idle_day = False
        if work.rung is Rung.MANUAL:
            self._move(work, S.WITH_HUMAN)
            minutes = self._luck.minutes(self._luck.of(work, "hand"), self._assumed.minutes_of(Rung.MANUAL))
            self._after_working(minutes, self._end, work)
            return
        work.attempt += 1
        work.tokens, work.seconds, work.failed = 0, 0.0, None
        self._move(work, S.RUNNING)
        work.call = self._cashier.edit(work, self._luck.edit(work))
        self._await(work, self._edited)

    def _await(self, work: Work, act: Act) -> None:
        """Wait for the call's answer; where none could be paid for, what follows from that."""
        call = work.call
        if call is None:
            self._unaffordable(work)
            return
        mean = self._assumed.batch_minutes if call.batch else self._assumed.minutes_of(call.rung)
        minutes = self._luck.minutes(self._luck.of(work, f"{call.purpose} minutes"), mean)
        call.seconds = 0.0 if call.batch else minutes * 60
        if call.batch:
            self._queue.in_batch(work)
        self._later(minutes, act, work)

    def _unaffordable(self, work: Work) -> None:
        """As workflows.edit.finish_unanswered does."""
        refused = self._cashier.refusal
        usual = self._project.limits.task.get(work.rung, 0)
        if work.failed:
            self._fail(work, work.failed)
        elif refused.own and work.task.token_budget >= usual:
            self._fail(work, "too_big")
        elif refused.limit == "haiku" and work.rung is Rung.HAIKU:
            self._fail(work, "day")
        elif refused.own:
            self._block(work, "its budget is too small for its question", self._to_more)
        else:
            work.history.append(Attempt(rung=work.rung, outcome="day"))
            work.need = refused.need
            self._move(work, S.QUEUED)
            self._queue.put(work, self._now)

    def _edited(self, work: Work) -> None:
        call = self._settled(work)
        self._queue.out_of_batch(work)
        if call.purpose == "repair":
            failed: Outcome | None = None if self._luck.is_mended(work) and not call.cut_off else work.failed
        elif call.cut_off:
            failed = "tokens"
        else:
            failed = "checks" if self._luck.fails(work) else None
        if failed is None:
            self._worked(work)
        elif failed == "checks" and call.purpose == "edit":
            work.failed = "checks"
            work.call = self._cashier.edit(work, self._luck.repair(call.used), repair=True)
            self._await(work, self._edited)
        else:
            self._fail(work, failed)

    def _worked(self, work: Work) -> None:
        if work.is_report:
            work.passed.add(work.attempt)
            self._end(work)
            return
        self._move(work, S.CHECKING)
        self._later(self._assumed.checks_minutes, self._checked, work)

    def _checked(self, work: Work) -> None:
        self._move(work, S.IN_REVIEW)
        self._review(work)

    def _review(self, work: Work) -> None:
        """Gemini looks at it (R-SEC-4); without budget the review waits."""
        work.call = self._cashier.review(work, self._luck.review(work))
        if work.call is None:
            self._queue.review_waits(work, self._cashier.refusal, self._now)
            return
        self._idle_day = False
        self._waits.begin(work.id, work.rung, self._now, ("review", "gemini"))
        self._await(work, self._reviewed)

    def _reviewed(self, work: Work) -> None:
        self._settled(work, counts=False)
        verdict = self._luck.verdict(work)
        if verdict != "passed":
            self._fail(work, verdict)
            return
        work.passed.add(work.attempt)
        self._move(work, S.AWAITING_APPROVAL)
        self._waits.begin(work.id, work.rung, self._now, ("approval", "people"))
        chance = self._luck.of(work, "approval")
        people = 2 if work.task.route.security else 1
        minutes = max(self._luck.minutes(chance, self._assumed.approval_minutes) for _ in range(people))
        self._after_working(minutes, self._end, work)

    def _settled(self, work: Work, *, counts: bool = True) -> Call:
        call = work.call
        assert call is not None
        self._cashier.settle(work, call)
        work.call = None
        if counts:
            work.tokens += call.used.total
            work.seconds += call.seconds
        return call

    def _fail(self, work: Work, outcome: Outcome) -> None:
        """What follows a failed attempt (R-ESC)."""
        work.history.append(
            Attempt(rung=work.rung, outcome=outcome, signature=self._luck.signature(work, outcome),
                    seconds=work.seconds, tokens=work.tokens)
        )  # fmt: skip
        route = work.task.route
        policy = Policy(
            max_attempts=self._project.max_attempts, security=route.code_critical,
            haiku_may=ROWS[route.type].haiku != "no", opus_approved=work.opus_approved and not work.tokens,
        )  # fmt: skip
        step = next_step(tuple(work.history), policy)
        if isinstance(step, Again):
            self._again(work, step.rung, urgent=step.urgent)
        elif step.split and self._assumed.too_big == "raise":
            self._block(work, step.why, self._to_more)
        elif step.propose is Rung.OPUS and self._assumed.opus and not (step.split and self._assumed.too_big == "hand"):
            self._block(work, step.why, self._to_opus)
        else:
            self._block(work, step.why, self._to_hand)

    def _again(self, work: Work, rung: Rung, *, urgent: bool = False) -> None:
        self._move(work, S.QUEUED)  # first of all, since it gives the slot of its old rung free
        task = work.task
        budget = task.token_budget
        if rung is not work.rung:
            budget = 0 if rung is Rung.MANUAL else max(budget, self._project.limits.task.get(rung, 0))
        priority = MORE_URGENT.get(task.priority, task.priority) if urgent else task.priority
        route = task.route.model_copy(update={"rung": rung})
        update = {"route": route, "priority": priority, "token_budget": budget}
        work.chain += max(budget, 1) - max(task.token_budget, 1)
        work.task = task.model_copy(update=update)
        work.rank = urgency(work.task, work.chain)
        work.need = Need()
        self._queue.put(work, self._now)

    def _block(self, work: Work, why: str, then: Act) -> None:
        """A person decides, and `then` it goes on."""
        work.why = why
        self._move(work, S.BLOCKED)
        self._waits.begin(work.id, work.rung, self._now, ("decision", "people"))
        minutes = self._luck.minutes(self._luck.of(work, "decision"), self._assumed.decision_minutes)
        self._after_working(minutes, then, work)

    def _to_more(self, work: Work) -> None:
        """A lead adds half as much again to what an attempt at it may take."""
        self._waits.end(work.id, self._now)
        work.why = ""
        more = work.task.token_budget * 3 // 2
        work.task = work.task.model_copy(update={"token_budget": more})
        self._again(work, work.rung)

    def _to_opus(self, work: Work) -> None:
        self._waits.end(work.id, self._now)
        work.why, work.opus_approved = "", True
        self._again(work, Rung.OPUS)

    def _to_hand(self, work: Work) -> None:
        self._waits.end(work.id, self._now)
        work.why = ""
        self._by_hand += 1
        self._again(work, Rung.MANUAL)

    def _end(self, work: Work) -> None:
        state = S.DONE if work.rung is Rung.MANUAL or work.is_report else S.MERGED
        self._move(work, state)
        self._over.add(work.id)
        self._done += 1
        self._last_end = self._now
        for waiting in self._blocks.pop(work.id, ()):
            waiting.waits_on -= 1
            self._queue.dependency_is_over(waiting, work.id, self._now)


def _task(each: Planned, setup: Setup, now: datetime) -> Task:
    planned, project = each.task, setup.project
    first = project.day(now)
    due = planned.deadline_at(lambda nth: project.working_days.nth(first, nth), project.zone)
    return Task(
        project=project.key, id=planned.id, text=planned.text, route=each.route, priority=planned.priority,
        files=planned.files, after=planned.after, deadline=due, token_budget=each.budget,
        created_at=now + timedelta(microseconds=planned.number), updated_at=now,
    )  # fmt: skip
