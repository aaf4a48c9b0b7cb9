"""Results of CI: the signature, the table of who can take one, and what is shown of a log (R-RT-4)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.ci import RUNS, CiResult, hindrance, is_signed, signature, tail
from bot.domain.task import ENDED, Route, Rung, Task, TaskState, TaskType

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRET = "a secret of some length"
STAMP = str(int(NOW.timestamp()))
SECONDS = timedelta(seconds=1)


def test_the_signature_is_what_openssl_makes() -> None:
    """HMAC-SHA256 over timestamp, dot, body: `printf '%s.%s' 1700000000 '{}' | openssl dgst -sha256 -hmac key`."""
    assert signature("key", "1700000000", b"{}") == (hmac.digest(b"key", b"1700000000.{}", hashlib.sha256).hex())


@pytest.mark.parametrize(
    ("timestamp", "signed", "good"),
    [
        (STAMP, None, True),
        (str(int(STAMP) - 300), None, True),
        (str(int(STAMP) + 300), None, True),
        (str(int(STAMP) - 301), None, False),  # a replay
        (str(int(STAMP) + 301), None, False),
        (STAMP, "", False),
        (STAMP, "0" * 64, False),
        (STAMP, "é", False),
        ("", None, False),
        (f" {STAMP}", None, False),
        (f"-{STAMP}", None, False),
        ("١٧٠٠", None, False),  # digits, and none of ours
        ("nan", None, False),
        ("9" * 400, None, False),
    ],
)
def test_when_a_signature_is_good(timestamp: str, signed: str | None, good: bool) -> None:
    given_ = signature(SECRET, timestamp, b"{}") if signed is None else signed
    assert is_signed(SECRET, timestamp, given_, b"{}", NOW) is good


@given(
    body=st.binary(max_size=200),
    other=st.binary(max_size=200),
    secret=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(
        lambda text: text.rstrip("\0") != SECRET
    ),
    off=st.integers(-10_000, 10_000),
)
def test_only_this_body_this_time_and_this_secret(body: bytes, other: bytes, secret: str, off: int) -> None:
    right = signature(SECRET, STAMP, body)
    assert is_signed(SECRET, STAMP, right, body, NOW + off * SECONDS) is (abs(off) <= 300)
    assert is_signed(SECRET, STAMP, right, other, NOW) is (other == body)
    assert not is_signed(SECRET, STAMP, right[:-1], body, NOW)
    assert off == 0 or not is_signed(SECRET, str(int(STAMP) + off), right, body, NOW)
    assert not is_signed(secret, STAMP, right, body, NOW)


def test_the_dot_keeps_time_and_body_apart() -> None:
    """What is moved from the body to the time is another message."""
    assert signature(SECRET, "1700", b"12") != signature(SECRET, "17001", b"2")


def a_task(kind: TaskType = TaskType.TESTS, rung: Rung = Rung.MANUAL, state: str = "with_human", **fields: Any) -> Task:
    route = Route(rung=rung, type=kind, complexity="low", security=False, reason="", rule="R-RT-4", confidence=1)
    return Task(project="SHOP", id="S1-D1-2", text="t", route=route, state=TaskState(state), requester="dev",
                owner="dev", created_at=NOW, updated_at=NOW, **fields)  # fmt: skip


@pytest.mark.parametrize(
    ("task", "by_ci", "why_not"),
    [
        *((a_task(kind), False, None) for kind in sorted(TaskType)),  # the type is what the words sound like
        *((a_task(kind, files=("tests/load.py",), attempt=1), False, None) for kind in sorted(RUNS)),
        (a_task(state="blocked"), True, None),  # CI runs again
        (a_task(state="blocked"), False, "`/orch unblock S1-D1-2`"),
        (a_task(state="queued"), False, "is queued: nobody is to see to it yet"),
        (a_task(TaskType.LOGIC, files=("src/login.py",)), False, "is a change of the code"),
        (a_task(TaskType.CONFIG, attempt=3), False, "whoever makes it says so, `/orch done S1-D1-2`"),  # taken over
        (a_task(TaskType.DOCS, touched=("docs/a.md",)), False, "is a change of the code"),
        (a_task(rung=Rung.HAIKU, state="running"), False, "is haiku's work"),
        (a_task(rung=Rung.SONNET, state="awaiting_approval"), True, "is sonnet's work"),
        *((a_task(state=state.value), True, f"is {state.value} already") for state in sorted(ENDED)),
    ],
)
def test_who_can_take_a_result(task: Task, by_ci: bool, why_not: str | None) -> None:
    found = hindrance(task, by_ci=by_ci)
    assert found is None if why_not is None else why_not in (found or "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "passed"},
        {"task": ""},
        {"delivery": ""},
        {"delivery": "x" * 121},
        {"url": "javascript:alert(1)"},
        {"url": "https://ci.example/<!channel>"},
        {"log": 3},
        {"approved": True},
    ],
)
def test_what_is_no_result(wrong: dict[str, Any]) -> None:
    good = {"task": "S1-D1-2", "result": "pass", "delivery": "1"}
    assert CiResult.model_validate(good).log == ""
    with pytest.raises(ValidationError):
        CiResult.model_validate(good | wrong)


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ("", ""),
        ("one\n\n  \ntwo\r\n", "one\ntwo"),
        ("\x1b[31mred\x1b[0m\x07\n", "red"),
        ("10%\r50%\rdone", "done"),
        ("a\nb\nc\nd", "c\nd"),
        ("short\n" + "x" * 30, "x" * 19 + "…"),
    ],
)
def test_the_end_of_a_log(log: str, shown: str) -> None:
    assert tail(log, 2, 20) == shown


@given(log=st.text(max_size=400), lines=st.integers(1, 5), characters=st.integers(2, 60))
def test_the_end_of_a_log_is_bounded(log: str, lines: int, characters: int) -> None:
    found = tail(log, lines, characters)
    assert len(found) <= characters and found.count("\n") < lines
    assert "\x1b" not in found and "\x00" not in found and "\r" not in found
