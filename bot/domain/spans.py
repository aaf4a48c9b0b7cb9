"""How long something took or takes, in words for people."""

from __future__ import annotations

from datetime import timedelta


def exact(span: timedelta) -> str:
    """12 min; 3 h 5 min; 2 days."""
    minutes = _minutes(span)
    odd = f" {minutes % 60} min" if 60 <= minutes < 48 * 60 and minutes % 60 else ""
    return rough(span) + odd


def rough(span: timedelta) -> str:
    """5 min; 3 h; 2 days."""
    minutes = _minutes(span)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _minutes(span: timedelta) -> int:
    return max(0, int(span.total_seconds() // 60))
