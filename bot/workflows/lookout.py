"""The lookout: finds blockers, tells people by the clock, and says when one is solved (R-SEC-5, R-ESC-7, R-DAY-4).

It decides nothing: domain.blockers says what a blocker is, domain.nudges who hears of it when. Several processes may
look at once: a blocker is inserted, told of and solved under its row's lock, and what is due is asked anew there.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import nudges
from bot.domain.blockers import Blocker, Kind, blockers
from bot.domain.messages import blocker_alert_of
from bot.domain.nudges import Nudge, Told
from bot.domain.person_settings import NOTHING_SET, PersonSettings
from bot.domain.project import Project
from bot.domain.providers import PROVIDER_OF, Healthy
from bot.domain.task import TaskState
from bot.store import blockers as store
from bot.store import outbox, people_settings, tasks
from bot.store.tables import BlockerRow, TaskRow
from bot.workflows import reach
from bot.workflows.blocker_messages import message_of, show_again
from bot.workflows.office import ORCH, Office
from bot.workflows.provider_rests import healths

#: How often it is looked whether anything happened, in seconds.
ROUND_SECONDS = 1.0
SECOND = timedelta(seconds=1)
#: Where nothing happens, the clock is looked at this often: in shares of the blockers' time, and at most so long.
LOOK_SHARE = 1 / 120
LONGEST_LOOK = timedelta(seconds=30)
#: After a message to somebody, what is not critical waits this long, so that a burst comes as one.
GATHERED = timedelta(seconds=3)
#: Blockers whose words change with every minute; what people read stays until more than that changes.
BY_THE_MINUTE = frozenset({Kind.DEADLINE, Kind.OVERDUE, Kind.REVIEW})
#: How the log says at which step somebody was told; the first and the last need no word.
TOLD_AS = {"again": " again", "backup": " as a backup", "lead": " as a lead"}


@dataclass(frozen=True)
class Scene:
    """One project at one moment: what blocks it, what is remembered of that, and who there is."""

    project: Project
    now: datetime
    found: Mapping[str, Blocker]
    known: Mapping[str, BlockerRow]
    settings: Mapping[str, PersonSettings]

    @property
    def team(self) -> nudges.Team:
        project = self.project
        away = {
            person: own.away_until
            for person, own in self.settings.items()
            if own.away_until and own.is_away(self.now, project.timezone)
        }
        return nudges.Team(
            sla=project.blocker_sla,
            channel=project.channel,
            leads=project.team.leads,
            backups=project.backups,
            away=away,
            hours=project.hours,
            own_hours={person: own.hours(project.hours) for person, own in self.settings.items()},
        )


class Lookout:
    """One in each process that runs stages."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._seen = -1  # id of the newest event that was looked at
        self._look_at: datetime | None = None  # when the clock is looked at again
        self._every = min([LONGEST_LOOK, *(p.blocker_sla * LOOK_SHARE for p in office.projects.values())])

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            with self._office.troubles.at("lookout"):
                await self.round()
            await asyncio.sleep(ROUND_SECONDS)

    async def round(self) -> None:
        """Look, where something happened or time has passed."""
        now = self._office.now()
        async with self._office.db.read() as session:
            newest = await tasks.newest_event_id(session)
        if newest == self._seen and self._look_at and now < self._look_at:
            return
        held = False
        for key, project in self._office.projects.items():
            with self._office.troubles.at(f"lookout {key}"):
                held |= await look(self._office, project)
        self._seen, self._look_at = newest, now + (min(GATHERED, self._every) if held else self._every)


async def look(office: Office, project: Project) -> bool:
    """Bring what is remembered of a project's blockers up to date, and tell whom it is time to tell. True where an
    alert waits for a moment, to come with others."""
    scene = await _scene(office, project)
    happened = False
    for key in sorted({*scene.found, *scene.known}):
        with office.troubles.at(f"lookout {key}"):
            happened |= await _keep_up(office, scene, key)
    if happened:
        scene = await _scene(office, project)
    held = await _tell_all(office, scene)
    office.mail.set()
    return held


