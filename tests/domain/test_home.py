"""Whose Home shows which task, and with which buttons (R-APR; issue 5, item 5)."""

from __future__ import annotations

import pytest

from bot.domain import card
from bot.domain.approvals import Person, Team
from bot.domain.home import PAGE, Group, Mine, buttons_of, group_of, pages_of
from bot.domain.task import Rung, TaskState
from tests.domain.test_approvals import TEAM, task

S = TaskState
PEOPLE = ("SOMEONE", "REQ", "OWN", "TWO", "SEC", "LEAD")


@pytest.mark.parametrize(
    ("state", "more", "groups"),
    [
        # state              what else              someone requester owner two security lead
        (S.QUEUED, {}, "- waiting waiting - - -"),
        (S.RUNNING, {}, "- running running - - -"),
        (S.IN_REVIEW, {}, "- running running - - -"),
        (S.AWAITING_APPROVAL, {}, "- waiting waiting approve - approve"),
        (S.AWAITING_APPROVAL, {"approved_by": ("TWO",)}, "- waiting waiting - - approve"),
        (S.WITH_HUMAN, {}, "- waiting by_hand - - -"),
        (S.BLOCKED, {"blocked": True, "told": ("OWN", "LEAD")}, "- blocked blocked - - blocked"),
        (S.BLOCKED, {}, "- blocked blocked - - -"),
        (S.RUNNING, {"blocked": True}, "- blocked blocked - - -"),
        (S.MERGED, {"told": ("SOMEONE",)}, "- - - - - -"),
        (S.CANCELLED, {}, "- - - - - -"),
    ],
)
def test_why_a_task_is_on_somebodys_home(state: S, more: dict[str, object], groups: str) -> None:
    mine = Mine.model_validate({"task": task(state=state), **more})
    found = [group_of(person, TEAM, mine) for person in PEOPLE]
    assert [str(group.value) if group else "-" for group in found] == groups.split()


def test_a_security_task_waits_for_its_security_approver_and_for_one_more() -> None:
    mine = Mine(task=task(security=True))
    assert [p for p in PEOPLE if group_of(p, TEAM, mine) is Group.APPROVE] == ["TWO", "SEC", "LEAD"]


def test_nobody_is_offered_what_would_be_refused() -> None:
    blocked = Mine(task=task(state=S.BLOCKED), blocked=True, told=("OUT",))
    told = buttons_of(Group.BLOCKED, Person(id="OUT"), TEAM, blocked)
    assert told == (card.ACKNOWLEDGE,), "who was told may say that they are on it"
    lead = buttons_of(Group.BLOCKED, Person(id="LEAD"), TEAM, blocked, proposed=Rung.OPUS)
    assert lead[0].label == "Escalate to Opus" and lead[0].style == "primary" and lead[-1] == card.ACKNOWLEDGE
    assert card.STOP not in lead
    approve = Mine(task=task())
    found = buttons_of(Group.APPROVE, Person(id="TWO"), TEAM, approve)
    assert found == (card.APPROVE, card.REQUEST_CHANGES, card.REJECT)
    by_hand = Mine(task=task(state=S.WITH_HUMAN))
    assert buttons_of(Group.BY_HAND, Person(id="OWN"), TEAM, by_hand)[0] == card.MARK_DONE
    assert buttons_of(Group.RUNNING, Person(id="OWN"), TEAM, Mine(task=task(state=S.RUNNING))) == ()


def test_an_owner_who_leads_cannot_approve_their_own() -> None:
    mine = Mine(task=task(owner="LEAD"))
    assert group_of("LEAD", Team(leads=("LEAD",)), mine) is Group.WAITING


def test_pages() -> None:
    assert [pages_of(n) for n in (0, 1, PAGE, PAGE + 1, 500)] == [1, 1, 1, 2, 500 // PAGE]
