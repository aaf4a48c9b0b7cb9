"""The clock over weeks: every post of the day once, whatever dies, and none on a day off (R-DAY)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from bot.adapters.public_holidays import public_holidays
from bot.domain.project import Project
from bot.domain.slots import Times
from bot.domain.working_days import WorkingDays
from bot.store import project_events
from bot.store.database import Database
from bot.store.tables import OutboxRow, SlotRow
from bot.workflows.clock import AGAIN, Clock
from bot.workflows.messenger import Messenger
from bot.workflows.office import Office
from bot.workflows.slot import keep, slot_id
from tests.store.samples import migrated
from tests.workflows.offices import Clock as Now
from tests.workflows.offices import FakeChat, an_office, unreachable

#: Project -> zone, days off, and (from which date, hours from UTC): written by hand, and not with what is tested.
LISBON = [(date(2026, 1, 1), 0), (date(2026, 3, 29), 1), (date(2026, 10, 25), 0)]
NEW_YORK = [(date(2026, 1, 1), -5), (date(2026, 3, 8), -4), (date(2026, 11, 1), -5)]
PORTUGAL = {date(2026, 4, 3), date(2026, 10, 5)}  # Good Friday, the Republic
AMERICA = {date(2026, 10, 12), date(2026, 11, 11), date(2026, 3, 17)}  # Columbus, Veterans, and an own one
OFFSETS = {"LIS": LISBON, "NYC": NEW_YORK}
OFF = {"LIS": PORTUGAL, "NYC": AMERICA}
HOURS = {"morning": 8, "midday": 12, "evening": 17, "weekly": 16}

Key = tuple[str, str, date]


def the_projects(office: Office) -> dict[str, Project]:
    base = office.projects["GRANTER"]
    lisbon, own = public_holidays("PT", [2026]), frozenset({date(2026, 3, 17)})
    days = {"LIS": WorkingDays(off=lisbon), "NYC": WorkingDays(off=public_holidays("US", [2026]) | own)}
    zones = {"LIS": "Europe/Lisbon", "NYC": "America/New_York"}
    return {
        key: base.model_copy(
            update={"key": key, "channel": f"C0{key}", "timezone": zones[key], "working_days": days[key]}
        )
        for key in zones
    }


def expected(first: date, last: date) -> dict[Key, datetime]:
    """Every post of these days and its instant."""
    found: dict[Key, datetime] = {}
    for project, off in OFF.items():
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            if day.weekday() > 4 or day in off:
                continue
            weekly = day.weekday() == 4 or (day.weekday() == 3 and day + timedelta(days=1) in off)
            hours = [hours for since, hours in OFFSETS[project] if since <= day][-1]
            for kind, hour in HOURS.items():
                if kind != "weekly" or weekly:
                    found[project, kind, day] = datetime.combine(day, time(hour), UTC) - timedelta(hours=hours)
    return found


class Crash(Exception):
    """The process died here."""


class Replica:
    """One process: its clock and its messenger. It dies before, in the middle of and after its work, by the dice."""

    def __init__(self, office: Office, dice: random.Random) -> None:
        self.office, self.dice = office, dice
        self.clock, self.messenger = Clock(office, self.start), Messenger(office)
        self.crashes: Counter[str] = Counter()

    async def start(self, project: str, kind: str, day: date, tries: int) -> None:
        dies = self.dice.choice(["", "", "", "before", "in the middle", "after"]) if tries < 4 else ""
        self.crash_if(dies == "before", dies)
        async with self.office.db.begin() as session:
            await keep(self.office, session, project, kind, day)
            self.crash_if(dies == "in the middle", dies)
        self.crash_if(dies == "after", dies)

    def crash_if(self, does: bool, where: str) -> None:
        if does:
            self.crashes[where] += 1
            raise Crash

    async def look(self) -> None:
        while True:
            try:
                await self.clock.look()
                await self.messenger.round()
                return
            except Crash:  # and is started again
                self.clock, self.messenger = Clock(self.office, self.start), Messenger(self.office)


def steps(first: datetime, last: datetime, dice: random.Random) -> Iterator[datetime]:
    """The moments at which somebody looks: every few minutes around a post, seldom in the night."""
    now = first
    while now < last:
        yield now
        quiet = not 6 <= now.hour < 23
        now += timedelta(minutes=dice.choice((150, 240) if quiet else (20, 60, 90, 110)), seconds=dice.randrange(60))


@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2026, 3, 5), date(2026, 4, 4)), (date(2026, 10, 2), date(2026, 11, 3))],
    ids=["spring", "autumn"],
)
async def test_every_post_comes_once(first: date, last: date, request: pytest.FixtureRequest, tmp_path: object) -> None:
    """R-DAY-1, R-DAY-2, R-DAY-3, R-DAY-5: two zones, both changes of their clocks, holidays, two replicas of one
    database that crash at every point, answers of Slack that are lost, and days on which nobody was there. In spring
    on SQLite, in autumn on PostgreSQL, with a connection pool for each replica."""
    dice = random.Random(f"{first}")
    on_postgres = first.month > 6
    url = request.getfixturevalue("postgres_url") if on_postgres else f"sqlite+aiosqlite:///{tmp_path}/orch.db"
    begun, ended = datetime.combine(first, time(0), UTC), datetime.combine(last, time(4), UTC)
    at = timedelta(days=1)
    nobody = [(begun + 4 * at + timedelta(hours=7), timedelta(hours=1.5)), (begun + 5 * at, timedelta(days=2.5)),
              (begun + 22 * at + timedelta(hours=11), timedelta(hours=3.5))]  # fmt: skip
    async with migrated(url) as database:
        second = Database(url) if on_postgres else database
        chat, now, looks = FakeChat(), Now(), list[datetime]()
        offices = [an_office(each, chat=chat, clock=now) for each in (database, second)]
        replicas = [Replica(replace(each, projects=the_projects(each)), dice) for each in offices]
        for now.now in steps(begun, ended, dice):
            if any(start <= now.now < start + long for start, long in nobody):
                continue
            looks.append(now.now)
            if dice.random() < 0.05:
                chat.trouble.append((unreachable(), dice.random() < 0.5))
            for replica in dice.sample(replicas, dice.choice((1, 1, 2))):
                await replica.look()
        for _ in range(12):
            now.now += AGAIN
            for replica in replicas:
                await replica.look()
        async with database.read() as session:
            rows = {(row.project, row.kind, row.day): row for row in await session.scalars(select(SlotRow))}
            missing = []
            for key in OFF:
                events = await project_events.between(session, key, begun, now.now, ["posts_missed"])
                missing += [event.detail["posts"] for event in events]
        if on_postgres:
            await second.close()
    wanted = {key: at for key, at in expected(first, last).items() if begun < at <= ended}
    assert {key: row.at for key, row in rows.items()} == wanted, "every post of every working day, and no other"
    assert all(crashes > 3 for crashes in replicas[0].crashes.values()) and len(replicas[0].crashes) == 3
    grace = timedelta(minutes=120)
    gone = {key for key, at in wanted.items() if not any(at <= look <= at + grace for look in looks)}
    assert len(gone) > 10
    assert {key for key, row in rows.items() if row.state == "missed"} == gone, "missed where nobody was there in time"
    assert all(row.state == "posted" for key, row in rows.items() if key not in gone)
    posted = Counter(key for key in chat.posts if key.count("/") == 3)
    assert posted == {slot_id(p, k, d): 1 for (p, k, d) in wanted if (p, k, d) not in gone}
    assert max(map(len, missing)) > 5 and sum(map(len, missing)) == len(gone), "one event for a long absence"


#: Where, its working days, when Orch stopped and when it starts again, until when it is watched (UTC), and the posts
#: that come: kind, date, and how many minutes late.
STARTS: dict[str, tuple[str, WorkingDays, str, str, str, list[str]]] = {
    "Monday 07:59": ("UTC", WorkingDays(), "2026-11-23 07:59", "2026-11-23 07:59", "2026-11-23 11:00", [
        "morning 2026-11-23"]),
    "noon exactly": ("UTC", WorkingDays(), "2026-11-23 11:30", "2026-11-23 12:00", "2026-11-23 12:30", [
        "midday 2026-11-23"]),
    "noon exactly, for the first time": (
        "UTC", WorkingDays(), "2026-11-23 12:00", "2026-11-23 12:00", "2026-11-23 16:59", []),
    "Friday 16:00 exactly": ("UTC", WorkingDays(), "2026-11-27 13:00", "2026-11-27 16:00", "2026-11-27 23:00", [
        "weekly 2026-11-27", "evening 2026-11-27"]),
    "three hours after a missed one": ("UTC", WorkingDays(), "2026-11-23 07:00", "2026-11-23 11:00",
        "2026-11-23 12:30", ["midday 2026-11-23"]),
    "an hour after a missed one": ("UTC", WorkingDays(), "2026-11-23 07:00", "2026-11-23 09:00",
        "2026-11-23 09:30", ["morning 2026-11-23 60 late"]),
    "Lisbon's spring": ("Europe/Lisbon", WorkingDays(weekdays=()), "2026-03-29 00:30", "2026-03-29 00:30",
        "2026-03-29 16:30", ["morning 2026-03-29", "midday 2026-03-29", "evening 2026-03-29"]),
    "New York's spring": ("America/New_York", WorkingDays(weekdays=()), "2026-03-08 06:30", "2026-03-08 06:30",
        "2026-03-08 16:30", ["morning 2026-03-08", "midday 2026-03-08"]),
    "the new year": ("UTC", WorkingDays(off=public_holidays("PT", [2026, 2027])), "2026-12-31 15:30",
        "2026-12-31 15:30", "2027-01-04 09:00",
        ["weekly 2026-12-31", "evening 2026-12-31", "morning 2027-01-04"]),
    "a holiday between two working days": ("Europe/Lisbon", WorkingDays(off=public_holidays("PT", [2026])),
        "2026-12-07 16:30", "2026-12-07 16:30", "2026-12-09 09:00", ["evening 2026-12-07", "morning 2026-12-09"]),
    "a week from Sunday to Thursday": ("UTC", WorkingDays(weekdays=("sun", "mon", "tue", "wed", "thu")),
        "2026-11-26 15:30", "2026-11-26 15:30", "2026-11-29 12:30",
        ["weekly 2026-11-26", "evening 2026-11-26", "morning 2026-11-29", "midday 2026-11-29"]),
}  # fmt: skip


@pytest.mark.parametrize("name", STARTS)
async def test_what_comes_after_a_start(database: Database, name: str) -> None:
    zone, days, stopped, starts, until, wanted = STARTS[name]
    now = Now()
    office = an_office(database, clock=now)
    project = office.projects["GRANTER"].model_copy(update={"timezone": zone, "working_days": days})
    replica = Replica(replace(office, projects={"GRANTER": project}), NEVER)
    now.now = datetime.fromisoformat(stopped).replace(tzinfo=UTC)
    await replica.look()
    now.now = datetime.fromisoformat(starts).replace(tzinfo=UTC)
    while now.now < datetime.fromisoformat(until).replace(tzinfo=UTC):
        await replica.look()
        now.now += timedelta(minutes=30 - now.now.minute % 30)
    async with database.read() as session:
        rows = (await session.scalars(select(SlotRow).order_by(SlotRow.at))).all()
    came = [row for row in rows if row.state == "posted"]
    late = [(row.settled_at - row.at) // timedelta(minutes=1) for row in came if row.settled_at]
    assert [f"{row.kind} {row.day}{f' {by} late' * (by > 5)}" for row, by in zip(came, late, strict=True)] == wanted
    assert [row.state for row in rows if row not in came] == ["missed"] * ("three hours" in name)


async def test_a_late_post_says_so_and_a_first_look_posts_nothing(database: Database) -> None:
    now = Now(datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
    office = an_office(database, clock=now)
    replica = Replica(office, NEVER)
    await replica.look()
    assert await _posts(database) == {}, "nothing from before Orch was there"
    now.now += timedelta(hours=4)
    await replica.look()
    (text,) = [str(payload) for key, payload in (await _posts(database)).items() if "/midday" in key]
    assert "30 min late" in text
    assert "standup/GRANTER/2026-11-23/midday/missed" not in await _posts(database)
    now.now += timedelta(days=1)
    await replica.look()
    posts = await _posts(database)
    assert [key for key in posts if key.endswith("2026-11-24/midday")]
    assert "the consolidation of Mon 23 Nov, the stand-up of Tue 24 Nov." in str(
        posts["standup/GRANTER/2026-11-24/midday/missed"]
    ), "those missed for good are named once, in the thread of the next post"
    now.now += timedelta(hours=5)
    await replica.look()
    posts = await _posts(database)
    assert "standup/GRANTER/2026-11-24/evening" in posts
    assert "standup/GRANTER/2026-11-24/evening/missed" not in posts


async def test_one_that_fails_is_tried_again_and_then_given_up(database: Database) -> None:
    now = Now(datetime(2026, 11, 23, 7, 59, tzinfo=UTC))
    office = an_office(database, clock=now)
    tried: list[int] = []

    async def fails(project: str, kind: str, day: date, tries: int) -> None:
        tried.append(tries)

    clock = Clock(office, fails)
    for _ in range(20):
        await clock.look()
        now.now += timedelta(minutes=1)
    assert tried == [1, 2, 3, 4, 5]
    async with database.read() as session:
        (row,) = await session.scalars(select(SlotRow))
    assert (row.state, row.why) == ("missed", "it failed 5 times (the log says why)")


async def test_what_is_kept_twice_is_posted_once(database: Database) -> None:
    """A workflow that was started a second time, say by another process, finds that it is posted."""
    now = Now(datetime(2026, 11, 23, 7, 59, tzinfo=UTC))
    office = an_office(database, clock=now)
    replica = Replica(office, NEVER)
    await replica.look()
    now.now += timedelta(minutes=2)
    await replica.look()
    before = await _posts(database)
    async with database.begin() as session:
        await keep(office, session, "GRANTER", "morning", date(2026, 11, 23))
    assert await _posts(database) == before != {}


async def test_times_that_a_lead_changed(database: Database) -> None:
    """In force from then on: nothing is posted for a time that is past by then."""
    now = Now(datetime(2026, 11, 23, 7, 30, tzinfo=UTC))
    office = an_office(database, clock=now)
    office = replace(office, projects={"GRANTER": office.projects["GRANTER"].model_copy(
        update={"times": Times().changed({"morning": "07:00"})})})  # fmt: skip
    replica = Replica(office, NEVER)
    await replica.look()
    now.now += timedelta(hours=2)
    await replica.look()
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SlotRow)) == 0


class _Never(random.Random):
    def choice(self, seq: object) -> str:  # type: ignore[override]
        return ""


NEVER = _Never()


async def _posts(database: Database) -> dict[str, object]:
    async with database.read() as session:
        return {row.key: row.payload for row in await session.scalars(select(OutboxRow))}
