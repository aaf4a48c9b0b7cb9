"""Modals and Home tabs: opening, stacking, updating and closing them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.local.slack import limits
from bot.local.slack.block_check import check_view
from bot.local.slack.elements import completed, initial_state, overlaid
from bot.local.slack.records import Json, View, ViewKind
from bot.local.slack.refusal import Refusal, invalid
from bot.local.slack.state import State, new_id


@dataclass
class Trigger:
    """The right to open one modal, soon."""

    user: str
    issued: float
    used: bool = False


class Triggers:
    """The trigger_ids given out in this run."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._issued: dict[str, Trigger] = {}
        self.seconds = limits.TRIGGER_SECONDS  # how long one is good for

    def issue(self, user: str) -> str:
        trigger_id = f"{len(self._issued) + 1}.{self._state.team.id}.{new_id('')}"
        self._issued[trigger_id] = Trigger(user, self._state.clock())
        return trigger_id

    def exchange(self, trigger_id: str) -> Trigger:
        """Use a trigger up."""
        trigger = self._issued.get(trigger_id)
        if trigger is None:
            raise Refusal("invalid_trigger_id")
        if trigger.used:
            raise Refusal("exchanged_trigger_id")
        if self._state.clock() - trigger.issued > self.seconds:
            raise Refusal("expired_trigger_id")
        trigger.used = True
        return trigger


def checked(body: Any, kind: ViewKind) -> Json:
    """The view as sent; refused when it is not a good one of this kind."""
    problems = check_view(body)
    if problems:
        raise invalid("invalid_arguments", problems)
    if body["type"] != kind:
        raise invalid("invalid_arguments", [f"view type `{body['type']}` is not allowed here"])
    if len(json.dumps(body)) > limits.VIEW_BYTES:
        raise Refusal("view_too_large")
    good: Json = body
    return good


def open_modal(state: State, user: str, body: Json) -> View:
    """Show a new modal; one that was open gives way."""
    view = _new(state, user, "modal", body)
    for old in state.view_stack(user):
        _forget(state, old)
    state.stacks[user] = [view.id]
    state.changed("view_opened", user=user, view=view)
    return view


def push(state: State, user: str, body: Json) -> View:
    """Show a modal on top of the open one."""
    stack = state.view_stack(user)
    if not stack:
        raise Refusal("not_found")
    if len(stack) >= limits.VIEW_STACK:
        raise Refusal("push_limit_reached")
    view = _new(state, user, "modal", body)
    view.root_view_id, view.previous_view_id = stack[0].id, stack[-1].id
    state.stacks[user].append(view.id)
    state.changed("view_opened", user=user, view=view)
    return view


def update(state: State, view: View, body: Json, expected_hash: str | None = None) -> View:
    """Put new content in a view. Inputs that keep their ids keep what was typed."""
    if expected_hash not in (None, "", view.hash):
        raise Refusal("hash_conflict")
    _claim_external_id(state, body, view.id)
    blocks = completed(body["blocks"])
    view.body = body | {"blocks": blocks}
    view.state = overlaid(initial_state(blocks), view.state)
    view.hash = _new_hash(state)
    view.external_id = body.get("external_id", "")
    state.changed("home_published" if view.kind == "home" else "view_updated", user=view.user, view=view)
    return view


def publish(state: State, user: str, body: Json, expected_hash: str | None = None) -> View:
    """Show a person's Home tab."""
    shown = state.home(user)
    if shown is not None:
        return update(state, shown, body, expected_hash)
    view = _new(state, user, "home", body)
    state.homes[user] = view.id
    state.changed("home_published", user=user, view=view)
    return view


def close(state: State, view: View, *, clear: bool = False) -> list[View]:
    """Close a modal and what lies on it, or with `clear` the whole stack; what was closed, topmost first."""
    stack = state.view_stack(view.user)
    gone = stack if clear else stack[stack.index(view) :]
    state.stacks[view.user] = [kept.id for kept in stack if kept not in gone]
    for closed in reversed(gone):
        _forget(state, closed)
        state.changed("view_closed", user=closed.user, view=closed)
    return gone[::-1]


def follow(state: State, view: View, answer: Json | None) -> dict[str, str]:
    """Do to the stack what the app answered to a submission; the errors to show, if it answered with some."""
    match answer or {}:
        case {"response_action": "errors", "errors": dict(errors)} if errors:
            return {str(block_id): str(text) for block_id, text in errors.items()}
        case {"response_action": "update", "view": body}:
            update(state, view, checked(body, "modal"))
        case {"response_action": "push", "view": body}:
            push(state, view.user, checked(body, "modal"))
        case {"response_action": "clear"}:
            close(state, view, clear=True)
        case {"response_action": other}:
            raise Refusal(f"invalid response_action {other}")
        case _:
            close(state, view)
    return {}


def _new(state: State, user: str, kind: ViewKind, body: Json) -> View:
    _claim_external_id(state, body, None)
    blocks = completed(body["blocks"])
    view_id = new_id("V")
    view = View(view_id, user, kind, body | {"blocks": blocks}, _new_hash(state), view_id)
    view.external_id = body.get("external_id", "")
    view.state = initial_state(blocks)
    state.views[view_id] = view
    return view


def _claim_external_id(state: State, body: Json, owner: str | None) -> None:
    external_id = body.get("external_id")
    if external_id and any(v.external_id == external_id and v.id != owner for v in state.views.values()):
        raise Refusal("duplicate_external_id")


def _new_hash(state: State) -> str:
    return f"{int(state.clock())}.{new_id('')[:8]}"


def _forget(state: State, view: View) -> None:
    state.views.pop(view.id, None)
