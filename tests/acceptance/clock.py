"""A clock that goes on by itself and that a test can move forward."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.workflows.office import utc_now


class MovableClock:
    """Starts at a moment of the test's choice."""

    def __init__(self, start: datetime) -> None:
        self._ahead = start - utc_now()
        self._stands_at: datetime | None = None

    def __call__(self) -> datetime:
        return self._stands_at or utc_now() + self._ahead

    def goes_on(self, **span: float) -> None:
        """`minutes=40`, `hours=2`, `days=1`."""
        self._ahead += timedelta(**span)

    def goes_to(self, moment: datetime) -> None:
        assert moment >= self(), "time does not run backwards"
        self._ahead, self._stands_at = moment - utc_now(), None

    def stands_at(self, moment: datetime) -> None:
        """Until it goes to another moment."""
        self.goes_to(moment)
        self._stands_at = moment
