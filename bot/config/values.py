"""The kinds of values that the config file holds; what is wrong with one is said by the kind."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from bot.domain.paths import BRANCH
from bot.domain.working_days import WEEKDAYS

RungName = Literal["haiku", "sonnet", "gemini", "opus"]

_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"


def _shaped(pattern: str, what: str) -> AfterValidator:
    """A text of this form; `what` says which, with an example."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {what}")
        return value

    return AfterValidator(check)


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        near = get_close_matches(value, sorted(available_timezones()), 1)
        hint = f"did you mean {near[0]!r}?" if near else "say Europe/Lisbon"
        raise ValueError(f"no time zone has this name; {hint}")
    return value


def _real_date(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError("must be a date, say 2026-12-24") from None


def _known_country(value: str) -> str:
    """A country whose public holidays are known, by its code."""
    from holidays.registry import COUNTRIES  # the library takes 0.1 s to import, and only this needs it

    codes = {code: names[0] for names in COUNTRIES.values() for code in names[1:] if len(code) == 2}
    if value in codes:
        return value
    called = {each.casefold(): names[1] for key, names in COUNTRIES.items() for each in (key, *names)}
    name = value.casefold().replace(" ", "")
    near = get_close_matches(name, called, 1, cutoff=0.5)
    meant = called.get(name) or (called[near[0]] if near else "PT")
    hint = f"did you mean {meant!r}, {codes[meant]}?" if near else f"say {meant}"
    if re.fullmatch("[A-Z]{2}", value):
        raise ValueError(f"no public holidays are known of this country; {hint}")
    raise ValueError(f"must be a country's two capital letters; {hint}")


Key = Annotated[str, _shaped("[A-Z][A-Z0-9]{0,15}", "1 to 16 capital letters and digits, a letter first, say GRANTER")]
ChannelId = Annotated[
    str, _shaped("[CG][A-Z0-9]{2,}", "a channel's id, say C0123ABCD (the channel's name in Slack, About, last line)")
]
UserId = Annotated[
    str, _shaped("[UW][A-Z0-9]{2,}", "a person's id, say U0123ABCD (their profile in Slack, the dots, Copy member ID)")
]
Clock = Annotated[str, _shaped(_TIME, "a time of day, say 08:00")]
WeekdayClock = Annotated[str, _shaped(f"({'|'.join(WEEKDAYS)}) {_TIME}", "a weekday and a time of day, say fri 16:00")]
SprintNumber = Annotated[str, _shaped("[0-9]{1,4}", "the number of a sprint, say 0")]
Country = Annotated[str, AfterValidator(_known_country)]
Place = Annotated[
    str, _shaped(r"[^-\s].*", "a path or an address that git understands, say git@example.com:team/app.git")
]
Branch = Annotated[str, _shaped(BRANCH, "the name of a branch, say main")]
Command = Annotated[str, _shaped(r"(?s).*\S.*", "a command, say npm test")]
Zone = Annotated[str, AfterValidator(_known_zone)]
Date = Annotated[str, AfterValidator(_real_date)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]  # more can only be a slip of the finger
Dollars = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
PerMillion = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]  # dollars per million tokens
