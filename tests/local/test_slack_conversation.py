"""People and a real Bolt app talk, over Socket Mode and over HTTP alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from bot.local.slack import Channel, Seed, World
from bot.local.slack.seed import default_channels
from tests.local.slack_bed import bolt_app, by_http, by_socket, workspace

Wiring = Callable[[AsyncApp], Any]

BUTTONS = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Merge?"}},
    {
        "type": "actions",
        "block_id": "card",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "value": "task-1",
                "text": {"type": "plain_text", "text": "Approve merge"},
            },
            {
                "type": "static_select",
                "action_id": "rung",
                "options": [
                    {"text": {"type": "plain_text", "text": name}, "value": name} for name in ("haiku", "opus")
                ],
            },
        ],
    },
]
MODAL = {
    "type": "modal",
    "callback_id": "assign",
    "private_metadata": "C0DEV",
    "title": {"type": "plain_text", "text": "New task"},
    "submit": {"type": "plain_text", "text": "Create"},
    "blocks": [
        {
            "type": "input",
            "block_id": "what",
            "label": {"type": "plain_text", "text": "What"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
        {
            "type": "input",
            "block_id": "owner",
            "optional": True,
            "label": {"type": "plain_text", "text": "Owner"},
            "element": {"type": "users_select", "action_id": "user", "initial_user": "U0DEV"},
        },
    ],
}


async def ignore(event: dict[str, Any]) -> None:
    pass


@pytest.fixture(params=["socket", "http"])
def connected(request: pytest.FixtureRequest) -> Any:
    """`async with connected(wire) as world`: a world whose app was wired by `wire`."""

    @asynccontextmanager
    async def connect(wire: Wiring, seed: Seed | None = None) -> AsyncIterator[World]:
        async with workspace(seed=seed) as world:
            app = bolt_app(world)
            wire(app)
            app.event("message")(ignore)  # what nobody hears is not acknowledged
            async with (by_socket if request.param == "socket" else by_http)(world, app):
                yield world

    return connect


async def test_a_command_is_answered_privately_and_arrives_escaped(connected: Any) -> None:
    heard: list[dict[str, Any]] = []

    def wire(app: AsyncApp) -> None:
        @app.command("/orch")
        async def orch(ack: Any, body: dict[str, Any], respond: Any) -> None:
            heard.append(body)
            await ack("Working on it")
            await respond(text="done", response_type="in_channel")

    async with connected(wire) as world:
        delivery = await world.run_command("U0DEV", "C0DEV", "/orch", "assign a < b --owner @lead in #granter-dev")
        assert delivery.acked and delivery.attempts == 1
        assert heard[0]["text"] == "assign a &lt; b --owner <@U0LEAD|lead> in <#C0DEV|granter-dev>"
        assert (heard[0]["user_id"], heard[0]["channel_id"]) == ("U0DEV", "C0DEV")
        await world.wait_for(lambda c: c.kind == "message_posted" and c.message.text == "done")
        assert {m.text for m in world.messages("C0DEV", "U0DEV")} == {"Working on it", "done"}
        assert [m.text for m in world.messages("C0DEV", "U0LEAD")] == ["done"]


async def test_a_click_carries_what_was_stored_and_updates_the_card(connected: Any) -> None:
    heard: list[dict[str, Any]] = []

    def wire(app: AsyncApp) -> None:
        @app.event("app_mention")
        async def card(say: Any) -> None:
            await say(text="Merge?", blocks=BUTTONS)

        @app.action("approve")
        async def approve(ack: Any, body: dict[str, Any], respond: Any) -> None:
            await ack()
            heard.append(body)
            await respond(text="merged", replace_original=True)

        @app.action("rung")
        async def rung(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            heard.append(body)

    async with connected(wire) as world:
        await world.post_message("U0DEV", "C0DEV", "@orch card please")
        card = (await world.wait_for(lambda c: c.message is not None and c.message.bot_id is not None)).message
        await world.click("U0LEAD", "C0DEV", card.ts, "rung", selected="opus")
        assert (await world.click("U0LEAD", "C0DEV", card.ts, "approve")).acked
        first, second = heard
        assert first["actions"][0]["selected_option"]["value"] == "opus"
        assert second["actions"][0]["value"] == "task-1"
        assert second["state"]["values"]["card"]["rung"]["selected_option"]["value"] == "opus"
        assert second["container"] == {
            "type": "message",
            "message_ts": card.ts,
            "channel_id": "C0DEV",
            "is_ephemeral": False,
        }
        assert second["message"]["blocks"][1]["block_id"] == "card"
        await world.wait_for(lambda c: c.kind == "message_changed" and c.message.text == "merged")
        assert world.message("C0DEV", card.ts).blocks == []
        with pytest.raises(LookupError):
            await world.click("U0LEAD", "C0DEV", card.ts, "approve")


async def test_a_modal_opens_refuses_and_closes(connected: Any) -> None:
    submitted: list[dict[str, Any]] = []

    def wire(app: AsyncApp) -> None:
        @app.shortcut("new_task")
        async def new_task(ack: Any, body: dict[str, Any], client: Any) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

        @app.view("assign")
        async def assign(ack: Any, view: dict[str, Any]) -> None:
            submitted.append(view)
            text = view["state"]["values"]["what"]["text"]["value"]
            await ack(response_action="errors", errors={"what": "too vague"}) if text == "x" else await ack()

    async with connected(wire) as world:
        await world.global_shortcut("U0DEV", "new_task")
        view = (await world.wait_for(lambda c: c.kind == "view_opened")).view
        assert (await world.submit_view("U0DEV", view.id)).errors == {"what": "Please complete this required field."}
        assert (await world.submit_view("U0DEV", view.id, {"what": "x"})).errors == {"what": "too vague"}
        assert world.open_view("U0DEV").id == view.id
        delivery = await world.submit_view("U0DEV", view.id, {"text": "tidy up", "user": "U0LEAD"})
        assert delivery.acked and not delivery.errors and world.view_stack("U0DEV") == []
        assert submitted[-1]["private_metadata"] == "C0DEV"
        assert submitted[0]["state"]["values"]["owner"]["user"]["selected_user"] == "U0DEV"
        assert submitted[1]["state"]["values"]["owner"]["user"]["selected_user"] == "U0LEAD"


async def test_modals_stack_update_and_clear(connected: Any) -> None:
    def titled(name: str) -> dict[str, Any]:
        return MODAL | {"callback_id": name, "title": {"type": "plain_text", "text": name}, "notify_on_close": True}

    closed: list[str] = []

    def wire(app: AsyncApp) -> None:
        @app.shortcut("make_task")
        async def make_task(ack: Any, body: dict[str, Any], client: Any) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=titled(body["message"]["text"]))

        @app.view("one")
        async def one(ack: Any) -> None:
            await ack(response_action="push", view=titled("two"))

        @app.view("two")
        async def two(ack: Any) -> None:
            await ack(response_action="update", view=titled("three"))

        @app.view("three")
        async def three(ack: Any) -> None:
            await ack(response_action="clear")

        @app.view_closed("two")
        async def gone(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            closed.append(body["view"]["callback_id"])

    async with connected(wire) as world:
        ts = (await world.post_message("U0DEV", "C0DEV", "one")).ts
        await world.message_shortcut("U0DEV", "make_task", "C0DEV", ts)
        first = (await world.wait_for(lambda c: c.kind == "view_opened")).view
        await world.submit_view("U0DEV", first.id, {"text": "a"})
        second = world.open_view("U0DEV")
        assert (second.body["callback_id"], second.previous_view_id, second.root_view_id) == ("two", first.id, first.id)
        await world.close_view("U0DEV", second.id)
        assert closed == ["two"] and world.open_view("U0DEV").id == first.id
        await world.submit_view("U0DEV", first.id)
        second = world.open_view("U0DEV")
        await world.submit_view("U0DEV", second.id, {"text": "kept"})
        assert world.open_view("U0DEV").body["callback_id"] == "three"
        assert world.open_view("U0DEV").state["what"]["text"]["value"] == "kept"
        await world.submit_view("U0DEV", second.id)
        assert world.view_stack("U0DEV") == []


async def test_messages_reach_the_app_where_it_is_a_member(connected: Any) -> None:
    heard: list[tuple[str, str]] = []

    def wire(app: AsyncApp) -> None:
        @app.event("message")
        async def message(event: dict[str, Any]) -> None:
            heard.append((event["channel_type"], event["text"]))

        @app.event("app_mention")
        async def mention(event: dict[str, Any]) -> None:
            heard.append(("mention", event["text"]))
            [section] = event["blocks"][0]["elements"]
            assert section["elements"][1] == {"type": "user", "user_id": "U0ORCH"}

    secret = Channel("C0PRIV", "secret", "private", ["U0DEV", "U0ORCH"])
    async with connected(wire, Seed(channels=[*default_channels(), secret])) as world:
        parent = await world.post_message("U0DEV", "C0DEV", "hello @orch")
        await world.post_message("U0LEAD", "C0DEV", "a reply", thread_ts=parent.ts)
        await world.post_message("U0DEV", "C0PRIV", "psst")
        await world.post_message("U0DEV", "U0ORCH", "directly")
        assert (await world.post_message("U0DEV", "C0RANDOM", "unheard")).attempts == 0
        await world.settled()
    assert sorted(heard) == [
        ("channel", "a reply"),
        ("channel", "hello <@U0ORCH>"),
        ("group", "psst"),
        ("im", "directly"),
        ("mention", "hello <@U0ORCH>"),
    ]
    assert world.message("C0DEV", parent.ts).reply_count == 1
    assert [m.text for m in world.thread("C0DEV", parent.ts)] == ["hello <@U0ORCH>", "a reply"]
    assert [m.text for m in world.messages("D0DEV", "U0DEV")] == ["directly"]
    assert world.messages("C0PRIV", "U0LEAD") == []


async def test_the_home_tab_is_published_and_clicked(connected: Any) -> None:
    clicked: list[dict[str, Any]] = []

    def wire(app: AsyncApp) -> None:
        @app.event("app_home_opened")
        async def home(event: dict[str, Any], client: Any) -> None:
            await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": BUTTONS})

        @app.action("approve")
        async def approve(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            clicked.append(body)

    async with connected(wire) as world:
        await world.open_home("U0TWO")
        view = (await world.wait_for(lambda c: c.kind == "home_published")).view
        assert world.home("U0TWO").id == view.id and world.home("U0DEV") is None
        await world.click_in_view("U0TWO", view.id, "approve")
        assert clicked[0]["view"]["type"] == "home" and clicked[0]["container"]["view_id"] == view.id
        with pytest.raises(LookupError):
            await world.click_in_view("U0DEV", view.id, "approve")


async def test_an_ephemeral_is_seen_and_clicked_by_one_person_only(connected: Any) -> None:
    heard: list[dict[str, Any]] = []

    def wire(app: AsyncApp) -> None:
        @app.command("/orch")
        async def orch(ack: Any, client: Any) -> None:
            await ack()
            await client.chat_postEphemeral(channel="C0DEV", user="U0DEV", text="Sure?", blocks=BUTTONS)

        @app.action("approve")
        async def approve(ack: Any, body: dict[str, Any], respond: Any) -> None:
            await ack()
            heard.append(body)
            await respond(delete_original=True)

    async with connected(wire) as world:
        await world.run_command("U0DEV", "C0DEV", "/orch", "cancel 1")
        message = (await world.wait_for(lambda c: c.kind == "ephemeral_posted")).message
        assert world.messages("C0DEV", "U0LEAD") == [] and world.messages("C0DEV") == []
        with pytest.raises(LookupError):
            await world.click("U0LEAD", "C0DEV", message.ts, "approve")
        await world.click("U0DEV", "C0DEV", message.ts, "approve", forge={"value": "task-2"})
        assert heard[0]["container"]["is_ephemeral"] and "message" not in heard[0]
        assert heard[0]["actions"][0]["value"] == "task-2"
        await world.wait_for(lambda c: c.kind == "ephemeral_deleted")
        assert world.ephemerals("U0DEV") == []


async def test_people_cannot_do_what_slack_would_not_offer() -> None:
    async with workspace() as world:
        with pytest.raises(PermissionError):
            await world.post_message("U0ORCH", "C0DEV", "I am a bot")
        with pytest.raises(LookupError):
            await world.global_shortcut("U0DEV", "no_such")
        assert (await world.run_command("U0DEV", "C0DEV", "/nope")).error == "unknown_command"
        world.channels["C0DEV"].is_archived = True
        with pytest.raises(PermissionError):
            await world.run_command("U0DEV", "C0DEV", "/orch")
