"""A project's rules as decisions see them; wiring makes them from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import InstanceOf

from bot.domain.approvals import Team
from bot.domain.budget import Limits
from bot.domain.slots import Times
from bot.domain.task import Frozen, Rung
from bot.domain.text_model import TextModel
from bot.domain.working_days import WorkingDays
from bot.domain.working_hours import WorkingHours
from bot.errors import UserMistake


class Project(Frozen):
    """One repository, one channel, one team, one set of limits."""

    key: str
    channel: str
    branch: str
    timezone: str = "UTC"
    team: Team = Team()
    limits: Limits
    models: Mapping[Rung, str]  # the vendor's model id behind each rung
    coordinator: str = ""  # the model that classifies what the rules leave unsure; none = haiku's
    max_attempts: Mapping[Rung, int] = {}
    concurrency: Mapping[Rung, int] = {}
    merge: Literal["squash", "merge"] = "squash"
    setup: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    security_paths: tuple[str, ...] = ()
    haiku_first: bool = True
    learn_from_history: bool = True  # let earlier tasks refine the routes
    batch_low_priority: bool = True  # work that is not urgent waits in the provider's batch, at half the price
    batch_by_deadline: bool = False  # so does work whose deadline leaves the room
    batch_reviews: bool = False  # and gemini's calls for either
    light_reviewer: str = ""  # a cheaper gemini model for what is not security-critical
    text_model: InstanceOf[TextModel] | None = None  # judges what the routing rules leave open
    aliases: Mapping[str, str] = {}  # what plans call people -> their Slack ids
    working_days: WorkingDays = WorkingDays()
    quiet_hours: tuple[time, time] = (time(20), time(7))  # from, to; nobody is alerted, critical blockers apart
    backups: Mapping[str, str] = {}  # who stands in for whom
    blocker_sla: timedelta = timedelta(hours=2)  # a blocker is answered within this working time (R-SEC-5)
    review_sla: timedelta = timedelta(hours=4)
    times: Times = Times()  # of the day's posts, as configured; leads may change them (store.slots)
    grace: timedelta = timedelta(minutes=120)  # how late a post still appears
    welcome: bool = True  # say hello in the channel before the first task
    people_standup: timedelta | None = None  # people are asked so long before the stand-up; None = not at all

    def reviewer(self, *, security: bool) -> str:
        """The model id that reviews and reports."""
        return self.models[Rung.GEMINI] if security or not self.light_reviewer else self.light_reviewer

    @property
    def lighter(self) -> Mapping[str, str]:
        """A lighter model's id -> that of the model whose work it does."""
        return {self.light_reviewer: self.models[Rung.GEMINI]} if self.light_reviewer else {}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def hours(self) -> WorkingHours:
        """When people may be alerted."""
        return WorkingHours(zone=self.timezone, days=self.working_days, quiet=self.quiet_hours)

    def day(self, now: datetime) -> date:
        """The project's own date."""
        return now.astimezone(self.zone).date()


class Projects(dict[str, Project]):
    """The configured projects by key. Buttons and tasks outlive a project's place in the configuration."""

    def __missing__(self, key: str) -> Project:
        """Raises UserMistake: one that was taken out of the configuration is no defect."""
        raise gone(key)


def gone(key: str) -> UserMistake:
    """What whoever clicks on something of a project that is not configured is told."""
    return UserMistake(
        f"The project {key} is not in my configuration any more, so nothing was changed. Its tasks and their history "
        "are kept: whoever runs Orch can put it back into the configuration and start Orch anew."
    )
