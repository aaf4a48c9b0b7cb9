"""A replica keeps its name, however its connection dies; real PostgreSQL, the network between made to fail."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bot.store.database import Database
from bot.store.replicas import Replica

pytestmark = pytest.mark.postgres

PATIENCE = 60.0
HOLDER = text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
              "(SELECT oid FROM pg_database WHERE datname = current_database())")  # fmt: skip


async def _holder(database: Database) -> int | None:
    async with database.read() as session:
        return await session.scalar(HOLDER)


async def _another_holds(database: Database, before: int) -> int:
    """Until another session of the server holds the only lock there is."""
    async with asyncio.timeout(PATIENCE):
        while (now := await _holder(database)) in (None, before):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert now is not None
    return now


@contextlib.asynccontextmanager
async def _held(url: str) -> AsyncIterator[Replica]:
    replica = Replica(url, "one")
    await replica.enter()
    staying = asyncio.create_task(replica.stay())
    try:
        yield replica
    finally:
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)
        await replica.leave()


class Wire:
    """A server in front of PostgreSQL's socket. What came through it before `freeze` gets no answer any more, and
    learns of no end; what comes later does."""

    def __init__(self, real: Path, front: Path) -> None:
        self._real, self._front = real, front
        self._frozen: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_unix_server(self._serve, self._front)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()
        for writer in self._open:
            writer.close()

    def freeze(self) -> None:
        self._frozen |= self._open

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_unix_connection(self._real)
        self._open |= {writer, to_server[1]}
        await asyncio.gather(self._pass_on(reader, to_server[1]), self._pass_on(to_server[0], writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if writer not in self._frozen:
                    writer.write(data)
                    await writer.drain()


@pytest.fixture
def front() -> Iterator[Path]:
    with TemporaryDirectory(prefix="orch-wire-") as folder:  # the path of a socket has to be short
        yield Path(folder) / ".s.PGSQL.5432"


async def test_a_connection_that_is_cut_is_replaced(postgres_url: str) -> None:
    database = Database(postgres_url)
    try:
        async with _held(postgres_url):
            before = await _holder(database)
            assert before is not None
            async with database.begin() as session:
                await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": before})
            await _another_holds(database, before)
    finally:
        await database.close()


async def test_a_connection_that_dies_in_silence_is_replaced(postgres_url: str, front: Path) -> None:
    """The server still thinks that it stands, and holds the lock for it."""
    url = make_url(postgres_url)
    folder = url.query["host"]
    assert isinstance(folder, str)
    through = url.update_query_dict({"host": str(front.parent)}).render_as_string(hide_password=False)
    database = Database(postgres_url)
    try:
        async with Wire(Path(folder) / ".s.PGSQL.5432", front) as wire, _held(through):
            before = await _holder(database)
            assert before is not None
            wire.freeze()
            await _another_holds(database, before)
    finally:
        await database.close()
