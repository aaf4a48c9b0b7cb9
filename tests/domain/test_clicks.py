"""R-APR: every role x every state x every kind of click. What is allowed stands in ALLOWED, and nowhere else."""

from __future__ import annotations

import pytest

from bot.domain import card
from bot.domain.approvals import Person, Team, shortage, who_could_approve
from bot.domain.card import OFFERED, Button
from bot.domain.clicks import CLICKS, OPEN, hindrance, may_click
from bot.domain.task import ENDED, TaskState
from tests.domain.test_approvals import TEAM, task

S = TaskState
PEOPLE = {
    "member": "SOMEONE", "requester": "REQ", "owner": "OWN", "approver": "TWO", "security": "SEC", "lead": "LEAD",
}  # fmt: skip
ANY_OPEN = "queued running checking in_review awaiting_approval splitting with_human blocked"

#: RULEBOOK's table of R-APR, by button, with the states in which each does something.
ALLOWED = [
    # button              states                          member requester owner approver security lead
    (card.APPROVE,         "awaiting_approval",            "no    no        no    yes      yes      yes"),
    (card.REQUEST_CHANGES, "awaiting_approval",            "no    yes       yes   yes      yes      yes"),
    (card.REJECT,          "awaiting_approval",            "no    yes       yes   yes      yes      yes"),
    (card.RETRY,           "blocked cancelled failed",     "no    yes       yes   yes      yes      yes"),
    (card.TO_SONNET,       "blocked",                      "no    yes       yes   yes      yes      yes"),
    (card.TO_OPUS,         "blocked",                      "no    no        no    yes      yes      yes"),
    (card.SPLIT,           "queued blocked",               "no    yes       yes   yes      yes      yes"),
    (card.TAKE_OVER,       ANY_OPEN,                       "no    no        yes   yes      yes      yes"),
    (card.REASSIGN,        f"{ANY_OPEN} cancelled failed", "no    yes       yes   yes      yes      yes"),
    (card.STOP,            ANY_OPEN,                       "no    yes       yes   yes      yes      yes"),
    (card.RUN_NOW,         "running in_review",            "no    yes       yes   yes      yes      yes"),
    (card.CANNOT_GO_ON,    "with_human",                   "no    yes       yes   yes      yes      yes"),
    (card.HAND_OVER,       "with_human",                   "no    no        yes   no       no       yes"),
    (card.MARK_DONE,       "with_human",                   "no    no        yes   no       no       yes"),
]  # fmt: skip


@pytest.mark.parametrize("state", list(TaskState))
@pytest.mark.parametrize(("button", "states", "row"), ALLOWED, ids=[b.label for b, _, _ in ALLOWED])
def test_the_approval_matrix(button: Button, states: str, row: str, state: TaskState) -> None:
    for (role, person), may in zip(PEOPLE.items(), row.split(), strict=True):
        allowed = may == "yes" and state.value in states.split()
        assert may_click(button.action, Person(id=person), TEAM, task(state=state)) is allowed, (role, state)


def test_the_table_is_whole() -> None:
    assert [b.action for b, _, _ in ALLOWED] == list(CLICKS)
    assert {b.action for offered in OFFERED.values() for b in offered} == set(CLICKS)
    assert set(ANY_OPEN.split()) == {s.value for s in OPEN} == {s.value for s in S if s not in {*ENDED, S.MERGING}}


def test_what_a_card_offers_does_something() -> None:
    for state, offered in OFFERED.items():
        assert [b.label for b in offered if hindrance(b.action, state)] == []


@pytest.mark.parametrize("barred", ["guest", "bot", "deactivated", "other_workspace"])
def test_barred_people_click_in_vain(barred: str) -> None:
    person = Person(id="LEAD", **{barred: True})
    assert not any(may_click(button, person, TEAM, task(state=state)) for button in CLICKS for state in S)


def test_every_refusal_says_why() -> None:
    for button, click in CLICKS.items():
        for state in set(S) - click.states:
            assert hindrance(button, state) == f"is {state.words}, so {click.otherwise}"


ONE, TWO, THREE = Team(leads=("A",)), Team(leads=("A",), approvers=("B",)), Team(leads=("A",), approvers=("B", "C"))
FEW = [
    # team, requester, owner, security                     who counts        what is missing
    (ONE, "X", "X", False, ("A",), None),
    (ONE, "A", "X", False, (), "nobody may approve it"),
    (ONE.model_copy(update={"self_approval": True}), "A", "A", False, ("A",), None),
    (ONE.model_copy(update={"self_approval": True}), "A", "A", True, (), "two people have to approve it, and nobody"),
    (ONE, "X", "X", True, ("A",), "two people have to approve it, and only one person"),
    (TWO, "X", "X", True, ("B", "A"), None),
    (TWO, "X", "B", True, ("A",), "two people have to approve it, and only one person"),
    (THREE, "X", "X", True, ("B", "C", "A"), None),
    (THREE, "A", "X", True, ("B", "C"), "no security approver"),
    (Team(), "X", "X", False, (), "nobody may approve it"),
]


@pytest.mark.parametrize(("team", "requester", "owner", "security", "who", "missing"), FEW)
def test_too_few_people_for_a_rule(
    team: Team, requester: str, owner: str, security: bool, who: tuple[str, ...], missing: str | None
) -> None:
    """R-APR: an error of `orch doctor`, shown on the card as well."""
    of = task(requester=requester, owner=owner, security=security)
    assert who_could_approve(team, of) == who
    said = shortage(team, of)
    assert (said is None) if missing is None else missing in (said or "")
