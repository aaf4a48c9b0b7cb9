"""One reader per command: what follows its first word, as a value. Each raises UserMistake, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

from bot.domain import command_values as values
from bot.domain.assign import MODEL_WORDS, parse_assign
from bot.domain.budget_command import read_budget
from bot.domain.command_kinds import (
    Assign,
    Away,
    Block,
    Cancel,
    Command,
    Done,
    Help,
    Incident,
    List,
    ListView,
    Metrics,
    Plan,
    Reassign,
    Report,
    Retry,
    Schedule,
    Slot,
    Sprint,
    Standup,
    Status,
    Takeover,
    Unblock,
    Why,
)
from bot.domain.command_text import Word, option_name, shown, split, unescape
from bot.domain.command_values import MAX_REASON, TaskRef
from bot.domain.help import BY_NAME, NAMES, SYNONYMS
from bot.domain.task import Rung
from bot.domain.working_days import WEEKDAYS
from bot.errors import UserMistake

MAX_SEARCH = 80  # characters
#: What people call the views of `list`.
VIEW_WORDS: dict[str, str] = {
    **{view: view for view in get_args(ListView)},
    "me": "mine",
    "my": "mine",
    "stuck": "blocked",
    "everything": "all",
    "active": "running",
}
#: Options of `report`, and the field each fills.
REPORT_OPTIONS = {"date": "on", "sprint": "sprint"}


def _task(words: list[Word]) -> TaskRef:
    if not words:
        raise UserMistake("Which task? Its id stands on its card and in `/orch list`.")
    values.refuse_options(words[:1])
    return values.task_ref(words[0].value)


def _reason(rest: str, missing: str) -> str:
    words = split(rest)
    text = words[0].value.strip() if len(words) == 1 and words[0].whole else unescape(rest.strip())
    if not text:
        raise UserMistake(missing)
    if len(text) > MAX_REASON:
        raise UserMistake(f"That has {len(text):,} characters; at most {MAX_REASON:,} fit.")
    return text


def _only_task(words: list[Word]) -> TaskRef:
    task = _task(words)
    values.refuse_options(words)
    if len(words) > 1:
        raise UserMistake(f"One task id is enough; I do not know what to do with {shown(words[1].value)}.")
    return task


def _assign(rest: str) -> Assign:
    return Assign(request=parse_assign(rest))


def _list(rest: str) -> List:
    """A view, an owner and words to search for, in any order; without a view all tasks are searched."""
    view, owner, said = "", None, list[str]()
    words = split(rest)
    while words:
        word = words.pop(0)
        option = option_name(word)
        if option and option[0] == "owner":
            owner = values.person(option[1] or (words.pop(0).value if words else ""))
        elif option:
            raise values.unexpected(word, ("owner",))
        elif word.value.startswith(("<@", "@")):
            owner = values.person(word.value)
        elif (found := VIEW_WORDS.get(word.value.lower())) and not word.quoted:
            if view:
                raise UserMistake(
                    f"I do not know what to do with {shown(word.value)} there. Ask for one list at a time."
                )
            view = found
        else:
            said.append(word.value)
    text = " ".join(said)
    if len(text) > MAX_SEARCH:
        raise UserMistake(f"A search has at most {MAX_SEARCH} characters.")
    return List.model_validate({"view": view or ("all" if said or owner else "open"), "words": text, "owner": owner})


def _on_task(kind: type[Why | Cancel | Retry | Unblock | Takeover]) -> Callable[[str], Command]:
    def read(rest: str) -> Command:
        return kind(task=_only_task(split(rest)))

    return read


def _status(rest: str) -> Status:
    words = split(rest)
    return Status(task=_only_task(words) if words else None)


def _done(rest: str) -> Done:
    words = split(rest)
    task = _task(words)
    said = rest[words[0].end :].strip().lstrip(":").strip()
    return Done(task=task, seen=_reason(said, "") if said else "")


def _block(rest: str) -> Block:
    words = split(rest)
    task = _task(words)
    return Block(task=task, reason=_reason(rest[words[0].end :], f"Why is {task} blocked? Add the reason."))


def _reassign(rest: str) -> Reassign:
    words = [word for word in split(rest) if word.value.lower() != "to"]
    task = _task(words)
    values.at_most(words, 2)
    if len(words) == 1:
        raise UserMistake(f"To whom shall {task} go? Name a model or a person.")
    if words[1].value.startswith(("@", "<@")):
        return Reassign(task=task, user=values.person(words[1].value))
    return Reassign(task=task, rung=values.choice(words[1].value, Rung, "a model or a @person", MODEL_WORDS))


def _away(rest: str) -> Away:
    words = [word for word in split(rest) if word.value.lower() != "until"]
    values.at_most(words, 1)
    if not words:
        if rest.strip():
            raise UserMistake("Until when are you away? Give the day on which you are back.")
        return Away()
    if words[0].value.lower() in ("back", "off", "end", "over"):
        return Away(back=True)
    return Away(until=values.day(words[0].value))


def _schedule(rest: str) -> Schedule:
    words = split(rest)
    action = (
        values.one_of(words[0].value, ("show", "set", "skip"), "a thing to do with the schedule") if words else "show"
    )
    if action == "show":
        values.at_most(words, 1)
        return Schedule()
    if len(words) < 2:
        raise UserMistake("Which one? morning, midday, evening or weekly.")
    also = {"standup": "morning", "noon": "midday", "report": "weekly", "friday": "weekly"}
    fields: dict[str, object] = {
        "action": action,
        "slot": values.one_of(words[1].value, get_args(Slot), "in the schedule", also),
    }
    if action == "skip":
        values.at_most(words, 3)
        return Schedule.model_validate({**fields, "on": values.day(words[2].value) if len(words) > 2 else None})
    when = words[2:]
    if fields["slot"] == "weekly" and when:
        fields["weekday"] = values.one_of(when.pop(0).value, WEEKDAYS, "a weekday")
    if not when:
        raise UserMistake("At what time? Write `08:30`, and for weekly the day before it: `fri 16:00`.")
    values.at_most(when, 1)
    return Schedule.model_validate({**fields, "at": values.clock(when[0].value)})


def _sprint(rest: str) -> Sprint:
    words = split(rest)
    actions = ("start", "close", "show")
    action = (
        values.one_of(words[0].value, actions, "a thing to do with a sprint", {"end": "close"}) if words else "show"
    )
    values.at_most(words, 2)
    if action != "show" and len(words) < 2:
        raise UserMistake(f"Which sprint shall I {action}? Add its number.")
    number = values.number(words[1].value, "sprint") if len(words) > 1 else None
    return Sprint.model_validate({"action": action, "number": number})


def _plan(rest: str) -> Plan:
    words = split(rest)
    action = values.one_of(words[0].value, ("load", "show"), "a thing to do with a plan") if words else "show"
    values.at_most(words, 2 if action == "load" else 1)
    if action == "show":
        return Plan()
    if len(words) < 2:
        raise UserMistake("Which plan shall I load? Add its name.")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", words[1].value):
        raise UserMistake(f"{shown(words[1].value)} is not a plan's name: letters, digits, `-`, `_` and `.` only.")
    return Plan(action="load", name=words[1].value)


def _report(rest: str) -> Report:
    words = split(rest)
    if not words:
        raise UserMistake("Which report: daily or weekly?")
    also = {"day": "daily", "today": "daily", "week": "weekly"}
    fields: dict[str, object] = {"period": values.one_of(words[0].value, ("daily", "weekly"), "a report", also)}
    options = iter(words[1:])
    for option in options:
        found = option_name(option)
        if found is None or found[0] not in REPORT_OPTIONS:
            raise values.unexpected(option, REPORT_OPTIONS)
        name, inline = found
        said = inline or next((word.value for word in options), None)
        if said is None:
            raise UserMistake(f"--{name} needs {'a date' if name == 'date' else 'a number'} behind it.")
        fields[REPORT_OPTIONS[name]] = values.day(said) if name == "date" else values.number(said, "sprint")
    return Report.model_validate(fields)


def _standup(rest: str) -> Standup:
    values.at_most(split(rest), 0)
    return Standup()


def _metrics(rest: str) -> Metrics:
    words = split(rest)
    values.at_most(words, 1)
    return Metrics(days=values.window(words[0].value)) if words else Metrics()


def _incident(rest: str) -> Incident:
    return Incident(what=_reason(rest, "What happened? Say it in a sentence."))


def _help(rest: str) -> Help:
    words = [word.value for word in split(rest)]
    if not words:
        return Help()
    name = values.one_of(words[0], NAMES, "a command", SYNONYMS)
    of_action = " ".join((name, *words[1:2])).lower()
    return Help(topic=of_action if of_action in BY_NAME else name)


READERS: dict[str, Callable[[str], Command]] = {
    "assign": _assign,
    "list": _list,
    "status": _status,
    "why": _on_task(Why),
    "cancel": _on_task(Cancel),
    "retry": _on_task(Retry),
    "unblock": _on_task(Unblock),
    "done": _done,
    "takeover": _on_task(Takeover),
    "block": _block,
    "reassign": _reassign,
    "away": _away,
    "schedule": _schedule,
    "budget": read_budget,
    "sprint": _sprint,
    "plan": _plan,
    "standup": _standup,
    "report": _report,
    "metrics": _metrics,
    "incident": _incident,
    "help": _help,
}