async def _scene(office: Office, project: Project) -> Scene:
    async with office.db.read() as session:
        standing, ended, unreadable = await store.standings(session, project.key)
        health = await healths(office, session)
        known = await store.open_ones(session, project.key)
        now = office.now()
        resting = {
            rung: state.since
            for rung, provider in PROVIDER_OF.items()
            if not isinstance(state := health[provider], Healthy)
        }
        found = {each.key: each for each in blockers(standing, ended, resting, project, now)}
        people = {who for each in found.values() for who in each.first}
        team = {*project.team.leads, *project.backups, *project.backups.values()}
        settings = await people_settings.of(session, people | team)
    for task_id, error in unreadable.items():
        with office.troubles.at(f"lookout {project.key} {task_id}"):
            raise error
    return Scene(project, now, found, known, settings)


async def _keep_up(office: Office, scene: Scene, key: str) -> bool:
    """Remember a new blocker, forget a solved one, note what changed; whether it was new or solved."""
    blocker, row, now = scene.found.get(key), scene.known.get(key), scene.now
    if blocker and row:
        if (blocker.reason, blocker.kind, blocker.task.owner) != (row.reason, row.kind, row.owner):
            in_kind = (blocker.kind, blocker.task.owner) != (row.kind, row.owner)  # other buttons, somebody else
            async with office.db.begin() as session:
                await store.changed(session, blocker)
                if in_kind or blocker.kind not in BY_THE_MINUTE:
                    row = await session.get_one(BlockerRow, key, populate_existing=True)
                    await show_again(office, session, [row])
        return False
    async with office.db.begin() as session:
        if blocker:
            found = await tasks.find(session, blocker.task.project, blocker.task.id)
            assert found is not None
            task = await tasks.lock(session, found.pk)
            if (task.state, task.entry) != (blocker.task.state, blocker.task.entry):
                return False  # it went on since the look, and another lookout may know so already
            return await store.detected(session, blocker, task.pk, _told_before(blocker, scene), now)
        return await _solved(office, session, key, now)


def _told_before(blocker: Blocker, scene: Scene) -> list[Told]:
    """Whom another message told of it already: an incident tells everybody at once."""
    step: dict[str, nudges.Step] = dict.fromkeys(blocker.told, "lead")
    step |= {scene.project.channel: "channel"} if scene.project.channel in step else {}
    step |= {who: "owner" for who in blocker.first if who in step}
    return [Told(who=who, step=at, at=scene.now) for who, at in step.items()]


