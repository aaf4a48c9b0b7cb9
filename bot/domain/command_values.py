"""Single values of the grammar, read one by one: task ids, people, tokens, dates, paths, checks.

Each reader returns the value or raises UserMistake with one or two sentences that quote the person's word.
The modal and other intakes use the same readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from enum import StrEnum
from typing import TypeVar

from bot.domain.command_text import Word, hyphened, nearest, option_name, shown
from bot.domain.paths import normalise
from bot.domain.prices import DOLLAR
from bot.domain.task import Frozen
from bot.errors import UserMistake

MAX_FILES = 50
MAX_CHECK = 500  # characters
MAX_TOKENS = 1_000_000
MAX_WINDOW = 366  # days
MAX_TEXT = 4_000  # characters
MAX_REASON = 1_000  # characters
MAX_NUMBER = 99  # sprints, days
END_OF_DAY = time(23, 59)

_ID = re.compile(r"(?:([A-Za-z][A-Za-z0-9_-]{0,31}):)?S(\d{1,3})-D(\d{1,3})-(\d{1,6})", re.ASCII | re.IGNORECASE)
_DATETIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\s*(\d{1,2}:\d{2})(?::\d{2})?)?", re.ASCII | re.IGNORECASE)
_TOKENS = re.compile(r"(\d{1,3}(?:[,_]\d{3})+|\d+(?:\.\d+)?)\s*([km]?)(?:\s*tokens?)?", re.ASCII | re.IGNORECASE)
_CALL = re.compile(r"[A-Z][A-Z0-9]{0,15}/S\d{1,3}-D\d{1,3}-\d{1,6}/\d{1,6}/\d{1,6}", re.ASCII | re.IGNORECASE)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")

E = TypeVar("E", bound=StrEnum)


class TaskRef(Frozen):
    """A task as a person names it: `S1-D1-2`, or `KEY:S1-D1-2` outside its channel (R-MSG-4)."""

    id: str
    project: str | None = None

    def __str__(self) -> str:
        return f"{self.project}:{self.id}" if self.project else self.id


def task_ref(word: str) -> TaskRef:
    """A task id, in any case; leading zeros are dropped."""
    found = _ID.fullmatch(hyphened(word.strip(" ,.#")))
    if found:
        key, sprint, day, number = found.groups()
        return TaskRef(id=f"S{int(sprint)}-D{int(day)}-{int(number)}", project=key.upper() if key else None)
    numbers = re.findall(r"[0-9]{1,3}", word)
    guess = f" Did you mean `S{numbers[0]}-D{numbers[1]}-{numbers[2]}`?" if len(numbers) == 3 else ""
    raise UserMistake(f"{shown(word)} is not a task id: they read `S1-D1-2` or `KEY:S1-D1-2`.{guess}")


def task_refs(value: str) -> tuple[TaskRef, ...]:
    """Task ids with commas between; the same one twice counts once."""
    return tuple(dict.fromkeys(task_ref(part) for part in _parts(value)))


def person(word: str) -> str:
    """A Slack user id from a mention as Slack delivers it."""
    found = _MENTION.fullmatch(word.strip())
    if found:
        return found[1]
    raise UserMistake(
        f"{shown(word)} is only a name to me. Type `@` and pick the person from the list that Slack offers, "
        "so that it becomes a mention."
    )


def one_of(word: str, names: Iterable[str], what: str, also: dict[str, str] | None = None) -> str:
    """One of these words, in any case. Another one is answered with the nearest of them, then all."""
    known = list(names)
    if word.lower() in known:
        return word.lower()
    near = nearest(word, known, also)
    hint = f" Did you mean `{near}`?" if near else ""
    raise UserMistake(f"{shown(word)} is not {what}.{hint} It can be: {', '.join(known)}.")


def at_most(words: list[Word], count: int) -> None:
    """Nothing may follow the first `count` words, and none of them is an option."""
    refuse_options(words)
    if len(words) > count:
        raise unexpected(words[count])


def refuse_options(words: Iterable[Word]) -> None:
    """For commands that have no options."""
    found = next((word for word in words if option_name(word)), None)
    if found is not None:
        raise unexpected(found)


def unexpected(word: Word, options: Iterable[str] = ()) -> UserMistake:
    """The answer to a word that belongs nowhere; where it is an option, it names the nearest that the command has."""
    known = list(options)
    option = option_name(word)
    if option is None:
        return UserMistake(f"I do not know what to do with {shown(word.value)} there.")
    near = nearest(option[0], known)
    hint = f"Did you mean `--{near}`?" if near else "" if known else "This command has none."
    return UserMistake(f"I do not know the option {shown('--' + option[0])}. {hint}".rstrip())


def choice(word: str, kind: type[E], what: str, also: dict[str, str]) -> E:
    """One of an enumeration's words, in any case."""
    return kind(one_of(word, [member.value for member in kind], what, also))


def call_id(word: str) -> str:
    """A paid call's id, `SHOP/S1-D1-2/1/2`: project, task, attempt, number."""
    found = _CALL.fullmatch(word.strip(" ,.`"))
    if not found:
        raise UserMistake(f"{shown(word)} is not a call's id: they read `SHOP/S1-D1-2/1/2`; `/orch why ID` shows them.")
    return found[0].upper()


