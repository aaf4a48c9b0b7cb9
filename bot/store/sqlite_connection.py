"""SQLite's connection for SQLAlchemy: a statement and its rows are one trip to the connection's thread.

aiosqlite makes a trip each for the cursor, the statement, its rows and the cursor's end. A trip costs two wake-ups and
a turn of the loop, more than most of our statements themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import aiosqlite

T = TypeVar("T")

#: Rows that come along with a statement; those of a longer result are fetched as they are asked for.
AT_ONCE = 256


class SqliteConnection(aiosqlite.Connection):
    """aiosqlite's, with the cursor that SQLAlchemy's adapter needs of it."""

    _used = True  # since the last transaction ended: something may be open, or be on its way to the thread
    begin = ""  #: What begins the transaction, with its first statement and in one trip with it

    async def commit(self) -> None:
        self.begin = ""
        if self._used:
            await super().commit()
            self._used = False

    async def rollback(self) -> None:
        """SQLAlchemy's pool asks for it after each session, which has done so itself or has committed."""
        self.begin = ""
        if self._used:
            await super().rollback()
            self._used = False

    async def trip(self, function: Callable[..., T], *arguments: Any) -> T:
        """What the function gives, called in the connection's thread."""
        self._used = True
        done: T = await self._execute(function, *arguments)  # type: ignore[no-untyped-call]
        return done

    def within(self, words: str) -> sqlite3.Connection:
        """In the thread: SQLite's own connection, in the transaction that begins with these words."""
        if words and not self._conn.in_transaction:  # a first statement that failed may have begun it
            self._conn.execute(words)
        return self._conn

    def cursor(self) -> SqliteCursor:  # type: ignore[override]
        return SqliteCursor(self)


class SqliteCursor:
    """One statement at a time. What came along whole leaves nothing open behind it."""

    arraysize = 1

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._open: sqlite3.Cursor | None = None  # where there may be more rows
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> SqliteCursor:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        await self._connection.trip(self._run, self._connection.begin, statement, parameters)
        self._connection.begin = ""

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        await self._connection.trip(self._run_many, self._connection.begin, statement, parameters)
        self._connection.begin = ""

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        size = size or self.arraysize
        if len(self._rows) < size and self._open:
            self._rows += await self._connection.trip(self._open.fetchmany, max(size, AT_ONCE))
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    async def fetchall(self) -> list[Any]:
        if self._open:
            self._rows += await self._connection.trip(self._rest, self._open)
        taken, self._rows = self._rows, []
        return taken

    async def __aiter__(self) -> AsyncIterator[Any]:
        while rows := await self.fetchmany(AT_ONCE):
            for row in rows:
                yield row

    async def close(self) -> None:
        left, self._open = self._open, None
        if left:
            await self._connection.trip(left.close)

    def _run(self, begin: str, statement: str, parameters: Sequence[Any]) -> None:
        """In the thread."""
        cursor = self._connection.within(begin).execute(statement, parameters)
        self._rows = cursor.fetchmany(AT_ONCE) if cursor.description else []
        self._remember(cursor)
        if len(self._rows) < AT_ONCE:
            cursor.close()
        else:
            self._open = cursor

    def _rest(self, cursor: sqlite3.Cursor) -> list[Any]:
        """In the thread. How many rows a statement changed is known once all that it returns were fetched."""
        rows = cursor.fetchall()
        self._remember(cursor)
        return rows

    def _run_many(self, begin: str, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """In the thread."""
        cursor = self._connection.within(begin).executemany(statement, parameters)
        self._remember(cursor)
        cursor.close()

    def _remember(self, cursor: sqlite3.Cursor) -> None:
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid


def connect(path: str, **options: Any) -> SqliteConnection:
    """As aiosqlite.connect; to be awaited. Its thread holds up no process that ends."""
    connection = SqliteConnection(partial(sqlite3.connect, path, **options), AT_ONCE)
    connection._thread.daemon = True
    return connection
