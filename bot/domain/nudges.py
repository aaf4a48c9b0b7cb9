"""Who hears of a blocker, and when: the clock as a value (R-SEC-5, R-DAY-4).

    owner at once -> again -> backup -> lead, all within policy.blocker_sla_minutes of working time -> the channel

Nobody gets the same alert twice: each person is told of a blocker once, and reminded once. Whoever acknowledges stops
the nudges for a while; the clock goes on, and what it reached meanwhile follows then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from bot.domain.person_settings import stand_in
from bot.domain.task import Frozen
from bot.domain.working_hours import WorkingHours

Step = Literal["owner", "again", "backup", "lead", "channel"]


class Clock(Frozen):
    """When each step is due, in shares of the blocker's time. A critical blocker's runs day and night."""

    owner: float = 0
    again: float = 1 / 3
    backup: float = 1 / 2
    lead: float = 3 / 4
    channel: float = 1
    acknowledged: float = 1 / 2  # how long an acknowledgement stops the nudges

    def steps(self) -> tuple[tuple[Step, float], ...]:
        return (("owner", self.owner), ("again", self.again), ("backup", self.backup), ("lead", self.lead),
                ("channel", self.channel))  # fmt: skip


ORDINARY = Clock()
CRITICAL = Clock(lead=0, channel=0)


class Told(Frozen):
    """One alert that went out. `who`: a person's id, or the channel's; `message`: the outbox key of what they got."""

    who: str
    step: Step
    at: datetime
    instead_of: str = ""
    message: str = ""


class Waiting(Frozen):
    """An open blocker, as the clock sees it."""

    key: str
    since: datetime
    critical: bool = False
    first: tuple[str, ...]
    by: str = ""
    follows: bool = False  # another blocker's clock runs for it: only `first` are told
    told: tuple[Told, ...] = ()
    acknowledged_until: datetime | None = None


class Team(Frozen):
    """Who there is to be told, and when they may be."""

    sla: timedelta
    channel: str
    leads: tuple[str, ...] = ()
    backups: Mapping[str, str] = {}
    away: Mapping[str, date] = {}
    hours: WorkingHours = WorkingHours()  # the project's: the clock runs in them
    own_hours: Mapping[str, WorkingHours] = {}  # of people who set some


class Nudge(Frozen):
    """One alert to send now. `instead_of`: who is away, and whose thing it is."""

    key: str  # of the blocker
    who: str
    step: Step
    instead_of: str = ""


def due(waiting: Waiting, team: Team, now: datetime) -> tuple[Nudge, ...]:
    """The alerts of one blocker that may and must go out now; at most one for each person."""
    if waiting.acknowledged_until and now < waiting.acknowledged_until:
        return ()
    passed = _passed(waiting, team, waiting.since, now)
    clock = CRITICAL if waiting.critical else ORDINARY
    found: dict[str, Nudge] = {}
    for step, share in clock.steps():
        if passed < team.sla * share or (waiting.follows and step != "owner"):
            continue
        for nudge in _nudges(waiting, team, step, now):
            if nudge.who not in found and _may_be_told(waiting, team, nudge.who, now):
                found[nudge.who] = nudge
    return tuple(found.values())


def acknowledged_until(sla: timedelta, now: datetime) -> datetime:
    """Until when nobody is nudged."""
    return now + sla * ORDINARY.acknowledged


def _passed(waiting: Waiting, team: Team, start: datetime, now: datetime) -> timedelta:
    return now - start if waiting.critical else team.hours.between(start, now)


def _may_be_told(waiting: Waiting, team: Team, who: str, now: datetime) -> bool:
    """Not in quiet time. The channel is read by many: it keeps to the project's hours."""
    return team.own_hours.get(who, team.hours).held_until(now, critical=waiting.critical) is None


def _nudges(waiting: Waiting, team: Team, step: Step, now: datetime) -> list[Nudge]:
    told = {each.who for each in waiting.told}
    if step == "again":
        return [Nudge(key=waiting.key, who=who, step=step) for who in _to_remind(waiting, team, now)]
    return [
        Nudge(key=waiting.key, who=who, step=step, instead_of=instead_of)
        for who, instead_of in _people(waiting, team, step)
        if who not in told and who != waiting.by
    ]


def _to_remind(waiting: Waiting, team: Team, now: datetime) -> list[str]:
    """Those who were told at first, long enough ago, and not been reminded yet."""
    reminded = {each.who for each in waiting.told if each.step == "again"}
    gap = team.sla * ORDINARY.again
    return [
        each.who
        for each in waiting.told
        if each.step == "owner"
        and each.who not in reminded
        and each.who not in team.away
        and _passed(waiting, team, each.at, now) >= gap
    ]


def _people(waiting: Waiting, team: Team, step: Step) -> Sequence[tuple[str, str]]:
    """(who is told at a step, whom they stand in for). Whoever is away is stood in for by their backup, and where
    there is none by the leads; a lead who is away is told all the same where nobody else is left."""
    match step:
        case "channel":
            return [(team.channel, "")]
        case "lead":
            there = [lead for lead in team.leads if lead not in team.away]
            return [(lead, "") for lead in there or team.leads]
        case "backup":
            found = [(stand_in(who, team.backups, team.away), who) for who in waiting.first]
            return [(backup, "") for backup, _ in found if backup]
        case _:
            people: list[tuple[str, str]] = []
            for who in waiting.first:
                if who not in team.away:
                    people.append((who, ""))
                elif backup := stand_in(who, team.backups, team.away):
                    people.append((backup, who))
                else:
                    people += [(lead, who if lead != who else "") for lead, _ in _people(waiting, team, "lead")]
            return people
