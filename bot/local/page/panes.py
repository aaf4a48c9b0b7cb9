"""The panes of the page as HTML: sidebar, main (channel or Home), thread, modals.

The first page and every live update use the same functions, so that a reload shows exactly what live updates did.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from jinja2 import Environment

from bot.local.page.present import Presenter, author
from bot.local.page.templating import environment
from bot.local.page.unread import Unread
from bot.local.slack import Channel, User, World

PANES = ("sidebar", "main", "thread", "modal")
SHOWN_MESSAGES = 100


@dataclass(frozen=True)
class Place:
    """Where a browser tab is: whose tab, which channel (None: the app's Home), which open thread."""

    user: User
    channel: Channel | None
    thread: str | None = None


class Panes:
    def __init__(self, world: World, unread: Unread, templates: Path) -> None:
        self.world = world
        self.unread = unread
        self.templates = templates
        self._environments: dict[tzinfo, Environment] = {}

    def place(self, user: str, channel: str, thread: str) -> Place:
        """A tab's place from its address; what does not exist or may not be seen becomes something that does."""
        who = self.world.users.get(user) or next(u for u in self.world.users.values() if not u.is_bot)
        if channel == "home":
            return Place(who, None)
        if channel == "dm":
            return Place(who, self.world.dm(who.id), thread or None)
        mine = self.world.channels_of(who.id)
        asked = self._channel(channel)
        if asked and self.world.may_see(who.id, asked):
            return Place(who, asked, thread or None)
        return Place(who, next((c for c in mine if c.kind != "im"), None) or self.world.dm(who.id))

    def _channel(self, asked: str) -> Channel | None:
        try:
            return self.world.channel(asked)
        except LookupError:
            return None

    def render(self, place: Place, wanted: Collection[str] = PANES) -> dict[str, str]:
        """The wanted panes' HTML by name."""
        show = Presenter(self.world, self.unread, place.user)
        env = self._environment(show.reader.zone, show)
        if place.channel and "main" in wanted:
            self.unread.visit(place.user.id, place.channel.id)
        context = self._context(place, show)
        html = {pane: env.get_template(f"{pane}.html.j2").render(context) for pane in PANES if pane in wanted}
        return html | {"title": self.title(place, show)}

    def page(self, place: Place) -> str:
        """The whole page."""
        show = Presenter(self.world, self.unread, place.user)
        env = self._environment(show.reader.zone, show)
        context = self._context(place, show) | {"panes": self.render(place), "data": self._data(place)}
        return env.get_template("page.html.j2").render(context)

    def title(self, place: Place, show: Presenter) -> str:
        """The tab's title, with a star while something waits elsewhere."""
        waiting = "* " if show.dm_count() or any(c["count"] for c in show.sidebar(None)) else ""
        name = f"#{place.channel.name}" if place.channel and place.channel.name else self.world.bot.real_name
        return f"{waiting}{name} · {self.world.team.name} (emulated Slack)"

    def _environment(self, zone: tzinfo, show: Presenter) -> Environment:
        if zone not in self._environments:
            self._environments[zone] = environment(self.templates, show.reader)
        return self._environments[zone]

    def _context(self, place: Place, show: Presenter) -> dict[str, Any]:
        world, user, channel = self.world, place.user, place.channel
        in_dm = channel is not None and channel.kind == "im"
        thread = (
            world.thread(channel.id, place.thread, user.id)
            if channel and place.thread and world.message(channel.id, place.thread)
            else []
        )
        return {
            "world": world,
            "me": author(world, user.id),
            "people": [author(world, u.id) for u in world.users.values() if not u.is_bot and not u.deleted],
            "app": author(world, world.bot.id),
            "channel": channel,
            "in_dm": in_dm,
            "is_member": channel is not None and user.id in channel.members,
            "thread_ts": place.thread,
            "channels": show.sidebar(channel.id if channel else None),
            "dm_count": show.dm_count(),
            "entries": show.entries(world.messages(channel.id, user.id)[-SHOWN_MESSAGES:]) if channel else [],
            "thread": show.entries(thread, in_thread=True),
            "home": world.home(user.id),
            "views": world.view_stack(user.id),
            "shortcuts": world.app.message_shortcuts,
            "global_shortcuts": world.app.global_shortcuts,
        }

    def _data(self, place: Place) -> dict[str, Any]:
        """What page.js needs to know, as JSON in the page."""
        commands = [vars(command) | {"app": self.world.bot.real_name} for command in self.world.app.commands]
        everybody = [u for u in self.world.users.values() if not u.deleted]
        return {
            "as": place.user.id,
            "channel": place.channel.id if place.channel else "home",
            "thread": place.thread or "",
            "commands": commands,
            "users": [{"name": u.name, "real": u.real_name or u.name, "bot": u.is_bot} for u in everybody],
        }
