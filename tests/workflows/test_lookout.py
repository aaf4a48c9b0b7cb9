"""The lookout on both databases: each alert once however many look, and everything solved is said where it was told
(R-SEC-5)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.approvals import Person
from bot.domain.person_settings import PersonSettings
from bot.domain.task import TaskState
from bot.render import Renderer
from bot.store import blockers as store
from bot.store import people_settings, tasks
from bot.store.database import Database
from bot.store.tables import BlockerRow, EventRow, OutboxRow, TaskRow
from bot.wiring import data_folder
from bot.workflows import reach
from bot.workflows.attempts import block
from bot.workflows.incident import report_incident
from bot.workflows.lookout import Lookout, _keep_up, _scene, look
from bot.workflows.office import Office
from tests.store.samples import created
from tests.workflows.offices import Clock, an_office

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def an_office_at(database: Database, **fields: Any) -> tuple[Office, Clock]:
    clock = Clock(MONDAY)
    office = an_office(database, clock=clock)
    project = office.projects["GRANTER"].model_copy(update={"backups": {"U0DEV": "U0BACK"}, **fields})
    office.projects["GRANTER"] = project  # type: ignore[index]
    return office, clock


async def blocked(office: Office, number: int = 1, why: str = "the API is down", **fields: Any) -> TaskRow:
    row = await created(office.db, number, **fields)
    async with office.db.begin() as session:
        await block(office, session, await tasks.lock(session, row.pk), why, detail={"rule": "R-ESC-4"})
    return row


async def looks(office: Office, times: int = 1) -> None:
    """So many processes look at the same moment."""
    await asyncio.gather(*(look(office, office.projects["GRANTER"]) for _ in range(times)))


async def alerts(office: Office) -> dict[str, list[OutboxRow]]:
    """What went to whom, cards and threads left out."""
    found: dict[str, list[OutboxRow]] = {}
    async with office.db.read() as session:
        query = select(OutboxRow).where(OutboxRow.kind.in_(["direct", "channel"])).order_by(OutboxRow.created_at)
        for row in await session.scalars(query):
            found.setdefault(row.channel, []).append(row)
    return found


async def rows(office: Office) -> list[BlockerRow]:
    async with office.db.read() as session:
        return list(await session.scalars(select(BlockerRow).order_by(BlockerRow.key)))


async def move(office: Office, row: TaskRow, to: TaskState, who: str = "U0DEV") -> None:
    async with office.db.begin() as session:
        await tasks.step(session, await tasks.lock(session, row.pk), to, at=office.now(), who=who, why="moved")


async def test_two_lookouts_tell_nobody_twice(database: Database) -> None:
    office, clock = an_office_at(database)
    await blocked(office)
    said: list[tuple[int, dict[str, int]]] = []
    for minute in range(0, 180, 10):
        clock.now = MONDAY + minute * MINUTE
        await looks(office, 4)
        count = {who: len(each) for who, each in (await alerts(office)).items()}
        if not said or said[-1][1] != count:
            said.append((minute, count))
    assert said == [
        (0, {"U0DEV": 1}),
        (40, {"U0DEV": 2}),
        (60, {"U0DEV": 2, "U0BACK": 1}),
        (90, {"U0DEV": 2, "U0BACK": 1, "U0LEAD": 1}),
        (120, {"U0DEV": 2, "U0BACK": 1, "U0LEAD": 1, "C0DEV": 1}),
    ]
    (blocker,) = await rows(office)
    assert (blocker.level, len(blocker.told), blocker.detected_at) == ("channel", 5, MONDAY)


async def test_solved_is_said_in_place_and_timed(database: Database) -> None:
    """Time to detect, time to unblock: what the metrics count."""
    office, clock = an_office_at(database)
    row = await blocked(office)
    clock.now = MONDAY + MINUTE
    await looks(office)
    clock.now = MONDAY + 12 * MINUTE
    await move(office, row, TaskState.QUEUED)
    await looks(office, 3)
    (message,) = (await alerts(office))["U0DEV"]
    assert "after 12 min, thanks to <@U0DEV>" in str(message.payload) and "actions" not in str(message.payload)
    (blocker,) = await rows(office)
    assert (blocker.since, blocker.detected_at) == (MONDAY, MONDAY + MINUTE)
    assert blocker.resolved_at == MONDAY + 12 * MINUTE
    async with database.read() as session:
        events = (await session.scalars(select(EventRow).where(EventRow.kind == "solved"))).all()
    assert [(e.detail["to_detect_seconds"], e.detail["to_unblock_seconds"]) for e in events] == [(60, 720)]


async def test_blocked_again_is_a_new_blocker(database: Database) -> None:
    office, clock = an_office_at(database)
    row = await blocked(office)
    await looks(office)
    await move(office, row, TaskState.QUEUED)
    clock.now += MINUTE
    await looks(office)
    async with database.begin() as session:
        await block(office, session, await tasks.lock(session, row.pk), "the API is down again")
    await looks(office)
    assert [message.payload["text"] for message in (await alerts(office))["U0DEV"]] == [
        ":white_check_mark: S0-D0-1 goes on",
        ":no_entry: S0-D0-1 is blocked and needs a person: the API is down again",
    ]


async def test_what_is_late_and_then_taken_over_is_shown_again_with_its_new_buttons(database: Database) -> None:
    office, clock = an_office_at(database)
    row = await created(database, 1, deadline=MONDAY - MINUTE)
    await move(office, row, TaskState.RUNNING)
    await looks(office)
    (message,) = (await alerts(office))["U0DEV"]
    assert "missed its deadline" in str(message.payload) and "Take over" in str(message.payload)
    clock.now += MINUTE
    await looks(office)
    assert "was due 1 min ago" in str((await alerts(office))["U0DEV"][0].payload), "not rewritten each minute"
    for state in (TaskState.BLOCKED, TaskState.WITH_HUMAN):
        await move(office, row, state)
    await looks(office)
    (message,) = (await alerts(office))["U0DEV"]
    assert "is overdue" in str(message.payload) and "Hand over" in str(message.payload)


async def test_alerts_of_a_quiet_night_come_as_one(database: Database) -> None:
    office, clock = an_office_at(database)
    clock.now = MONDAY.replace(hour=22)
    for number in range(1, 31):
        await blocked(office, number, priority="critical" if number == 7 else "normal")
    await looks(office)
    woken = await alerts(office)
    assert set(woken) == {"U0DEV", "U0LEAD", "C0DEV"} and all(len(each) == 1 for each in woken.values())
    assert all("Critical" in each[0].payload["text"] for each in woken.values())
    clock.now = MONDAY.replace(hour=7) + timedelta(days=1)
    await looks(office, 2)
    digest = (await alerts(office))["U0DEV"][1]
    assert digest.payload["text"] == "29 things wait for you"
    clock.now += timedelta(hours=2)
    await looks(office)
    later = await alerts(office)
    assert "<@U0DEV> has not answered for up to 11 h; you stand in for them." in str(later["U0BACK"][-1].payload)
    loud = later["C0DEV"][-1].payload
    assert loud["text"] == "29 things wait for someone", "what a phone shows, too"
    assert "<@U0DEV>: these have waited for up to 11 h. Whoever can: take one up." in str(loud)
    assert len(digest.payload["blocks"]) <= 50 and "and 13 more" in str(digest.payload)
    assert len(await rows(office)) == 30 and all(blocker.told for blocker in await rows(office))


async def test_a_morning_brings_one_message(database: Database) -> None:
    """What blocks something, and what else was kept over night; and each shows there when it is over."""
    office, clock = an_office_at(database)
    clock.now = MONDAY.replace(hour=22)
    row = await blocked(office)
    async with database.begin() as session:
        await reach.write(office, session, "GRANTER", "U0DEV", "manual/1", {"text": "Run the load test"})
    clock.now = MONDAY.replace(hour=7) + timedelta(days=1, seconds=20)
    await looks(office)
    (message,) = (await alerts(office))["U0DEV"]
    assert "2 messages waited" in message.payload["text"] and "Run the load test" in str(message.payload)
    assert "the API is down" in str(message.payload)
    clock.now += MINUTE
    await move(office, row, TaskState.QUEUED)
    await looks(office)
    (message,) = (await alerts(office))["U0DEV"]
    assert "after" in str(message.payload) and "thanks to <@U0DEV>" in str(message.payload)


async def test_a_burst_comes_as_two(database: Database) -> None:
    """The first at once, what follows within seconds together."""
    office, clock = an_office_at(database)
    for number in (1, 2, 3):
        await blocked(office, number)
        await looks(office)
        clock.now += timedelta(seconds=1)
    clock.now += timedelta(seconds=2)
    await looks(office)
    assert [m.payload["text"] for m in (await alerts(office))["U0DEV"]] == [
        ":no_entry: S0-D0-1 is blocked and needs a person: the API is down",
        "2 things wait for you",
    ]


async def test_alerts_in_the_thread_for_who_wants_them_there(database: Database) -> None:
    office, _ = an_office_at(database)
    async with database.begin() as session:
        await people_settings.put(session, "U0DEV", PersonSettings(notify="thread"), MONDAY)
    row = await blocked(office)
    await looks(office)
    assert await alerts(office) == {}
    async with database.read() as session:
        (message,) = await session.scalars(select(OutboxRow).where(OutboxRow.kind == "thread"))
    assert (message.channel, message.task_pk) == ("C0DEV", row.pk) and "<@U0DEV>" in str(message.payload)


async def test_who_heard_of_an_incident_is_not_told_again(database: Database) -> None:
    office, _ = an_office_at(database)
    project = office.projects["GRANTER"]
    await report_incident(office, project, "Checkout is down", Person(id="U0DEV"), delivery_key="d1")
    before = {who: len(each) for who, each in (await alerts(office)).items()}
    await looks(office)
    after = {who: len(each) for who, each in (await alerts(office)).items()}
    assert after == before and set(after) == {"C0DEV", "U0LEAD", "U0TWO"}
    (blocker,) = await rows(office)
    assert blocker.critical and blocker.kind == "attempts"


async def test_remarks_are_no_part_of_a_tasks_life(database: Database) -> None:
    """What is noted late, with a state that has passed, changes nothing of what the task goes on with."""
    office, _ = an_office_at(database)
    row = await blocked(office)
    await looks(office)
    async with database.begin() as session:
        locked = await tasks.lock(session, row.pk)
        tasks.add_event(session, locked, at=MONDAY, who="orch", kind="alerted", why="late", detail={})
        await session.flush()
        late = (await tasks.events(session, row.pk))[-1]
        late.state = "running"
    async with database.read() as session:
        task = await session.get_one(TaskRow, row.pk)
        assert (await tasks.standing_event(session, task)).detail["rule"] == "R-ESC-4"
        ((standing,), _, _) = await store.standings(session, "GRANTER")
    assert (standing.rule, standing.why) == ("R-ESC-4", "the API is down")
    await looks(office)
    assert len(await rows(office)) == 1


class TwoProjects:
    """GRANTER, and one beside it that comes first and is broken by the test."""

    def __init__(self, database: Database, **fields: Any) -> None:
        self.office, self.clock = an_office_at(database)
        granter = self.office.projects["GRANTER"]
        broken = granter.model_copy(update={"key": "BROKEN", "channel": "C0BROKEN"})
        self.office = replace(self.office, projects={"BROKEN": broken, "GRANTER": granter}, **fields)

    async def round(self) -> dict[str, list[OutboxRow]]:
        await Lookout(self.office).round()
        return await alerts(self.office)


async def test_what_cannot_be_told_of_one_project_holds_up_no_other(database: Database, tmp_path: Path) -> None:
    """No template at all is left to tell it by."""
    two = TwoProjects(database, own_words={"BROKEN": Renderer(tmp_path)})
    await blocked(two.office, 1, project="BROKEN", channel="C0BROKEN")
    await blocked(two.office, 2, owner="U0OTHER")
    assert list(await two.round()) == ["U0OTHER"]
    assert two.office.troubles.now() == ("lookout BROKEN U0DEV",)


async def test_a_projects_broken_template_keeps_no_alert_back(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """R-SEC-5: it is told in Orch's own words, and the log says why, once."""
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "blocked.json.j2").write_text('{"text": "{{ nonsense }}"}')
    own = {"BROKEN": Renderer(data_folder("templates"), [tmp_path])}
    two = TwoProjects(database, own_words=own)
    for number in (1, 2):
        await blocked(two.office, number, project="BROKEN", channel="C0BROKEN", owner=f"U0{number}")
    assert [str(rows[0].payload["text"])[:28] for rows in (await two.round()).values()] == [
        ":no_entry: S0-D0-1 is blocke", ":no_entry: S0-D0-2 is blocke",
    ]  # fmt: skip
    assert two.office.troubles.now() == ()
    assert [r.getMessage() for r in caplog.records if "blocked.json.j2 fails" in r.getMessage()] == [
        "the project's own alerts/blocked.json.j2 fails, so Orch's is used: UndefinedError: 'nonsense' is undefined"
    ]


async def test_a_row_that_cannot_be_read_hides_no_other_blocker(database: Database) -> None:
    office, _clock = an_office_at(database)
    row = await blocked(office)
    await blocked(office, 2, owner="U0OTHER")
    async with database.begin() as session:
        (await tasks.lock(session, row.pk)).priority = "enormous"
    await Lookout(office).round()
    assert list(await alerts(office)) == ["U0OTHER"]
    assert office.troubles.now() == ("lookout GRANTER S0-D0-1",)


async def test_a_look_that_came_late_opens_nothing_again(database: Database) -> None:
    """Two processes: one looked, the task went on, the other said that it is solved, and the first goes on now."""
    office, _clock = an_office_at(database)
    row = await blocked(office)
    await looks(office)
    early = await _scene(office, office.projects["GRANTER"])
    early = replace(early, known={})  # it was new to that look
    await move(office, row, TaskState.QUEUED)
    await looks(office)
    (blocker,) = await rows(office)
    assert not await _keep_up(office, early, blocker.key)
    await looks(office)
    async with database.read() as session:
        kinds = list(await session.scalars(select(EventRow.kind).order_by(EventRow.id)))
    assert kinds.count("solved") == 1