def tokens(word: str, least: int = 1, most: int = MAX_TOKENS) -> int:
    """A number of tokens, 1 to 1,000,000 where nothing else is said: `3000`, `3,000`, `3k`, `2.5k`."""
    found = _TOKENS.fullmatch(word.strip())
    if not found or ("." in found[1] and not found[2]):
        why = "; dollars are computed from prices" if "$" in word or "€" in word else ""
        raise UserMistake(f"{shown(word)} is not a number of tokens: write `3000`, `3,000` or `3k`{why}.")
    digits = re.sub("[,_]", "", found[1])
    if len(digits) > 12:
        raise UserMistake(f"{shown(word)} is too much: at most {most:,} tokens.")
    number = round(float(digits) * {"": 1, "k": 1_000, "m": 1_000_000}[found[2].lower()])
    if not least <= number <= most:
        raise UserMistake(f"{shown(word)} is out of range: {least} to {most:,} tokens.")
    return number


def dollars(word: str, most: int) -> int:
    """An amount such as `$5`, `$2.50` or `$1,000`, as micro-dollars: at most `most` of them."""
    found = re.fullmatch(r"\$\s*((?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?)", word.strip(), re.ASCII)
    amount = round(float(found[1].replace(",", "")) * DOLLAR) if found else 0
    if not found or amount < 1:
        raise UserMistake(f"{shown(word)} is not an amount: write `$5` or `$2.50`.")
    if amount > most:
        raise UserMistake(f"{shown(word)} is too much: at most ${most // DOLLAR:,}.")
    return amount


def number(word: str, what: str) -> int:
    """A sprint or a day: a whole number from 0 to 99."""
    if re.fullmatch(r"[0-9]{1,6}", word) and int(word) <= MAX_NUMBER:
        return int(word)
    digits = re.search(r"(?<![-.\d])\d{1,2}(?![.\d])", word, re.ASCII)
    guess = f" Did you mean `{int(digits[0])}`?" if digits else ""
    raise UserMistake(f"{shown(word)} is not a {what}: a whole number from 0 to {MAX_NUMBER}.{guess}")


def window(word: str) -> int:
    """How many days back: `7`, `7d`."""
    found = re.fullmatch(r"([0-9]{1,3})(?:d|days?)?", word.lower())
    if not found or not 1 <= int(found[1]) <= MAX_WINDOW:
        raise UserMistake(f"{shown(word)} is not a number of days: 1 to {MAX_WINDOW}.")
    return int(found[1])


def day(word: str) -> date:
    """An ISO date."""
    try:
        return datetime.strptime(word.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise UserMistake(f"{shown(word)} is not a date that I understand: write `2026-02-03`.") from None


def deadline(word: str) -> datetime:
    """A local time without a zone (the project's is applied at the edge); a date alone ends at 23:59."""
    right = "write `2026-02-03T10:30`, or `2026-02-03` for the end of that day"
    found = _DATETIME.fullmatch(word.strip())
    if not found:
        zone = re.search(r"\d{2}:\d{2}.*(Z|UTC|GMT|[+-]\d{2}:?\d{2})$", word.strip(), re.IGNORECASE)
        why = "; leave the time zone away, the project's own is used" if zone else ""
        raise UserMistake(f"{shown(word)} is not a date and time that I understand: {right}{why}.")
    try:
        when = time.fromisoformat(found[2].zfill(5)) if found[2] else END_OF_DAY
        return datetime.combine(date.fromisoformat(found[1]), when)
    except ValueError:
        raise UserMistake(f"{shown(word)} does not exist in the calendar: {right}.") from None


def clock(word: str) -> time:
    """A time of day, `08:30`."""
    if re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", word, re.ASCII):
        return time.fromisoformat(word.zfill(5))
    raise UserMistake(f"{shown(word)} is not a time of day: write `08:30`.")


def paths(value: str) -> tuple[str, ...]:
    """Paths of files, commas between; each once, `./` dropped. At most 50."""
    found = tuple(dict.fromkeys(path(part) for part in _parts(value)))
    if len(found) > MAX_FILES:
        raise UserMistake(f"{len(found)} files are too many for one task (at most {MAX_FILES}): split it.")
    return found


def path(word: str) -> str:
    """One file's path, relative to the root of the repository."""
    try:
        if word.startswith("~"):
            raise ValueError("the path is absolute; write it relative to the repository's root")
        if re.search(r"[*?{}]", word):
            raise ValueError("I lock exactly the files you name, so patterns are not supported; name each file")
        if word.endswith(("/", "/.")):
            raise ValueError("that is a folder; name the files in it")
        return normalise(word)
    except ValueError as error:
        raise UserMistake(f"I cannot take the file {shown(word)}: {error}. Say `src/app.py`, for example.") from None


def check(value: str) -> str:
    """One command that must pass, on one line."""
    command = value.strip()
    if not command:
        raise UserMistake('The check is empty: write the command in quotes, `--check "npm test"`.')
    if "\n" in command or len(command) > MAX_CHECK:
        raise UserMistake(f"The check {shown(command)} must be one line of at most {MAX_CHECK} characters.")
    return command


def task_text(text: str) -> str:
    """What is to be done, at most 4,000 characters."""
    if len(text) > MAX_TEXT:
        raise UserMistake(
            f"The text has {len(text):,} characters; at most {MAX_TEXT:,} fit. "
            "Shorten it, or split the work into several tasks."
        )
    return text


def _parts(value: str) -> list[str]:
    parts = [part.strip() for part in value.split(",")]
    return [part for part in parts if part]
