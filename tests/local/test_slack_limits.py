"""Each limit of Slack: what is at it passes, what is one over is refused, through the real SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.local.slack import block_check, limits
from tests.local.slack_bed import web_client, workspace

Json = dict[str, Any]
DIVIDER = {"type": "divider"}


def plain(n: int) -> Json:
    return {"type": "plain_text", "text": "x" * n}


def mrkdwn(n: int) -> Json:
    return {"type": "mrkdwn", "text": "x" * n}


def options(n: int, text: int = 1, value: int = 5) -> list[Json]:
    return [{"text": plain(text), "value": f"{i:0{value}}"} for i in range(n)]


def button(**fields: Any) -> Json:
    return {"type": "actions", "elements": [{"type": "button", "text": plain(1), **fields}]}


def select(**fields: Any) -> Json:
    return {"type": "actions", "elements": [{"type": "static_select", "options": options(1), **fields}]}


def element(kind: str, n: int) -> Json:
    return {"type": "section", "text": plain(1), "accessory": {"type": kind, "options": options(n)}}


def confirm(**fields: Any) -> Json:
    texts = {"title": plain(1), "text": plain(1), "confirm": plain(1), "deny": plain(1)}
    return button(confirm=texts | fields)


def groups(n: int) -> Json:
    group = {"label": plain(1), "options": options(1)}
    return {"type": "actions", "elements": [{"type": "static_select", "option_groups": [group] * n}]}


def modal(**fields: Any) -> Json:
    return {"type": "modal", "title": plain(1), "blocks": [DIVIDER], **fields}


def input_block(**fields: Any) -> Json:
    return {"type": "input", "label": plain(1), "element": {"type": "plain_text_input"}, **fields}


# what is limited -> (the most, a block that has n of it, where Slack finds fault)
BLOCKS: dict[str, tuple[int, Callable[[int], Json], str]] = {
    "section text": (3000, lambda n: {"type": "section", "text": mrkdwn(n)}, "/0/text/text"),
    "section fields": (10, lambda n: {"type": "section", "fields": [plain(1)] * n}, "/0/fields"),
    "field": (2000, lambda n: {"type": "section", "fields": [plain(n)]}, "/0/fields/0/text"),
    "header": (150, lambda n: {"type": "header", "text": plain(n)}, "/0/text/text"),
    "context elements": (10, lambda n: {"type": "context", "elements": [mrkdwn(1)] * n}, "/0/elements"),
    "actions elements": (
        25,
        lambda n: {"type": "actions", "elements": [{"type": "button", "text": plain(1)}] * n},
        "/0/elements",
    ),
    "markdown": (12_000, lambda n: {"type": "markdown", "text": "x" * n}, "/0/text"),
    "block_id": (255, lambda n: DIVIDER | {"block_id": "x" * n}, "/0/block_id"),
    "action_id": (255, lambda n: button(action_id="x" * n), "/0/elements/0/action_id"),
    "button text": (75, lambda n: button(text=plain(n)), "/0/elements/0/text/text"),
    "button value": (2000, lambda n: button(value="x" * n), "/0/elements/0/value"),
    "button url": (3000, lambda n: button(url="x" * n), "/0/elements/0/url"),
    "select options": (100, lambda n: select(options=options(n)), "/0/elements/0/options"),
    "option text": (75, lambda n: select(options=options(1, n)), "/0/elements/0/options/0/text/text"),
    "option value": (150, lambda n: select(options=options(1, 1, n)), "/0/elements/0/options/0/value"),
    "option groups": (100, groups, "/0/elements/0/option_groups"),
    "placeholder": (150, lambda n: select(placeholder=plain(n)), "/0/elements/0/placeholder/text"),
    "overflow options": (5, lambda n: element("overflow", n), "/0/accessory/options"),
    "checkboxes": (10, lambda n: element("checkboxes", n), "/0/accessory/options"),
    "radio buttons": (10, lambda n: element("radio_buttons", n), "/0/accessory/options"),
    "confirm title": (100, lambda n: confirm(title=plain(n)), "/0/elements/0/confirm/title/text"),
    "confirm text": (300, lambda n: confirm(text=plain(n)), "/0/elements/0/confirm/text/text"),
    "confirm": (30, lambda n: confirm(confirm=plain(n)), "/0/elements/0/confirm/confirm/text"),
    "deny": (30, lambda n: confirm(deny=plain(n)), "/0/elements/0/confirm/deny/text"),
    "input label": (2000, lambda n: input_block(label=plain(n)), "/0/label/text"),
    "input hint": (2000, lambda n: input_block(hint=plain(n)), "/0/hint/text"),
}
VIEWS: dict[str, tuple[int, Callable[[int], Json], str]] = {
    "blocks": (100, lambda n: modal(blocks=[DIVIDER] * n), "/view/blocks"),
    "title": (24, lambda n: modal(title=plain(n)), "/view/title/text"),
    "submit": (24, lambda n: modal(submit=plain(n)), "/view/submit/text"),
    "close": (24, lambda n: modal(close=plain(n)), "/view/close/text"),
    "private_metadata": (3000, lambda n: modal(private_metadata="x" * n), "/view/private_metadata"),
    "callback_id": (255, lambda n: modal(callback_id="x" * n), "/view/callback_id"),
    "external_id": (255, lambda n: modal(external_id="x" * n), "/view/external_id"),
}


@pytest.mark.parametrize("name", BLOCKS)
async def test_block_limit(name: str) -> None:
    most, block, pointer = BLOCKS[name]
    async with workspace() as world:
        client = web_client(world)
        await client.chat_postMessage(channel="C0DEV", text="x", blocks=[block(most)])
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel="C0DEV", text="x", blocks=[block(most + 1)])
    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    [message] = answer["response_metadata"]["messages"]
    assert message.startswith("[ERROR] ") and message.endswith(f" [json-pointer:/blocks{pointer}]")


@pytest.mark.parametrize("name", VIEWS)
async def test_view_limit(name: str) -> None:
    most, view, pointer = VIEWS[name]
    async with workspace() as world:
        client = web_client(world)
        await client.views_open(trigger_id=world.triggers.issue("U0DEV"), view=view(most))
        with pytest.raises(SlackApiError) as refused:
            await client.views_open(trigger_id=world.triggers.issue("U0DEV"), view=view(most + 1))
    answer = refused.value.response
    assert answer["error"] == "invalid_arguments"
    [message] = answer["response_metadata"]["messages"]
    assert message.endswith(f" [json-pointer:{pointer}]")


async def test_message_limits() -> None:
    async with workspace() as world:
        client = web_client(world)

        async def refusal(**args: Any) -> Any:
            with pytest.raises(SlackApiError) as refused:
                await client.chat_postMessage(channel="C0DEV", **args)
            return refused.value.response["error"]

        await client.chat_postMessage(channel="C0DEV", text="x" * 40_000)
        assert await refusal(text="x" * 40_001) == "msg_too_long"
        await client.chat_postMessage(channel="C0DEV", text="x", blocks=[DIVIDER] * 50)
        assert await refusal(text="x", blocks=[DIVIDER] * 51) == "invalid_blocks"
        markdown = {"type": "markdown", "text": "x" * 6_001}
        assert await refusal(text="x", blocks=[markdown, markdown]) == "invalid_blocks"
        with pytest.raises(SlackApiError, match="no_text"):
            await client.api_call("chat.postMessage", json={"channel": "C0DEV"})
        assert await refusal(text="x", blocks="[{") == "invalid_blocks_format"
        assert await refusal(text="x", metadata={"event_type": 1}) == "invalid_metadata_format"
        assert await refusal(text="x", metadata={"event_type": "orch"}) == "invalid_metadata_schema"
        payload = {"event_type": "orch", "event_payload": {"key": "x" * 8_000}}
        assert await refusal(text="x", metadata=payload) == "metadata_too_large"
        assert await refusal(text="x", attachments=[{"text": "x"}] * 101) == "too_many_attachments"


async def test_home_takes_a_hundred_blocks_and_a_view_250_kilobytes() -> None:
    async with workspace() as world:
        client = web_client(world)
        await client.views_publish(user_id="U0DEV", view={"type": "home", "blocks": [DIVIDER] * 100})
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            await client.views_publish(user_id="U0DEV", view={"type": "home", "blocks": [DIVIDER] * 101})
        section = {"type": "section", "text": mrkdwn(2950)}
        with pytest.raises(SlackApiError, match="view_too_large"):
            await client.views_publish(user_id="U0DEV", view={"type": "home", "blocks": [section] * 90})


async def test_a_modal_stack_has_three_views() -> None:
    async with workspace() as world:
        client = web_client(world)
        await client.views_open(trigger_id=world.triggers.issue("U0DEV"), view=modal())
        for _ in range(2):
            await client.views_push(trigger_id=world.triggers.issue("U0DEV"), view=modal())
        with pytest.raises(SlackApiError, match="push_limit_reached"):
            await client.views_push(trigger_id=world.triggers.issue("U0DEV"), view=modal())
    assert len(world.view_stack("U0DEV")) == 3


REFUSED: dict[str, tuple[Any, str]] = {
    "no object": ("x", "must provide an object"),
    "unknown block": ({"type": "poster"}, "unsupported type: poster"),
    "wrong text type": ({"type": "header", "text": mrkdwn(1)}, "unsupported type: mrkdwn"),
    "text as string": ({"type": "section", "text": "x"}, "must provide an object"),
    "empty text": ({"type": "section", "text": mrkdwn(0)}, "must be more than 0 characters"),
    "neither text nor fields": ({"type": "section"}, "must define one of: text, fields"),
    "missing": ({"type": "header"}, "missing required field: text"),
    "extra": (DIVIDER | {"colour": "red"}, "invalid additional property: colour"),
    "style": (button(style="loud"), "must be one of: primary, danger"),
    "no elements": ({"type": "actions", "elements": []}, "no less than 1 items allowed"),
    "misplaced": ({"type": "context", "elements": [button()["elements"][0]]}, "unsupported type: button"),
    "flag": (input_block(optional="yes"), "must provide a boolean"),
    "number": (
        input_block(element={"type": "plain_text_input", "max_length": 3001}),
        "must be an integer from 1 to 3000",
    ),
    "same action_id twice": (
        {"type": "actions", "elements": [button(action_id="a")["elements"][0]] * 2},
        "action_id `a` already exists",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_block(name: str) -> None:
    block, text = REFUSED[name]
    assert [problem.text for problem in block_check.check_message_blocks([block])] == [text]


def test_block_ids_are_unique_and_inputs_need_a_submit_button() -> None:
    twice = [DIVIDER | {"block_id": "a"}] * 2
    assert [p.pointer for p in block_check.check_message_blocks(twice)] == ["/blocks/1/block_id"]
    assert [p.text for p in block_check.check_view(modal(blocks=[input_block()]))] == [
        "submit is required when an input block is within blocks array"
    ]
    markdown = modal(blocks=[{"type": "markdown", "text": "x"}])
    assert [p.text for p in block_check.check_view(markdown)] == ["unsupported type: markdown"]
    assert [p.text for p in block_check.check_view({"blocks": []})] == ["missing required field: type"]


def test_newer_blocks_are_taken() -> None:
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}
    task = {"type": "task_card", "task_id": "1", "title": "Tidy", "status": "in_progress", "details": rich}
    blocks = [
        rich,
        task,
        {"type": "plan", "title": "Sprint", "tasks": [task]},
        {"type": "alert", "text": plain(5), "level": "warning"},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]], "column_settings": []},
        {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
    ]
    assert block_check.check_message_blocks(blocks) == []


def test_every_element_of_the_sdk_is_known() -> None:
    """slack_sdk's element classes name no type that the tables lack, but those that need no Orch."""
    from slack_sdk.models.blocks import block_elements

    known = {getattr(item, "type", None) for item in vars(block_elements).values() if isinstance(item, type)}
    beyond = {"feedback_buttons", "icon_button", "workflow_button", "url"}
    named = {kind for kind in known if isinstance(kind, str) and not kind.startswith("rich_text")}
    assert named - beyond <= set(limits.ELEMENTS)
