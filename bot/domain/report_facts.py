"""What a report is made from: a project as it stood at one moment, by the event log and the ledger alone (R-REP-3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.budget import Level, Limits
from bot.domain.metrics import Metric
from bot.domain.saving import Saving
from bot.domain.sprint import Sprint, current, number_of
from bot.domain.task import ENDED, FINISHED, GIVEN_UP, Frozen, Priority, Rung, TaskState, TaskType
from bot.domain.working_days import WorkingDays
from bot.domain.working_hours import WorkingHours


class TaskFact(Frozen):
    """One task as it stood. Tokens and micro-dollars: used and reserved by all its calls until then."""

    id: str
    title: str
    state: TaskState
    rung: Rung
    type: TaskType
    sprint: int
    priority: Priority = "normal"
    owner: str = ""
    tokens: int = 0
    microusd: int = 0
    expected_tokens: int = 0  # by its route, for one attempt
    expected_microusd: int = 0
    created_at: datetime
    since: datetime  # when it came into its state
    why: str = ""  # the reason given for its last event
    deadline: datetime | None = None
    milestone: bool = False

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    @property
    def open(self) -> bool:
        return self.state not in ENDED


class PlannedFact(Frozen):
    """A task of a plan that is not queued yet, and what it is expected to take, its review included."""

    id: str
    title: str
    sprint: int
    day: int
    rung: Rung
    type: TaskType
    priority: Priority = "normal"
    deadline: datetime | None = None
    milestone: bool = False
    tokens: int = 0
    microusd: int = 0


class SprintFact(Frozen):
    """One sprint and its budget: used + reserved until then (R-BUD-3), and what its calls cost in micro-dollars."""

    sprint: Sprint
    level: Level
    microusd: int = 0


class Facts(Frozen):
    """A project at `at`, which is now, or the end of `day` where that is over. Dates are the project's own."""

    project: str
    day: date
    at: datetime
    hours: WorkingHours = WorkingHours()
    limits: Limits
    tasks: tuple[TaskFact, ...] = ()  # oldest first
    planned: tuple[PlannedFact, ...] = ()
    sprints: tuple[SprintFact, ...] = ()
    today: Level  # the day's tokens, of all rungs
    rungs: Mapping[Rung, Level] = {}  # the day's, by rung
    urgent: tuple[str, ...] = ()  # ids of what is queued, the most urgent first (R-PAR-5)
    ended_on: Mapping[str, date] = {}  # id -> the day, of every task that is finished, failed or cancelled
    reported_until: datetime | None = None  # what the newest weekly report posted before this week told of
    blocker_sla: timedelta = timedelta(hours=2)  # working time (R-SEC-5)
    review_sla: timedelta = timedelta(hours=4)
    saving: Saving = Saving()  # of the calls of the week, from its first day
    metrics: tuple[Metric, ...] = ()  # of the week until `at`, where they are asked for

    @property
    def working_days(self) -> WorkingDays:
        return self.hours.days

    @property
    def sprint(self) -> SprintFact | None:
        """The sprint that is open, or the one that ad-hoc work without any belongs to."""
        number = number_of(current([each.sprint for each in self.sprints]))
        return next((each for each in self.sprints if each.sprint.number == number), None)

    @property
    def of_sprint(self) -> tuple[TaskFact, ...]:
        """The tasks of the open sprint that were not given up; without an open one, of all."""
        own = self.sprint
        wanted = (t for t in self.tasks if t.state not in GIVEN_UP)
        if own is None or own.sprint.state != "open":
            return tuple(wanted)
        return tuple(task for task in wanted if task.sprint == own.sprint.number)

    def date_of(self, at: datetime | None) -> date | None:
        """The project's own date of a time."""
        return at.astimezone(ZoneInfo(self.hours.zone)).date() if at else None

    @property
    def finished_on(self) -> dict[str, date]:
        """id -> the day on which it was finished."""
        return {task.id: self.ended_on[task.id] for task in self.tasks if task.finished}

    @property
    def day_is_over(self) -> bool:
        """Whether `at` is the day's last moment, or later."""
        return self.date_of(self.at + timedelta(microseconds=1)) != self.day

    @property
    def next_day(self) -> date:
        """The working day after this one."""
        return self.working_days.from_(self.day + timedelta(days=1))
