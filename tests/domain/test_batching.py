"""R-BUD-5: which calls may wait for a batch. Only those of low priority (DESIGN, "Model wire")."""

from __future__ import annotations

import pytest

from bot.domain.batching import may_wait
from bot.domain.calls import Purpose
from bot.domain.task import Rung

TABLE: list[tuple[str, Purpose, Rung, bool, bool, bool]] = [
    # priority, purpose, rung, enabled, left unanswered before, expected
    ("low", "edit", Rung.HAIKU, True, False, True),
    ("low", "repair", Rung.SONNET, True, False, True),
    ("low", "report", Rung.OPUS, True, False, True),
    ("normal", "edit", Rung.HAIKU, True, False, False),
    ("high", "edit", Rung.HAIKU, True, False, False),
    ("critical", "edit", Rung.SONNET, True, False, False),
    ("low", "review", Rung.GEMINI, True, False, False),
    ("low", "report", Rung.GEMINI, True, False, False),
    ("low", "triage", Rung.HAIKU, True, False, False),
    ("low", "split", Rung.SONNET, True, False, False),
    ("low", "edit", Rung.HAIKU, False, False, False),
    ("low", "edit", Rung.HAIKU, True, True, False),
]


@pytest.mark.parametrize(("priority", "purpose", "rung", "enabled", "unanswered", "expected"), TABLE)
def test_may_wait(priority: str, purpose: Purpose, rung: Rung, enabled: bool, unanswered: bool, expected: bool) -> None:
    assert may_wait(priority, purpose, rung, enabled=enabled, left_unanswered=unanswered) is expected
