"""How long something took or takes, in words for people."""

from __future__ import annotations

from datetime import timedelta


def exact(span: timedelta) -> str:
    """12 min; 3 h 5 min; 2 days."""
    minutes = _minutes(span)
    if not 60 <= minutes < 48 * 60:
        return rough(span)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def rough(span: timedelta) -> str:
    """5 min; 3 h; 2 days: to the nearest hour or day."""
    minutes = _minutes(span)
    if minutes < 60:
        return f"{minutes} min"
    return f"{_nearest(minutes, 60)} h" if minutes < 48 * 60 else f"{_nearest(minutes, 24 * 60)} days"


def _nearest(minutes: int, unit: int) -> int:
    return (minutes + unit // 2) // unit


def _minutes(span: timedelta) -> int:
    return max(0, int(span.total_seconds() // 60))
