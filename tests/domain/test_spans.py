"""Spans of time in words for people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.spans import exact, rough


@pytest.mark.parametrize(
    ("minutes", "exactly", "roughly"),
    [
        (-5, "0 min", "0 min"),
        (0, "0 min", "0 min"),
        (0.9, "0 min", "0 min"),
        (45, "45 min", "45 min"),
        (89, "1 h 29 min", "1 h"),
        (119, "1 h 59 min", "2 h"),
        (120, "2 h", "2 h"),
        (47 * 60 + 59, "47 h 59 min", "48 h"),
        (48 * 60 + 10, "2 days", "2 days"),
        (75 * 60, "3 days", "3 days"),
    ],
)
def test_how_long(minutes: float, exactly: str, roughly: str) -> None:
    span = timedelta(minutes=minutes)
    assert (exact(span), rough(span)) == (exactly, roughly)
