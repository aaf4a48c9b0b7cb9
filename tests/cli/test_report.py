"""`orch report`: the same facts in every form (R-REP-1, R-REP-2)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.domain.daily_report import daily_report
from bot.domain.saving import Saving
from bot.domain.weekly_report import weekly_report
from bot.render import Renderer
from bot.wiring import data_folder
from tests.domain.report_samples import a_task, some_facts, the_plans_day, the_plans_week
from tests.store.samples import created, migrated

WORDS = Renderer(data_folder("templates"))
DAILY = (
    "GRANTER v2 · daily stand-up · 2026-01-30", "Completed today: 2", "Turbo setup (haiku, 1.8k tokens)",
    "Next.js boilerplate (haiku, 2.1k tokens)", "NestJS boilerplate (haiku, 60 % done, awaiting approval)",
    "Docker Compose (haiku, queued)", "Blocked: none", "day: 3.9k of 30k (13 %, on track)",
    "sprint 0: 3.9k of 150k (3 %, on track)", "Alerts: none", "TypeORM schema", "Go: green light, continue.",
)  # fmt: skip
WEEKLY = (
    "GRANTER v2 · week 1", "On schedule", "sprint 0 Set-up: 95 % complete, 1 task remaining", "Monorepo set up",
    "5 services dockerised", "CI/CD pipeline configured", "Local environment validated",
    "42.3k of 150k (28 %, on track)", "$0.98", "of $25.00",
    "saved this week: no data yet", "Risks: none", "Blockers: none", "expected $1.35", "Approved: proceed to sprint 1.",
)  # fmt: skip


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_every_form_has_every_element(form: str) -> None:
    daily = WORDS.text("reports/daily", {"report": daily_report(the_plans_day()), "format": form})
    assert [words for words in DAILY if words not in daily] == []
    weekly = WORDS.text("reports/weekly", {"report": weekly_report(the_plans_week()), "format": form})
    assert [words for words in WEEKLY if words not in weekly] == []


def test_the_week_says_what_was_saved() -> None:
    """R-BUD-5: against both baselines, lever by lever, with counts; and that it is a rehearsal where it is one."""
    steps = {"all_sonnet": 11_000_000, "all_sonnet_cached": 10_000_000, "routing": 4_000_000, "haiku_first": 3_000_000,
             "prompt_cache": 2_900_000, "light_reviewer": 2_900_000, "batch": 2_900_000}  # fmt: skip
    saved = {"calls": 9, "unknown_calls": 1, "rehearsed_calls": 9, "microusd": steps}
    week = weekly_report(the_plans_week()).model_copy(update={"saving": Saving.model_validate(saved)})
    said = WORDS.text("reports/weekly", {"report": week, "format": "text"})
    for words in (
        "saved this week: 71 % against all on sonnet with its own prompt cache ($10.00), 74 % without ($11.00)",
        "goal 70 %: met; 9 calls, 1 of unknown outcome in full",
        "each task on its rung 60 %, haiku first 10 %, prompt cache 1 %, batch 0 %",
        "Rehearsal: emulated models answered 9 of them",
    ):
        assert words in said, said


def test_what_people_wrote_breaks_no_form() -> None:
    made = daily_report(some_facts(a_task("S0-D1-1", "<script> & *stars* [x](y)", "running")))
    assert "&lt;script&gt; &amp; *stars*" in WORDS.text("reports/daily", {"report": made, "format": "html"})
    assert r"\<script\> & \*stars\* \[x\](y)" in WORDS.text("reports/daily", {"report": made, "format": "markdown"})
    assert "- S0-D1-1 <script> & *stars* [x](y)" in WORDS.text("reports/daily", {"report": made, "format": "text"})


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with one task, and a configuration with a project."""
    project = {"key": "GRANTER", "repo": "/nowhere", "channel": "C0DEV", "templates_dir": str(tmp_path / "own")}
    (tmp_path / "orch.json").write_text(json.dumps({"name": "TEST", "projects": [project]}))
    monkeypatch.setenv("ORCH_HOME", str(tmp_path))
    monkeypatch.setenv("ORCH_CONFIG", str(tmp_path / "orch.json"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'orch.db'}")
    async with migrated(f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}") as database:
        await created(database, text="Describe the <b>API</b>")
    return tmp_path


def test_the_command_reads_the_database(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "daily"]) == 0
    assert "- S0-D0-1 Describe the <b>API</b> (haiku, queued)" in capsys.readouterr().out
    assert main(["report", "weekly", "--sprint", "0"]) == 0  # ad-hoc work belongs to it, without a plan too
    assert "sprint 0: 0 % complete, 1 task remaining" in capsys.readouterr().out
    assert main(["report", "weekly", "--date", "2026-01-05"]) == 0  # before anything was there
    said = capsys.readouterr().out
    assert "there was no task yet" in said and "- sprint 0: no tasks\n" in said and "% complete" not in said
    assert main(["report", "weekly", "--format", "json", "--project", "GRANTER"]) == 0
    assert json.loads(capsys.readouterr().out)["project"] == "GRANTER"


def test_metrics_say_what_was_not_measured(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R-MET"""
    assert main(["report", "metrics"]) == 0
    said = capsys.readouterr().out
    assert "Coverage of merged code: not reported by the project's checks; goal at least 70 %" in said
    assert "Tasks on schedule: no deadline came; goal at least 90 %" in said
    assert main(["report", "metrics", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["metrics"]
    assert len(told) == 12 and {metric["value"] for metric in told} == {None}


@pytest.mark.parametrize(
    "words, said",
    [
        (["daily", "--date", "1.2.2026"], "is not a date that I understand"),
        (["daily", "--date", "2999-01-01"], "2999-01-01 is still to come"),
        (["weekly", "--sprint", "7"], "There is no sprint 7 in GRANTER"),
        (["weekly", "--project", "GRANTR"], "There is no project GRANTR. Did you mean GRANTER? Nothing was done."),
        (["weekly", "--project", "XYZ"], "There is no project XYZ. Say `--project` and one of: GRANTER."),
    ],
)
def test_a_mistake_is_told(home: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert main(["report", *words]) == 1
    assert said in capsys.readouterr().err


def test_a_project_may_have_words_of_its_own(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "own" / "reports").mkdir(parents=True)
    (home / "own" / "reports" / "daily.txt.j2").write_text(
        "{{ report.queued|length }} to do, says {{ report.project }}"
    )
    assert main(["report", "daily"]) == 0
    assert capsys.readouterr().out == "1 to do, says GRANTER\n"
