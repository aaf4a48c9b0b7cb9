"""What is a blocker and what is not, line by line (R-SEC-5, R-ESC-7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.approvals import Team, who_is_asked
from bot.domain.blockers import Blocker, Kind, Standing, blockers, tried_lines
from bot.domain.budget import LEAN
from bot.domain.project import Project
from bot.domain.task import ENDED, Route, Rung, Task, TaskState, TaskType

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TEAM = Team(leads=("lead",), approvers=("two",))
PROJECT = Project(key="SHOP", channel="C", branch="main", team=TEAM, limits=LEAN, models={})
PROGRESSING = set(TaskState) - ENDED - {TaskState.BLOCKED, TaskState.AWAITING_APPROVAL}


def a_task(id: str = "S0-D0-1", *, rung: Rung = Rung.HAIKU, security: bool = False, **fields: Any) -> Task:
    route = Route(rung=rung, type=TaskType.DOCS, complexity="low", security=security, reason="", rule="", confidence=1)
    known: dict[str, Any] = {"project": "SHOP", "id": id, "text": "t", "route": route, "requester": "dev",
                             "owner": "dev", "created_at": NOW - 600 * MINUTE, "updated_at": NOW}  # fmt: skip
    return Task(**known | fields)


def stands(task: Task | None = None, minutes: int = 10, **fields: Any) -> Standing:
    return Standing(
        task=task or a_task(state=TaskState.BLOCKED), entered=7, entered_at=NOW - minutes * MINUTE, **fields
    )


def found(*standings: Standing, project: Project = PROJECT, **more: Any) -> list[Blocker]:
    known = {"ended": {}, "resting": {}} | more
    return list(blockers(standings, known["ended"], known["resting"], project, NOW))


@pytest.mark.parametrize(
    ("facts", "kind", "first"),
    [
        ({"last_outcome": "checks", "rule": "R-ESC-4"}, Kind.CHECKS, ("dev",)),  # R-ESC-7
        ({"last_outcome": "beyond", "rule": "R-ESC-4"}, Kind.ATTEMPTS, ("dev",)),
        ({"last_outcome": "findings", "rule": "R-ESC-8", "propose": Rung.OPUS}, Kind.ATTEMPTS, ("dev", "lead")),
        ({"last_outcome": "tokens", "rule": "R-ESC-2", "split": True}, Kind.ATTEMPTS, ("dev",)),
        ({"resume": "in_review", "rule": "R-SEC-4"}, Kind.VERDICT, ("dev",)),
        ({"budget": True}, Kind.BUDGET, ("dev",)),
        ({"last_outcome": "day", "rule": "R-BUD-3"}, Kind.BUDGET, ("dev",)),
        ({"last_outcome": "busy", "rule": "R-ESC-4"}, Kind.PROVIDER, ("dev",)),
        ({"by": "two", "last_outcome": "checks"}, Kind.PERSON, ("dev",)),
        ({"kind": "split_proposed", "by": "dev"}, Kind.SPLIT, ("dev",)),
        ({"kind": "blocked", "rule": "R-RT-4", "last_outcome": "checks"}, Kind.CI, ("dev",)),
        ({}, Kind.STOPPED, ("dev",)),
    ],
)
def test_a_blocked_task_is_a_blocker_at_once(facts: dict[str, Any], kind: Kind, first: tuple[str, ...]) -> None:
    (blocker,) = found(stands(why="it says why", tried=("haiku: no",), **facts))
    assert (blocker.kind, blocker.first, blocker.since) == (kind, first, NOW - 10 * MINUTE)
    assert (blocker.key, blocker.reason, blocker.tried) == ("SHOP/S0-D0-1/blocked/7", "it says why", ("haiku: no",))
    assert not blocker.critical


@pytest.mark.parametrize("state", sorted(PROGRESSING))
def test_work_that_progresses_is_not_stuck(state: TaskState) -> None:
    assert found(stands(a_task(state=state, deadline=NOW + 500 * MINUTE), why="waiting for one of 2 slots")) == []


@pytest.mark.parametrize(
    ("task", "facts"),
    [
        (a_task(state=TaskState.BLOCKED, priority="critical"), {}),
        (a_task(state=TaskState.BLOCKED), {"last_outcome": "audit", "rule": "R-ESC-6"}),
        (a_task(state=TaskState.AWAITING_APPROVAL, priority="critical"), {}),
    ],
)
def test_what_is_critical(task: Task, facts: dict[str, Any]) -> None:
    """R-DAY-4."""
    assert [each.critical for each in found(stands(task, **facts))] == [True]


@pytest.mark.parametrize(
    ("minutes", "resting", "kinds"),
    [(239, {}, []), (240, {}, [Kind.REVIEW]), (240, {Rung.GEMINI: NOW - 5 * MINUTE}, [])],
)
def test_a_review_that_takes_too_long(minutes: int, resting: dict[Rung, datetime], kinds: list[Kind]) -> None:
    review = stands(a_task(state=TaskState.IN_REVIEW), minutes, why="waiting for Gemini" if resting else "")
    assert [each.kind for each in found(review, resting=resting)] == kinds


@pytest.mark.parametrize(
    ("minutes", "why", "kinds"),
    [
        (29, "waiting for Anthropic, resting until 12:05", []),  # it goes on by itself
        (30, "waiting for Anthropic, resting until 12:05", [Kind.PROVIDER]),
        (30, "", []),  # it is about to start
    ],
)
def test_a_provider_that_rests_for_long(minutes: int, why: str, kinds: list[Kind]) -> None:
    resting = {Rung.HAIKU: NOW - minutes * MINUTE}
    assert [each.kind for each in found(stands(a_task(), 90, why=why), resting=resting)] == kinds
    assert found(stands(a_task(rung=Rung.GEMINI), 90, why=why), resting=resting) == []


def test_who_is_asked_for_an_approval() -> None:
    """The requester's and the owner's own approval never counts; a security task names the security approvers."""
    task = a_task(state=TaskState.AWAITING_APPROVAL)
    (blocker,) = found(stands(task))
    assert (blocker.kind, blocker.first, blocker.reason) == (Kind.APPROVAL, ("two", "lead"), "its change is ready")
    assert who_is_asked(TEAM, a_task(owner="two")) == ("lead",)
    team = Team(leads=("lead",), approvers=("two",), security_approvers=("sec", "sam"))
    secured = a_task(security=True, state=TaskState.AWAITING_APPROVAL)
    assert who_is_asked(team, secured) == ("sec", "sam")
    assert who_is_asked(TEAM, secured) == ("lead", "two"), "two people are needed, and there is one security approver"
    (blocker,) = found(stands(secured, approved_by=("sec",)), project=PROJECT.model_copy(update={"team": team}))
    assert (blocker.first, blocker.reason) == (("sam",), "its change is ready; approved by 1 of 2")


def test_a_new_commit_is_a_new_request() -> None:
    waiting = stands(a_task(state=TaskState.AWAITING_APPROVAL))
    again = waiting.model_copy(update={"entered": 12})
    assert found(waiting)[0].key != found(again)[0].key


@pytest.mark.parametrize(
    ("state", "minutes", "kinds", "reason"),
    [
        (TaskState.QUEUED, 31, [], ""),
        (TaskState.QUEUED, 30, [Kind.DEADLINE], "is due in 30 min, with about 30 min of work to go"),
        (TaskState.RUNNING, -90, [Kind.DEADLINE], "was due 1 h 30 min ago"),
        (TaskState.WITH_HUMAN, -1, [Kind.OVERDUE], "was due 1 min ago"),
        (TaskState.MERGING, 1, [Kind.DEADLINE], "is due in 1 min, with about 2 min of work to go"),
        (TaskState.BLOCKED, 1, [Kind.ATTEMPTS], ""),  # told of already
        (TaskState.BLOCKED, 0, [Kind.ATTEMPTS, Kind.DEADLINE], "was due 0 min ago"),
    ],
)
def test_deadlines(state: TaskState, minutes: int, kinds: list[Kind], reason: str) -> None:
    task = a_task(state=state, deadline=NOW + minutes * MINUTE)
    known = found(stands(task, rule="R-ESC-4"))
    assert [each.kind for each in known] == kinds
    assert not reason or known[-1].reason == reason


def test_a_deadline_at_risk_and_passed_is_one_blocker() -> None:
    at_risk = stands(a_task(deadline=NOW + 5 * MINUTE))
    passed = at_risk.model_copy(update={"task": a_task(state=TaskState.RUNNING, deadline=NOW + 5 * MINUTE)})
    later = blockers([passed], {}, {}, PROJECT, NOW + 60 * MINUTE)
    assert found(at_risk)[0].key == later[0].key


def test_a_deadline_counts_what_comes_before() -> None:
    first = stands(a_task("S0-D0-1"))
    then = stands(a_task("S0-D0-2", after=("S0-D0-1",), deadline=NOW + 60 * MINUTE))
    assert [each.task.id for each in found(first, then)] == ["S0-D0-2"]
    loop = stands(a_task("S0-D0-1", after=("S0-D0-2",)))
    assert len(found(loop, then)) == 1, "a cycle, which is refused at load, ends here too"


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.CANCELLED])
def test_what_waits_for_something_that_will_not_be_finished(state: TaskState) -> None:
    (blocker,) = found(stands(a_task(after=("S0-D0-9",))), ended={"S0-D0-9": state})
    assert (blocker.kind, blocker.follows) == (Kind.DEPENDENCY, "")
    assert blocker.reason.startswith("waits for S0-D0-9, which was")
    assert found(stands(a_task(after=("S0-D0-9",))), ended={"S0-D0-9": TaskState.MERGED}) == []


def test_what_waits_for_a_blocked_task_is_told_to_another_owner_only() -> None:
    blocked = stands(why="the API is down")
    mine = stands(a_task("S0-D0-2", after=("S0-D0-1",)))
    assert [each.task.id for each in found(blocked, mine)] == ["S0-D0-1"]
    theirs = stands(a_task("S0-D0-2", after=("S0-D0-1",), owner="ann"))
    _, other = found(blocked, theirs)
    assert (other.first, other.follows) == (("ann",), "S0-D0-1")
    assert other.reason == "waits for S0-D0-1, which is blocked: the API is down"


@given(st.sampled_from(sorted(set(TaskState) - ENDED)), st.integers(-3000, 3000), st.integers(0, 3000))
def test_keys_stay_while_time_passes(state: TaskState, due_in: int, later: int) -> None:
    """A key is the memory of a cause: it neither changes nor vanishes by the clock alone."""
    each = stands(a_task(state=state, deadline=NOW + due_in * MINUTE), minutes=300)
    before = {blocker.key for blocker in blockers([each], {}, {}, PROJECT, NOW)}
    after = {blocker.key for blocker in blockers([each], {}, {}, PROJECT, NOW + later * MINUTE)}
    assert before <= after


@pytest.mark.parametrize(
    ("attempts", "lines"),
    [
        ([], []),
        ([("haiku", "a")], ["haiku: a"]),
        ([("haiku", "a"), ("haiku", "a"), ("sonnet", "a")], ["haiku twice, sonnet: a"]),
        ([("haiku", "a"), ("haiku", "b"), ("haiku", "a")], ["haiku: a", "haiku: b", "haiku: a"]),
        ([("haiku", "a"), *[("sonnet", "b")] * 3], ["haiku: a", "sonnet 3 times: b"]),
    ],
)
def test_attempts_that_ended_in_the_same_way_share_a_line(attempts: list[tuple[str, str]], lines: list[str]) -> None:
    assert tried_lines(attempts) == lines
