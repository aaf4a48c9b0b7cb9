"""The modals: what they hold when they open, and what a submitted one means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from bot.domain import card
from bot.domain import command_values as values
from bot.domain.assign import OPTIONS, AssignRequest
from bot.domain.splitting import FEWEST, MOST, Parts, as_form
from bot.domain.task import Priority, Rung, TaskType
from bot.errors import UserMistake
from bot.listeners.desk import Desk, Payload
from bot.store.tables import TaskRow
from bot.workflows.office import Office


def assign_form(office: Office, channel: str, request: AssignRequest) -> dict[str, Any]:
    """The form behind `/orch assign` without text and "Make this a task", filled in with what is known."""
    return office.render.message(
        "views/assign",
        {
            "channel": channel,
            "request": request,
            "projects": list(office.projects.values()),
            "here": next((p for p in office.projects.values() if p.channel == channel), None),
            "types": [t.value for t in TaskType],
            "models": [r.value for r in Rung],
            "priorities": get_args(Priority),
        },
    )


def reason_form(office: Office, payload: Payload) -> dict[str, Any]:
    """The reason for `Request changes` or `Reject`."""
    reject = payload["action"] == card.REJECT.action
    return office.render.message(
        "views/reason", {"value": payload["value"], "channel": payload["channel"], "reject": reject}
    )


def checklist_form(office: Office, payload: Payload, row: TaskRow, lines: Sequence[str]) -> dict[str, Any]:
    """The checklist to tick before a merge that one click may not make (R-APR-2)."""
    facts = {"value": payload["value"], "channel": payload["channel"], "row": row, "lines": lines}
    return office.render.message("views/checklist", facts)


def split_form(office: Office, payload: Payload, parts: Parts) -> dict[str, Any]:
    """The proposed parts, one field each, and one more where there is room."""
    fields = [as_form(part) for part in parts]
    facts = {"value": payload["value"], "channel": payload["channel"], "fewest": FEWEST, "most": MOST}
    return office.render.message("views/split", {**facts, "fields": [*fields, ""][:MOST]})


async def open_for(desk: Desk, payload: Payload, task_id: str, view: Mapping[str, Any]) -> None:
    """Open a form for who clicked. Raises UserMistake where Slack gave nothing to open it with."""
    if not payload.get("trigger_id"):
        raise UserMistake(f"Slack did not let me open the form for {task_id}. Please click again.")
    await desk.office.chat.open_view(payload["trigger_id"], view)


def opened_with(view: Mapping[str, Any]) -> dict[str, str]:
    """The value of the button that opened a form, and the channel where it stood ("" = Home)."""
    value, channel = view["private_metadata"].rsplit("#", 1)
    return {"value": value, "channel": channel}


def element_in(view: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """What a submitted form holds in a field whose block and action have one name; empty where it has none such."""
    element: Mapping[str, Any] = view["state"]["values"].get(field, {}).get(field, {})
    return element


def text_in(view: Mapping[str, Any], field: str) -> str:
    """What was typed there, without blanks around it."""
    return (element_in(view, field).get("value") or "").strip()


def chosen(element: Mapping[str, Any]) -> str | None:
    """The value of the option that is chosen."""
    return (element.get("selected_option") or {}).get("value")


def read_assign(state: Mapping[str, Any]) -> tuple[AssignRequest, str | None]:
    """(the request, the chosen project's key) of a submitted form. Raises FormMistakes naming each field."""
    fields: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for block, typed in _typed(state).items():
        try:
            fields.update(_field(block, typed))
        except UserMistake as mistake:
            errors[block] = str(mistake)
    if not fields.get("text"):
        errors.setdefault("text", "Say what is to be done.")
    if errors:
        raise FormMistakes(errors)
    project = fields.pop("project", None)
    return AssignRequest(**fields), project


class FormMistakes(UserMistake):
    """What is wrong with a form, by block id."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


def _field(block: str, typed: Any) -> dict[str, Any]:
    """One filled-in field as AssignRequest names it, read by the same readers as the command's options."""
    match block:
        case "text":
            return {"text": values.task_text(typed)}
        case "security":
            return {"security": bool(typed)}
        case "quote":
            return {"dry_run": bool(typed)}
        case "deadline":
            return {"deadline": datetime.fromtimestamp(int(typed), UTC)}
        case "checks":
            return {"checks": tuple(values.check(line) for line in typed.splitlines() if line.strip())}
        case "budget" | "files" | "after":
            option = OPTIONS[block]
            assert option.read is not None
            return {option.field: option.read(" ".join(typed.split()))}
        case "type":
            return {"type": TaskType(typed)}
        case "model":
            return {"model": Rung(typed)}
        case _:
            return {block: typed}


def _typed(state: Mapping[str, Any]) -> dict[str, Any]:
    """block id -> what was typed or chosen, empty fields left out."""
    found: dict[str, Any] = {}
    for block, elements in state.items():
        for element in elements.values():
            value = (
                element.get("value")
                or chosen(element)
                or element.get("selected_user")
                or element.get("selected_date_time")
                or [option["value"] for option in element.get("selected_options") or ()]
            )
            if value:
                found[block] = value
    return found
