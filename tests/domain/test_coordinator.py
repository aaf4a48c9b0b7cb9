"""The coordinator's classification: read strictly, and only ever refining (R-BUD-6, R-RT, R-SEC-1)."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from bot.config import Config
from bot.domain.coordinator import (
    DAILY_TOKENS,
    UNSURE_BELOW,
    Answer,
    coordinator_limit,
    is_unsure,
    read_answer,
    refine,
    unrefined,
)
from bot.domain.models import CURRENT
from bot.domain.routing import ROWS, RoutePolicy, RouteRequest
from bot.domain.task import Route, Rung, TaskType

POLICY = RoutePolicy()
UNSURE = Route(
    rung=Rung.SONNET, type=TaskType.LOGIC, complexity="medium", security=False, reason="No rule recognises this.",
    rule="R-RT-2", confidence=0.4,
)  # fmt: skip
ASKED = RouteRequest(text="Round the totals half up")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("docs low no", ("docs", "low", False)),
        ("Docs, low, no.", ("docs", "low", False)),
        ('{"type": "debug", "complexity": "high", "security": true}', ("debug", "high", True)),
        ("type: auth\ncomplexity: high\nsecurity: yes", ("auth", "high", True)),
        ("low docs no", ("docs", "low", False)),
        ("", None),
        ("docs low", None),
        ("docs config low no", None),  # which of the two?
        ("docs low no yes", None),
        ("docs critical no", None),
        ("I cannot tell.", None),
    ],
)
def test_answers(text: str, expected: tuple[str, str, bool] | None) -> None:
    found = read_answer(text)
    assert found == (expected and Answer(type=expected[0], complexity=expected[1], security=expected[2]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "rung", "rule"),
    [
        ("docs low no", Rung.HAIKU, "R-RT-1"),
        ("config medium no", Rung.HAIKU, "R-RT-1"),
        ("logic low no", Rung.HAIKU, "R-RT-6"),  # the coordinator judges haiku sufficient
        ("logic medium no", Rung.SONNET, "R-RT-2"),
        ("tests low no", Rung.HAIKU, "R-RT-5"),
        ("schema low no", Rung.SONNET, "R-RT-2"),
        ("debug low no", Rung.SONNET, "R-RT-2"),
        ("search low no", Rung.GEMINI, "R-RT-3"),
        ("ops low no", Rung.MANUAL, "R-RT-4"),
        ("docs low yes", Rung.SONNET, "R-SEC-1"),
        ("auth low no", Rung.SONNET, "R-SEC-1"),
    ],
)
def test_the_answer_goes_through_the_matrix(answer: str, rung: Rung, rule: str) -> None:
    found = read_answer(answer)
    assert found is not None
    route = refine(UNSURE, found, ASKED, POLICY)
    assert (route.rung, route.rule) == (rung, rule)
    assert "The coordinator" in route.reason
    assert not is_unsure(route), "it is not asked again"


def test_security_is_never_lowered() -> None:
    """R-SEC-1: over every answer, on a route that was security-critical and on one that was not."""
    for kind, complexity, flag, was_critical in product(
        TaskType, ("low", "medium", "high"), (False, True), (False, True)
    ):
        answer = Answer(type=kind, complexity=complexity, security=flag)  # type: ignore[arg-type]
        was = UNSURE.model_copy(update={"security": was_critical})
        route = refine(was, answer, ASKED, POLICY)
        assert route.security >= max(was_critical, flag)
        assert not (route.security and route.rung is Rung.HAIKU)
        cell = getattr(ROWS[kind], route.rung.value)
        assert cell != "no" or route.security, "never what the matrix forbids, but for safety's sake"


def test_a_route_is_asked_about_only_where_it_is_unsure() -> None:
    assert is_unsure(UNSURE)
    assert not is_unsure(UNSURE.model_copy(update={"confidence": UNSURE_BELOW}))
    assert not is_unsure(UNSURE.model_copy(update={"security": True}))


@pytest.mark.parametrize(("rung", "kind"), [(Rung.SONNET, "logic"), (Rung.HAIKU, "logic"), (Rung.HAIKU, "docs")])
def test_without_an_answer_the_safer_rung_does_it(rung: Rung, kind: str) -> None:
    was = UNSURE.model_copy(update={"rung": rung, "type": TaskType(kind)})
    route = unrefined(was, "the coordinator could not tell: no")
    assert route.rung is (Rung.HAIKU if kind == "docs" else Rung.SONNET)
    assert route.reason.endswith("The coordinator could not tell: no.")
    assert not is_unsure(route)


def test_the_days_limit() -> None:
    """R-BUD-6."""
    limit = coordinator_limit("GRANTER", date(2026, 11, 22))
    assert (limit.scope, limit.tokens) == ("GRANTER/coordinator/2026-11-22", DAILY_TOKENS) and DAILY_TOKENS == 500


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (None, CURRENT["haiku"]),
        ("haiku-4.5-20251001", CURRENT["haiku"]),  # as the plan wrote it (R-MSG-5)
        ("sonnet", CURRENT["sonnet"]),
        ("gemini", CURRENT["haiku"]),  # a reviewer cannot be asked so
    ],
)
def test_the_coordinators_model_is_configuration(named: str | None, expected: str) -> None:
    assert Config(model=named).coordinator == expected
