"""The web page of the emulated Slack: what a person sees and clicks in a browser."""

from pathlib import Path

from aiohttp import web

from bot.local.page.actions import Actions
from bot.local.page.live import Live
from bot.local.page.panes import Panes
from bot.local.page.routes import Routes
from bot.local.page.unread import Unread
from bot.local.slack import World

__all__ = ["add_page"]


def add_page(app: web.Application, world: World, *, templates: Path) -> None:
    """Serve the page at `/` and under `/page/`. `templates` is the folder that has `local/` in it.

    Call it before the app starts. `/?as=U0DEV&c=C0DEV&t=<ts>` shows that person's view of a channel (an id or
    name; `dm`: the app's direct messages; `home`: its Home tab) with a thread open; all three may be left out.
    """
    unread = Unread(world)
    live = Live(world)
    Routes(world, Panes(world, unread, templates), templates).add(app)
    Actions(world, unread).add(app)
    live.add(app)
