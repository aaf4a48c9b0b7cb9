"""What earlier tasks teach the router (R-RT-6, R-BUD-5): how often a rung made such work, at what price and how fast.

It is asked only where the matrix leaves haiku or sonnet open, above the security floor, and only once enough such tasks
are over. Then the rung with the lower expected cost is tried first: haiku's cost includes sonnet's where haiku fails.
Micro-dollars; seconds that models took. Costs include repairs and reviews.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from bot.domain.escalation import NOT_COUNTED, Outcome
from bot.domain.prices import DOLLAR
from bot.domain.task import Frozen, Rung, TaskState, TaskType

Size = Literal["small", "medium", "large"]
#: Fewer tasks than this at haiku say nothing: the rules choose.
ENOUGH = 5
#: A Beta(1, 1): before anything is known, haiku makes one in two.
PASSED_BEFORE, FAILED_BEFORE = 1, 1
#: How many tasks' worth the list price counts beside the costs that were seen.
PRICE_COUNTS = 2
SMALL_TEXT, LARGE_TEXT = 300, 1_500  # characters
SMALL_FILES, LARGE_FILES = 1, 5
#: States that a task does not leave by itself: what failed on its last rung has failed there.
AT_REST = frozenset({TaskState.BLOCKED, TaskState.FAILED, TaskState.CANCELLED})


def size_of(text: str, files: Sequence[str]) -> Size:
    """How big a task looks before it is begun: by its words and the files that it declares."""
    if len(files) > LARGE_FILES or len(text) > LARGE_TEXT:
        return "large"
    return "small" if len(files) <= SMALL_FILES and len(text) <= SMALL_TEXT else "medium"


class Past(Frozen):
    """One attempt that ended, and the task as it is now."""

    task: int
    type: TaskType
    size: Size
    state: TaskState
    rung: Rung
    outcome: Outcome
    microusd: int = 0
    seconds: float = 0.0


class Kind(NamedTuple):
    """What is told apart."""

    rung: Rung
    type: TaskType
    size: Size


class Record(Frozen):
    """What tasks of one kind came to on one rung. `retries`: attempts beyond the first of each."""

    tasks: int = 0
    passed: int = 0
    retries: int = 0
    microusd: int = 0
    seconds: float = 0.0

    @property
    def chance(self) -> float:
        """That the rung makes the next such task, 0..1: the mean of the Beta distribution."""
        return (self.passed + PASSED_BEFORE) / (self.tasks + PASSED_BEFORE + FAILED_BEFORE)

    def cost(self, usual: int) -> float:
        """Micro-dollars that the next such task takes on this rung; `usual`: of one attempt by the price list."""
        return (self.microusd + PRICE_COUNTS * usual) / (self.tasks + PRICE_COUNTS)

    @property
    def mean_seconds(self) -> float:
        return self.seconds / self.tasks if self.tasks else 0.0


class History(Frozen):
    """All that is known. `usual`: micro-dollars of one attempt on each rung, its review included, by the price list."""

    records: Mapping[Kind, Record] = {}
    usual: Mapping[Rung, int] = {}

    def of(self, rung: Rung, kind: TaskType, size: Size) -> Record:
        return self.records.get(Kind(rung, kind, size), Record())


class Preference(NamedTuple):
    """The rung to try first, and why, with the counts."""

    rung: Rung
    why: str


def preference(history: History, kind: TaskType, size: Size) -> Preference | None:
    """Haiku or sonnet first for such a task; None where too little is known of haiku's."""
    haiku, sonnet = history.of(Rung.HAIKU, kind, size), history.of(Rung.SONNET, kind, size)
    if haiku.tasks < ENOUGH:
        return None
    direct = sonnet.cost(history.usual.get(Rung.SONNET, 0))
    tried = haiku.cost(history.usual.get(Rung.HAIKU, 0)) + (1 - haiku.chance) * direct
    rung = Rung.HAIKU if tried < direct else Rung.SONNET
    did = f"haiku did {haiku.passed} of {haiku.tasks} such tasks"
    did += f" with {_counted(haiku.retries)} in {haiku.mean_seconds:.0f} s each" if haiku.seconds else ""
    costs = f"haiku first is expected to cost {_dollars(tried)} against {_dollars(direct)}"
    return Preference(rung, f"{did}; {costs}")


def history_of(attempts: Iterable[Past], usual: Mapping[Rung, int]) -> History:
    """The records of these attempts, which come task by task, each task's oldest first.

    A task counts on a rung once it passed there, went on to another rung, or rests after counted failures (R-ESC-4);
    what was interrupted, lost by a provider or sent back by a person says nothing about the rung."""
    records: dict[Kind, Record] = {}
    for _, of_task in groupby(attempts, lambda past: past.task):
        stays = [list(stay) for _, stay in groupby(of_task, lambda past: past.rung)]
        for place, stay in enumerate(stays):
            passed = _passed(stay, is_last=place == len(stays) - 1)
            if passed is None:
                continue
            kind = Kind(stay[0].rung, stay[0].type, stay[0].size)
            records[kind] = _with(records.get(kind, Record()), stay, passed=passed)
    return History(records=records, usual=usual)


def _passed(stay: Sequence[Past], *, is_last: bool) -> bool | None:
    """Whether the rung made the task; None where that is open, or was never seen."""
    last = stay[-1]
    if last.outcome == "passed":
        return True
    counted = any(past.outcome not in NOT_COUNTED for past in stay)
    return False if counted and (not is_last or last.state in AT_REST) else None


def _with(record: Record, stay: Sequence[Past], *, passed: bool) -> Record:
    return Record(
        tasks=record.tasks + 1,
        passed=record.passed + passed,
        retries=record.retries + len(stay) - 1,
        microusd=record.microusd + sum(past.microusd for past in stay),
        seconds=record.seconds + sum(past.seconds for past in stay),
    )


def _counted(retries: int) -> str:
    return "no retry" if not retries else "one retry" if retries == 1 else f"{retries} retries"


def _dollars(microusd: float) -> str:
    return f"${microusd / DOLLAR:.4f}"
