"""The conversations' fixtures: `orch` on SQLite, `orch_on_each` on both databases, `starting` for another setup."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.conversation import Orch, conversation
from tests.acceptance.repository import Repo

Starting = Callable[..., AbstractAsyncContextManager[Orch]]


@pytest.fixture
async def orch(tmp_path: Path) -> AsyncIterator[Orch]:
    """The bot at work on SQLite, with the sample repository and its checks."""
    async with conversation(tmp_path) as talk:
        yield talk


@pytest.fixture
async def orch_on_each(tmp_path: Path, empty_database_url: str) -> AsyncIterator[Orch]:
    """The same, on SQLite and on PostgreSQL, where nothing is there yet."""
    async with conversation(tmp_path, empty_database_url) as talk:
        yield talk


@pytest.fixture
def starting(tmp_path: Path) -> Starting:
    """`async with starting(checks=[...], ...) as orch:` for a conversation with another setup."""
    return partial(conversation, tmp_path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office_day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Orch]:
    """One bot for all conversations of a file, since it takes seconds to stop. No checks but a task's own."""
    setup = {"checks": (), "sandbox": {"timeout_seconds": 2}, "prepare": _with_a_link}
    async with conversation(tmp_path_factory.mktemp("day"), **setup) as talk:
        talk.world.rates.enabled = False
        yield talk


@pytest.fixture
def shared(office_day: Orch) -> Orch:
    """A fresh conversation with the bot of this file. The tests keep to files of their own."""
    return office_day.fresh()


def _with_a_link(repo: Repo) -> None:
    (repo.path / "outside").symlink_to(repo.path.parent)
    repo.commit()
