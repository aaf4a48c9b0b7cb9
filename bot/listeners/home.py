"""The Home tab: what waits for me, and what is mine. Published anew whenever it is opened."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.listeners import sights
from bot.listeners.desk import Desk


def register(app: AsyncApp, desk: Desk) -> None:
    @app.event("app_home_opened")
    async def on_home(ack: Any, event: dict[str, Any]) -> None:
        await ack()
        if event.get("tab", "home") == "home":
            facts = await sights.home(desk.office, event["user"])
            await desk.office.chat.publish_home(event["user"], desk.office.render.message("views/home", facts))
