"""Local times as moments in UTC: here and nowhere else."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MIDNIGHT = time()


def instant(day: date, at: time, zone: str) -> datetime:
    """The instant of a local time, in UTC. In the gap of spring it is as much after the gap as it was after the gap's
    beginning; of the two in autumn it is the first (PEP 495: fold=0)."""
    return datetime.combine(day, at.replace(fold=0), ZoneInfo(zone)).astimezone(UTC)


def end_of(day: date, zone: str) -> datetime:
    """The midnight at which a local day is over."""
    return instant(day + DAY, MIDNIGHT, zone)
