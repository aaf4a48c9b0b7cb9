"""A sprint plan as values: its sprints and tasks (R-MSG-4, R-BUD-2). bot/domain/plan_reading.py reads one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bot.domain.plan_fields import DayTime, Deadline
from bot.domain.plan_graph import graph_of
from bot.domain.routing import RouteRequest
from bot.domain.task import Frozen, Priority, Rung, TaskType

DEFAULT_DAYS = 5  # working days of a sprint


class PlanTask(Frozen):
    """One task as its plan describes it. `after` and `blockers_if_fail` say the same from both ends (R-PAR-3)."""

    id: str
    sprint: int
    day: int
    number: int
    title: str = ""
    prompt: str
    type: TaskType | None = None
    model: Rung | None = None  # a wish, as `--model` is one
    files: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    success_criteria: tuple[str, ...] = ()
    blockers_if_fail: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    priority: Priority = "normal"
    deadline: Deadline | None = None
    owner: str | None = None  # an alias or a Slack id
    token_budget: int | None = None  # tokens per attempt; none = the rung's default
    security: bool = False
    milestone: bool = False  # the weekly report says whether it is reached (R-REP-2)
    line: int = 0  # where it stands in its file

    @property
    def text(self) -> str:
        """What the model is told: the title, if there is one, and the prompt."""
        return f"{self.title}\n\n{self.prompt}" if self.title else self.prompt

    @property
    def route_request(self) -> RouteRequest:
        return RouteRequest(text=self.text, files=self.files, type=self.type, model=self.model, security=self.security)

    def deadline_at(self, date_of_day: Callable[[int], date], zone: ZoneInfo) -> datetime | None:
        """The deadline in UTC. `date_of_day` gives the date of the sprint's nth working day; times that name no zone
        are in the project's."""
        due = self.deadline
        if isinstance(due, DayTime):
            due = datetime.combine(date_of_day(due.day), due.at)
        if due is None:
            return None
        return (due if due.tzinfo else due.replace(tzinfo=zone)).astimezone(UTC)


class PlanSprint(Frozen):
    """One sprint. `budget`: tokens by rung (R-BUD-2); empty = the project's own limit."""

    number: int
    title: str = ""
    days: int = DEFAULT_DAYS
    budget: Mapping[Rung, int] = {}
    line: int = 0

    @property
    def tokens(self) -> int:
        return sum(self.budget.values())


class Plan(Frozen):
    """A valid plan: ids are unique, and nothing waits in a circle."""

    name: str
    title: str = ""
    description: str = ""
    sprints: tuple[PlanSprint, ...]
    tasks: tuple[PlanTask, ...]

    def of_sprint(self, number: int) -> tuple[PlanTask, ...]:
        return tuple(task for task in self.tasks if task.sprint == number)

    def task(self, task_id: str) -> PlanTask:
        """Raises KeyError."""
        return {task.id: task for task in self.tasks}[task_id]

    @property
    def graph(self) -> dict[str, tuple[str, ...]]:
        """Which task waits for which (bot.domain.plan_graph)."""
        return graph_of(self.tasks)


def unknown_owners(plan: Plan, aliases: Mapping[str, str]) -> Iterator[tuple[PlanTask, str]]:
    """Tasks whose owner is neither a Slack id nor one of the project's aliases."""
    for task in plan.tasks:
        if task.owner and person_of(task.owner, aliases) is None:
            yield task, task.owner


def person_of(owner: str, aliases: Mapping[str, str]) -> str | None:
    """The Slack id of a plan's owner, or None for a name that nobody has."""
    is_id = owner[:1] in ("U", "W") and owner.isalnum() and owner == owner.upper() and len(owner) > 2
    return aliases.get(owner) or (owner if is_id else None)