async def _solved(office: Office, session: AsyncSession, key: str, now: datetime) -> bool:
    if not await store.solved(session, key, now):
        return False
    row = await session.get_one(BlockerRow, key, populate_existing=True)
    await show_again(office, session, [row])
    task = await session.get_one(TaskRow, row.task_pk)
    detail = {"blocker": key, "kind": row.kind, "to_detect_seconds": (row.detected_at - row.since) // SECOND,
              "to_unblock_seconds": (now - row.since) // SECOND}  # fmt: skip
    await tasks.remark(session, task, at=now, who=ORCH, kind="solved", why=f"no longer: {row.reason}", detail=detail)
    return True


async def _tell_all(office: Office, scene: Scene) -> bool:
    """Send what is due: to each person one message, a critical blocker in one of its own. True where some are held
    back, since their reader was written to a moment ago."""
    team = scene.team
    mail: dict[tuple[str, str], list[Nudge]] = defaultdict(list)  # (who, what comes alone or "") -> nudges
    for key, row in scene.known.items():
        blocker = scene.found.get(key)
        for nudge in nudges.due(_waiting(blocker, row), team, scene.now) if blocker else ():
            own = scene.settings.get(nudge.who, NOTHING_SET)
            alone = row.critical or not own.digest or own.notify == "thread"
            mail[nudge.who, key if alone else ""].append(nudge)
    lately, held = _told_lately(scene), False
    for (who, _), found in sorted(mail.items()):
        if who in lately and not any(scene.found[nudge.key].critical for nudge in found):
            held = True
            continue
        with office.troubles.at(f"lookout {scene.project.key} {who}"):
            async with office.db.begin() as session:
                told = await _tell(office, session, scene, team, who, found)
            await _show_on_cards(office, told)
    return held


def _told_lately(scene: Scene) -> set[str]:
    """Who was written to a moment ago."""
    every = (told for row in scene.known.values() for told in store.told_of(row))
    return {told.who for told in every if told.message and scene.now - told.at < GATHERED}


def _waiting(blocker: Blocker, row: BlockerRow) -> nudges.Waiting:
    return nudges.Waiting(
        key=row.key,
        since=row.since,
        critical=row.critical,
        first=blocker.first,
        by=blocker.by,
        follows=bool(blocker.follows),
        told=store.told_of(row),
        acknowledged_until=row.acknowledged_until,
    )


async def _tell(
    office: Office, session: AsyncSession, scene: Scene, team: nudges.Team, who: str, wanted: Sequence[Nudge]
) -> list[int]:
    """One message for one person, about all that is still due under the blockers' locks; returns the tasks."""
    rows = await store.lock(session, [nudge.key for nudge in wanted])
    due = [
        nudge for nudge in wanted
        if nudge.key in rows and nudge in nudges.due(_waiting(scene.found[nudge.key], rows[nudge.key]), team, scene.now)
    ]  # fmt: skip
    if not due:
        return []
    first, task_pk = due[0], rows[due[0].key].task_pk
    in_thread = len(due) == 1 and scene.settings.get(who, NOTHING_SET).notify == "thread" and who != team.channel
    message = (
        f"{'thread/' if in_thread else ''}blocker/{first.key}/{'again' if first.step == 'again' else 'told'}/{who}"
    )
    for nudge in reversed(due):
        told = Told(who=who, step=nudge.step, at=scene.now, instead_of=nudge.instead_of, message=message)
        store.tell(rows[nudge.key], told)
        _remember(session, scene, rows[nudge.key], told)
    await session.flush()
    shown = await message_of(office, session, [rows[nudge.key] for nudge in due], told)
    if who == team.channel or in_thread:
        task = await session.get_one(TaskRow, task_pk)
        kind = "thread" if in_thread else "channel"
        await outbox.want(session, message, kind, task.channel, shown, scene.now, task_pk=task_pk)
    else:
        critical = any(rows[nudge.key].critical for nudge in due)
        await reach.write(office, session, scene.project.key, who, message, shown, at_once=critical, task_pk=task_pk)
    return [rows[nudge.key].task_pk for nudge in due]


def _remember(session: AsyncSession, scene: Scene, row: BlockerRow, told: Told) -> None:
    """An event of the task, with the plan's own message (R-MSG-3) the first time: not for an approval, which is no
    blocker to the plan, and not where the event that blocked the task has one."""
    blocker = scene.found[row.key]
    detail: dict[str, Any] = {"blocker": row.key, "kind": row.kind, "step": told.step, "alerted": told.who}
    has_one = blocker.task.state is TaskState.BLOCKED or blocker.kind is Kind.APPROVAL
    if not has_one and len(store.told_of(row)) == 1:
        alert = blocker_alert_of(
            blocker.task,
            zone=ZoneInfo(scene.project.timezone),
            reason=blocker.reason,
            at=scene.now,
            recommended=blocker.propose,
        )
        detail["alert"] = alert.json_fields()
    name = f"<#{told.who}>" if told.step == "channel" else f"<@{told.who}>"
    why = f"told {name}{TOLD_AS.get(told.step, '')}"
    session.add(store.remark_of(row, scene.now, ORCH, "alerted", why, blocker, detail))


async def _show_on_cards(office: Office, pks: Sequence[int]) -> None:
    """Each in a transaction of its own: stages change several cards in one, and in another order."""
    for pk in sorted(set(pks)):
        async with office.db.begin() as session:
            await outbox.want_card(session, await session.get_one(TaskRow, pk))
