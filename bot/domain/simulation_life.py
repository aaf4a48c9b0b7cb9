"""What a task goes through in a simulated run: attempts, checks, review, approval, and what follows a failure (R-ESC).

Each step asks the functions that are asked at work: budget.size_call, batching.may_begin, escalation.next_step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bot.domain.budget_waits import Need
from bot.domain.escalation import MORE_URGENT, Again, Attempt, Outcome, Policy, next_step
from bot.domain.order import urgency
from bot.domain.routing import ROWS
from bot.domain.simulation_calls import Cashier
from bot.domain.simulation_clock import Clock
from bot.domain.simulation_model import Setup
from bot.domain.simulation_queue import Queue
from bot.domain.simulation_waits import Waits
from bot.domain.simulation_work import Act, Call, Luck, Work
from bot.domain.task import Rung, TaskState

S = TaskState


class Life:
    """`ended`: told of each task that is merged or done."""

    def __init__(
        self, setup: Setup, seed: int, clock: Clock, waits: Waits, cashier: Cashier, queue: Queue,
        ended: Callable[[Work], None],
    ) -> None:  # fmt: skip
        self._project, self._assumed = setup.project, setup.assumed
        self._luck = Luck(seed, setup.assumed, setup.chance)
        self._clock, self._waits, self._cashier, self._queue, self._ended = clock, waits, cashier, queue, ended
        self.by_hand = 0
        self.went_on = False  # some work went on since this was last looked at

    def _move(self, work: Work, state: TaskState) -> None:
        self._queue.move(work, state, self._clock.now)

    def begin(self, work: Work) -> None:
        self.went_on = True
        if work.rung is Rung.MANUAL:
            self._move(work, S.WITH_HUMAN)
            minutes = self._luck.minutes(self._luck.of(work, "hand"), self._assumed.minutes_of(Rung.MANUAL))
            self._clock.after_working(minutes, self._end, work)
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
        if call.until is not None:
            self._queue.in_batch(work)
            left = (call.until - self._clock.now).total_seconds() / 60
            if minutes > left:
                self._clock.later(left, partial(self._pulled_out, act), work)
                return
        self._clock.later(minutes, act, work)

    def _pulled_out(self, act: Act, work: Work) -> None:
        """Its batch took longer than its deadline leaves: it is cancelled, and the call made at the usual price."""
        call = work.call
        assert call is not None
        self._queue.out_of_batch(work)
        self._cashier.release(call)
        work.call = self._cashier.again(work, call)
        if work.call is None and call.purpose == "review":
            self._queue.review_waits(work, self._cashier.refusal, self._clock.now)
        else:
            self._await(work, act)

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
            self._queue.put(work, self._clock.now)

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
        self._clock.later(self._assumed.checks_minutes, self._checked, work)

    def _checked(self, work: Work) -> None:
        self._move(work, S.IN_REVIEW)
        self.review(work)

    def review(self, work: Work) -> None:
        """Gemini looks at it (R-SEC-4); without budget the review waits."""
        work.call = self._cashier.review(work, self._luck.review(work))
        if work.call is None:
            self._queue.review_waits(work, self._cashier.refusal, self._clock.now)
            return
        self.went_on = True
        self._waits.begin(work.id, work.rung, self._clock.now, ("review", "gemini"))
        self._await(work, self._reviewed)

    def _reviewed(self, work: Work) -> None:
        self._settled(work, counts=False)
        self._queue.out_of_batch(work)
        verdict = self._luck.verdict(work)
        if verdict != "passed":
            self._fail(work, verdict)
            return
        work.passed.add(work.attempt)
        self._move(work, S.AWAITING_APPROVAL)
        self._waits.begin(work.id, work.rung, self._clock.now, ("approval", "people"))
        chance = self._luck.of(work, "approval")
        people = 2 if work.task.route.security else 1
        minutes = max(self._luck.minutes(chance, self._assumed.approval_minutes) for _ in range(people))
        self._clock.after_working(minutes, self._end, work)

    def _settled(self, work: Work, *, counts: bool = True) -> Call:
        call = work.call
        assert call is not None
        used = self._cashier.settle(work, call)
        work.call = None
        if counts:
            work.tokens += used.total
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
        self._queue.put(work, self._clock.now)

    def _block(self, work: Work, why: str, then: Act) -> None:
        """A person decides, and `then` it goes on."""
        work.why = why
        self._move(work, S.BLOCKED)
        self._waits.begin(work.id, work.rung, self._clock.now, ("decision", "people"))
        minutes = self._luck.minutes(self._luck.of(work, "decision"), self._assumed.decision_minutes)
        self._clock.after_working(minutes, then, work)

    def _to_more(self, work: Work) -> None:
        """A lead adds half as much again to what an attempt at it may take."""
        self._waits.end(work.id, self._clock.now)
        work.why = ""
        more = work.task.token_budget * 3 // 2
        work.task = work.task.model_copy(update={"token_budget": more})
        self._again(work, work.rung)

    def _to_opus(self, work: Work) -> None:
        self._waits.end(work.id, self._clock.now)
        work.why, work.opus_approved = "", True
        self._again(work, Rung.OPUS)

    def _to_hand(self, work: Work) -> None:
        self._waits.end(work.id, self._clock.now)
        work.why = ""
        self.by_hand += 1
        self._again(work, Rung.MANUAL)

    def _end(self, work: Work) -> None:
        state = S.DONE if work.rung is Rung.MANUAL or work.is_report else S.MERGED
        self._move(work, state)
        self._ended(work)
