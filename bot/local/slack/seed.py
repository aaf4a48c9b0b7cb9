"""The workspace as it is before anything happened."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.local.slack.records import Channel, Team, User

PEOPLE = ["U0DEV", "U0LEAD", "U0TWO", "U0OUT", "U0GUEST"]


def default_users() -> list[User]:
    return [
        User("U0DEV", "dev", "Dana Developer"),
        User("U0LEAD", "lead", "Lee Lead"),
        User("U0TWO", "two", "Sam Second"),
        User("U0OUT", "outsider", "Olu Outsider"),
        User("U0GUEST", "guest", "Gia Guest", is_restricted=True),
        User("U0ORCH", "orch", "Orch", is_bot=True, tz="Etc/UTC"),
    ]


def default_channels() -> list[Channel]:
    return [
        Channel("C0DEV", "granter-dev", members=[*PEOPLE, "U0ORCH"]),
        Channel("C0RANDOM", "random", members=list(PEOPLE)),
    ]


@dataclass
class Seed:
    """Users must include the app's bot user. Tests pass their own lists."""

    team: Team = field(default_factory=Team)
    users: list[User] = field(default_factory=default_users)
    channels: list[Channel] = field(default_factory=default_channels)
