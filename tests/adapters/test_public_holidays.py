"""Public holidays by country, and what a project's working days make of them (R-DAY, R-MSG-4)."""

from __future__ import annotations

from datetime import date

import pytest

from bot.adapters.public_holidays import public_holidays
from bot.settings import parse_config
from bot.wiring import project_rules


@pytest.mark.parametrize(
    ("country", "day", "off"),
    [
        ("PT", date(2026, 4, 3), True),  # Good Friday
        ("PT", date(2026, 6, 10), True),
        ("US", date(2026, 4, 3), False),
        ("US", date(2026, 11, 26), True),  # Thanksgiving
        ("PT", date(2026, 11, 26), False),
    ],
)
def test_holidays_of_a_country(country: str, day: date, off: bool) -> None:
    assert (day in public_holidays(country, [2026])) is off


def test_a_project_has_them_off_beside_its_own_days() -> None:
    """The sprint's days are counted without them too."""
    place = {"key": "P", "repo": "/nowhere", "channel": "C0DEV", "holidays": {"country": "PT", "extra": ["2026-12-24"]}}
    config = parse_config({"projects": [place]})
    days = project_rules(config, config.projects[0]).working_days
    this_year = max(day.year for day in days.off) - 5
    christmas = date(this_year, 12, 25)
    assert not days.includes(christmas) and not days.includes(date(2026, 12, 24))
    assert days.number(christmas, christmas) == 0
