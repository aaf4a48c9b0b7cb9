"""One reader per command: what follows its first word, as a value. Each raises UserMistake, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import get_args

from bot.domain import command_values as values
from bot.domain.assign import MODEL_WORDS, parse_assign
from bot.domain.budget import LimitName
from bot.domain.command_kinds import (
    Assign,
    Away,
    Block,
    Budget,
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
    Weekday,
    Why,
)
from bot.domain.command_text import Word, option_name, shown, split, unescape
from bot.domain.command_values import TaskRef
from bot.domain.help import BY_NAME, NAMES, SYNONYMS
from bot.domain.limit_orders import MOST_RAISED
from bot.domain.task import Rung
from bot.errors import UserMistake

MAX_REASON = 1_000  # characters
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


def _one_of(word: Word, names: Iterable[str], what: str, also: dict[str, str] | None = None) -> str:
    known = list(names)
    if word.value.lower() in known:
        return word.value.lower()
    raise values.unknown(word.value, what, known, also)


def _at_most(words: list[Word], count: int) -> None:
    if len(words) > count:
        raise UserMistake(f"I do not know what to do with {shown(words[count].value)} there.")


def _task(words: list[Word]) -> TaskRef:
    if not words:
        raise UserMistake("Which task? Its id stands on its card and in `/orch list`.")
    return values.task_ref(words[0].value)


def _reason(rest: str, missing: str) -> str:
    words = split(rest)
    text = words[0].value.strip() if len(words) == 1 and words[0].whole else unescape(rest.strip())
    if not text:
        raise UserMistake(missing)
    if len(text) > MAX_REASON:
        raise UserMistake(f"That has {len(text):,} characters; at most {MAX_REASON:,} fit.")
    return text


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
            raise UserMistake(f"`list` has no option {shown(word.value)}.")
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
        words = split(rest)
        task = _task(words)
        if len(words) > 1:
            raise UserMistake(f"One task id is enough; I do not know what to do with {shown(words[1].value)}.")
        return kind(task=task)

    return read


def _status(rest: str) -> Status:
    words = split(rest)
    if len(words) > 1:
        raise UserMistake(f"One task id is enough; I do not know what to do with {shown(words[1].value)}.")
    return Status(task=_task(words) if words else None)


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
    _at_most(words, 2)
    if len(words) == 1:
        raise UserMistake(f"To whom shall {task} go? Name a model or a person.")
    if words[1].value.startswith(("@", "<@")):
        return Reassign(task=task, user=values.person(words[1].value))
    return Reassign(task=task, rung=values.choice(words[1].value, Rung, "a model or a @person", MODEL_WORDS))


def _away(rest: str) -> Away:
    words = [word for word in split(rest) if word.value.lower() != "until"]
    _at_most(words, 1)
    if not words:
        if rest.strip():
            raise UserMistake("Until when are you away? Give the day on which you are back.")
        return Away()
    if words[0].value.lower() in ("back", "off", "end", "over"):
        return Away(back=True)
    return Away(until=values.day(words[0].value))


def _schedule(rest: str) -> Schedule:
    words = split(rest)
    action = _one_of(words[0], ("show", "set", "skip"), "a thing to do with the schedule") if words else "show"
    if action == "show":
        _at_most(words, 1)
        return Schedule()
    if len(words) < 2:
        raise UserMistake("Which one? morning, midday, evening or weekly.")
    also = {"standup": "morning", "noon": "midday", "report": "weekly", "friday": "weekly"}
    fields: dict[str, object] = {"action": action, "slot": _one_of(words[1], get_args(Slot), "in the schedule", also)}
    if action == "skip":
        _at_most(words, 3)
        return Schedule.model_validate({**fields, "on": values.day(words[2].value) if len(words) > 2 else None})
    when = words[2:]
    if fields["slot"] == "weekly" and when:
        fields["weekday"] = _one_of(when.pop(0), get_args(Weekday), "a weekday")
    if not when:
        raise UserMistake("At what time? Write `08:30`, and for weekly the day before it: `fri 16:00`.")
    _at_most(when, 1)
    return Schedule.model_validate({**fields, "at": values.clock(when[0].value)})


def _budget(rest: str) -> Budget:
    words = split(rest)
    also = {"increase": "raise", "add": "raise", "more": "raise", "undo": "reset", "fix": "correct", "today": "show",
            "day": "show", "graph": "chart", "picture": "chart"}  # fmt: skip
    action = _one_of(words[0], _BUDGET, "a thing to do with budgets", also) if words else "show"
    try:
        return Budget.model_validate({"action": action, **_BUDGET[action](words[1:])})
    except UserMistake as mistake:
        form = BY_NAME.get(f"budget {action}", BY_NAME["budget"]).form
        raise UserMistake(str(mistake), form) from None


def _nothing_more(words: list[Word]) -> dict[str, object]:
    _at_most(words, 0)
    return {}


def _raise(words: list[Word]) -> dict[str, object]:
    if len(words) < 2:
        raise UserMistake("Which limit, and by how many tokens?")
    limit = _limit(words[0])
    if words[1].value.startswith("-"):
        raise UserMistake("A limit can only be raised here; `/orch budget reset` puts it back to what is configured.")
    tokens = values.tokens(words[1].value.lstrip("+"), most=MOST_RAISED)
    rest = [word for word in words[2:] if word.value.lower() not in ("tokens", "until")]
    _at_most(rest, 1)
    if len(words) > 2 and words[-1].value.lower() == "until":
        raise UserMistake("Until when? Give the last day that it holds, `2026-02-03`.")
    if rest and isinstance(limit, TaskRef):
        raise UserMistake(f"What {limit} gets, it keeps: leave the date away.")
    return {"limit": limit, "tokens": tokens, "until": values.day(rest[0].value) if rest else None}


def _reset(words: list[Word]) -> dict[str, object]:
    _at_most(words, 1)
    return {"limit": _limit(words[0]) if words else None}


def _correct(words: list[Word]) -> dict[str, object]:
    if len(words) < 2:
        raise UserMistake("Which call, and how many tokens did it take? `/orch why ID` shows the calls of a task.")
    _at_most([word for word in words if word.value.lower() != "tokens"], 2)
    return {"call": values.call_id(words[0].value), "tokens": values.tokens(words[1].value, least=0)}


_BUDGET: dict[str, Callable[[list[Word]], dict[str, object]]] = {
    "show": _nothing_more,
    "sprint": _nothing_more,
    "chart": _nothing_more,
    "raise": _raise,
    "reset": _reset,
    "correct": _correct,
}


def _limit(word: Word) -> str | TaskRef:
    if re.search(r"\d", word.value):
        return values.task_ref(word.value)
    return _one_of(word, get_args(LimitName), "a limit", {"daily": "day", "today": "day", "week": "sprint"})


def _sprint(rest: str) -> Sprint:
    words = split(rest)
    actions = ("start", "close", "show")
    action = _one_of(words[0], actions, "a thing to do with a sprint", {"end": "close"}) if words else "show"
    _at_most(words, 2)
    if action != "show" and len(words) < 2:
        raise UserMistake(f"Which sprint shall I {action}? Add its number.")
    number = values.number(words[1].value, "sprint") if len(words) > 1 else None
    return Sprint.model_validate({"action": action, "number": number})


def _plan(rest: str) -> Plan:
    words = split(rest)
    action = _one_of(words[0], ("load", "show"), "a thing to do with a plan") if words else "show"
    _at_most(words, 2 if action == "load" else 1)
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
    fields: dict[str, object] = {"period": _one_of(words[0], ("daily", "weekly"), "a report", also)}
    options = iter(words[1:])
    for option in options:
        name = option.value.lstrip("-–—―−").lower()
        if name not in REPORT_OPTIONS or name == option.value.lower():
            raise UserMistake(f"I do not know what to do with {shown(option.value)} there.")
        said = next(options, None)
        if said is None:
            raise UserMistake(f"--{name} needs {'a date' if name == 'date' else 'a number'} behind it.")
        fields[REPORT_OPTIONS[name]] = values.day(said.value) if name == "date" else values.number(said.value, "sprint")
    return Report.model_validate(fields)


def _standup(rest: str) -> Standup:
    _at_most(split(rest), 0)
    return Standup()


def _metrics(rest: str) -> Metrics:
    words = split(rest)
    _at_most(words, 1)
    return Metrics(days=values.window(words[0].value)) if words else Metrics()


def _incident(rest: str) -> Incident:
    return Incident(what=_reason(rest, "What happened? Say it in a sentence."))


def _help(rest: str) -> Help:
    words = split(rest)
    _at_most(words, 1)
    return Help(topic=_one_of(words[0], NAMES, "a command", SYNONYMS)) if words else Help()


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
    "budget": _budget,
    "sprint": _sprint,
    "plan": _plan,
    "standup": _standup,
    "report": _report,
    "metrics": _metrics,
    "incident": _incident,
    "help": _help,
}
