"""`orch simulate PLAN`, as a person at a terminal meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.__main__ import main

PLAN = """name: demo
sprints:
  - {number: 1}
tasks:
  - {id: S1-D1-1, prompt: Write the README, type: docs, files: [README.md]}
  - {id: S1-D1-2, prompt: Write the FAQ, type: docs, files: [README.md]}
"""


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ORCH_CONFIG", raising=False)
    monkeypatch.setenv("ORCH_HOME", str(tmp_path))


@pytest.fixture
def plan(tmp_path: Path) -> str:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return str(path)


def policy(folder: Path, name: str, told: object) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return str(path)


def test_it_says_what_the_plan_takes_and_draws_it(
    plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["simulate", plan, "--runs", "4", "--policy", policy(tmp_path, "one", {"start": "2026-11-28"})]
    assert main([*asked, "--chart", str(tmp_path / "demo.png")]) == 0
    said = capsys.readouterr().out
    assert "demo: 2 tasks in 1 sprint, from 2026-11-30 08:00 (UTC). 4 runs from seed 1." in said, "a Saturday is none"
    assert "p10" in said and "saving against all-sonnet" in said and "Every task ended in every run." in said
    assert "S1-D1-2      for files that S1-D1-1 holds" in said
    for kind in ("budget", "progress"):
        assert (tmp_path / f"demo-{kind}.png").read_bytes().startswith(b"\x89PNG")
    assert main(asked) == 0
    assert capsys.readouterr().out in said, "the same seed gives the same answer"


def test_two_policies_stand_side_by_side(plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lean = policy(tmp_path, "lean", {"budgets": {"preset": "lean"}, "start": "2026-11-23"})
    slow = policy(tmp_path, "slow", {"assumptions": {"approval_minutes": 600}, "start": "2026-11-23"})
    assert main(["simulate", plan, "--policy", lean, "--policy", slow, "--runs", "3"]) == 0
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if line.startswith("hours waited: approval"))
    numbers = [float(number) for number in row.split()[3:]]
    assert len(numbers) == 6 and numbers[4] > 10 * numbers[1]
    assert "lean: every task ended" in said and "Longest waits, slow" in said


#: A policy's file -> a part of the answer.
MISTAKES: list[tuple[object, str]] = [
    ({"budget": {}}, "budget: unknown key; did you mean 'budgets'?"),
    ({"assumptions": {"mendid": 0.5}}, "assumptions.mendid: unknown key; did you mean 'mended'?"),
    ({"assumptions": {"mended": 2}}, "assumptions.mended"),
    ({"concurrency": {"haiky": 2}}, "haiky: unknown rung; did you mean 'haiku'?"),
    ({"budgets": {"preset": "large"}}, "budgets.preset: must be one of lean, standard"),
    ({"start": "tomorrow"}, "start: must be a date, say 2026-12-24"),
    ([], "must hold one object with keys such as budgets"),
]


@pytest.mark.parametrize(("told", "part"), MISTAKES)
def test_a_wrong_policy_is_refused_by_name(
    plan: str, tmp_path: Path, told: object, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", plan, "--policy", policy(tmp_path, "wrong", told)]) == 1
    said = capsys.readouterr()
    assert part in said.err and not said.out


def test_other_mistakes(plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, part in (
        ([plan, "--runs", "0"], "--runs must be between 1 and 10,000"),
        ([plan, "--policy", str(tmp_path / "none.toml")], "cannot read"),
        (["nowhere"], "nowhere is no file, and no plan is called so. There are: granter-v2."),
    ):
        assert main(["simulate", *arguments]) == 1
        assert part in capsys.readouterr().err
    (tmp_path / "bad.yaml").write_text(PLAN.replace("docs, files", "dcos, files", 1), encoding="utf-8")
    assert main(["simulate", str(tmp_path / "bad.yaml")]) == 1
    assert "Did you mean `docs`?" in capsys.readouterr().err
