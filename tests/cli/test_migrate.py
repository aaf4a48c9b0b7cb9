"""`orch migrate`: says what it did, and is idempotent; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.__main__ import main


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORCH_HOME", str(tmp_path / "home"))
    for name in ("ORCH_CONFIG", "DATABASE_URL", "PORT"):
        monkeypatch.delenv(name, raising=False)


def test_migrate_brings_the_database_up_once(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = empty_database_url.replace("sqlite+aiosqlite", "sqlite").replace("postgresql+psycopg", "postgresql")
    monkeypatch.setenv("DATABASE_URL", given)
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out.startswith("The database went from ")
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out.startswith("The database is at ")


def test_the_default_database_is_in_orch_home(tmp_path: Path) -> None:
    assert main(["migrate"]) == 0
    assert (tmp_path / "home" / "orch.db").is_file()


@pytest.mark.parametrize("url", ["postgresql://orch:secret-password@127.0.0.1:1/orch", "sqlite:///."])
def test_a_database_that_cannot_be_opened_is_said_in_a_line(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert main(["migrate"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("orch: The database cannot be opened: ")
    assert said.endswith("Check DATABASE_URL, and that the server runs and lets Orch in.\n")
    assert "secret-password" not in said
