"""Live updates: a stream of server-sent events that names what changed; the browser then fetches those panes."""

import asyncio
import json
from typing import Any

from aiohttp import web

from bot.local.page.mrkdwn import unescape
from bot.local.page.present import author
from bot.local.slack import Change, World

HEARTBEAT_SECONDS = 15.0
SAID_CHARACTERS = 200


class Live:
    def __init__(self, world: World) -> None:
        self.world = world
        self._streams: set[asyncio.Task[Any]] = set()

    def add(self, app: web.Application) -> None:
        app.router.add_get("/page/events", self.events)
        app.on_shutdown.append(self._stop)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Every change that `as` can see, as long as the browser listens."""
        user = request.query.get("as", "")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            with self.world.subscribe() as changes:
                await response.prepare(request)
                await response.write(b": here\n\n")
                while True:
                    try:
                        change = await asyncio.wait_for(anext(changes), HEARTBEAT_SECONDS)
                    except TimeoutError:
                        await response.write(b": still here\n\n")
                        continue
                    if self.concerns(user, change):
                        await response.write(f"data: {json.dumps(self.note(user, change))}\n\n".encode())
        except ConnectionError:
            return response
        finally:
            self._streams.discard(task)

    def concerns(self, user: str, change: Change) -> bool:
        if change.user is not None and change.kind != "channel_changed":
            return change.user == user
        channel = self.world.channels.get(change.channel or "")
        return channel is None or (user in self.world.users and self.world.may_see(user, channel))

    def note(self, user: str, change: Change) -> dict[str, Any]:
        """What the browser is told; `say` is for the live region that screen readers follow."""
        message = change.message
        note: dict[str, Any] = {"kind": change.kind, "channel": change.channel}
        if message:
            note |= {"ts": message.ts, "thread": message.thread_ts}
            if change.kind in ("message_posted", "ephemeral_posted") and message.user != user:
                who = author(self.world, message.user).name
                note["say"] = f"{who}: {unescape(message.text)[:SAID_CHARACTERS]}"
        return note

    async def _stop(self, _: web.Application) -> None:
        for task in list(self._streams):
            task.cancel()
