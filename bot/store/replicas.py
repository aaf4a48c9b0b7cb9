"""Which replicas are at work on a PostgreSQL: each holds an advisory lock under its name (ORCH_EXECUTOR_ID).

The server frees the lock of a process that dies. So who gets a replica's lock knows that it is gone, and is the only
one who knows it as long as the lock is held.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import ConfigError

log = logging.getLogger("orch.replicas")

#: How often it is looked whether the connection that holds the lock still stands, in seconds.
BEAT_SECONDS = 1.0
#: The server gives up a replica whose machine is gone (no packet comes back) after about 20 s.
NOTICE_LOSS = ("tcp_keepalives_idle = 10", "tcp_keepalives_interval = 3", "tcp_keepalives_count = 3")

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended('orch/replica/' || :name, 0))")
_FREE = text("SELECT pg_advisory_unlock(hashtextextended('orch/replica/' || :name, 0))")


class Replica:
    """This process among the replicas. The lock has a connection of its own, outside any pool."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self._engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._held: AsyncConnection | None = None

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
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                if self._held is None:
                    if not await self._hold():
                        log.error("another Orch is at work under the name %s; give it its own", self.name)
                    continue
                await self._held.execute(text("SELECT 1"))
            except (SQLAlchemyError, OSError) as error:
                log.warning("the database is out of reach; this replica may be taken for gone: %s", error)
                await self._drop()

    async def leave(self) -> None:
        await self._drop()
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
            if await connection.scalar(_TRY, {"name": self.name}):
                self._held = connection
                return True
        finally:
            if self._held is not connection:
                await connection.close()
        return False

    async def _drop(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            try:
                await held.invalidate()
                await held.close()
            except (SQLAlchemyError, OSError) as error:
                log.info("the lost connection could not be closed: %s", error)
