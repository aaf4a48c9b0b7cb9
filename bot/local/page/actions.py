"""What a person does in the browser, passed on to the World: one small JSON request each."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.local.page.unread import Unread
from bot.local.slack import Delivery, User, World

Json = dict[str, Any]
Handler = Callable[[User, Json], Awaitable[Delivery | None]]


class Actions:
    def __init__(self, world: World, unread: Unread) -> None:
        self.world = world
        self.unread = unread
        self.handlers: dict[str, Handler] = {
            "post": self.post,
            "command": self.command,
            "click": self.click,
            "submit": self.submit,
            "close-view": self.close_view,
            "message-shortcut": self.message_shortcut,
            "global-shortcut": self.global_shortcut,
            "react": self.react,
            "dismiss": self.dismiss,
            "home": self.home,
        }

    def add(self, app: web.Application) -> None:
        app.router.add_post("/page/do/{what}", self.do)

    async def do(self, request: web.Request) -> web.Response:
        """`ok`; `refused`: not even tried; `shown`: what to tell the person; `errors`: a modal's, by block_id."""
        handler = self.handlers.get(request.match_info["what"])
        if handler is None or request.content_type != "application/json":
            raise web.HTTPBadRequest(text="the page sends application/json to a known action")
        body = json.loads(await request.read())
        try:
            user = self.world.user(body["as"])
            delivery = await handler(user, body) or Delivery()
        except (LookupError, PermissionError, ValueError) as error:
            shown = str(error.args[0] if error.args else error)
            return web.json_response({"ok": False, "refused": True, "shown": shown, "errors": {}})
        return web.json_response(
            {
                "ok": delivery.error is None and not delivery.errors,
                "shown": delivery.shown,
                "errors": delivery.errors,
            }
        )

    async def post(self, user: User, body: Json) -> Delivery:
        thread = body.get("thread") or None
        return await self.world.post_message(user.id, body["channel"], body["text"], thread_ts=thread)

    async def command(self, user: User, body: Json) -> Delivery:
        return await self.world.run_command(user.id, body["channel"], body["command"], body["text"])

    async def click(self, user: User, body: Json) -> Delivery:
        """A button or a changed control; in a view, with what its other controls hold by now."""
        kind = body.get("kind")
        selected = control_value(body.get("value"), kind, user.tz) if kind else body.get("value")
        action, block = body["action"], body.get("block") or None
        if "view" not in body:
            return await self.world.click(
                user.id, body["channel"], body["ts"], action, block_id=block, selected=selected
            )
        values = view_values(body.get("values", []), user.tz)
        return await self.world.click_in_view(
            user.id, body["view"], action, block_id=block, selected=selected, values=values
        )

    async def submit(self, user: User, body: Json) -> Delivery:
        return await self.world.submit_view(user.id, body["view"], view_values(body["values"], user.tz))

    async def close_view(self, user: User, body: Json) -> Delivery:
        return await self.world.close_view(user.id, body["view"], clear=bool(body.get("clear")))

    async def message_shortcut(self, user: User, body: Json) -> Delivery:
        return await self.world.message_shortcut(user.id, body["callback"], body["channel"], body["ts"])

    async def global_shortcut(self, user: User, body: Json) -> Delivery:
        return await self.world.global_shortcut(user.id, body["callback"])

    async def react(self, user: User, body: Json) -> Delivery | None:
        """Adds the reaction, or takes it back where this person had given it."""
        channel, ts, name = body["channel"], body["ts"], body["name"]
        message = self.world.message(channel, ts)
        if message and any(r["name"] == name and user.id in r["users"] for r in message.reactions):
            self.world.react(user.id, message, name, add=False)
            return None
        return await self.world.add_reaction(user.id, channel, ts, name)

    async def dismiss(self, user: User, body: Json) -> None:
        self.unread.dismiss(user.id, body["ts"])

    async def home(self, user: User, body: Json) -> Delivery:
        return await self.world.open_home(user.id, "messages" if body.get("messages") else "home")


def control_value(raw: str | list[str] | None, kind: str | None, zone: str) -> Any:
    """A control's value as World wants it: nothing is None, a date and time is seconds since 1970."""
    if isinstance(raw, list):
        return raw
    if raw is None or raw == "":
        return None
    if kind == "datetimepicker":
        return int(datetime.fromisoformat(raw).replace(tzinfo=ZoneInfo(zone)).timestamp())
    return raw


def view_values(controls: Sequence[Json], zone: str) -> Json:
    """What a view's controls hold, by block_id; by action_id where a block has several."""
    blocks = [control["block"] for control in controls]
    return {
        control["block"] if blocks.count(control["block"]) == 1 else control["action"]: control_value(
            control["value"], control["kind"], zone
        )
        for control in controls
    }
