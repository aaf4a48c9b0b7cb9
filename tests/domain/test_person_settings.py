"""Whose alerts go to whom, and when (issue 5, item 8)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from bot.domain.person_settings import NOTHING_SET, PersonSettings, stand_in
from bot.domain.working_hours import WorkingHours

PROJECT = WorkingHours(zone="Europe/Lisbon")
BACK = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("backups", "away", "expected"),
    [
        ({"ann": "bob"}, {"ann"}, "bob"),
        ({"ann": "bob", "bob": "cid"}, {"ann", "bob"}, "cid"),
        ({"ann": "bob", "bob": "ann"}, {"ann", "bob"}, None),
        ({"ann": "ann"}, {"ann"}, None),
        ({"ann": "bob"}, {"ann", "bob"}, None),
        ({}, {"ann"}, None),
    ],
)
def test_who_stands_in(backups: dict[str, str], away: set[str], expected: str | None) -> None:
    assert stand_in("ann", backups, dict.fromkeys(away, BACK)) == expected


def test_one_is_away_until_the_day_one_is_back() -> None:
    settings = PersonSettings(away_until=BACK)
    assert settings.is_away(datetime(2026, 11, 30, 23, 30, tzinfo=UTC), "UTC")
    assert not settings.is_away(datetime(2026, 11, 30, 23, 30, tzinfo=UTC), "Europe/Paris"), "it is December there"
    assert not settings.is_away(datetime(2026, 12, 1, tzinfo=UTC), "UTC")
    in_new_york = settings.model_copy(update={"zone": "America/New_York"})
    assert in_new_york.is_away(datetime(2026, 12, 1, 4, tzinfo=UTC), "UTC"), "their own zone wins"


def test_a_persons_hours_are_the_projects_where_they_set_nothing() -> None:
    assert NOTHING_SET.hours(PROJECT) == PROJECT
    mine = PersonSettings(zone="Asia/Kolkata", quiet_to=time(10)).hours(PROJECT)
    assert (mine.zone, mine.quiet) == ("Asia/Kolkata", (time(20), time(10)))
