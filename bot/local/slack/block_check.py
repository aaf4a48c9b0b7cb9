"""Finds what Slack would refuse in blocks and views, by the tables of limits.py, in Slack's own words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bot.local.slack import limits
from bot.local.slack.records import Json


@dataclass(frozen=True)
class Problem:
    text: str
    pointer: str

    def __str__(self) -> str:
        return f"{self.text} [json-pointer:{self.pointer}]"


def check_message_blocks(blocks: Any) -> list[Problem]:
    """Problems of a message's blocks; none: Slack takes them."""
    spec = limits.Many(limits.Block(), limits.MESSAGE_BLOCKS, 0)
    problems = list(_check(spec, blocks, "/blocks", "message"))
    if problems:
        return problems
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > limits.MARKDOWN_PER_MESSAGE:
        too_long = f"must be less than {limits.MARKDOWN_PER_MESSAGE + 1} characters"
        problems.append(Problem(f"markdown blocks together {too_long}", "/blocks"))
    return problems + list(_duplicates(blocks, "/blocks"))


def check_view(view: Any) -> list[Problem]:
    """Problems of a modal or Home view."""
    if not isinstance(view, dict):
        return [Problem("must provide an object", "/view")]
    kind = view.get("type")
    if kind not in limits.VIEWS:
        return [Problem("missing required field: type", "/view") if kind is None else _unsupported(kind, "/view")]
    problems = list(_check(limits.VIEWS[kind], view, "/view", kind))
    if problems:
        return problems
    if kind == "modal" and "submit" not in view and any(b["type"] == "input" for b in view["blocks"]):
        problems.append(Problem("submit is required when an input block is within blocks array", "/view"))
    return problems + list(_duplicates(view["blocks"], "/view/blocks"))


def _unsupported(kind: object, pointer: str) -> Problem:
    return Problem(f"unsupported type: {kind}", f"{pointer}/type")


def _check(spec: limits.Spec, value: Any, at: str, surface: limits.Surface) -> Iterator[Problem]:
    match spec:
        case limits.Str():
            yield from _check_string(spec, value, at)
        case limits.Flag() if not isinstance(value, bool):
            yield Problem("must provide a boolean", at)
        case limits.Whole():
            if isinstance(value, bool) or not isinstance(value, int) or not spec.least <= value <= spec.most:
                yield Problem(f"must be an integer from {spec.least} to {spec.most}", at)
        case limits.Text():
            yield from _check_text(spec, value, at)
        case limits.Many():
            yield from _check_list(spec, value, at, surface)
        case limits.Shape():
            yield from _check_object(spec, value, at, surface)
        case limits.Element():
            table = {name: limits.ELEMENTS[name] for name in spec.types}
            yield from _check_typed(table, value, at, surface)
        case limits.Block():
            gone = () if surface == "message" else limits.MESSAGE_ONLY
            table = {name: shape for name, shape in limits.BLOCKS.items() if name not in gone}
            yield from _check_typed(table, value, at, surface, {"block_id": limits.ID})


def _check_string(spec: limits.Str, value: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem("must provide a string", at)
    elif spec.choices:
        if value not in spec.choices:
            yield Problem(f"must be one of: {', '.join(spec.choices)}", at)
    elif len(value) > spec.most:
        yield Problem(f"must be less than {spec.most + 1} characters", at)
    elif len(value) < spec.least:
        yield Problem(f"must be more than {spec.least - 1} characters", at)


def _check_text(spec: limits.Text, value: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem("must provide an object", at)
    elif value.get("type") not in spec.kinds:
        yield _unsupported(value.get("type"), at)
    else:
        extra = "emoji" if value["type"] == "plain_text" else "verbatim"
        shape = limits.Shape({"text": limits.Str(spec.most, least=1)}, {extra: limits.Flag()})
        yield from _check_object(shape, value, at, "message")


def _check_list(spec: limits.Many, value: Any, at: str, surface: limits.Surface) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem("must provide an array", at)
    elif len(value) > spec.most:
        yield Problem(f"no more than {spec.most} items allowed", at)
    elif len(value) < spec.least:
        yield Problem(f"no less than {spec.least} items allowed", at)
    else:
        for place, item in enumerate(value):
            yield from _check(spec.of, item, f"{at}/{place}", surface)


def _check_object(spec: limits.Shape, value: Any, at: str, surface: limits.Surface) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem("must provide an object", at)
        return
    for name in spec.required:
        if name not in value:
            yield Problem(f"missing required field: {name}", at)
    if spec.one_of and not any(name in value for name in spec.one_of):
        yield Problem(f"must define one of: {', '.join(spec.one_of)}", at)
    fields = spec.required | spec.optional
    for name, item in value.items():
        if name in fields:
            yield from _check(fields[name], item, f"{at}/{name}", surface)
        elif name != "type":
            yield Problem(f"invalid additional property: {name}", at)


def _check_typed(
    table: dict[str, limits.Shape],
    value: Any,
    at: str,
    surface: limits.Surface,
    common: dict[str, limits.Spec] | None = None,
) -> Iterator[Problem]:
    """An object whose `type` says which shape it has; `common` fields may be in any of them."""
    if not isinstance(value, dict):
        yield Problem("must provide an object", at)
    elif value.get("type") not in table:
        yield _unsupported(value.get("type"), at)
    else:
        shape = table[value["type"]]
        yield from _check_object(replace(shape, optional=shape.optional | (common or {})), value, at, surface)


def _duplicates(blocks: list[Json], at: str) -> Iterator[Problem]:
    """A block_id is unique in its message or view; an action_id in its block."""
    seen: set[str] = set()
    for place, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            yield Problem(f"block_id `{block_id}` already exists", f"{at}/{place}/block_id")
        if block_id is not None:
            seen.add(block_id)
        actions: set[str] = set()
        for n, element in enumerate(block.get("elements", [])):
            action_id = element.get("action_id") if block["type"] == "actions" else None
            if action_id in actions:
                yield Problem(f"action_id `{action_id}` already exists", f"{at}/{place}/elements/{n}/action_id")
            if action_id is not None:
                actions.add(action_id)
