"""The engine: SQLite (WAL) by default, PostgreSQL by DATABASE_URL. Nothing is made at import."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, closing, suppress
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.util.concurrency import in_greenlet

from bot.errors import ConfigError
from bot.store import sqlite_connection

log = logging.getLogger("orch.database")
POOL_LOG = logging.getLogger("sqlalchemy.pool.impl.AsyncAdaptedQueuePool")

P = ParamSpec("P")
T = TypeVar("T")

#: Waits for a database that is out of reach, in seconds; each is twice the one before.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
READ_ONLY = {"orch_read_only": True}
DURABLE = {"orch_durable": True}


class Database:
    """One engine and its sessions."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = make_engine(url)
        POOL_LOG.addFilter(_is_news)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._queue = asyncio.Lock()

    @property
    def isolation_level(self) -> str:
        """Of writing transactions. What is decided on is locked, so PostgreSQL needs no more than its default."""
        return "SERIALIZABLE" if self.engine.dialect.name == "sqlite" else "READ COMMITTED"

    @property
    def sole(self) -> bool:
        """Whether only one process works on this database at a time: SQLite (`hold_alone` sees to it)."""
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One's turn to write, first come first served. SQLite has one writer, and those who wait for it only look
        again now and then: of ten the unlucky waited 4 s, in a queue no one 1 s (Slack gives an ack 3)."""
        if self.sole:
            async with self._queue:
                yield
        else:
            yield

    @asynccontextmanager
    async def begin(self, *, durable: bool = False) -> AsyncIterator[AsyncSession]:
        """A transaction that writes: committed at the end of the block, rolled back on an exception. With `durable`
        it has reached the disk by then, and survives a power failure too, as on PostgreSQL all do."""
        async with self.turn(), self._sessions() as session, session.begin():
            if durable:
                await session.connection(execution_options=DURABLE)
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads; it never waits for a writer."""
        async with self._sessions() as session:
            await session.connection(execution_options=READ_ONLY)
            yield session

    async def close(self) -> None:
        await self.engine.dispose()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """A database, as long as the block lasts."""
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


#: SQLite's words for what is no fault of the statement's.
_SQLITE_TROUBLE = ("database or disk is full", "database is locked", "disk I/O error", "unable to open database file")
#: PostgreSQL's classes of errors that are none either: connection lost, undone for another's sake (a deadlock), no
#: resources, shut down by an operator.
_POSTGRESQL_TROUBLE = ("08", "40", "53", "57")
_CANCELLED = "57014"


def is_passing(error: DBAPIError) -> bool:
    """Whether the database is out of reach or out of room, or undid this for another transaction's sake, so that the
    same may succeed later."""
    if error.connection_invalidated:
        return True
    if not isinstance(error, OperationalError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return any(words in str(error.orig) for words in _SQLITE_TROUBLE)
    state = getattr(error.orig, "sqlstate", None)  # none: it could not even connect
    return state is None or (state != _CANCELLED and state.startswith(_POSTGRESQL_TROUBLE))


async def outlasting(work: Callable[[], Awaitable[T]]) -> T:
    """What `work` gives; done again for as long as the trouble with the database is passing, as DBOS does with its
    own. So it has to be safe to repeat, and what it holds must be worth the wait."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await work()
        except DBAPIError as error:
            if not is_passing(error):
                raise
            log.warning(
                "the database is out of reach, out of room or in a deadlock, and is asked again: %s", error.orig
            )
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def outlasted(function: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The function, outlasting trouble with the database."""

    @wraps(function)
    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        return await outlasting(lambda: function(*args, **kwargs))

    return again


async def hold_alone(url: str, patience_seconds: float = 5.0) -> Callable[[], Awaitable[None]]:
    """Make sure that this is the only process at work on a SQLite database; returns what gives it free. The kernel
    frees it too when the process dies. Waits a little for a predecessor that is stopping. Other databases are made
    for many processes: nothing is held. Raises ConfigError."""

    async def nothing() -> None: ...

    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return nothing
    path = Path(f"{parsed.database}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _again in range(max(1, round(patience_seconds / 0.1))):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(0.1)
            continue

        async def release() -> None:
            os.close(descriptor)

        return release
    os.close(descriptor)
    raise ConfigError(
        f"Another Orch is at work on {parsed.database}, and SQLite is for one process. Nothing was changed. Stop the "
        "other one, give this one an ORCH_HOME of its own, or set DATABASE_URL to a PostgreSQL for several."
    )


def make_engine(url: str) -> AsyncEngine:
    """An engine for a SQLAlchemy async URL. On SQLite a writing transaction takes the write lock with its first
    statement, so that what it read is still true when it writes; on PostgreSQL rows are locked (`FOR UPDATE`)."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, connect_args={"timeout": 30, "async_creator_fn": sqlite_connection.connect})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "invalidate", _let_go)
    return engine


def keep_log_ahead(path: Path) -> None:
    """Give a SQLite file that others open (DBOS's own) a write-ahead log, for good: a commit is one sync in place of
    several, and readers need not wait."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, below
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _let_go(connection: Any, _record: Any, _error: BaseException | None) -> None:
    """Give the lock back before a connection is thrown away, as one is whose statement was cut off by a cancellation:
    SQLite keeps what was closed, transaction and all, until the last cursor on it is garbage, and all others wait."""
    if in_greenlet():
        with suppress(Exception, asyncio.CancelledError):  # it is thrown away in any case, by a cancellation already
            connection.rollback()


def _is_news(record: logging.LogRecord) -> bool:
    """SQLAlchemy calls it an error, with a traceback, when a task is cancelled while its connection is given back."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    durable = bool(options.get("orch_durable"))
    if connection.info.get("orch_durable", False) != durable:
        connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.info["orch_durable"] = durable
    driver: Any = connection.connection.driver_connection
    driver.begin = "BEGIN" if options.get("orch_read_only") else "BEGIN IMMEDIATE"
