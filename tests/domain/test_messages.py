"""R-MSG-1, R-MSG-2, R-MSG-3, R-MSG-6: the plan's messages, field for field, out and in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.message_reading import looks_like_assignment, parse_assignment
from bot.domain.messages import (
    Assignment,
    BlockerAlert,
    Message,
    StatusUpdate,
    assignment_of,
    blocker_alert_of,
    status_update_of,
)
from bot.domain.plan_fields import BRIDGES, DayTime
from bot.domain.task import PLAN_STATUS, Route, Rung, Task, TaskState, TaskType
from bot.errors import UserMistake

#: EXAMPLES.md, "Messages".
ASSIGNMENT = """{"task_id": "S1-D1-1", "sprint": 1, "day": 1, "mcp_assignment": "claude-bridge", "model": "haiku",
 "prompt": "Setup Turbo monorepo...", "token_budget": 2000, "priority": "critical",
 "blockers_if_fail": ["S1-D1-2"], "success_criteria": ["docker compose up"],
 "deadline": "2026-02-03 10:30", "assigned_to": "human-dev-1"}"""
UPDATE = """{"task_id": "S1-D1-1", "status": "completed", "tokens_used": 1800, "quality_score": 9.5, "issues": [],
 "completedAt": "2026-02-03 09:45", "next_task_id": "S1-D1-2", "ready_for_review": true}"""
ALERT = """{"alert_type": "blocker", "task_id": "S1-D2-1", "reason": "Complex security logic - Haiku insufficient",
 "recommended_escalation": "sonnet", "timestamp": "2026-02-04 11:23", "action_required": true, "priority": "high"}"""
EXAMPLES: list[tuple[type[Message], str]] = [(Assignment, ASSIGNMENT), (StatusUpdate, UPDATE), (BlockerAlert, ALERT)]

#: Winter in New York is UTC-5.
NEW_YORK = ZoneInfo("America/New_York")
AT = datetime(2026, 2, 3, 14, 45, 59, tzinfo=UTC)


def task(rung: Rung = Rung.HAIKU, **given: Any) -> Task:
    route = Route(rung=rung, type=TaskType.SETUP, complexity="low", security=False, reason="r", rule="R", confidence=1)
    facts: dict[str, Any] = {"id": "S1-D1-1", "text": "Setup Turbo monorepo...", "created_at": AT, "updated_at": AT}
    return Task(project="P", route=route, **{**facts, **given})


@pytest.mark.parametrize(("kind", "example"), EXAMPLES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_plans_examples_come_back_field_by_field(kind: type[Message], example: str) -> None:
    """R-MSG-1, R-MSG-2, R-MSG-3"""
    message = kind.model_validate_json(example)
    assert json.dumps(message.json_fields()) == json.dumps(json.loads(example))
    assert list(kind.model_fields) == list(json.loads(example))
    assert kind.model_validate(message.json_fields()) == message


def test_an_assignment_is_built_from_a_task() -> None:
    """R-MSG-1: times in the project's zone."""
    one = task(
        priority="critical",
        criteria=("docker compose up",),
        owner="U0DEV",
        deadline=datetime(2026, 2, 3, 15, 30, tzinfo=UTC),
        token_budget=2000,
    )
    built = assignment_of(one, zone=NEW_YORK, blockers_if_fail=["S1-D1-2"], assigned_to="human-dev-1")
    assert built.json_fields() == json.loads(ASSIGNMENT)
    plain = assignment_of(task(owner="U0DEV"), zone=NEW_YORK, blockers_if_fail=())
    assert (plain.assigned_to, plain.deadline) == ("U0DEV", None)


def test_a_status_update_is_built_from_a_task() -> None:
    """R-MSG-2"""
    done = task(state=TaskState.MERGED)
    built = status_update_of(done, zone=NEW_YORK, tokens_used=1800, quality_score=9.5, next_task_id="S1-D1-2")
    assert built.json_fields() == json.loads(UPDATE)
    early = task(state=TaskState.MERGED, updated_at=datetime(2026, 2, 1, 5, tzinfo=UTC))
    early = status_update_of(early, zone=NEW_YORK, tokens_used=0)
    assert early.json_fields()["completedAt"] == "2026-02-01 00:00"


def test_a_blocker_alert_is_built_from_a_task() -> None:
    """R-MSG-3"""
    one = task(id="S1-D2-1", priority="high")
    at = datetime(2026, 2, 4, 16, 23, tzinfo=UTC)
    reason = "Complex security logic - Haiku insufficient"
    built = blocker_alert_of(one, zone=NEW_YORK, reason=reason, at=at, recommended=Rung.SONNET)
    assert built.json_fields() == json.loads(ALERT)
    assert blocker_alert_of(one, zone=NEW_YORK, reason="r", at=at).recommended_escalation is Rung.MANUAL


