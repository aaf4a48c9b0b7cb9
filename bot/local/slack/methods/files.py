"""files.*: uploads in three steps, and downloads."""

from __future__ import annotations

from aiohttp import web

from bot.local.slack.calls import Call, Method, Methods, objects
from bot.local.slack.payloads import file_json
from bot.local.slack.records import File, Json, Message
from bot.local.slack.refusal import Refusal
from bot.local.slack.responding import content
from bot.local.slack.state import new_id
from bot.local.slack.world import World


def get_upload_url(call: Call) -> Json:
    name, size = call.text("filename"), call.whole("length", 0, 2**40)
    if size <= 0:
        raise Refusal("invalid_arguments")
    world = call.world
    file = File(new_id("F"), name, name, size, world.app.bot_user, int(world.clock()))
    world.files[file.id] = file
    return {"upload_url": f"{world.base_url}/upload/v1/{file.id}", "file_id": file.id}


def complete_upload(call: Call) -> Json:
    """Name the uploaded files and post them, as one message, where `channel_id` (or `channels`) says."""
    wanted = objects(call.args.get("files"), "files")
    files = [call.world.files.get(str(entry.get("id"))) for entry in wanted]
    good = [file for file in files if file is not None and file.content is not None and not file.completed]
    if len(good) != len(wanted):
        raise Refusal("file_not_found")
    for file, entry in zip(good, wanted, strict=True):
        file.title, file.completed = entry.get("title") or file.name, True
    for channel_id in str(call.args.get("channel_id") or call.args.get("channels") or "").split(","):
        if channel_id:
            _share(call, good, channel_id)
    call.world.saver.soon()
    return {"files": [file_json(call.world, file) for file in good]}


def _share(call: Call, files: list[File], channel_id: str) -> None:
    world = call.world
    channel = Call(world, call.method, {"channel": channel_id}).channel_in()
    comment, blocks = call.args.get("initial_comment") or "", call.args.get("blocks") or []
    text, blocks = content({"text": comment, "blocks": blocks}) if comment or blocks else ("", [])
    message = Message(channel.id, world.next_ts(), text, world.app.bot_user, world.app.bot_id, blocks)
    message.thread_ts = call.args.get("thread_ts") or None
    message.subtype = "file_share"
    message.files = [file.id for file in files]
    for file in files:
        file.shared.append(channel.id)
    world.say(message)


def info(call: Call) -> Json:
    file = call.world.files.get(call.text("file"))
    if file is None or not file.completed:
        raise Refusal("file_not_found")
    return {"file": file_json(call.world, file), "comments": []}


async def receive(world: World, request: web.Request) -> web.Response:
    """The POST to an upload URL, raw or as a form with one file."""
    file = world.files.get(request.match_info["file_id"])
    if file is None or file.content is not None:
        return web.Response(status=404, text="no such upload")
    body = await request.read()
    if request.content_type == "multipart/form-data":
        form = await request.post()
        parts = [part for part in form.values() if isinstance(part, web.FileField)]
        body = parts[0].file.read() if parts else b""
    if len(body) != file.size:
        return web.Response(status=400, text=f"expected {file.size} bytes, got {len(body)}")
    file.content = body
    return web.Response(text=f"OK - {len(body)}")


def send(world: World, request: web.Request) -> web.Response:
    """The GET of url_private; the token is checked by the caller."""
    file = world.files.get(request.match_info["file_id"])
    if file is None or file.content is None:
        return web.Response(status=404)
    return web.Response(body=file.content, content_type="application/octet-stream")


METHODS: Methods = {
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",), tier=4),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",), tier=4),
    "files.info": Method(info, ("files:read",), tier=4),
}
