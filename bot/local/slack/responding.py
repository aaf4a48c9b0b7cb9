"""Answers that are not API calls: what comes with an acknowledgement, and what is sent to a response_url."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.local.slack import limits
from bot.local.slack.block_check import check_message_blocks
from bot.local.slack.elements import completed
from bot.local.slack.records import Json, Message, ResponseUrl
from bot.local.slack.refusal import Refusal, invalid
from bot.local.slack.state import new_id

if TYPE_CHECKING:
    from bot.local.slack.world import World

KEPT_EXPIRED = 3600  # seconds for which we still know that a URL has expired


def issue(world: World, user: str, channel: str, message_ts: str | None = None) -> str:
    """A new response_url."""
    now = world.clock()
    for old in [url for url in world.response_urls.values() if url.expires < now - KEPT_EXPIRED]:
        del world.response_urls[old.id]
    given = ResponseUrl(new_id("R"), user, channel, now + limits.RESPONSE_URL_SECONDS, message_ts)
    world.response_urls[given.id] = given
    return f"{world.base_url}/actions/{world.team.id}/{given.id}"


def use(world: World, url_id: str, body: Json) -> None:
    """What a POST to a response_url does. Raises Refusal."""
    given = world.response_urls.get(url_id)
    if given is None:
        raise Refusal("no_such_url", status=404)
    if world.clock() > given.expires:
        raise Refusal("expired_url", status=404)
    if given.uses >= limits.RESPONSE_URL_USES:
        raise Refusal("used_url", status=404)
    given.uses += 1
    answer(world, given, body)


def answer(world: World, given: ResponseUrl, body: Json) -> Message | None:
    """Show `body` where `given` leads: to the person alone, to the channel, or in place of the original."""
    original = world.message(given.channel, given.message_ts) if given.message_ts else None
    if body.get("delete_original"):
        if original is not None:
            world.remove(original)
        return None
    text, blocks = content(body)
    attachments = body.get("attachments") or []
    if body.get("replace_original") and original is not None:
        world.reword(original, text=text, blocks=blocks, attachments=attachments)
        return original
    everybody = body.get("response_type") == "in_channel"
    thread_ts = body.get("thread_ts")
    message = Message(given.channel, world.next_ts(), text, world.app.bot_user, world.app.bot_id)
    message.blocks, message.attachments, message.thread_ts = blocks, attachments, thread_ts
    message.ephemeral_to = None if everybody else given.user
    return world.say(message)


def content(body: Json) -> tuple[str, list[Json]]:
    """Text and completed blocks of a message to be posted; refused when Slack would."""
    text, blocks = body.get("text") or "", body.get("blocks") or []
    if markdown := body.get("markdown_text"):
        if text or blocks:
            raise Refusal("markdown_text_conflict")
        blocks = [{"type": "markdown", "text": markdown}]
    if not text and not blocks and not body.get("attachments"):
        raise Refusal("no_text")
    if not isinstance(text, str):
        raise invalid("invalid_arguments", ["must provide a string [json-pointer:/text]"])
    if len(text) > limits.MESSAGE_TEXT:
        raise Refusal("msg_too_long")
    problems = check_message_blocks(blocks)
    if problems:
        raise invalid("invalid_blocks", problems)
    if len(body.get("attachments") or []) > limits.MESSAGE_ATTACHMENTS:
        raise Refusal("too_many_attachments")
    return text, completed(blocks)
