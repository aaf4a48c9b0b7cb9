"""Reading keys with their values: the same readers for a plan's tasks, its sprints and an assignment in JSON.

The names of R-MSG-1 (`task_id`, `assigned_to`, `mcp_assignment`) work in a plan as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time
from typing import Any, NamedTuple

from bot.domain import command_values as values
from bot.domain.assign import MAX_CHECKS, MODEL_WORDS, OPTIONS, TYPE_WORDS
from bot.domain.command_text import shown
from bot.domain.plan_errors import Items, Node, Report, Scalar, Table, unknown_key
from bot.domain.task import Frozen, Rung, TaskType
from bot.domain.working_days import WEEKDAYS
from bot.errors import UserMistake

_MAKERS = {Rung.HAIKU: "claude", Rung.SONNET: "claude", Rung.OPUS: "claude", Rung.GEMINI: "gemini"}
#: R-MSG-4: the bridge of each rung.
BRIDGES: Mapping[Rung, str] = {**{rung: f"{maker}-bridge" for rung, maker in _MAKERS.items()}, Rung.MANUAL: "manual"}
MAX_LINE = 500  # characters of a title, a criterion, a name
MAX_ITEMS = 50

_DAY_TIME = re.compile(r"(?:day|d)\s*(\d{1,2})(?:[,\sT]\s*(\d{1,2}:\d{2}))?", re.IGNORECASE | re.ASCII)
_WEEKDAY = re.compile(rf"(?:{'|'.join(WEEKDAYS)})[a-z]*\b.*", re.IGNORECASE)
_VENDORS = re.compile(r"\b(haiku|sonnet|opus|gemini)\b", re.IGNORECASE)
_OWNER = re.compile(r"<@([UW][A-Z0-9]+)>|@?([A-Za-z0-9][\w.-]{0,39})", re.ASCII)


class DayTime(Frozen):
    """A deadline inside the task's sprint: its day (1 = the first) and the time there, in the project's zone."""

    day: int
    at: time

    def __str__(self) -> str:
        return f"D{self.day} {self.at:%H:%M}"


#: A day of the sprint; a local time without a zone; or a moment, where the file names the zone.
Deadline = DayTime | datetime


class Field(NamedTuple):
    """One key: the field that it fills and how its text is read. `many`: a list of such texts."""

    name: str
    read: Callable[[str], Any]
    many: bool = False


def line_of_text(word: str) -> str:
    """A title or a name: one line."""
    flat = " ".join(word.split())
    if len(flat) > MAX_LINE:
        raise UserMistake(f"{shown(flat)} is too long: at most {MAX_LINE} characters.")
    return flat


def task_text(text: str) -> str:
    """What is to be done."""
    return values.task_text(text.strip())


def own_id(word: str) -> str:
    """A task's id, without the project's key (R-MSG-4)."""
    ref = values.task_ref(word)
    if ref.project:
        raise UserMistake(f"{shown(word)} names a project; here it is only `{ref.id}`.")
    return ref.id


def model(word: str) -> Rung:
    """A rung; a vendor's name (`haiku-4.5-20251001`) means its rung."""
    found = _VENDORS.search(word)
    return Rung(found[1].lower()) if found else values.choice(word, Rung, "a model", MODEL_WORDS)


def bridge(word: str) -> str:
    """`mcp_assignment` (R-MSG-4)."""
    return values.one_of(word, dict.fromkeys(BRIDGES.values()), "a bridge")


def yes_no(word: str) -> bool:
    known = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if word.lower() in known:
        return known[word.lower()]
    raise UserMistake(f"{shown(word)} is neither `true` nor `false`.")


def owner(word: str) -> str:
    """An alias (the project's `aliases`), a Slack id, or a mention."""
    found = _OWNER.fullmatch(word.strip())
    if not found:
        raise UserMistake(f"{shown(word)} is no person: write an alias such as `human-dev-1`, or a Slack id.")
    return found[1] or found[2]


def deadline(word: str) -> Deadline:
    """`D2 17:00`, `D2` (its end), `2026-02-03 10:30` in the project's zone, or with a zone of its own."""
    text = word.strip()
    if found := _DAY_TIME.fullmatch(text):
        return DayTime(day=int(found[1]), at=values.clock(found[2]) if found[2] else values.END_OF_DAY)
    if re.search(r"\d:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$", text, re.IGNORECASE):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise UserMistake(f"{shown(word)} is not a moment: write `2026-02-03T10:30+00:00`.") from None
    if _WEEKDAY.fullmatch(text):
        raise UserMistake(f"{shown(word)} names a weekday; write the day of the sprint: `D3 17:00`.")
    try:
        return values.deadline(text)
    except UserMistake as mistake:
        raise UserMistake(f"{mistake} A day of the sprint reads `D2 17:00`.") from None


def tokens_or_none_at_all(word: str) -> int:
    """Tokens that a sprint gives a rung; it may be 0."""
    return 0 if word.strip() == "0" else values.tokens(word)


