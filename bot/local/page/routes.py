"""What the browser reads: the page, its panes, its static files, uploads."""

from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from bot.local.page.panes import PANES, Panes, Place
from bot.local.page.uploads import image_type
from bot.local.slack import World

STATIC = {
    "page.css": "text/css",
    "blocks.css": "text/css",
    "theme.js": "text/javascript",
    "page.js": "text/javascript",
    "morph.js": "text/javascript",
    "composer.js": "text/javascript",
}
# What a message says is never run: no scripts but our own, no frames, no forms that go elsewhere.
POLICY = (
    "default-src 'self'; img-src 'self' data: https:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)


class Routes:
    def __init__(self, world: World, panes: Panes, templates: Path) -> None:
        self.world = world
        self.panes = panes
        self.folder = templates / "local"

    def add(self, app: web.Application) -> None:
        app.router.add_get("/", self.page)
        app.router.add_get("/page/panes", self.some_panes)
        app.router.add_get("/page/static/{name}", self.static)
        app.router.add_get("/page/file/{id}", self.file)

    async def page(self, request: web.Request) -> web.Response:
        html = self.panes.page(self._place(request))
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def some_panes(self, request: web.Request) -> web.Response:
        """The panes named in `want`, and where the tab now is."""
        place = self._place(request)
        wanted = request.query.get("want", ",".join(PANES)).split(",")
        answer = {
            "panes": self.panes.render(place, wanted),
            "channel": place.channel.id if place.channel else "home",
            "dm": place.channel is not None and place.channel.kind == "im",
        }
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    async def static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in STATIC:
            raise web.HTTPNotFound
        text = (self.folder / name).read_text("utf-8")
        return web.Response(text=text, content_type=STATIC[name], headers={"Cache-Control": "no-cache"})

    async def file(self, request: web.Request) -> web.Response:
        """An upload's bytes: pictures inline, all else as a download or as plain text; never as HTML."""
        file = self.world.files.get(request.match_info["id"])
        user = request.query.get("as", "")
        if file is None or file.content is None or not self._may_read(user, file.shared, file.user):
            raise web.HTTPNotFound
        as_download = "download" in request.query
        kind = image_type(file.name) or ("application/octet-stream" if as_download else "text/plain")
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
        if as_download:
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name)}"
        return web.Response(body=file.content, content_type=kind, headers=headers)

    def _may_read(self, user: str, shared: list[str], owner: str) -> bool:
        if user not in self.world.users:
            return False
        channels = [self.world.channels[id_] for id_ in shared if id_ in self.world.channels]
        return user == owner or any(self.world.may_see(user, channel) for channel in channels)

    def _place(self, request: web.Request) -> Place:
        query = request.query
        return self.panes.place(query.get("as", ""), query.get("c", ""), query.get("t", ""))
