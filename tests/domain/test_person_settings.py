"""Whose alerts go to whom, and when (issue 5, item 8)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from bot.domain.person_settings import NOTHING_SET, PersonSettings, read_zone, stand_in
from bot.domain.working_hours import WorkingHours
from bot.errors import UserMistake

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


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("berlin", "Europe/Berlin"),
        ("Europe Berlin", "Europe/Berlin"), ("new york", "America/New_York"), ("utc", "UTC"), ("  ", None),
    ],
)  # fmt: skip
def test_a_zone_as_people_write_it(typed: str, zone: str | None) -> None:
    assert read_zone(typed) == zone


@pytest.mark.parametrize(("typed", "said"), [("Berlim", "Did you mean Europe/Berlin"), ("Mars", "Europe/Berlin or")])
def test_an_unknown_zone_is_told_with_the_nearest(typed: str, said: str) -> None:
    with pytest.raises(UserMistake, match=f"I know no time zone {typed}. .*{said}"):
        read_zone(typed)
