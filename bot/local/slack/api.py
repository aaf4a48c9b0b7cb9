"""The HTTP face of the workspace: Web API, response URLs, uploads, downloads and the Socket Mode endpoint."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from bot.local.slack import responding
from bot.local.slack.calls import Call
from bot.local.slack.faults import ApiFault
from bot.local.slack.methods import METHODS, files
from bot.local.slack.records import Json
from bot.local.slack.refusal import Refusal, ratelimited
from bot.local.slack.world import World

WORLD = web.AppKey("world", World)
MAX_BODY = 64 * 1024 * 1024  # bytes
WITH_APP_TOKEN = {"apps.connections.open"}
WITHOUT_TOKEN = {"api.test"}
STRUCTURED = {"blocks", "attachments", "view", "metadata", "files"}  # sent as JSON inside forms


def build_app(world: World) -> web.Application:
    """The routes of Slack; the caller may add others before starting it."""
    app = web.Application(client_max_size=MAX_BODY)
    app[WORLD] = world
    app.router.add_route("*", "/api/{method}", _api)
    app.router.add_post("/actions/{team}/{url_id}", _respond)
    app.router.add_post("/upload/v1/{file_id}", _upload)
    app.router.add_get("/files-pri/{team}-{file_id}/{name:.*}", _download)
    app.router.add_get("/link/", _socket)
    return app


async def _api(request: web.Request) -> web.Response:
    world, method = request.app[WORLD], request.match_info["method"]
    headers = {"x-oauth-scopes": ",".join(world.app.scopes), "x-slack-req-id": "local"}
    if world.faults.api_delay:
        await asyncio.sleep(world.faults.api_delay)
    fault = world.faults.take(method)
    try:
        if fault is not None and not fault.after_effect:
            raise _planned(fault)
        answer = _answer(world, method, await _arguments(request), _token(request))
        if fault is not None:
            raise _planned(fault)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.status, headers=headers | refusal.headers)
    return web.json_response({"ok": True} | answer, headers=headers)


def _answer(world: World, name: str, args: Json, token: str | None) -> Json:
    """Check the token, the scopes and the rate limit, then do it."""
    method = METHODS.get(name)
    if method is None:
        raise Refusal("unknown_method", {"req_method": name})
    call = Call(world, name, {key: value for key, value in args.items() if key != "token"})
    if name not in WITHOUT_TOKEN:
        _authenticate(world, name, token or args.get("token"))
        call.need(*method.scopes)
    world.rates.spend(name, method.tier)
    return method.run(call)


def _authenticate(world: World, method: str, token: str | None) -> None:
    if not token:
        raise Refusal("not_authed")
    if token not in (world.app.bot_token, world.app.app_token):
        raise Refusal("invalid_auth")
    if (method in WITH_APP_TOKEN) != (token == world.app.app_token):
        raise Refusal("not_allowed_token_type")
    if method in WITH_APP_TOKEN and "connections:write" not in world.app.app_scopes:
        provided = ",".join(world.app.app_scopes)
        raise Refusal("missing_scope", {"needed": "connections:write", "provided": provided})


def _planned(fault: ApiFault) -> Refusal:
    if fault.status == 429 or fault.retry_after is not None:
        return ratelimited(fault.retry_after or 1)
    return Refusal(fault.error, status=fault.status)


def _token(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" else None


async def _arguments(request: web.Request) -> Json:
    """JSON, form or query string alike."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json() if request.can_read_body else {}
        except json.JSONDecodeError:
            raise Refusal("invalid_json") from None
        if not isinstance(body, dict):
            raise Refusal("json_not_object")
        args |= body
    else:
        args |= dict(await request.post())
    return {key: _structured(key, value) for key, value in args.items()}


def _structured(key: str, value: Any) -> Any:
    if key not in STRUCTURED or not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except json.JSONDecodeError:
        raise Refusal("invalid_blocks_format" if key == "blocks" else "invalid_arguments") from None


async def _respond(request: web.Request) -> web.Response:
    try:
        body = await request.json()
        responding.use(request.app[WORLD], request.match_info["url_id"], body)
    except json.JSONDecodeError:
        return web.Response(status=400, text="invalid_payload")
    except Refusal as refusal:
        return web.json_response(refusal.body, status=400 if refusal.status == 200 else refusal.status)
    return web.Response(text="ok")


async def _upload(request: web.Request) -> web.Response:
    return await files.receive(request.app[WORLD], request)


async def _download(request: web.Request) -> web.Response:
    if _token(request) != request.app[WORLD].app.bot_token:
        return web.Response(status=403)
    return files.send(request.app[WORLD], request)


async def _socket(request: web.Request) -> web.WebSocketResponse:
    return await request.app[WORLD].sockets.accept(request)
