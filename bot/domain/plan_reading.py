"""From what a plan's file says to a plan. Reading goes on after an error, so that a person hears of all at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from bot.domain.command_text import shown
from bot.domain.plan import Plan, PlanSprint, PlanTask
from bot.domain.plan_errors import Entry, Items, Node, Problem, Report, Scalar, Table, errors_of
from bot.domain.plan_fields import (
    BRIDGES,
    PLAN_FIELDS,
    SAME,
    SPRINT_FIELDS,
    TASK_FIELDS,
    TASK_WORDS,
    Field,
    read_fields,
    tables_of,
    tokens_or_none_at_all,
)
from bot.domain.plan_rules import ReadTask, judge, linked
from bot.domain.task import PAID, Rung

MAX_TASKS = 500
_BUDGET_FIELDS: Mapping[str, Field] = {rung.value: Field(rung.value, tokens_or_none_at_all) for rung in PAID}


class Reading(NamedTuple):
    """A plan, or None where it has errors, and all that is to be said of it."""

    plan: Plan | None
    problems: tuple[Problem, ...]


def check_plan(source: Node, known: Collection[str] = (), most_tasks: int = MAX_TASKS) -> Reading:
    """The plan, with its errors and warnings. `known`: ids of the project's tasks that `after` may name as well."""
    report = Report()
    if not isinstance(source, Table):
        report.error(source.line, "", "a plan has the keys `name`, `sprints` and `tasks`")
        return Reading(None, report.in_order)
    head, _ = read_fields(source, {**PLAN_FIELDS, **_LISTS}, report, "", elsewhere=tuple(_LISTS))
    if "name" not in head:
        report.error(source.line, "", "`name` is missing: a short name for the plan, say `name: granter-v2`")
    sprints = _sprints(_only(source, "sprints", report), report)
    read = _tasks(_only(source, "tasks", report), source.line, report, most_tasks)
    if not sprints:
        sprints = tuple(PlanSprint(number=n) for n in sorted({each.task.sprint for each in read}))
    read = linked(read)
    judge(sprints, read, known, report)
    if errors_of(report.problems):
        return Reading(None, report.in_order)
    plan = Plan.model_validate({**head, "sprints": sprints, "tasks": tuple(each.task for each in read)})
    return Reading(plan, report.in_order)


#: Known to the reader of a plan's head so that the nearest right name may be one of them; read on their own.
_LISTS: Mapping[str, Field] = {name: Field(name, str) for name in ("sprints", "tasks")}


def _only(source: Table, key: str, report: Report) -> Entry | None:
    entries = [entry for entry in source.entries if entry.key == key]
    for entry in entries[1:]:
        report.error(entry.line, "", f"`{key}` stands there twice (line {entries[0].line})")
    return entries[0] if entries else None


def _sprints(entry: Entry | None, report: Report) -> tuple[PlanSprint, ...]:
    found: dict[int, PlanSprint] = {}
    for table in tables_of(entry.node, report, "sprints") if entry else ():
        sprint = _sprint(table, report)
        if sprint is None:
            continue
        if sprint.number in found:
            first = found[sprint.number].line
            report.error(sprint.line, f"sprint {sprint.number}", f"it stands there twice (line {first})")
        found.setdefault(sprint.number, sprint)
    return tuple(found[number] for number in sorted(found))


def _sprint(table: Table, report: Report) -> PlanSprint | None:
    where = _name_of(table, "number", "sprint ") or "sprint"
    known = {**SPRINT_FIELDS, "budget": Field("budget", str)}
    misplaced = [entry for entry in table.entries if entry.key == "tasks"]
    for entry in misplaced:
        report.error(
            entry.line, where, "`tasks` do not stand inside a sprint, but beside `sprints`; ids say the sprint"
        )
    values, _ = read_fields(table, known, report, where, elsewhere=("budget", "tasks"))
    budget = _budget(_only(table, "budget", report), where, report)
    if "number" not in values:
        if not _has_text(table, "number"):
            report.error(table.line, where, "`number` is missing, say `number: 0`")
        return None
    if values.get("days") == 0:
        values.pop("days")
        report.error(table.line, where, "it needs at least one day")
    return PlanSprint.model_validate({**values, "budget": budget, "line": table.line})