STATUSES = [
    ("queued", "queued", False),
    ("running", "in_progress", False),
    ("checking", "in_progress", False),
    ("in_review", "in_progress", True),
    ("awaiting_approval", "in_progress", True),
    ("merging", "in_progress", True),
    ("splitting", "in_progress", False),
    ("with_human", "in_progress", False),
    ("merged", "completed", True),
    ("done", "completed", True),
    ("blocked", "blocked", False),
    ("failed", "failed", False),
    ("cancelled", "failed", False),
]


@pytest.mark.parametrize(("state", "status", "ready"), STATUSES)
def test_statuses_map(state: TaskState, status: str, ready: bool) -> None:
    """R-MSG-6"""
    built = status_update_of(task(state=state), zone=NEW_YORK, tokens_used=0)
    assert (built.status, built.ready_for_review) == (status, ready)
    assert (built.completedAt is None) == (status != "completed")


def test_every_state_has_its_row_here() -> None:
    assert {state for state, _, _ in STATUSES} == set(PLAN_STATUS) == set(TaskState)


@pytest.mark.parametrize(
    ("rung", "bridge"),
    [
        ("haiku", "claude-bridge"),
        ("sonnet", "claude-bridge"),
        ("opus", "claude-bridge"),
        ("gemini", "gemini-bridge"),
        ("manual", "manual"),
    ],
)
def test_a_bridge_by_rung(rung: Rung, bridge: str) -> None:
    """R-MSG-4"""
    assert BRIDGES[Rung(rung)] == bridge
    built = assignment_of(task(Rung(rung)), zone=NEW_YORK, blockers_if_fail=())
    assert (built.mcp_assignment, built.model) == (bridge, rung)


def test_a_message_has_no_field_of_its_own_and_no_zone() -> None:
    with pytest.raises(ValueError, match="extra"):
        StatusUpdate.model_validate({**json.loads(UPDATE), "completed_at": None})
    with pytest.raises(ValueError, match="must be one of claude-bridge, gemini-bridge, manual"):
        Assignment.model_validate({**json.loads(ASSIGNMENT), "mcp_assignment": "x"})
    with pytest.raises(ValueError, match="names none"):
        BlockerAlert.model_validate({**json.loads(ALERT), "timestamp": "2026-02-04T11:23+01:00"})
    with pytest.raises(ValueError, match="without a zone"):
        blocker_alert_of(task(), zone=NEW_YORK, reason="r", at=datetime(2026, 2, 4))


# ---- an assignment comes in -----------------------------------------------------------------------------------------

CURLY = ASSIGNMENT.replace('{"', "{“").replace('": ', "”: ").replace(', "', ", “").replace('",', "”,")
PASTED = [
    ASSIGNMENT,
    f"```{ASSIGNMENT}```",
    f"```json\n{ASSIGNMENT}\n```",
    f"Please take this:\n```\n{ASSIGNMENT}\n```\nThanks!",
    f"assign {ASSIGNMENT}",
    ASSIGNMENT.replace('"', "“"),
    CURLY,
    ASSIGNMENT.replace(" ", "\u00a0"),
    ASSIGNMENT.replace("2000", '"2,000"').replace("1,", '"1",'),
    ASSIGNMENT.replace("[", "[ ").replace("10:30", "10:30:00"),
    ASSIGNMENT.replace('"human-dev-1"', '"@human-dev-1"'),
]


@pytest.mark.parametrize("text", PASTED)
def test_an_assignment_is_understood_as_people_paste_it(text: str) -> None:
    """R-MSG-1, accepted as input"""
    one = parse_assignment(text)
    assert looks_like_assignment(text)
    assert (one.id, one.sprint, one.day, one.number) == ("S1-D1-1", 1, 1, 1)
    assert (one.model, one.priority, one.token_budget) == (Rung.HAIKU, "critical", 2000)
    assert one.prompt.replace("\u00a0", " ") == "Setup Turbo monorepo..."
    assert one.blockers_if_fail == ("S1-D1-2",)
    assert [c.replace("\u00a0", " ") for c in one.success_criteria] == ["docker compose up"]
    assert (one.deadline, one.owner) == (datetime(2026, 2, 3, 10, 30), "human-dev-1")


def test_what_leaves_us_is_accepted_again() -> None:
    """An assignment round-trips through a task of a plan."""
    sent = json.dumps(Assignment.model_validate_json(ASSIGNMENT).json_fields())
    assert parse_assignment(sent) == parse_assignment(f"```{sent}```")


