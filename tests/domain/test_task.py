"""The task's life, and what its card offers."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from bot.domain.card import OFFERED, TO_OPUS, TO_SONNET, alert_buttons, buttons
from bot.domain.task import (
    ENDED,
    PLAN_STATUS,
    RESUMED,
    STAGED,
    TRANSITIONS,
    Route,
    Rung,
    Task,
    TaskState,
    TaskType,
    may_step,
)

S = TaskState
NOW = datetime(2026, 2, 3, tzinfo=UTC)


def task(text: str = "t", rung: Rung = Rung.HAIKU, state: TaskState = S.QUEUED) -> Task:
    route = Route(rung=rung, type=TaskType.DOCS, complexity="low", security=False, reason="r", rule="R", confidence=1)
    return Task(project="P", id="S0-D0-1", text=text, route=route, state=state, created_at=NOW, updated_at=NOW)


def test_every_state_is_covered_everywhere() -> None:
    assert set(TRANSITIONS) == set(OFFERED) == set(PLAN_STATUS) == set(S)
    assert frozenset() == STAGED & ENDED


def test_the_happy_path() -> None:
    path = [S.QUEUED, S.RUNNING, S.CHECKING, S.IN_REVIEW, S.AWAITING_APPROVAL, S.MERGING, S.MERGED]
    assert all(may_step(a, b) for a, b in pairwise(path))


def test_an_alert_about_what_is_late_offers_to_give_it_to_somebody() -> None:
    """A running card offers Stop alone; whoever hears that its deadline passed can do more (R-ESC-8)."""
    for state in (S.QUEUED, S.RUNNING, S.CHECKING, S.IN_REVIEW):
        labels = [each.label for each in alert_buttons(task(state=state))]
        assert labels[-3:] == ["Take over", "Reassign", "Acknowledge"], state
    assert [each.label for each in alert_buttons(task(state=S.MERGING))] == ["Acknowledge"]


@pytest.mark.parametrize("state", sorted(set(S) - ENDED - {S.BLOCKED}))
def test_anything_alive_can_be_blocked(state: TaskState) -> None:
    assert may_step(state, S.BLOCKED)


def test_nothing_is_merged_but_from_merging_and_merging_only_after_approval() -> None:
    """R-SEC-4"""
    assert [s for s in S if may_step(s, S.MERGED)] == [S.MERGING]
    assert [s for s in S if may_step(s, S.MERGING)] == [S.AWAITING_APPROVAL]
    assert [s for s in S if may_step(s, S.AWAITING_APPROVAL)] == [S.IN_REVIEW, S.MERGING, S.BLOCKED]


def test_what_is_interrupted_on_a_commit_goes_on_with_it() -> None:
    """R-APR-1: by way of its approval, where it was being merged."""
    assert all(may_step(S.BLOCKED, S.AWAITING_APPROVAL if s is S.MERGING else s) for s in RESUMED)


def test_ended_means_ended() -> None:
    assert TRANSITIONS[S.MERGED] == TRANSITIONS[S.DONE] == frozenset()
    assert TRANSITIONS[S.CANCELLED] == TRANSITIONS[S.FAILED] == {S.QUEUED}


@pytest.mark.parametrize(
    "rung, offered",
    [(Rung.HAIKU, {TO_SONNET}), (Rung.SONNET, {TO_OPUS}), (Rung.OPUS, {TO_OPUS}), (Rung.GEMINI, set())],
)
def test_escalation_is_offered_upwards_only(rung: Rung, offered: set[object]) -> None:
    """R-ESC-8; an opus task that nobody approved yet waits for that click."""
    shown = set(buttons(task(rung=rung, state=S.BLOCKED)))
    assert shown & {TO_SONNET, TO_OPUS} == offered


@pytest.mark.parametrize(
    "text, title",
    [("Do it\nnow", "Do it"), ("", ""), ("x" * 100, "x" * 100), ("word " * 40, ("word " * 20)[:97].rstrip() + "...")],
)
def test_title(text: str, title: str) -> None:
    assert task(text).title == title
