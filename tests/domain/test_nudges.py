"""The clock of a blocker (R-SEC-5, R-DAY-4): who hears of it when, and the property that none waits unseen."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.nudges import Nudge, Team, Told, Waiting, acknowledged_until, due
from bot.domain.working_days import WorkingDays
from bot.domain.working_hours import WorkingHours

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOURS = WorkingHours()
MINUTE = timedelta(minutes=1)
TEAM = Team(sla=120 * MINUTE, channel="C", leads=("lead",), backups={"ann": "bob"}, hours=HOURS)


def waiting(since: datetime = MONDAY, **known: Any) -> Waiting:
    return Waiting(**{"key": "k", "since": since, "first": ("ann",), **known})


def run(blocker: Waiting, team: Team = TEAM, *, until: int, start: datetime = MONDAY, every: int = 1) -> list[Any]:
    """[(minute, who, step)] as the clock ticks."""
    said = []
    for minute in range(0, until + 1, every):
        now = start + minute * MINUTE
        for nudge in due(blocker, team, now):
            blocker = blocker.model_copy(update={"told": (*blocker.told, Told(who=nudge.who, step=nudge.step, at=now))})
            said.append((minute, nudge.who, nudge.step))
    return said


ANN, AGAIN, BOB, LEAD, CHANNEL = (
    (0, "ann", "owner"), (40, "ann", "again"), (60, "bob", "backup"), (90, "lead", "lead"), (120, "C", "channel"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("blocker", "team", "expected"),
    [
        (waiting(), TEAM, [ANN, AGAIN, BOB, LEAD, CHANNEL]),
        # the owner is the lead, or the backup is: nobody hears of it twice
        (waiting(first=("lead",)), TEAM, [(0, "lead", "owner"), (40, "lead", "again"), CHANNEL]),
        (
            waiting(),
            TEAM.model_copy(update={"backups": {"ann": "lead"}}),
            [ANN, AGAIN, (60, "lead", "backup"), CHANNEL],
        ),
        (waiting(), TEAM.model_copy(update={"backups": {}, "leads": ()}), [ANN, AGAIN, CHANNEL]),
        # who said so themselves knows
        (waiting(by="ann"), TEAM, [BOB, LEAD, CHANNEL]),
        # away: the backup at once, else the leads
        (waiting(), TEAM.model_copy(update={"away": {"ann": date(2026, 12, 1)}}),
         [(0, "bob", "owner"), (40, "bob", "again"), LEAD, CHANNEL]),
        (waiting(first=("cid",)), TEAM.model_copy(update={"away": {"cid": date(2026, 12, 1)}}),
         [(0, "lead", "owner"), (40, "lead", "again"), CHANNEL]),
        # critical: at once to all (R-DAY-4)
        (waiting(critical=True), TEAM,
         [(0, "ann", "owner"), (0, "lead", "lead"), (0, "C", "channel"), AGAIN, BOB]),
        # another blocker's clock runs
        (waiting(follows=True), TEAM, [ANN]),
        # one minute in all
        (waiting(), TEAM.model_copy(update={"sla": MINUTE}),
         [ANN, (1, "ann", "again"), (1, "bob", "backup"), (1, "lead", "lead"), (1, "C", "channel")]),
    ],
)  # fmt: skip
def test_the_clock(blocker: Waiting, team: Team, expected: list[Any]) -> None:
    assert run(blocker, team, until=400) == expected


def test_an_acknowledgement_stops_the_nudges_not_the_clock() -> None:
    told = (Told(who="ann", step="owner", at=MONDAY),)
    until = acknowledged_until(TEAM.sla, MONDAY + 35 * MINUTE)
    assert until == MONDAY + 95 * MINUTE, "an hour"
    said = run(waiting(told=told, acknowledged_until=until), until=200)
    assert said == [(95, "ann", "again"), (95, "bob", "backup"), (95, "lead", "lead"), CHANNEL]


def test_quiet_hours_hold_alerts_back_and_the_clock_too() -> None:
    friday = datetime(2026, 11, 27, 19, 30, tzinfo=UTC)  # half an hour before the week-end
    said = run(waiting(friday), start=friday, until=4 * 24 * 60, every=10)
    monday = 3 * 24 * 60 - 12 * 60 - 30  # minutes from Friday 19:30 to Monday 07:00
    assert said == [
        (0, "ann", "owner"),
        (monday + 10, "ann", "again"),
        (monday + 30, "bob", "backup"),
        (monday + 60, "lead", "lead"),
        (monday + 90, "C", "channel"),
    ]


def test_a_critical_blocker_wakes_people() -> None:
    saturday_night = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
    assert {n.who for n in due(waiting(saturday_night, critical=True), TEAM, saturday_night)} == {"ann", "lead", "C"}
    assert due(waiting(saturday_night), TEAM, saturday_night) == ()


def test_someone_elsewhere_is_told_in_their_own_hours_while_the_clock_goes_on() -> None:
    """A colleague in New York sleeps until noon here: her backup and the lead hear of it first."""
    team = TEAM.model_copy(update={"own_hours": {"ann": WorkingHours(zone="America/New_York")}})
    start = MONDAY - timedelta(hours=1)  # 09:00 here, 04:00 there
    said = run(waiting(start), team, start=start, until=400)
    assert said == [BOB, LEAD, CHANNEL, (180, "ann", "owner"), (220, "ann", "again")]


def test_the_clock_over_the_night_when_the_clocks_go_back() -> None:
    """Lisbon, 25 October 2026: 01:00-02:00 comes twice, and both hours count."""
    hours = WorkingHours(zone="Europe/Lisbon", days=WorkingDays(weekdays=()), quiet=(time(4), time(22)))
    team = TEAM.model_copy(update={"hours": hours})
    start = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # 01:15 in summer time
    assert [minute for minute, *_ in run(waiting(start), team, start=start, until=300)] == [0, 40, 60, 90, 120]


def test_alerts_name_whom_they_are_instead_of() -> None:
    team = TEAM.model_copy(update={"away": {"ann": date(2026, 12, 1)}})
    assert due(waiting(), team, MONDAY) == (Nudge(key="k", who="bob", step="owner", instead_of="ann"),)


PEOPLE = ("ann", "bob", "cid", "lead")
some = st.lists(st.sampled_from(PEOPLE), unique=True, max_size=3).map(tuple)
hours_of_day = st.integers(0, 23).map(time)
any_hours = st.builds(
    WorkingHours,
    zone=st.sampled_from(["UTC", "Europe/Lisbon", "America/New_York", "Asia/Kolkata"]),
    quiet=st.tuples(hours_of_day, hours_of_day),
)
teams = st.builds(
    Team,
    sla=st.sampled_from([MINUTE, 60 * MINUTE, 120 * MINUTE]),
    channel=st.just("C"),
    leads=some,
    backups=st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), max_size=3),
    away=st.dictionaries(st.sampled_from(PEOPLE), st.just(date(2027, 1, 1)), max_size=3),
    hours=any_hours,
    own_hours=st.dictionaries(st.sampled_from(PEOPLE), any_hours, max_size=2),
)
starts = st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 20)).map(lambda at: at.replace(tzinfo=UTC))
#: (minutes later, acknowledged then?): short steps within a blocker's two hours, and long ones over nights and days off
ticks = st.lists(st.tuples(st.integers(0, 45) | st.integers(0, 900), st.booleans()), min_size=1, max_size=40)


@settings(max_examples=400)
@given(teams, some, st.sampled_from(("", *PEOPLE)), st.booleans(), starts, ticks)
def test_no_blocker_waits_unseen_and_nobody_hears_twice(
    team: Team, first: tuple[str, ...], by: str, critical: bool, now: datetime, ticks: list[tuple[int, bool]]
) -> None:
    """R-SEC-5: after two hours of working time the channel knows, unless someone has just acknowledged it; whatever
    happens, the same alert never goes to the same person twice."""
    blocker = waiting(now, first=first, by=by, critical=critical)
    sent: list[tuple[str, str]] = []
    for minutes, acknowledge in ticks:
        now += minutes * MINUTE
        nudges = due(blocker, team, now)
        told = tuple(Told(who=nudge.who, step=nudge.step, at=now) for nudge in nudges)
        assert len({nudge.who for nudge in nudges}) == len(nudges), "one message at a time"
        sent += [(nudge.who, "again" if nudge.step == "again" else "first") for nudge in nudges]
        blocker = blocker.model_copy(update={"told": (*blocker.told, *told)})
        hushed = blocker.acknowledged_until and now < blocker.acknowledged_until
        passed = now - blocker.since if critical else team.hours.between(blocker.since, now)
        if passed >= team.sla and not hushed and (critical or team.hours.is_open(now)):
            assert any(each.who == "C" for each in blocker.told)
        if acknowledge:
            blocker = blocker.model_copy(update={"acknowledged_until": acknowledged_until(team.sla, now)})
    assert len(sent) == len(set(sent)), "the same alert twice"
    assert not any(who == by and kind == "first" for who, kind in sent) or not by
