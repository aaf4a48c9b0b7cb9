"""What every workflow works with: the project's rules, the ports, the store and the clock. Made by wiring."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from dbos import DBOS, AsyncSQLAlchemyDatasource
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.plan import Plan
from bot.domain.prices import Price
from bot.domain.project import Project
from bot.domain.providers import Patience
from bot.domain.task import ORCH as ORCH
from bot.domain.task import Rung, Task
from bot.errors import UserMistake
from bot.ports import Batches, Charts, Chat, CheckRunner, ModelClient, Repository, Reviewer
from bot.render import Renderer
from bot.store import tasks
from bot.store.database import Database, outlasting
from bot.store.tables import TaskRow
from bot.workflows.troubles import Troubles

P = ParamSpec("P")
T = TypeVar("T")


class Acks:
    """How long this process took to acknowledge what Slack delivered, in seconds: the last ones, and the sum of all."""

    def __init__(self) -> None:
        self.seconds: deque[float] = deque(maxlen=2_000)
        self.count, self.total = 0, 0.0

    def took(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.count += 1
        self.total += seconds


class Superseded(Exception):
    """The task has left the stage that this workflow was started for: someone cancelled it, or it went on."""


def no_plans(name: str, known: Collection[str]) -> Plan:
    """Where wiring gave no place to look for plans."""
    raise UserMistake(f"There is no plan called {name}.")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Visit:
    """One entry of a task into a stage; its id makes a duplicate start a no-op."""

    pk: int
    project: str
    task_id: str
    attempt: int
    stage: str
    entry: int

    @property
    def id(self) -> str:
        return f"{self.project}/{self.task_id}/{self.attempt}/{self.stage}/{self.entry}"

    @staticmethod
    def of(row: TaskRow) -> Visit:
        return Visit(row.pk, row.project, row.task_id, row.attempt, row.state, row.entry)


@dataclass(frozen=True)
class Office:
    """The rooms that workflows may enter. Ports and store only; nothing here is global."""

    projects: Mapping[str, Project]
    db: Database
    chat: Chat
    render: Renderer
    repositories: Mapping[str, Repository]
    models: Mapping[Rung, ModelClient]
    reviewer: Reviewer
    checks: CheckRunner
    price: Callable[[str, date], Price]
    redact: Callable[[str], str]
    secrets: tuple[str, ...] = ()  # configured values that must never be in a commit (R-SEC-3)
    own_words: Mapping[str, Renderer] = field(default_factory=dict)  # of projects with templates of their own
    batches: Mapping[Rung, Batches] = field(default_factory=dict)  # where calls that are not urgent may wait
    charts: Charts | None = None  # without it no pictures are wanted
    patience: Patience = field(default_factory=Patience)  # with providers that fail
    plans: Callable[[str, Collection[str]], Plan] = no_plans  # by name, and the ids that its tasks may wait for too
    ds: AsyncSQLAlchemyDatasource | None = None  # absent where no stages run (`--role slack`)
    retention: timedelta | None = timedelta(days=90)  # how long bodies of finished work are kept; None: for ever
    now: Callable[[], datetime] = utc_now
    troubles: Troubles = field(default_factory=Troubles)  # what fails now in this process
    acks: Acks = field(default_factory=Acks)
    merges: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))  # by project
    work: asyncio.Event = field(default_factory=asyncio.Event)  # there may be stages to start
    mail: asyncio.Event = field(default_factory=asyncio.Event)  # there may be messages to send
    stops: asyncio.Event = field(default_factory=asyncio.Event)  # there may be work to end
    under_way: dict[asyncio.Task[Any], Visit] = field(default_factory=dict)  # what ends with its task's stage
    tick: asyncio.Event = field(default_factory=asyncio.Event)  # one of the day's posts may be due

    def words_of(self, project: str) -> Renderer:
        """The project's own templates before ours (`templates_dir`)."""
        return self.own_words.get(project, self.render)

    def nudge(self) -> None:
        """Something was committed: let those who wait for it look now, not at their next round."""
        self.work.set()
        self.mail.set()
        self.stops.set()

    async def tx(
        self,
        function: Callable[Concatenate[Office, AsyncSession, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Inside a stage: a transaction that commits together with its DBOS checkpoint."""
        assert self.ds is not None
        ds = self.ds

        async def body() -> T:
            return await function(self, ds.sql_session(), *args, **kwargs)

        options: Any = {"name": function.__name__, "isolation_level": self.db.isolation_level}
        async with self.db.turn():
            result = await ds.run_tx_step_async(options, body)
        self.mail.set()
        return result

    async def step(
        self, function: Callable[Concatenate[Office, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Inside a stage: one effect outside the database; it may run twice, after a crash or a lost connection."""

        async def body() -> T:
            return await outlasting(lambda: function(self, *args, **kwargs))

        return await DBOS.run_step_async({"name": function.__name__}, body)


async def current(session: AsyncSession, visit: Visit) -> TaskRow:
    """The task's row, locked, if it is still in the stage entry of this visit. Raises Superseded."""
    row = await tasks.lock(session, visit.pk)
    if row.entry != visit.entry or row.state != visit.stage:
        raise Superseded(visit.id)
    return row


def readable(office: Office, row: TaskRow) -> Task | None:
    """The row as decisions see it; None where it holds what no Orch wrote, or a later one."""
    with office.troubles.at(f"{row.project} {row.task_id}, its row"):
        return tasks.as_task(row)
    return None
