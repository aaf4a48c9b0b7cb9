"""The Home tab: what waits for me, what is mine, and the project's day. Published anew whenever it is opened, turned
over, or clicked on; its page is remembered in the view itself."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.errors import ChatError
from bot.listeners import home_sights
from bot.listeners.desk import Desk

log = logging.getLogger("orch.home")

Ack = Callable[..., Awaitable[Any]]
TURNS = {"home_previous": -1, "home_next": 1}


def register(app: AsyncApp, desk: Desk) -> None:
    @app.event("app_home_opened")
    async def on_home(ack: Ack, event: dict[str, Any]) -> None:
        await ack()
        if event.get("tab", "home") == "home":
            await publish(desk, event["user"], page_of(event.get("view") or {}) or 0)

    async def on_turn(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        page = page_of(body.get("view") or {}) or 0
        await publish(desk, body["user"]["id"], page + TURNS[action["action_id"]])

    for action_id in TURNS:
        app.action(action_id)(on_turn)


async def publish(desk: Desk, user: str, page: int = 0) -> None:
    """Show a person their Home as it is now. What Slack refuses is logged: the next opening tries again."""
    office = desk.office
    try:
        person = await office.chat.person(user)
        facts = await home_sights.home(office, person, page)
        await office.chat.publish_home(user, office.render.message("views/home", facts))
    except ChatError as error:
        log.warning("the Home of %s was not published: %s", user, error)


def page_of(view: Mapping[str, Any]) -> int | None:
    """The page that a Home shows; None for what is no Home."""
    if view.get("type") != "home":
        return None
    written = str(view.get("private_metadata") or "")
    return int(written) if written.isdigit() else 0