def _each_once(reader: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda word: tuple(reader(part.strip()) for part in word.split(",") if part.strip())


def _one(reader: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda word: (reader(word),)


#: A task's keys. Readers of lists give a tuple for each item, since `a, b` may stand for two.
TASK_FIELDS: Mapping[str, Field] = {
    "id": Field("id", own_id),
    "sprint": Field("sprint", lambda word: values.number(word, "sprint")),
    "day": Field("day", lambda word: values.number(word, "day of the sprint")),
    "title": Field("title", line_of_text),
    "prompt": Field("prompt", task_text),
    "type": Field("type", lambda word: values.choice(word, TaskType, "a type", TYPE_WORDS)),
    "model": Field("model", model),
    "mcp_assignment": Field("bridge", bridge),
    "files": Field("files", _each_once(values.path), many=True),
    "checks": Field("checks", _one(values.check), many=True),
    "success_criteria": Field("success_criteria", _one(line_of_text), many=True),
    "blockers_if_fail": Field("blockers_if_fail", _each_once(own_id), many=True),
    "after": Field("after", _each_once(own_id), many=True),
    "priority": Field("priority", OPTIONS["priority"].read or str),
    "deadline": Field("deadline", deadline),
    "owner": Field("owner", owner),
    "token_budget": Field("token_budget", values.tokens),
    "security": Field("security", yes_no),
    "milestone": Field("milestone", yes_no),
}
#: Other names that mean the same: the plan's own (R-MSG-1), and `text`.
SAME = {"task_id": "id", "text": "prompt", "assigned_to": "owner"}
TASK_WORDS = {
    **dict.fromkeys(("description", "what", "instructions", "task", "body", "goal"), "prompt"),
    **dict.fromkeys(("depends_on", "depends", "needs", "dependencies", "requires", "waits_for"), "after"),
    **dict.fromkeys(("blocks", "blockers", "blocking"), "blockers_if_fail"),
    **dict.fromkeys(("criteria", "acceptance", "acceptance_criteria", "done_when"), "success_criteria"),
    **dict.fromkeys(("budget", "tokens", "max_tokens"), "token_budget"),
    **dict.fromkeys(("assignee", "person", "user"), "owner"),
    **dict.fromkeys(("due", "due_date", "until", "by"), "deadline"),
    **dict.fromkeys(("check", "tests", "verify", "commands"), "checks"),
    **dict.fromkeys(("file", "paths", "path"), "files"),
    **dict.fromkeys(("name", "summary", "subject"), "title"),
    **dict.fromkeys(("mcp", "bridge"), "mcp_assignment"),
    **dict.fromkeys(("kind", "task_type"), "type"),
    **dict.fromkeys(("rung", "llm"), "model"),
    **dict.fromkeys(("critical", "secure"), "security"),
}
PLAN_FIELDS: Mapping[str, Field] = {
    "name": Field("name", line_of_text),
    "title": Field("title", line_of_text),
    "description": Field("description", task_text),
}
SPRINT_FIELDS: Mapping[str, Field] = {
    "number": Field("number", lambda word: values.number(word, "sprint")),
    "title": Field("title", line_of_text),
    "days": Field("days", lambda word: values.number(word, "number of days")),
}


def read_fields(
    table: Table,
    fields: Mapping[str, Field],
    report: Report,
    where: str,
    *,
    also: Mapping[str, str] | None = None,
    elsewhere: tuple[str, ...] = (),
) -> tuple[dict[str, Any], dict[str, int]]:
    """The values of a table and the lines of their keys, by field. What is wrong goes to the report.

    `elsewhere`: keys that somebody else reads. A key with nothing behind it counts as not given."""
    found: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for entry in table.entries:
        if entry.key in elsewhere:
            continue
        field = fields.get(SAME.get(entry.key, entry.key) if also is TASK_WORDS else entry.key)
        if field is None:
            report.error(entry.line, where, unknown_key(entry.key, fields, dict(also or {})))
        elif field.name in lines:
            report.error(entry.line, where, f"`{entry.key}` stands there twice (line {lines[field.name]})")
        else:
            lines[field.name] = entry.line
            value = _read(entry.node, field, report, f"{where}, {entry.key}" if where else entry.key, entry.line)
            if value is not None:
                found[field.name] = value
    return found, lines


def _read(node: Node, field: Field, report: Report, where: str, line: int) -> Any:
    if field.many:
        return _read_list(node, field, report, where)
    if not isinstance(node, Scalar):
        report.error(line, where, f"this must be one value, not {_kind(node)}")
        return None
    return _try(field.read, node, report, where, line) if node.text.strip() else None


def _read_list(node: Node, field: Field, report: Report, where: str) -> tuple[Any, ...] | None:
    if isinstance(node, Table):
        report.error(node.line, where, "this must be a list, not keys; put a text that has `: ` in it into quotes")
        return None
    items: list[Any] = []
    for item in node.nodes if isinstance(node, Items) else (node,):
        if not isinstance(item, Scalar):
            report.error(item.line, where, f"each item must be one value, not {_kind(item)}; {_QUOTE_IT}")
        elif item.text.strip():
            items += _try(field.read, item, report, where, item.line) or ()
    most = MAX_CHECKS if field.name == "checks" else MAX_ITEMS
    if len(items) > most:
        report.error(node.line, where, f"{len(items)} are too many for one task: at most {most}")
    return tuple(dict.fromkeys(items))


_QUOTE_IT = "a text that has `: ` or brackets in it stands in quotes"


def _try(read: Callable[[str], Any], scalar: Scalar, report: Report, where: str, line: int) -> Any:
    try:
        return read(scalar.text)
    except UserMistake as error:
        report.error(line, where, str(error))
        return None


def _kind(node: Node) -> str:
    return {Items: "a list", Table: "keys", Scalar: "one value"}[type(node)]


def tables_of(node: Node, report: Report, where: str) -> Iterator[Table]:
    """The tables of a list; what is none goes to the report."""
    if not isinstance(node, Items):
        report.error(node.line, where, f"this must be a list (each item starts with `- `), not {_kind(node)}")
        return
    for item in node.nodes:
        if isinstance(item, Table):
            yield item
        else:
            report.error(item.line, where, f"each of them must have keys, such as `title:`; this is {_kind(item)}")