def test_more_fields_than_the_plans_are_understood_and_text_is_kept() -> None:
    one = parse_assignment(
        '{"task_id": "S2-D1-1", "prompt": "Say “hi”,\nthen <https://x.io>", "type": "docs", "files": ["a.md"], '
        '"checks": ["npm test"], "after": ["S1-D1-1"], "deadline": "D2 17:00", "security": true, "owner": null}'
    )
    assert one.prompt == "Say “hi”,\nthen https://x.io"
    assert (one.type, one.files, one.checks, one.after) == ("docs", ("a.md",), ("npm test",), ("S1-D1-1",))
    assert (one.deadline, one.security, one.owner) == (DayTime(day=2, at=time(17)), True, None)


def test_curly_quotes_inside_a_text_stay() -> None:
    one = parse_assignment("{“task_id”: “S1-D1-1”, “prompt”: “Write “Hello” on the page”}")
    assert one.prompt == "Write “Hello” on the page"


def without(*names: str, **other: Any) -> str:
    return json.dumps({k: v for k, v in json.loads(ASSIGNMENT).items() if k not in names} | other)


WRONG = [
    ("", "That is not valid JSON: nothing stands there."),
    ("Setup Turbo", "That is not valid JSON: line 1, near `Setup Turbo`"),
    ("[]", "That is a list. Send one assignment at a time"),
    (f"[{ASSIGNMENT}]", "That is a list."),
    ('"text"', "An assignment is a JSON object"),
    ('{"task_id": "S1-D1-1", "prompt": "x",}', "A comma before the closing bracket is one too many."),
    ('{"task_id": "S1-D1-1" "prompt": "x"}', "That is not valid JSON: line 1, near `"),
    ('{"a":' * 60 + "1" + "}" * 60, "nested too deeply"),
    ("x" * 40_001, "an assignment has at most 40,000"),
    ('{"task_id": "S1-D1-1", "status": "completed"}', "That is a status update: Orch writes those"),
    ('{"alert_type": "blocker", "task_id": "S1-D1-1"}', "That is a blocker alert: Orch writes those"),
    (without(prompt="x", status="completed"), "`status` is not a key that I know"),
    ("{}", "The assignment has 2 errors:\n• a task: `prompt` is missing or empty"),
    (without("task_id"), "a task: `id` is missing: S<sprint>-D<day>-<n>"),
    (without("prompt"), "S1-D1-1: `prompt` is missing or empty: say what is to be done"),
    (
        without(sucess_criteria=[]),
        "S1-D1-1: `sucess_criteria` is not a key that I know; did you mean `success_criteria`?",
    ),
    (without(due="2026-01-01"), "S1-D1-1: `due` is not a key that I know; did you mean `deadline`?"),
    (without(model="haiko"), "S1-D1-1, model: `haiko` is not a model. Did you mean `haiku`?"),
    (without(mcp_assignment="gemini-bridge"), "`gemini-bridge` does not lead to haiku"),
    (without(priority="urgent"), "S1-D1-1, priority: `urgent` is not a priority. Did you mean `critical`?"),
    (without(sprint=2), "S1-D1-1: `sprint: 2` disagrees with the id, which says 1"),
    (without(day="one"), "S1-D1-1, day: `one` is not a day of the sprint"),
    (without(token_budget=-5), "S1-D1-1, token_budget: `-5` is not a number of tokens"),
    (without(deadline="tomorrow"), "S1-D1-1, deadline: `tomorrow` is not a date and time"),
    (without(blockers_if_fail=["S1-D1-1"]), "S1-D1-1: it cannot wait for itself"),
    (without(blockers_if_fail="next"), "S1-D1-1, blockers_if_fail: `next` is not a task id"),
    (without(prompt=["a"]), "S1-D1-1, prompt: this must be one value, not a list"),
    (ASSIGNMENT[:-1] + ', "model": "sonnet"}', "S1-D1-1: `model` stands there twice"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_assignment_names_the_field(text: str, said: str) -> None:
    with pytest.raises(UserMistake) as caught:
        parse_assignment(text)
    assert said in str(caught.value) and caught.value.form


def test_several_mistakes_are_said_at_once() -> None:
    with pytest.raises(UserMistake, match="The assignment has 2 errors"):
        parse_assignment(without(model="haiko", priority="urgent"))


LIKE = [
    (ASSIGNMENT, True),
    ("```json\n{“prompt”: “x”}```", True),
    ('{"prompt": }', True),
    ("Write the README", False),
    ("Make {a: 1} an object", False),
    ('Explain what {"model": 1} means', False),
    ('Document the field {"prompt": "..."}', False),
    ('Take this: {"task_id": 1}', True),
]


@pytest.mark.parametrize(("text", "expected"), LIKE)
def test_words_are_no_assignment(text: str, expected: bool) -> None:
    assert looks_like_assignment(text) is expected


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from('{}[]":,“”`\n S1-D2prompt_id'), max_size=60))
def test_whatever_is_pasted_is_a_task_or_a_mistake(text: str) -> None:
    looks_like_assignment(text)
    try:
        parse_assignment(text)
    except UserMistake as mistake:
        assert str(mistake)
