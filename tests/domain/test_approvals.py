"""R-APR: who may do what, and whether a task may be merged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.approvals import (
    MAY,
    Action,
    MergeFacts,
    Person,
    Role,
    Team,
    counting_approvals,
    merge_hindrance,
    needs_checklist,
    refusal,
    roles_of,
    survives_rebuild,
    whom_to_ask,
)
from bot.domain.task import Route, Rung, Task, TaskState, TaskType

NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)
TEAM = Team(leads=("LEAD",), approvers=("TWO",), security_approvers=("SEC",))
HEAD, OTHER = "a" * 40, "b" * 40


def task(*, security: bool = False, **given: Any) -> Task:
    route = Route(
        rung=Rung.SONNET,
        type=TaskType.LOGIC,
        complexity="medium",
        security=security,
        reason="r",
        rule="R",
        confidence=1,
    )
    facts = {
        "project": "P", "id": "S0-D0-1", "text": "t", "route": route, "state": TaskState.AWAITING_APPROVAL,
        "requester": "REQ", "owner": "OWN", "head_commit": HEAD, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return Task(**{**facts, **given})


#: R-APR's table, as the rulebook prints it: member, requester, owner, approver, security approver, lead.
TABLE = [
    (Action.SEE, "yes yes yes yes yes yes"),
    (Action.CANCEL, "no yes yes yes yes yes"),
    (Action.STOP, "no yes yes yes yes yes"),
    (Action.RETRY, "no yes yes yes yes yes"),
    (Action.SPLIT, "no yes yes yes yes yes"),
    (Action.ESCALATE, "no yes yes yes yes yes"),
    (Action.REQUEST_CHANGES, "no yes yes yes yes yes"),
    (Action.REJECT, "no yes yes yes yes yes"),
    (Action.DONE, "no no yes no no yes"),
    (Action.HAND_OVER, "no no yes no no yes"),
    (Action.APPROVE, "no no no yes yes yes"),
    (Action.OPUS, "no no no yes yes yes"),
    (Action.TAKE_OVER, "no no yes yes yes yes"),
    (Action.BUDGET, "no no no no no yes"),
]
PEOPLE = ["SOMEONE", "REQ", "OWN", "TWO", "SEC", "LEAD"]


@pytest.mark.parametrize("action, row", TABLE, ids=[a.value for a, _ in TABLE])
def test_the_table(action: Action, row: str) -> None:
    assert {a for a, _ in TABLE} == set(Action) == set(MAY)
    for person, may in zip(PEOPLE, row.split(), strict=True):
        why_not = refusal(action, Person(id=person), TEAM, task())
        assert (why_not is None) == (may == "yes"), f"{person} {action}: {why_not}"


@pytest.mark.parametrize(
    "flag, word",
    [("guest", "guests"), ("bot", "bots"), ("deactivated", "deactivated"), ("other_workspace", "other workspaces")],
)
def test_barred_people_may_do_nothing(flag: str, word: str) -> None:
    person = Person(id="LEAD", **{flag: True})
    for action in Action:
        assert word in (refusal(action, person, TEAM, task()) or "").lower()


@pytest.mark.parametrize(
    ("action", "who", "named"),
    [
        (Action.BUDGET, "M", ("LEAD",)),
        (Action.DONE, "M", ("OWN", "LEAD")),
        (Action.OPUS, "OWN", ("LEAD", "TWO")),
        (Action.APPROVE, "OWN", ("TWO", "LEAD")),
        (Action.APPROVE, "TWO", ("LEAD",)),
    ],
)
def test_a_refusal_can_name_who_may(action: Action, who: str, named: tuple[str, ...]) -> None:
    assert whom_to_ask(action, Person(id=who), TEAM, task(owner="OWN", requester="REQ")) == named
    assert whom_to_ask(action, Person(id=who, guest=True), TEAM, task()) == ()


def test_roles_add_up_and_default() -> None:
    assert roles_of("LEAD", TEAM) == {Role.MEMBER, Role.LEAD, Role.APPROVER}
    assert Role.SECURITY_APPROVER in roles_of("LEAD", Team(leads=("LEAD",)))  # security_approvers default to leads
    assert roles_of("REQ", TEAM, task(owner="REQ")) == {Role.MEMBER, Role.REQUESTER, Role.OWNER}


@pytest.mark.parametrize(
    "self_approval, security, counts",
    [(False, False, False), (True, False, True), (True, True, False), (False, True, False)],
)
def test_own_approval(self_approval: bool, security: bool, counts: bool) -> None:
    """The requester's own approval never counts, unless the project says so, and then for ordinary tasks only."""
    team = TEAM.model_copy(update={"self_approval": self_approval})
    mine = task(security=security, requester="LEAD")
    assert (refusal(Action.APPROVE, Person(id="LEAD"), team, mine) is None) == counts


