"""Which sprint may start, be closed, and what it may spend (R-PAR-3, R-BUD-2)."""

from __future__ import annotations

import pytest

from bot.domain.budget import LEAN
from bot.domain.plan import PlanTask
from bot.domain.sprint import Sprint, current, why_not_close, why_not_start, with_budget
from bot.domain.task import Rung, TaskState
from bot.store.tasks import as_task
from tests.store.samples import a_task

PLANNED, OPEN, CLOSED = Sprint(number=1), Sprint(number=0, state="open"), Sprint(number=0, state="closed")
NOT_OPEN = "Sprint 0 is not open; there is nothing to close."
TASK = PlanTask(id="S1-D1-1", sprint=1, day=1, number=1, prompt="Write it", after=("S0-D1-1",))


@pytest.mark.parametrize(
    ("number", "sprints", "known", "said"),
    [
        (1, (), (), "There is no sprint 1. No plan is loaded yet."),
        (2, (CLOSED, PLANNED), (), "There is no sprint 2. There are: 0, 1."),
        (0, (CLOSED, PLANNED), (), "Sprint 0 is closed already."),
        (0, (OPEN, PLANNED), (), "Sprint 0 is open already."),
        (1, (OPEN, PLANNED), ("S0-D1-1",), "Sprint 0 is still open; close it first: `/orch sprint close 0`."),
        (1, (CLOSED, PLANNED), (), "S1-D1-1 waits for S0-D1-1, which is not queued yet. Start its sprint first."),
        (1, (CLOSED, PLANNED), ("S0-D1-1",), None),
    ],
)
def test_when_a_sprint_may_start(number: int, sprints: tuple[Sprint, ...], known: tuple[str, ...], said: str) -> None:
    assert why_not_start(number, sprints, [TASK], known) == said


def test_a_sprint_is_not_closed_while_something_merges() -> None:
    merging = as_task(a_task(state=TaskState.MERGING.value, touched=[]))
    assert "S0-D0-1 is being merged" in (why_not_close(OPEN, 0, [merging]) or "")
    assert why_not_close(OPEN, 0, [as_task(a_task(touched=[]))]) is None
    assert why_not_close(CLOSED, 0, []) == why_not_close(None, 0, []) == NOT_OPEN


def test_the_open_sprint_is_the_current_one() -> None:
    assert current([CLOSED, PLANNED]) is None and current([OPEN, PLANNED]) is OPEN


def test_a_sprints_budget_is_the_sum_and_the_config_goes_first() -> None:
    """R-BUD-2"""
    plan = {Rung.HAIKU: 3_000, Rung.SONNET: 42_000, Rung.GEMINI: 2_500}
    assert with_budget(LEAN, 1, plan).sprints == {1: 47_500}
    assert with_budget(LEAN, 1, {}).sprints == {}
    configured = LEAN.model_copy(update={"sprints": {1: 99_000}})
    assert with_budget(configured, 1, plan).sprints == {1: 99_000}
