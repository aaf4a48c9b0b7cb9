"""Interactive elements: finding them in stored blocks, and what they report when a person uses them."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.local.slack.records import Json

Selected = str | Sequence[str] | None
Values = dict[str, dict[str, Json]]

# element type -> where its state says what is chosen, and the field that says what is chosen at first
HOLDS: dict[str, tuple[str, str]] = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", ""),
}
REQUIRED = "Please complete this required field."


def completed(blocks: list[Json]) -> list[Json]:
    """A copy with the ids that Slack gives to blocks and elements that came without."""
    result = copy.deepcopy(blocks)
    for block in result:
        block.setdefault("block_id", uuid.uuid4().hex[:5])
    for _, element in interactive(result):
        element.setdefault("action_id", uuid.uuid4().hex[:5])
    return result


def interactive(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Each block that can be acted on, with each of its elements."""
    for block in blocks:
        match block["type"]:
            case "actions":
                yield from ((block, element) for element in block["elements"])
            case "input":
                yield block, block["element"]
            case "section" if block.get("accessory", {}).get("type", "image") != "image":
                yield block, block["accessory"]


def find(blocks: list[Json], action_id: str, block_id: str | None, value: str | None) -> tuple[Json, Json]:
    """The one element meant; LookupError if there is none, or more than one."""
    found = [
        (block, element)
        for block, element in interactive(blocks)
        if element["action_id"] == action_id
        and block_id in (None, block["block_id"])
        and value in (None, element.get("value"))
    ]
    if len(found) != 1:
        present = [element["action_id"] for _, element in interactive(blocks)]
        raise LookupError(f"{len(found)} elements match {action_id!r}; there are {present}")
    return found[0]


def holding(element: Json, selected: Any) -> Json:
    """The state of an element that holds `selected`; LookupError for an option that it does not offer."""
    kind = element["type"]
    key, _ = HOLDS[kind]
    if key == "selected_option":
        held: Any = None if selected is None else _option(element, selected)
    elif key == "selected_options":
        held = [_option(element, value) for value in selected or []]
    elif kind.startswith("multi_"):
        held = list(selected or [])
    else:
        held = selected
    return {"type": kind, key: held}


def action(block: Json, element: Json, selected: Selected, ts: str) -> Json:
    """What the app is told about the use of an element, from the stored block alone."""
    told: Json = {"action_id": element["action_id"], "block_id": block["block_id"], "action_ts": ts}
    if element["type"] == "button":
        return told | {key: element[key] for key in ("type", "text", "value", "style") if key in element}
    if element["type"] == "overflow":
        return told | {"type": "overflow", "selected_option": _option(element, selected)}
    return told | holding(element, selected)


def initial_state(blocks: list[Json]) -> Values:
    """state.values before anybody touched anything."""
    values: Values = {}
    for block, element in interactive(blocks):
        if element["type"] in HOLDS:
            key, initial = HOLDS[element["type"]]
            empty: Any = [] if key.endswith("s") else None
            held = {"type": element["type"], key: element.get(initial, empty)}
            values.setdefault(block["block_id"], {})[element["action_id"]] = held
    return values


def filled(blocks: list[Json], state: Values, values: Mapping[str, object]) -> Values:
    """`state` with what a person typed or chose, by action_id or block_id; LookupError if there is no such."""
    result = copy.deepcopy(state)
    left = dict(values)
    for block, element in interactive(blocks):
        for name in (element["action_id"], block["block_id"]):
            if element["type"] in HOLDS and name in left:
                result[block["block_id"]][element["action_id"]] = holding(element, left.pop(name))
    if left:
        raise LookupError(f"no inputs named {sorted(left)}; there are {state}")
    return result


def missing(blocks: list[Json], state: Values) -> dict[str, str]:
    """What Slack's own client finds fault with before it submits: block_id -> what it shows."""
    faults = {}
    for block, element in interactive(blocks):
        if block["type"] != "input":
            continue
        held = state[block["block_id"]][element["action_id"]].get(HOLDS[element["type"]][0])
        if held in (None, "", []):
            if not block.get("optional"):
                faults[block["block_id"]] = REQUIRED
        elif isinstance(held, str) and len(held) > element.get("max_length", 3000):
            faults[block["block_id"]] = f"Use at most {element.get('max_length', 3000)} characters."
        elif isinstance(held, str) and len(held) < element.get("min_length", 0):
            faults[block["block_id"]] = f"Use at least {element['min_length']} characters."
    return faults


def _option(element: Json, value: Any) -> Json:
    groups = element.get("option_groups", [])
    options = element.get("options", []) + [option for group in groups for option in group["options"]]
    for option in options:
        if option.get("value") == value:
            found: Json = option
            return found
    raise LookupError(f"{element['action_id']} has no option {value!r}: {[o.get('value') for o in options]}")


def overlaid(fresh: Values, kept: Values) -> Values:
    """`fresh` state, with what `kept` has under the same ids and of the same type."""
    return {
        block_id: {
            action_id: kept[block_id][action_id]
            if kept.get(block_id, {}).get(action_id, {}).get("type") == held["type"]
            else held
            for action_id, held in actions.items()
        }
        for block_id, actions in fresh.items()
    }


def after(state: Values, used: Json) -> Values:
    """`state` once `used`, an action, has been done."""
    if used["type"] not in HOLDS:
        return state
    held = {key: used.get(key) for key in ("type", HOLDS[used["type"]][0])}
    return state | {used["block_id"]: state.get(used["block_id"], {}) | {used["action_id"]: held}}