def _budget(entry: Entry | None, where: str, report: Report) -> dict[Rung, int]:
    if entry is None:
        return {}
    inside = f"{where}, budget"
    if not isinstance(entry.node, Table):
        report.error(entry.line, inside, "this must name rungs, say `budget: {haiku: 18000, sonnet: 4000}`")
        return {}
    values, _ = read_fields(entry.node, _BUDGET_FIELDS, report, inside)
    return {Rung(name): tokens for name, tokens in values.items()}


def _tasks(entry: Entry | None, line: int, report: Report, most_tasks: int) -> tuple[ReadTask, ...]:
    if entry is None:
        report.error(line, "", "`tasks` is missing: the list of what is to be done")
        return ()
    tables = tuple(tables_of(entry.node, report, "tasks"))
    if isinstance(entry.node, Items) and not entry.node.nodes:
        report.error(entry.line, "tasks", "there is none")
    if len(tables) > most_tasks:
        report.error(entry.line, "tasks", f"{len(tables)} are too many for one plan: at most {most_tasks}")
        return ()
    return tuple(read for table in tables if (read := read_task(table, report)) is not None)


def read_task(table: Table, report: Report) -> ReadTask | None:
    """One task; None where it has no id. Other mistakes in it are reported, and the rest is read."""
    where = _name_of(table, "id") or _name_of(table, "task_id") or "a task"
    values, lines = read_fields(table, TASK_FIELDS, report, where, also=TASK_WORDS)
    if "prompt" not in values and not _has_text(table, "prompt"):
        report.error(table.line, where, "`prompt` is missing or empty: say what is to be done")
    if "id" not in values:
        if not _has_text(table, "id"):
            report.error(table.line, where, "`id` is missing: S<sprint>-D<day>-<n>, say `id: S1-D1-2`")
        return None
    sprint, day, number = (int(part[1:] if part[:1] in "SD" else part) for part in values["id"].split("-"))
    for name, is_so in (("sprint", sprint), ("day", day)):
        said = values.pop(name, is_so)
        if said != is_so:
            report.error(lines[name], where, f"`{name}: {said}` disagrees with the id, which says {is_so}")
    _settle_bridge(values, lines, where, report)
    values.setdefault("prompt", "")
    task = PlanTask.model_validate({**values, "sprint": sprint, "day": day, "number": number, "line": table.line})
    return ReadTask(task, lines)


def _settle_bridge(values: dict[str, Any], lines: Mapping[str, int], where: str, report: Report) -> None:
    """`mcp_assignment` says no more than the model's bridge; two bridges mean a rung where no model is named."""
    bridge, model = values.pop("bridge", None), values.get("model")
    if bridge is None:
        return
    if model is None:
        only = [rung for rung, name in BRIDGES.items() if name == bridge]
        values.update({"model": only[0]} if len(only) == 1 else {})
    elif BRIDGES[model] != bridge:
        text = f"{shown(bridge)} does not lead to {model}, which is behind `{BRIDGES[model]}`"
        report.error(lines["bridge"], f"{where}, mcp_assignment", text)


def _name_of(table: Table, key: str, prefix: str = "") -> str | None:
    text = next((e.node.text for e in table.entries if e.key == key and isinstance(e.node, Scalar)), "").strip()
    return f"{prefix}{text[:40]}" if text else None


def _has_text(table: Table, key: str) -> bool:
    """Whether this key, by any of its names, holds something, be it wrong."""
    return any(
        SAME.get(entry.key, entry.key) == key and (not isinstance(entry.node, Scalar) or entry.node.text.strip())
        for entry in table.entries
    )
