"""R-BUD-3, R-ESC-5: what waits for budget, what may be downgraded, and when there is an alert."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.domain.budget import Level, Limit, LimitName
from bot.domain.budget_alerts import before, crossed, exhausted
from bot.domain.budget_waits import Need, cheaper, stuck
from bot.domain.limit_orders import Order
from bot.domain.task import Route, Rung, TaskType

DAY = date(2026, 2, 2)
NOTHING = Need()


def level(kind: LimitName | None, tokens: int, used: int, *, dollars: int | None = None, spent: int = 0) -> Level:
    limit = Limit(scope=f"P/{kind}", name=f"the {kind}", kind=kind, tokens=tokens, microusd=dollars)
    return Level(limit=limit, used_tokens=used, used_microusd=spent)


FULL, FREE = (10_000, 9_900), (10_000, 0)
DEFERRED = Order(kind="defer", limit="sprint", sprint=1, first=DAY, last=DAY, who="U0LEAD")

#: rung; its day, the day, the sprint, sonnet's day; need; orders; then the limit that it waits for.
WAITS: list[tuple[Rung, tuple[Any, ...], Need, list[Order], str | None]] = [
    (Rung.SONNET, (FREE, FREE, FREE, FREE), NOTHING, [], None),
    (Rung.SONNET, (FULL, FREE, FREE, FULL), NOTHING, [], "sonnet"),
    (Rung.SONNET, (FREE, FULL, FREE, FREE), NOTHING, [], "day"),
    (Rung.SONNET, (FREE, FREE, FULL, FREE), NOTHING, [], "sprint"),
    (Rung.SONNET, ((10_000, 6_000), FREE, FREE, FREE), Need(tokens=5_000), [], "sonnet"),  # there is room, not enough
    (Rung.SONNET, ((10_000, 5_000), FREE, FREE, FREE), Need(tokens=5_000), [], None),
    (Rung.GEMINI, ((5_000, 4_750), FREE, FREE, FREE), NOTHING, [], "gemini"),  # 95 %
    (Rung.GEMINI, ((5_000, 4_740), FREE, FREE, FREE), NOTHING, [], None),
    (Rung.OPUS, ((0, 0), FREE, FREE, FREE), NOTHING, [], "opus"),
    (Rung.HAIKU, (FULL, FREE, FREE, FREE), NOTHING, [], None),  # R-ESC-5: it goes to sonnet
    (Rung.HAIKU, (FULL, FREE, FREE, FULL), NOTHING, [], "haiku"),  # which has nothing either
    (Rung.HAIKU, (FULL, FULL, FREE, FREE), NOTHING, [], "day"),
    (Rung.HAIKU, (FREE, FREE, FREE, FREE), NOTHING, [DEFERRED], "sprint"),
]


@pytest.mark.parametrize("rung, filled, need, orders, waits_for", WAITS)
def test_what_waits_for_which_limit(
    rung: Rung, filled: tuple[Any, ...], need: Need, orders: list[Order], waits_for: str | None
) -> None:
    names: tuple[Any, ...] = (rung.value, "day", "sprint")
    levels = [level(name, *amounts) for name, amounts in zip(names, filled[:3], strict=True)]
    found = stuck(
        rung, need, levels, orders, day=DAY, sprint=1, red=0.95, sonnet=level("sonnet", *filled[3])
    )  # fmt: skip
    assert (found.limit if found else None) == waits_for
    assert found is None or "waiting for" in found.why or "deferred to 2026-02-03" in found.why


def test_dollars_run_out_too() -> None:
    day = level("day", 10_000, 0, dollars=1_000_000, spent=900_000)
    facts: dict[str, Any] = {"day": DAY, "sprint": 1, "red": 0.95}
    assert stuck(Rung.SONNET, NOTHING, [day], [], **facts) is None
    assert stuck(Rung.SONNET, Need(tokens=300, microusd=200_000), [day], [], **facts) is not None
    spent = level("day", 10_000, 0, dollars=1_000_000, spent=960_000)
    assert stuck(Rung.SONNET, NOTHING, [spent], [], **facts) is not None


def route(rung: Rung, type: TaskType, security: bool = False) -> Route:
    return Route(
        rung=rung, type=type, complexity="low", security=security, reason="r", rule="R", confidence=1
    )  # fmt: skip


@pytest.mark.parametrize(
    "given, to",
    [
        (route(Rung.SONNET, TaskType.LOGIC), Rung.HAIKU),
        (route(Rung.SONNET, TaskType.DOCS), Rung.HAIKU),
        (route(Rung.SONNET, TaskType.LOGIC, security=True), None),  # R-SEC-1
        (route(Rung.SONNET, TaskType.AUTH), None),
        (route(Rung.SONNET, TaskType.SCHEMA), None),
        (route(Rung.OPUS, TaskType.AUTH, security=True), Rung.SONNET),
        (route(Rung.HAIKU, TaskType.DOCS), None),
        (route(Rung.GEMINI, TaskType.SEARCH), None),
    ],
)
def test_a_downgrade_keeps_to_the_floor(given: Route, to: Rung | None) -> None:
    found = cheaper(given)
    assert (found if isinstance(found, Rung) else None) == to
    assert to is not None or (isinstance(found, str) and found)


#: used + reserved before and after, of 1,000; then the mark.
CROSSINGS = [
    (0, 799, None),
    (0, 800, "yellow"),
    (799, 800, "yellow"),
    (800, 949, None),
    (800, 950, "red"),
    (0, 1_000, "red"),  # one message, the worse one
    (950, 1_000, None),
    (900, 700, None),  # a settlement gives back
]


@pytest.mark.parametrize("was, now, mark", CROSSINGS)
def test_an_alert_comes_where_a_mark_is_crossed(was: int, now: int, mark: str | None) -> None:
    alert = crossed(level("day", 1_000, was), level("day", 1_000, now), yellow=0.8, red=0.95)
    assert (alert.mark if alert else None) == mark


def test_what_gives_no_alert() -> None:
    """The coordinator's own counter, an attempt's, and a limit of 0, which only an approval opens."""
    for kind, tokens in ((None, 1_000), ("opus", 0)):
        full = level(kind, tokens, tokens)  # type: ignore[arg-type]
        assert crossed(level(kind, tokens, 0), full, yellow=0.8, red=0.95) is None  # type: ignore[arg-type]
        assert exhausted(full) is None


def test_a_raised_limit_counts_its_marks_anew() -> None:
    first, again = exhausted(level("day", 1_000, 990)), exhausted(level("day", 1_000, 1_000))
    raised = exhausted(level("day", 2_000, 2_000))
    assert first and again and raised and first.key == again.key != raised.key


def test_the_level_before_a_reservation() -> None:
    after = level("day", 1_000, 100).model_copy(update={"reserved_tokens": 850})
    assert before(after, 850, 0).share == 0.1
