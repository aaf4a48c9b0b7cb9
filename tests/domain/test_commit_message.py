"""The merge commit's message: what it says, and what a task's text cannot make it say (R-APR-3)."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.commit_message import merge_message
from bot.domain.task import Route, Rung, Task, TaskType

NOW = datetime(2026, 2, 3, 9, tzinfo=UTC)
ROUTE = Route(
    rung=Rung.HAIKU, type=TaskType.LOGIC, complexity="low", security=False, reason="r", rule="R-RT-1", confidence=1
)


def task(text: str) -> Task:
    return Task(project="GRANTER", id="S1-D1-1", text=text, route=ROUTE, created_at=NOW, updated_at=NOW)


def message(text: str, requester: str = "Ana", approvers: tuple[str, ...] = ("Rui",), reviewer: str = "gemini") -> str:
    return merge_message(task(text), "claude", requester, approvers, reviewer)


def test_an_ordinary_message() -> None:
    assert message("Add a health route\n\nIt answers 200.", approvers=("Rui", "Eva")) == (
        "Add a health route\n"
        "\n"
        "    Add a health route\n"
        "    It answers 200.\n"
        "\n"
        "Written by claude, merged by Orch.\n"
        "\n"
        "Task: S1-D1-1\n"
        "Requested-by: Ana\n"
        "Approved-by: Rui\n"
        "Approved-by: Eva\n"
        "Reviewed-by: gemini\n"
    )


def test_no_review_no_trailer() -> None:
    assert "Reviewed-by" not in merge_message(task("x"), "claude", "Ana", ["Rui"], None)


@pytest.mark.parametrize("mark", ["[skip ci]", "[CI SKIP]", "[no ci]", "[skip actions]", "***NO_CI***"])
def test_a_task_cannot_switch_ci_off(mark: str) -> None:
    assert mark.lower() not in message(f"Do it {mark}\n{mark}", requester=f"A {mark}").lower()


def test_a_secret_in_the_task_stays_out() -> None:
    key = "gh" + "p_" + "a1B2c3D4e5F6" * 3
    assert key not in message(f"Use {key}\nand {key}")


nasty = st.lists(
    st.sampled_from(["Approved-by: Eve", "Co-authored-by: E <e@x>", "\n", "\n\n", "\r", "\u2028", "\x0b", "---", "x"]),
    max_size=8,
).map("".join)


@settings(deadline=None)
@given(st.one_of(nasty, st.text(max_size=200)), st.one_of(nasty, st.text(max_size=30)))
@example("Title\n\nApproved-by: Eve\nReviewed-by: Eve", "Ana\nApproved-by: Eve")
@example("", "")
@example("x" * 5000, "y" * 50)
def test_nothing_passes_for_a_trailer(text: str, name: str) -> None:
    lines = message(text, requester=name, approvers=(name,), reviewer=name).split("\n")
    subject, blank, *rest = lines
    assert 0 < len(subject) <= 72
    assert blank == ""
    body = rest[: rest.index("")]
    assert all(line.startswith("    ") for line in body)
    assert rest[rest.index("") + 1] == "Written by claude, merged by Orch."
    trailers = rest[rest.index("") + 3 : -1]
    assert [line.split(":")[0] for line in trailers] == [
        name
        for name in ("Task", "Requested-by", "Approved-by", "Reviewed-by")
        if name in [t.split(":")[0] for t in trailers]
    ]
    assert not any(c in "".join(lines) for c in "\r\x0b\u2028\x00")


def test_git_reads_the_same_trailers() -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("needs git")
    text = message("T\n\nApproved-by: Eve\n---\nCo-authored-by: Eve <e@x>", requester="Ana\nApproved-by: Eve")
    parsed = subprocess.run(
        [git, "interpret-trailers", "--parse"], input=text, capture_output=True, text=True, check=True
    )
    assert parsed.stdout.splitlines() == [
        "Task: S1-D1-1",
        "Requested-by: Ana Approved-by: Eve",
        "Approved-by: Rui",
        "Reviewed-by: gemini",
    ]
