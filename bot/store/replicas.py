"""Which replicas are at work on a PostgreSQL: each holds an advisory lock under its name (ORCH_EXECUTOR_ID).

The server frees the lock of a process that dies. So who gets a replica's lock knows that it is gone, and is the only
one who knows it as long as the lock is held.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import ConfigError

log = logging.getLogger("orch.replicas")

#: How often it is looked whether the connection that holds the lock still stands, and how long an answer may take; in
#: seconds. A connection that dies in silence is found dead, and replaced, before the server gives up on it.
BEAT_SECONDS, ANSWER_SECONDS = 1.0, 3.0
#: The server gives up a replica whose machine is gone (no packet comes back) after about 20 s.
NOTICE_LOSS = ("tcp_keepalives_idle = 10", "tcp_keepalives_interval = 3", "tcp_keepalives_count = 3")

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended('orch/replica/' || :name, 0))")
_OWN = text("SELECT pid, backend_start AS since FROM pg_stat_activity WHERE pid = pg_backend_pid()")
_END = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid AND backend_start = :since")
_FREE = text("SELECT pg_advisory_unlock(hashtextextended('orch/replica/' || :name, 0))")


class Replica:
    """This process among the replicas. The lock has a connection of its own, outside any pool."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self._engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._held: AsyncConnection | None = None
        self._ending: set[asyncio.Future[Any]] = set()  # dead connections, and what was asked over them
        self._session: dict[str, Any] | None = None  # of the server, that holds or held the lock for us

    async def enter(self, patience_seconds: float = 5.0) -> None:
        """Hold the lock from now on. Waits a little for a predecessor that is stopping. Raises ConfigError."""
        for _again in range(max(1, round(patience_seconds / 0.1))):
            if await self._hold():
                return
            await asyncio.sleep(0.1)
        raise ConfigError(
            f"Another Orch called {self.name} is at work on this database. Nothing was changed. Give each replica an "
            "ORCH_EXECUTOR_ID of its own, or stop the other one."
        )

    async def stay(self) -> None:
        """Take the lock anew whenever the connection was lost. Works until cancelled."""
        said = ""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            lost = ""
            try:
                if not await self._in_time(self._beat()):
                    lost = f"another Orch holds the name {self.name}: one that takes over, or one to give its own"
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                lost = f"the database is out of reach; this replica may be taken for gone: {error}"
                held, self._held = self._held, None
                self._leave_behind(_close(held))
            if lost and not said:
                log.warning(lost)
            elif said and not lost:
                log.warning("this replica holds its name again")
            said = lost

    async def _beat(self) -> bool:
        """Whether the lock is held: still, or from now on."""
        if self._held is None:
            return await self._hold()
        await self._held.execute(text("SELECT 1"))
        return True

    async def _in_time(self, asked: Coroutine[Any, Any, bool]) -> bool:
        """Raises TimeoutError for an answer that takes too long. It is cancelled, which is not waited for: over a dead
        connection that takes seconds too."""
        answer = asyncio.create_task(asked)
        try:
            await asyncio.wait({answer}, timeout=ANSWER_SECONDS)
        finally:
            if not answer.done():
                answer.cancel()
                self._leave_behind(answer)
        if not answer.done():
            raise TimeoutError(f"no answer within {ANSWER_SECONDS:g} s")
        return answer.result()

    def _leave_behind(self, work: Coroutine[Any, Any, Any] | asyncio.Task[Any]) -> None:
        ending = asyncio.ensure_future(work)
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def leave(self) -> None:
        held, self._held = self._held, None
        await _close(held)
        await asyncio.gather(*self._ending, return_exceptions=True)
        await self._engine.dispose()

    @asynccontextmanager
    async def instead_of(self, name: str) -> AsyncIterator[bool]:
        """Hold another replica's lock as long as the block lasts: True where it was free, so that replica is gone."""
        async with self._engine.connect() as connection:
            gone = bool(await connection.scalar(_TRY, {"name": name}))
            try:
                yield gone
            finally:
                if gone:
                    await connection.execute(_FREE, {"name": name})

    async def _hold(self) -> bool:
        connection = await self._engine.connect()
        try:
            for setting in NOTICE_LOSS:
                await connection.execute(text(f"SET {setting}"))
            if self._session is not None:  # the server may not know yet that it is dead
                await connection.execute(_END, self._session)
            if await connection.scalar(_TRY, {"name": self.name}):
                self._held = connection
                self._session = dict((await connection.execute(_OWN)).mappings().one())
                return True
        finally:
            if self._held is not connection:
                await connection.close()
        return False


async def _close(held: AsyncConnection | None) -> None:
    if held is not None:
        try:
            await held.invalidate()
            await held.close()
        except (SQLAlchemyError, OSError) as error:
            log.info("the lost connection could not be closed: %s", error)
