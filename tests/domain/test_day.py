"""What the day's three posts do by themselves, and what they leave to people (R-DAY-1, R-DAY-2, R-DAY-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.card import buttons
from bot.domain.day import DayFacts, Stuck, Waiting, behind, evening, midday, morning
from bot.domain.day_plan import Room, fit, needed_by
from bot.domain.escalation import Again, Stop
from bot.domain.task import Route, Rung, Task, TaskState, TaskType

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
H, S, G = Rung.HAIKU, Rung.SONNET, Rung.GEMINI
ROOM = Room(rungs={H: 10_000, S: 10_000, G: 5_000, Rung.OPUS: 0}, day=30_000, sprint=100_000)
NONE = Room(rungs={}, day=0, sprint=0)


def a_task(number: int = 1, rung: Rung = H, state: str = "queued", *, tokens: int = 1_000, type: str = "docs",
           security: bool = False, day: int = 0, **fields: Any) -> Task:  # fmt: skip
    route = Route(rung=rung, type=TaskType(type), complexity="low", security=security, reason="r", rule="R-RT-1",
                  confidence=1.0, expected_tokens=tokens)  # fmt: skip
    named = {"project": "P", "id": f"S1-D{day}-{number}", "text": f"Task {number}"}
    known = {**named, "route": route, "state": TaskState(state), "owner": "U0DEV", "created_at": NOW, "updated_at": NOW}
    return Task(**known | fields)


def stuck(task: Task | None = None, **fields: Any) -> Stuck:
    known = {"task": task or a_task(state="blocked"), "why": "no", "since": NOW - timedelta(hours=3)}
    return Stuck(**known | fields)


AGAIN = Again(rung=S, keep=False, why="2 attempts failed", rule="R-ESC-1")
STOP = Stop(why="3 attempts failed at sonnet", rule="R-ESC-6", propose=Rung.OPUS)


@pytest.mark.parametrize(
    ("blocked", "room", "resting", "what", "rule"),
    [
        (stuck(next=AGAIN), ROOM, (), "step", "R-ESC-1"),
        (stuck(next=AGAIN, blocked_by="U0DEV"), ROOM, (), None, ""),  # a person said why: a person says when
        (stuck(next=STOP, proposed=Rung.OPUS), ROOM, (), None, ""),
        (stuck(next=AGAIN.model_copy(update={"rung": Rung.OPUS})), ROOM, (), None, ""),  # R-ESC-8
        (stuck(was_proposed_split=True, next=AGAIN), ROOM, (), None, ""),
        (stuck(wants_tokens=True, next=STOP), ROOM, (), "requeue", "R-BUD-3"),
        (stuck(wants_tokens=True), NONE, (), None, ""),
        (stuck(wants_tokens=True), ROOM, (H,), None, ""),
        (stuck(wants_review=True), ROOM, (), "review", "R-SEC-4"),
        (stuck(wants_review=True), NONE, (), None, ""),
        (stuck(wants_review=True), ROOM, (G,), None, ""),
        (stuck(wants_review=True, reviews_tried=2), ROOM, (), None, ""),  # no verdict twice: a person looks
        (stuck(), ROOM, (), None, ""),
    ],
)
def test_the_morning_moves_what_the_rules_let_move(
    blocked: Stuck, room: Room, resting: tuple[Rung, ...], what: str | None, rule: str
) -> None:
    """R-DAY-1: the automatic steps only; everything else is a button."""
    day = morning(DayFacts(now=NOW, tasks=(blocked.task,), stuck=(blocked,), room=room, resting=frozenset(resting)))
    if what:
        assert [(action.what, action.rule) for action in day.actions] == [(what, rule)] and not day.needs
    else:
        assert not day.actions and [need.task.id for need in day.needs] == [blocked.task.id]
        assert "blocked" in day.needs[0].why and "for 3 h: no" in day.needs[0].why


def test_the_morning_does_not_promise_the_same_tokens_twice() -> None:
    waiting = [stuck(a_task(n, S, "blocked", tokens=6_000), wants_tokens=True) for n in (1, 2)]
    day = morning(DayFacts(now=NOW, stuck=tuple(waiting), tasks=tuple(w.task for w in waiting), room=ROOM))
    assert [action.task.id for action in day.actions] == ["S1-D0-1"]
    assert [need.task.id for need in day.needs] == ["S1-D0-2"]
    assert [task.id for task in day.plan.fits] == ["S1-D0-1"], "what goes on is in the day's plan"


def test_needs_have_the_cards_buttons() -> None:
    task = a_task(1, S, "blocked", type="logic")
    (need,) = morning(DayFacts(now=NOW, stuck=(stuck(task, next=STOP, proposed=Rung.OPUS),), room=ROOM)).needs
    assert [b.label for b in need.buttons] == [b.label for b in buttons(task, proposed=Rung.OPUS) if b.label != "Stop"]


def test_an_approval_is_asked_for() -> None:
    task = a_task(1, S, "awaiting_approval", head_commit="a" * 40)
    facts = DayFacts(now=NOW, tasks=(task,), reviews=(Waiting(task=task, since=NOW - timedelta(hours=1)),))
    for post in (morning, evening):
        (need,) = post(facts).needs
        assert (need.why, [b.label for b in need.buttons]) == ("has waited for approval for 1 h", ["Approve merge"])
    assert not midday(facts).needs and not midday(facts).actions, "one hour is within the four (R-MET)"


@pytest.mark.parametrize(
    ("state", "hours", "people", "said"),
    [
        ("awaiting_approval", 5, ("U0TWO",), "has waited for approval for 5 h; its approvers were reminded"),
        ("awaiting_approval", 4, (), None),
        ("in_review", 5, ("U0DEV",), "has waited for gemini's review for 5 h (gemini rests); its owner was told"),
        ("in_review", 3, (), None),
    ],
)
def test_reviews_over_their_time_are_chased(state: str, hours: int, people: tuple[str, ...], said: str | None) -> None:
    """R-DAY-2."""
    task = a_task(1, S, state)
    why = "gemini rests" if state == "in_review" else ""
    waiting = Waiting(task=task, since=NOW - timedelta(hours=hours), why=why, people=("U0TWO",))
    day = midday(DayFacts(now=NOW, tasks=(task,), reviews=(waiting,), room=ROOM))
    assert [(a.what, a.people, a.why) for a in day.actions] == ([("chase", people, said)] if said else [])


@pytest.mark.parametrize(
    ("task", "late"),
    [
        (a_task(day=2), True),
        (a_task(day=3), False),
        (a_task(day=0), False),  # planned for no day
        (a_task(day=2, id="S0-D1-1"), False),  # of another sprint
        (a_task(deadline=NOW - timedelta(hours=1)), True),
        (a_task(deadline=NOW + timedelta(hours=1)), False),
        (a_task(day=2, state="awaiting_approval"), False),  # its work is done
        (a_task(day=2, state="with_human"), True),
    ],
)
def test_what_is_behind(task: Task, late: bool) -> None:
    assert bool(behind(task, DayFacts(now=NOW, sprint=1, sprint_day=3))) is late


LITTLE = Room(rungs={H: 10_000, S: 100, G: 5_000}, day=30_000, sprint=100_000)


@pytest.mark.parametrize(
    ("task", "room", "what", "offered"),
    [
        (a_task(1, S, type="tests", day=1), LITTLE, "cheaper", []),  # R-RT-6: may be haiku's, and costs less
        (a_task(1, S, type="auth", day=1), LITTLE, None, ["Split", "Take over", "Reassign"]),
        (a_task(1, S, type="tests", day=1, security=True), LITTLE, None, ["Split", "Take over", "Reassign"]),  # R-SEC-1
        (a_task(1, S, type="tests", day=1), ROOM, None, ["Split", "Take over", "Reassign"]),  # sonnet will do it
        (a_task(1, H, day=1), ROOM, None, ["Split", "Take over", "Reassign"]),  # sonnet would cost more: a button
        (a_task(1, Rung.MANUAL, day=1), ROOM, None, ["Reassign"]),
        (a_task(1, Rung.MANUAL, "with_human", day=1), ROOM, "remind", []),
        (a_task(1, S, "running", day=1), ROOM, None, []),
    ],
)
def test_what_is_behind_is_moved_or_proposed(task: Task, room: Room, what: str | None, offered: list[str]) -> None:
    """R-DAY-2: by itself only where it costs no more."""
    day = midday(DayFacts(now=NOW, tasks=(task,), room=room, sprint=1, sprint_day=3))
    assert [action.what for action in day.actions] == ([what] if what else [])
    assert [b.label for need in day.needs for b in need.buttons] == offered
    assert [late.id for late, _ in day.behind] == [task.id]


def test_the_evening_merges_reports_and_plans() -> None:
    """R-DAY-3."""
    done = a_task(1, S, "awaiting_approval", head_commit="a" * 40)
    blocked, small = stuck(a_task(2, S, "blocked")), a_task(3)
    facts = DayFacts(now=NOW, tasks=(done, blocked.task, small), stuck=(blocked,), approved=(done,), tomorrow=ROOM,
                     reviews=(Waiting(task=done, since=NOW - timedelta(days=3)),))  # fmt: skip
    day = evening(facts)
    assert [(action.what, action.task.id) for action in day.actions] == [("merge", "S1-D0-1")]
    assert [need.task.id for need in day.needs] == ["S1-D0-2"], "what is merged waits for nobody"
    assert day.plan.fits == (small,) and day.plan.tokens == 2_000


def test_what_fits_into_a_day() -> None:
    first, big = a_task(1, priority="high"), a_task(2, S, tokens=20_000, priority="high")
    small, after_big, lost = a_task(3), a_task(4, after=("S1-D0-2",)), a_task(5, after=("S1-D0-9",))
    after_first, manual = a_task(6, after=("S1-D0-1",)), a_task(7, Rung.MANUAL)
    plan = fit((small, big, first, after_big, lost, after_first, manual), ROOM, lost=("S1-D0-9",))
    assert [task.id for task in plan.fits] == ["S1-D0-1", "S1-D0-3", "S1-D0-6", "S1-D0-7"]
    assert {task.id: why for task, why in plan.later} == {
        "S1-D0-2": "sonnet's tokens do not suffice", "S1-D0-4": "waits for S1-D0-2", "S1-D0-5": "waits for S1-D0-9",
    }  # fmt: skip
    assert plan.tokens == 6_000 and plan.left.day == ROOM.day - 6_000


def test_what_a_task_needs() -> None:
    assert needed_by(a_task(1, H)) == {H: 1_000, G: 1_000}, "its review too (R-RT-3)"
    assert needed_by(a_task(1, G, type="review")) == {G: 1_000}
    assert needed_by(a_task(1, Rung.MANUAL)) == {}
    assert Room(rungs={H: 9, G: 9}, day=9, sprint=99).lacks({H: 5, G: 5}) == "the day's tokens"
    assert Room(rungs={H: 9, G: 9}, day=99, sprint=9).lacks({H: 5, G: 5}) == "the sprint's tokens"