READY = {"reviewed_head": HEAD, "checks_green": True}
BOTH = {"approvals": {"LEAD": HEAD, "TWO": HEAD}}
ONE = {"approvals": {"LEAD": HEAD}}
MERGES: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    ("one approver", {}, {"approvals": {"LEAD": HEAD}, **READY}, None),
    ("nobody", {}, {**READY}, "approver has to approve"),
    ("R-APR-1 another commit", {}, {"approvals": {"LEAD": OTHER}, **READY}, "approver has to approve"),
    ("no role", {}, {"approvals": {"SOMEONE": HEAD}, **READY}, "approver has to approve"),
    ("own approval", {"requester": "LEAD"}, {"approvals": {"LEAD": HEAD}, **READY}, "approver has to approve"),
    ("barred by now", {}, {"approvals": {"LEAD": HEAD}, "barred": ("LEAD",), **READY}, "approver has to approve"),
    ("R-SEC-4 no review", {}, {"approvals": {"LEAD": HEAD}, "checks_green": True}, "not approved this exact commit"),
    ("R-SEC-4 review of another commit", {}, {**ONE, **READY, "reviewed_head": OTHER}, "exact commit"),
    ("red checks", {}, {"approvals": {"LEAD": HEAD}, "reviewed_head": HEAD}, "checks did not pass"),
    ("checks not run: a person decided", {}, {**ONE, "reviewed_head": HEAD, "checks_not_run": True}, None),
    ("no commit", {"head_commit": None}, {"approvals": {"LEAD": HEAD}, **READY}, "no commit"),
    ("another state", {"state": TaskState.BLOCKED}, {"approvals": {"LEAD": HEAD}, **READY}, "blocked"),
    ("security: one", {"security": True}, {"approvals": {"SEC": HEAD}, **READY}, "two people's approval; it has 1"),
    ("security: two, none for security", {"security": True}, {**BOTH, **READY}, "security approver"),
    ("security: two, one for security", {"security": True}, {"approvals": {"SEC": HEAD, "TWO": HEAD}, **READY}, None),
]  # fmt: skip


@pytest.mark.parametrize("name, facts, given, hindrance", MERGES, ids=[m[0] for m in MERGES])
def test_merge_gate(name: str, facts: dict[str, Any], given: dict[str, Any], hindrance: str | None) -> None:
    why_not = merge_hindrance(MergeFacts(task=task(**facts), team=TEAM, **given))
    assert why_not is None if hindrance is None else hindrance in (why_not or "")


people = st.sampled_from(["SOMEONE", "REQ", "OWN", "TWO", "SEC", "LEAD"])
commits = st.sampled_from([HEAD, OTHER])


@given(
    approvals=st.dictionaries(people, commits),
    security=st.booleans(),
    self_approval=st.booleans(),
    reviewed=st.none() | commits,
    green=st.booleans(),
    not_run=st.booleans(),
    barred=st.lists(people, max_size=2).map(tuple),
    state=st.sampled_from(TaskState),
    requester=people,
    owner=people,
)
def test_no_combination_merges_what_the_rules_forbid(
    approvals: dict[str, str], security: bool, self_approval: bool, reviewed: str | None, green: bool, not_run: bool,
    barred: tuple[str, ...], state: TaskState, requester: str, owner: str,
) -> None:  # fmt: skip
    """R-SEC-4, R-APR: whatever else is so, a merge has the review of this very commit, checks that did not fail, and
    the approvals of the right people for this commit."""
    team = TEAM.model_copy(update={"self_approval": self_approval})
    the_task = task(security=security, state=state, requester=requester, owner=owner)
    facts = MergeFacts(
        task=the_task, team=team, approvals=approvals, reviewed_head=reviewed, checks_green=green,
        checks_not_run=not_run, barred=barred,
    )  # fmt: skip
    if merge_hindrance(facts) is not None:
        return
    assert state in (TaskState.AWAITING_APPROVAL, TaskState.MERGING)
    assert reviewed == HEAD
    assert green or not_run
    consenting = {p for p, commit in approvals.items() if commit == HEAD and p not in barred}
    others = consenting - {requester, owner} if security or not self_approval else consenting
    assert others & {"TWO", "SEC", "LEAD"}
    if security:
        assert needs_checklist(facts)
        assert len(others & {"TWO", "SEC", "LEAD"}) >= 2
        assert "SEC" in others


@pytest.mark.parametrize(
    "given_facts, needs",
    [
        ({}, False),
        ({"security": True}, True),
        ({"criteria": ("docker compose up",)}, True),
    ],
)
def test_checklist(given_facts: dict[str, Any], needs: bool) -> None:
    """R-APR-2: security, checks that were not run, or a criterion that only a person can see."""
    assert needs_checklist(MergeFacts(task=task(**given_facts), team=TEAM)) is needs
    assert needs_checklist(MergeFacts(task=task(**given_facts), team=TEAM, checks_not_run=True))


def test_an_approval_counts_once_per_person() -> None:
    facts = MergeFacts(task=task(), team=TEAM, approvals={"LEAD": HEAD, "TWO": OTHER})
    assert counting_approvals(facts) == ("LEAD",)


def test_survives_a_rebuild_unless_the_base_changed_the_same_files() -> None:
    assert survives_rebuild(["src/a.py"], ["src/b.py"])
    assert not survives_rebuild(["src/A.py"], ["src/a.py"])
