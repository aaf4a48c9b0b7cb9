"""What the card says of the model that does the work."""

from __future__ import annotations

import pytest

from bot.store.tables import CallRow, TaskRow
from bot.workflows.card import _who_answered


def call(attempt: int, rung: str, model: str | None, purpose: str = "edit") -> CallRow:
    return CallRow(attempt=attempt, rung=rung, answered_by=model, purpose=purpose)


FIRST = call(1, "haiku", "claude-haiku")


@pytest.mark.parametrize(
    ("calls", "attempt", "rung", "model"),
    [
        ([], 1, "haiku", None),
        ([FIRST, call(1, "gemini", "gemini-flash", "review")], 1, "haiku", "claude-haiku"),
        ([FIRST, call(2, "haiku", None)], 2, "haiku", "claude-haiku"),  # the same rung again
        ([FIRST, call(2, "sonnet", None)], 2, "sonnet", None),  # escalated, and not answered yet
        ([FIRST, call(2, "sonnet", "claude-sonnet")], 2, "sonnet", "claude-sonnet"),
        ([call(1, "sonnet", "claude-sonnet")], 1, "haiku", "claude-sonnet"),  # it stood in
    ],
)
def test_the_model_beside_the_rung_is_the_one_that_worked_there(
    calls: list[CallRow], attempt: int, rung: str, model: str | None
) -> None:
    assert _who_answered(calls, TaskRow(attempt=attempt, route={"rung": rung})) == model
