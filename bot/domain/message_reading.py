"""An assignment in JSON, pasted in Slack, as a task (R-MSG-1; issue "accepted as input").

It may stand between ``` fences, and its quotes may have been made typographic by a keyboard.
"""

from __future__ import annotations

import json
import re
from typing import Any

from bot.domain.command_text import plain
from bot.domain.plan import PlanTask
from bot.domain.plan_errors import Entry, Items, Node, Report, Scalar, Table, errors_of, mistake
from bot.domain.plan_reading import read_task
from bot.errors import UserMistake

MAX_LENGTH = 40_000  # characters
MAX_DEPTH = 5
FORM = '{"task_id": "S1-D1-1", "model": "haiku", "prompt": "...", "priority": "high", "deadline": "2026-02-03 10:30"}'

#: What Orch's other messages are known by, and what a person does instead of sending one (R-MSG-2, R-MSG-3).
WRITTEN_ONLY = {
    "alert_type": ("blocker alert", "/orch block S1-D1-2 <reason>"),
    "status": ("status update", "/orch done S1-D1-2 <what you saw>"),
}

_FENCE = re.compile(r"```(?:[a-zA-Z]*\n)?(.*?)```", re.DOTALL)
_CURLY = "“”„‟«»"
#: A quote that begins or ends a JSON text: beside a bracket, a comma or a colon.
_OUTER = re.compile(rf"(?<=[\[{{,:])(\s*)[{_CURLY}]|[{_CURLY}](?=\s*[\]}},:])")
_KEY = re.compile(rf"[\"{_CURLY}](task_id|prompt|mcp_assignment|success_criteria|assigned_to)[\"{_CURLY}]\s*:")


def looks_like_assignment(text: str) -> bool:
    """Whether a message is an assignment in JSON, right or wrong, rather than words that mention some JSON: among
    words it is one where it has a `task_id`."""
    said = plain(text)
    inside = _json_part(said)
    found = {key[1] for key in _KEY.finditer(inside)} if inside.startswith("{") else set()
    alone = said.lstrip("` \n").removeprefix("json").lstrip().startswith(inside[:1] or "{")
    return "task_id" in found or (alone and bool(found))


def parse_assignment(text: str) -> PlanTask:
    """The task that an assignment in JSON describes. Raises UserMistake that names each wrong field and the nearest
    right name."""
    if len(text) > MAX_LENGTH:
        raise UserMistake(f"That has {len(text):,} characters; an assignment has at most {MAX_LENGTH:,}.", FORM)
    node = _node(_loads(_json_part(plain(text))), 0)
    if isinstance(node, Items):
        raise UserMistake(
            "That is a list. Send one assignment at a time; many tasks make a plan.", "orch plan load FILE"
        )
    if not isinstance(node, Table):
        raise UserMistake("An assignment is a JSON object: it starts with `{`.", FORM)
    keys = {entry.key for entry in node.entries}
    for key, (name, form) in WRITTEN_ONLY.items():
        if key in keys and "prompt" not in keys:
            raise UserMistake(
                f"That is a {name}: Orch writes those, and reads only assignments. Nothing was done.", form
            )
    report = Report()
    read = read_task(node, report)
    if read is not None and read.task.id in (*read.task.after, *read.task.blockers_if_fail):
        report.error(0, read.task.id, "it cannot wait for itself")
    if read is None or errors_of(report.problems):
        raise mistake(report.in_order, "The assignment", FORM)
    return read.task


def _json_part(text: str) -> str:
    """What is between the fences, else from the first bracket to the last."""
    fenced = _FENCE.search(text)
    inside = (fenced[1] if fenced else text).strip().strip("`").replace("\u00a0", " ").strip()
    end = max(inside.rfind("}"), inside.rfind("]"))
    starts = [at for at in (inside.find("{"), inside.find("[")) if at >= 0]
    return inside[min(starts) : end + 1] if starts and end >= min(starts) else inside


def _loads(text: str) -> Any:
    """JSON whose plain values are the texts that stand there; keys stay pairs, so that none gets lost."""
    error: Exception | None = None
    for form in (text, _OUTER.sub(r'\1"', text), re.sub(f"[{_CURLY}]", '"', text)):
        try:
            return json.loads(
                form, object_pairs_hook=_Pairs, parse_int=str, parse_float=str, parse_constant=str, strict=False
            )
        except RecursionError:
            raise UserMistake("That is nested too deeply for an assignment.", FORM) from None
        except ValueError as wrong:
            error = error or wrong
    raise UserMistake(f"That is not valid JSON: {_said(error, text)}", FORM)


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON, its keys in order."""


def _node(value: Any, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise UserMistake("That is nested too deeply for an assignment.", FORM)
    if isinstance(value, _Pairs):
        return Table(0, tuple(Entry(0, key, _node(inner, depth + 1)) for key, inner in value))
    if isinstance(value, list):
        return Items(0, tuple(_node(inner, depth + 1) for inner in value))
    if isinstance(value, bool):
        return Scalar(0, "true" if value else "false")
    return Scalar(0, "" if value is None else str(value))


def _said(error: Exception | None, text: str) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return "it cannot be read."
    if not text:
        return "nothing stands there."
    near = text[max(0, error.pos - 25) : error.pos + 15].replace("`", "'")
    before = text[: error.pos].rstrip()
    trailing = before.endswith(",") and text[error.pos :].lstrip()[:1] in ("}", "]")
    hint = " A comma before the closing bracket is one too many." if trailing else ""
    return f"line {error.lineno}, near `{' '.join(near.split())}`: {error.msg}.{hint}"
