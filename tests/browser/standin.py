"""A small Bolt app that stands in for the product: a task card, a modal, a Home tab, replies in the thread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.local.page import add_page
from bot.local.slack import AppConfig, Channel, Command, Seed, Shortcut, SlackServer, User, World
from bot.local.slack.seed import default_channels, default_users
from tests.local.slack_bed import bolt_app, by_socket

Json = dict[str, Any]
TEMPLATES = Path(__file__).parents[2] / "templates"
USAGE = "assign <what> [--files a,b] [--priority high] | list | status ID | help"
CHANNEL = "C0DEV"
ANSWER_SECONDS = 5.0  # Slack waits 3 s, a busy machine longer

DIFF = """diff --git a/src/auth/jwt.ts b/src/auth/jwt.ts
--- a/src/auth/jwt.ts
+++ b/src/auth/jwt.ts
@@ -12,7 +12,9 @@ export function verify(token: string) {
   const [header, payload, signature] = token.split('.')
-  return decode(payload)
+  if (!timingSafeEqual(sign(header, payload), signature))
+    throw new UnauthorizedError('bad signature')
+  return decode(payload)
 }
"""


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": True}


def button(action: str, text: str, style: str = "", **more: Any) -> Json:
    styled = {"style": style} if style else {}
    return {"type": "button", "action_id": action, "text": plain(text), "value": "S1-D1-2", **styled, **more}


def option(value: str, text: str) -> Json:
    return {"text": plain(text), "value": value}


def card(state: str = "awaiting approval", votes: str = "0 of 2") -> list[Json]:
    confirm = {
        "title": plain("Merge S1-D1-2?"),
        "text": mrkdwn("Commit 4f2c91a goes to main."),
        "confirm": plain("Merge it"),
        "deny": plain("Not yet"),
    }
    more = {
        "type": "overflow",
        "action_id": "more",
        "options": [option("why", "Why this model?"), option("takeover", "Take over")],
    }
    rung = {
        "type": "static_select",
        "action_id": "rung",
        "placeholder": plain("Reassign to…"),
        "options": [option("sonnet", "sonnet"), option("opus", "opus"), option("manual", "a person")],
    }
    actions = [
        button("approve", "Approve merge", "primary"),
        button("changes", "Request changes"),
        button("reject", "Reject", "danger", confirm=confirm),
        rung,
        more,
    ]
    icon = ":lock:" if state == "awaiting approval" else ":white_check_mark:"
    blocks: list[Json] = [
        {"type": "header", "text": plain(f"{icon} S1-D1-2 · Verify JWT signatures")},
        {"type": "section", "text": mrkdwn(f"*{state.capitalize()}* · security · asked by <@U0DEV>, for <@U0LEAD>")},
        {
            "type": "section",
            "fields": [
                mrkdwn("*Model*\nsonnet · attempt 1"),
                mrkdwn("*Cost*\n$0.021 of at most $0.060"),
                mrkdwn("*Checks*\n:large_green_circle: `npm test` 42 passed in 11 s"),
                mrkdwn("*AI review*\n:mag: gemini approves, 9.1 of 10"),
                mrkdwn("*Change*\n`src/auth/jwt.ts` +3 −1"),
                mrkdwn(f"*Approvals*\n{votes} · two for security paths"),
            ],
        },
        {"type": "context", "elements": [mrkdwn("commit `4f2c91a` · branch `orch/S1-D1-2` · sprint 1 at 31 %")]},
    ]
    if state == "awaiting approval":
        blocks.append({"type": "actions", "block_id": "card-actions", "elements": actions})
    return blocks


def modal(what: str = "") -> Json:
    def field(name: str, label: str, element: Json, **more: Any) -> Json:
        return {"type": "input", "block_id": name, "label": plain(label), "element": element, **more}

    models = [option("auto", "Cheapest that suffices"), option("haiku", "haiku"), option("sonnet", "sonnet")]
    text = {"type": "plain_text_input", "action_id": "v", "multiline": True, "placeholder": plain("One outcome…")}
    return {
        "type": "modal",
        "callback_id": "assign",
        "title": plain("New task"),
        "submit": plain("Assign"),
        "close": plain("Cancel"),
        "blocks": [
            field("what", "What should be done?", text | ({"initial_value": what} if what else {})),
            field(
                "model",
                "Model",
                {"type": "static_select", "action_id": "v", "options": models, "initial_option": models[0]},
                dispatch_action=True,
            ),
            field(
                "budget",
                "Token budget",
                {"type": "number_input", "action_id": "v", "is_decimal_allowed": False, "initial_value": "2000"},
                hint=plain("Per attempt, repair included."),
            ),
            field(
                "flags",
                "Handling",
                {"type": "checkboxes", "action_id": "v", "options": [option("security", "Security-critical")]},
                optional=True,
            ),
            field("owner", "Owner", {"type": "users_select", "action_id": "v"}, optional=True),
            field("by", "Deadline", {"type": "datetimepicker", "action_id": "v"}, optional=True),
        ],
    }


def home() -> Json:
    waiting = mrkdwn("*Waiting for you*\n• S1-D1-2 Verify JWT signatures")
    blocks = [
        {"type": "header", "text": plain(":rocket: GRANTER v2, sprint 1")},
        {"type": "section", "text": waiting, "accessory": button("refresh", "Refresh")},
        {"type": "divider"},
        {"type": "context", "elements": [mrkdwn("3,900 of 30,000 tokens today")]},
    ]
    return {"type": "home", "blocks": blocks}


def product(world: World) -> AsyncApp:
    """The app's listeners. What it was told is kept in `app.told`."""
    app = bolt_app(world)
    told: list[Json] = []
    app.told = told  # type: ignore[attr-defined]

    @app.command("/orch")
    async def command(ack: Any, body: Json, client: Any, respond: Any) -> None:
        text = body["text"]
        if text == "silence":
            return
        await ack()
        if not text:
            await client.views_open(trigger_id=body["trigger_id"], view=modal())
        elif text.startswith("assign "):
            await client.chat_postMessage(channel=body["channel_id"], text=text, blocks=card())
        else:
            await respond(f"I do not know “{text}”. Try `/orch assign <what>`.")

    @app.action("approve")
    async def approve(ack: Any, body: Json, client: Any) -> None:
        await ack()
        told.append(body)
        where = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        await client.chat_update(**where, text="merged", blocks=card("merged", "2 of 2"))

    @app.action("reject")
    @app.action("rung")
    @app.action("more")
    @app.action("changes")
    async def note(ack: Any, body: Json, respond: Any) -> None:
        await ack()
        told.append(body)
        action = body["actions"][0]
        chosen = (action.get("selected_option") or {}).get("value", "")
        await respond(f"noted: {action['action_id']} {chosen}", replace_original=False, response_type="ephemeral")

    @app.action("v")
    async def chosen(ack: Any, body: Json, client: Any) -> None:
        await ack()
        view = modal()
        view["blocks"].insert(2, {"type": "context", "block_id": "quote", "elements": [mrkdwn("about $0.004")]})
        await client.views_update(view_id=body["view"]["id"], view=view)

    @app.view("assign")
    async def submitted(ack: Any, body: Json, client: Any) -> None:
        values = body["view"]["state"]["values"]
        if len(values["what"]["v"]["value"]) < 10:
            await ack(response_action="errors", errors={"what": "Say a little more: at least 10 characters."})
            return
        await ack()
        told.append(body)
        await client.chat_postMessage(channel=CHANNEL, text="assigned", blocks=card())

    @app.shortcut("make_task")
    async def make_task(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(body["message"]["text"]))

    @app.shortcut("new_task")
    async def new_task(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    @app.event("app_home_opened")
    async def opened(body: Json, client: Any) -> None:
        await client.views_publish(user_id=body["event"]["user"], view=home())

    @app.event("message")
    async def steered(body: Json, client: Any) -> None:
        event = body["event"]
        if event.get("thread_ts") and not event.get("bot_id") and "subtype" not in event:
            where = {"channel": event["channel"], "thread_ts": event["thread_ts"]}
            await client.chat_postMessage(**where, text=f"Understood: _{event['text']}_")

    return app


def a_seed() -> Seed:
    channels = [*default_channels(), Channel("C0INC", "incidents", "private", ["U0DEV", "U0LEAD", "U0ORCH"])]
    return Seed(users=[*default_users(), User("U0X", "x", '<img src=x onerror="window.hacked=1">')], channels=channels)


@asynccontextmanager
async def rehearsal() -> AsyncIterator[tuple[World, AsyncApp]]:
    """A served World with its page, and the stand-in connected to it."""
    config = AppConfig(
        commands=[Command("/orch", "Coordinate AI coding work", USAGE)],
        global_shortcuts=[Shortcut("new_task", "New task")],
        message_shortcuts=[Shortcut("make_task", "Make this a task")],
    )
    world = World(config, a_seed())
    world.delivery.ack_timeout = ANSWER_SECONDS
    server = SlackServer(world)
    add_page(server.app, world, templates=TEMPLATES)
    await server.start()
    try:
        app = product(world)
        async with by_socket(world, app):
            yield world, app
    finally:
        await server.close()
