"""`orch plan check|load FILE`, as a person at a terminal meets it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.store.database import hold_alone

DOCS = "name: demo\nsprints:\n  - {number: 1, title: First, budget: {haiku: 3000}}\ntasks:\n"
ONE = "  - {id: S1-D1-1, prompt: Write the README, type: docs, owner: dev-1}\n"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ORCH_CONFIG", raising=False)
    monkeypatch.setenv("ORCH_HOME", str(tmp_path))


def plan_file(folder: Path, text: str) -> str:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_check_sums_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "check", plan_file(tmp_path, DOCS + ONE)]) == 0
    said = capsys.readouterr()
    assert "demo: 1 task in 1 sprint. No errors." in said.out
    row = next(line for line in said.out.splitlines() if line.startswith("1 First"))
    assert "1: 1,500/3,000" in row and "2,500/3,000" in row and "$0.0" in row
    assert "Critical path: 1 task, 1,500 tokens: S1-D1-1" in said.out
    assert "Warnings: none" in said.out and not said.err


def test_check_knows_orchs_own_plan_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "check", "granter-v2"]) == 0
    said = capsys.readouterr().out
    assert "GRANTER v2: 38 tasks in 5 sprints. No errors." in said and "Warnings: none" in said
    assert "122,400/156,500" in said and "S0-D1-1 -> S0-D1-3 -> S0-D2-2" in said


def test_check_prints_every_error_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = plan_file(tmp_path, DOCS + ONE.replace("docs", "dcos") + "  - {id: S1-D1-2}\n")
    assert main(["plan", "check", path]) == 1
    said = capsys.readouterr()
    assert not said.out
    assert f"{path}:5: S1-D1-1, type: `dcos` is not a type. Did you mean `docs`?" in said.err
    assert f"{path}:6: S1-D1-2: `prompt` is missing or empty" in said.err
    assert f"{path}: 2 errors." in said.err


def test_budgets_and_routes_are_checked_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R-BUD-2"""
    path = plan_file(tmp_path, DOCS + ONE.replace("docs", "schema"))
    assert main(["plan", "check", path]) == 1
    assert f"{path}:3: sprint 1: 1 sonnet task is expected to take 4,000 tokens" in capsys.readouterr().err


def test_the_projects_aliases_are_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "orch.json"
    project = {"key": "A", "repo": ".", "channel": "C00", "aliases": {"dev-2": "U0DEV"}}
    config.write_text(json.dumps({"projects": [project]}))
    monkeypatch.setenv("ORCH_CONFIG", str(config))
    assert main(["plan", "check", plan_file(tmp_path, DOCS + ONE)]) == 0
    said = capsys.readouterr().out
    assert "line 5: S1-D1-1: no project knows an owner called `dev-1`; did you mean `dev-2`?" in said


UNREADABLE = [
    (b"\xff\xfe\x00", "is no text in UTF-8"),
    (b"#" * 600_000, "is too large for a plan"),
    (None, "cannot be read: No such file or directory"),
]


@pytest.mark.parametrize(("content", "said"), UNREADABLE)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    path = tmp_path / "plan.yaml"
    if content is not None:
        path.write_bytes(content)
    assert main(["plan", "check", str(path)]) == 1
    assert said in capsys.readouterr().err


@pytest.fixture
def two_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "orch.json"
    projects = [{"key": key, "repo": ".", "channel": f"C0{key}"} for key in ("AA", "BB")]
    config.write_text(json.dumps({"projects": projects}))
    monkeypatch.setenv("ORCH_CONFIG", str(config))
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.mark.usefixtures("two_projects")
def test_load_puts_a_plan_into_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = plan_file(tmp_path, DOCS + ONE)
    assert main(["plan", "load", path]) == 1
    assert "Which project? Say `--project` and one of: AA, BB. Nothing was done." in capsys.readouterr().err
    assert main(["plan", "load", path, "--project", "AA"]) == 0
    assert "Loaded into AA: 1 new, 0 changed, 0 the same, 0 removed." in capsys.readouterr().out
    assert main(["plan", "load", path, "--project", "AA"]) == 0
    assert "0 new, 0 changed, 1 the same" in capsys.readouterr().out
    assert main(["plan", "load", plan_file(tmp_path, DOCS)]) == 1
    assert "tasks: this must be a list" in capsys.readouterr().err


@pytest.mark.usefixtures("two_projects")
def test_load_beside_a_bot_at_work_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def beside_another() -> int:
        release = await hold_alone(f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}")
        try:
            return await asyncio.to_thread(main, ["plan", "load", plan_file(tmp_path, DOCS + ONE), "--project", "AA"])
        finally:
            await release()

    assert asyncio.run(beside_another()) == 1
    said = capsys.readouterr().err
    assert "Nothing was loaded" in said and "plans/demo.yaml and type `/orch plan load demo`" in said


def test_load_needs_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "load", plan_file(tmp_path, DOCS + ONE)]) == 1
    assert "No project is configured" in capsys.readouterr().err
