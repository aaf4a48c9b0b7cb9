"""The simulated queue: who may start, by order.decide, asked only about those whose answer can matter.

A queued task whose dependencies are over and whose files nobody holds waits for its rung alone; of these only as many
are looked at as the rung has slots for. One whose file is held matters only to who wants the same file (R-PAR-2).
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.domain.order import HOLDING, Start
from bot.domain.order import Wait as Waiting
from bot.domain.order import decide as decided
from bot.domain.project import Project
from bot.domain.simulation_calls import Cashier, Refusal
from bot.domain.simulation_waits import Reason, Waits
from bot.domain.simulation_work import Work
from bot.domain.task import FINISHED, WORKED_ON, Rung, TaskState

NO_LIMIT = 1_000_000


class Queue:
    def __init__(self, project: Project, waits: Waits, cashier: Cashier) -> None:
        self._slots = project.concurrency
        self._waits, self._cashier = waits, cashier
        self._works: dict[str, Work] = {}
        self._conflicts: Mapping[str, frozenset[str]] = {}
        self._held_by: Counter[str] = Counter()  # id -> how many hold a file that it wants
        self._busy: Counter[Rung] = Counter()
        self._batched: set[str] = set()
        self._free: dict[Rung, list[tuple[tuple[object, ...], str]]] = {rung: [] for rung in Rung}  # by urgency
        self._reviews: dict[str, Work] = {}
        self._passed_over: set[str] = set()

    def know(self, works: Iterable[Work], conflicts: Mapping[str, frozenset[str]]) -> None:
        """The tasks that have not ended, and which of them may touch a file of another."""
        self._works = {work.id: work for work in works}
        self._conflicts = conflicts
        holding = [work.id for work in self._works.values() if work.task.state in HOLDING]
        self._held_by = Counter(other for name in holding for other in conflicts[name])

    def put(self, work: Work, now: datetime) -> None:
        """The task is queued (again)."""
        if work.waits_on:
            before = next((name for name in work.task.after if name in self._works), "")
            self._waits.begin(work.id, work.rung, now, ("dependency", before))
            return
        insort(self._free[work.rung], (work.rank, work.id))
        self._wait_anew(work, now)

    def dependency_is_over(self, work: Work, name: str, now: datetime) -> None:
        if work.task.state is not TaskState.QUEUED:
            return
        if not work.waits_on:
            self.put(work, now)
            return
        open_ones = (n for n in work.task.after if n in self._works and self._works[n].task.state not in FINISHED)
        self._waits.begin(work.id, work.rung, now, ("dependency", next(open_ones, "")))

    def _wait_anew(self, work: Work, now: datetime) -> None:
        """What a task that waits for no other now waits for: a file, or whatever holds its rung up."""
        reason: Reason | None = None
        if self._held_by[work.id]:
            held = (n for n in self._conflicts[work.id] if n in self._works and self._works[n].task.state in HOLDING)
            reason = ("file", min(held, default=""))
        elif work.need.tokens and (stuck := self._cashier.stuck(work)):
            reason = ("budget", stuck.limit)
        self._waits.begin(work.id, work.rung, now, reason)

    def move(self, work: Work, state: TaskState, now: datetime) -> None:
        """The task's state changes: slots and files are taken or given free."""
        before, rung = work.task.state, work.rung
        self._waits.end(work.id, now)
        if before is TaskState.QUEUED:
            self._free[rung].remove((work.rank, work.id))
        work.to(state)
        self._busy[rung] += (state in WORKED_ON) - (before in WORKED_ON)
        change = (state in HOLDING) - (before in HOLDING)
        for other in self._conflicts[work.id] if change else ():
            was = self._held_by[other]
            self._held_by[other] = was + change
            its = self._works.get(other)
            changed = not was or not was + change
            if changed and its and its.task.state is TaskState.QUEUED and not its.waits_on:
                self._wait_anew(its, now)

    def in_batch(self, work: Work) -> None:
        self._batched.add(work.id)
        self._busy[work.rung] -= 1

    def out_of_batch(self, work: Work) -> None:
        if work.id in self._batched:
            self._batched.remove(work.id)
            self._busy[work.rung] += 1

    def decide(self, now: datetime) -> tuple[Start | Waiting, ...]:
        """What order.decide says of those that might start; empty where nobody else might."""
        takers = [work for rung, free in self._free.items() if free for work in self._takers(rung)]
        if not takers:
            return ()
        near = {name for work in takers for name in self._conflicts[work.id]}
        also = [self._works[name] for name in near if name in self._works and self._is_held_up(self._works[name])]
        queue = sorted({work.id: work for work in (*takers, *also)}.values(), key=lambda work: work.rank)
        wanted = {name for work in queue for name in self._conflicts[work.id]}
        holders = [w.task for name in wanted if (w := self._works.get(name)) and w.task.state in HOLDING]
        holders.sort(key=lambda task: task.created_at)
        counted = Counter(h.route.rung for h in holders if h.state in WORKED_ON and h.id not in self._batched)
        slots = {rung: most - self._busy[rung] + counted[rung] for rung, most in self._slots.items()}
        tasks = [*holders, *(work.task for work in queue)]
        decisions = decided([work.task for work in queue], tasks, slots, batched=self._batched)
        self._passed_over |= {work.id for work in takers}
        return decisions

    def _takers(self, rung: Rung) -> list[Work]:
        """The most urgent of a rung that nothing but a more urgent one could hold up, as many as there are slots."""
        room = self._slots.get(rung, NO_LIMIT) - self._busy[rung]
        found: list[Work] = []
        for _, name in self._free[rung]:
            if len(found) >= room:
                break
            work = self._works[name]
            if name in self._passed_over or self._held_by[name] or self._cashier.stuck(work):
                if not work.need.tokens and not self._held_by[name] and name not in self._passed_over:
                    break  # the same holds for all of the rung, but those that need more
                continue
            found.append(work)
        return found

    def _is_held_up(self, work: Work) -> bool:
        held = self._held_by[work.id] > 0 or work.id in self._passed_over
        return work.task.state is TaskState.QUEUED and held

    def end_round(self, now: datetime) -> None:
        """Say what holds each rung up from now on."""
        self._passed_over.clear()
        for rung, free in self._free.items():
            self._waits.held_up[rung] = self._holds_up(rung) if free else None

    def _holds_up(self, rung: Rung) -> Reason | None:
        usual = next((self._works[name] for _, name in self._free[rung] if not self._works[name].need.tokens), None)
        if usual and (stuck := self._cashier.stuck(usual)):
            return ("budget", stuck.limit)
        if self._busy[rung] >= self._slots.get(rung, NO_LIMIT):
            return ("slot", rung)
        return None

    @property
    def waits_for_budget(self) -> bool:
        if self._reviews:
            return True
        return any(self._cashier.stuck(self._works[name]) for free in self._free.values() for _, name in free)

    def review_waits(self, work: Work, refusal: Refusal, now: datetime) -> None:
        """Its review found no budget."""
        work.need = refusal.need
        self._reviews[work.id] = work
        self._waits.begin(work.id, work.rung, now, ("budget", str(refusal.limit)))

    def reviews_that_may(self) -> list[Work]:
        """The waiting reviews that there is budget for now; they wait no longer."""
        found = [work for work in self._reviews.values() if self._cashier.review_is_short(work) is None]
        for work in found:
            del self._reviews[work.id]
        return found

    def why(self, work: Work) -> str:
        """Why a task did not end."""
        if work.id in self._reviews:
            short = self._cashier.review_is_short(work)
            return f"its review: {short.why if short else 'the simulation ended before it'}"
        held = (n for n in self._conflicts[work.id] if n in self._works and self._works[n].task.state in HOLDING)
        if holder := min(held, default=""):
            return f"waiting for {holder}, which holds its files"
        stuck = self._cashier.stuck(work)
        return stuck.why if stuck else ""

    @property
    def sprints_without_tokens(self) -> set[int]:
        """The sprints whose tokens some task or review waits for."""
        queued = (self._works[name] for free in self._free.values() for _, name in free)
        waits = [
            *((work, self._cashier.stuck(work)) for work in queued),
            *((work, self._cashier.review_is_short(work)) for work in self._reviews.values()),
        ]
        return {work.planned.task.sprint for work, stuck in waits if stuck and stuck.limit == "sprint"}
