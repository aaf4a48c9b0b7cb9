"""The Jinja environment of the page: autoescape on, undefined is an error, filters for Block Kit."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError
from markupsafe import Markup

from bot.local.page import markdown, mrkdwn
from bot.local.page.emoji import EMOJI, REACTIONS, emoji, replace_shortcodes
from bot.local.page.mrkdwn import Reader

Json = dict[str, Any]

_WEB = re.compile(r"(?:https?://|mailto:|/page/)", re.IGNORECASE)
_PEOPLE = ("users_select", "multi_users_select")
_CHANNELS = ("channels_select", "multi_channels_select")
_CONVERSATIONS = ("conversations_select", "multi_conversations_select")


@dataclass(frozen=True)
class Place:
    """Where an element stands: the surface's name, its block, its label, and whether a change is sent."""

    surface: str
    block: str
    dispatch: bool
    label: str = ""

    def key(self, element: Json) -> str:
        return f"{self.block}/{element.get('action_id', '')}"

    def id(self, element: Json) -> str:
        return re.sub(r"[^\w-]+", "-", f"{self.surface}-{self.block}-{element.get('action_id', '')}")


class Texts:
    """The filters that need to know who reads: bound to one Reader."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def text(self, value: Json | str) -> Markup:
        """A text object (or a bare string, taken as plain text)."""
        if isinstance(value, str):
            return mrkdwn.plain(value)
        if value.get("type") == "mrkdwn":
            return self.mrkdwn(str(value.get("text", "")), bool(value.get("verbatim")))
        return mrkdwn.plain(str(value.get("text", "")), with_emoji=value.get("emoji") is not False)

    def mrkdwn(self, value: str, verbatim: bool = False) -> Markup:
        return mrkdwn.mrkdwn(value, self.reader, verbatim=verbatim)

    def markdown(self, value: str) -> Markup:
        return markdown.markdown(value, self.reader)

    def mention(self, user: str) -> Markup:
        return Markup(mrkdwn.mention(user, self.reader))

    def channel_link(self, channel: str) -> Markup:
        return Markup(mrkdwn.channel_link(channel, self.reader))

    def rich_date(self, element: Json) -> str:
        moment = datetime.fromtimestamp(int(element["timestamp"]), self.reader.zone)
        now = self.reader.now().astimezone(self.reader.zone)
        return mrkdwn.format_date(moment, str(element.get("format", "{date_pretty}")), now)

    def confirm_json(self, confirm: Json) -> str:
        """A confirmation dialog for page.js: words, but the text is HTML."""
        shown = {key: _words(confirm.get(key)) for key in ("title", "confirm", "deny")}
        shown["text"] = str(self.text(confirm.get("text") or ""))
        return json.dumps(shown | {"style": confirm.get("style") or "primary"})

    def initial(self, element: Json) -> list[str]:
        """The values an element starts with, as the strings its HTML control holds."""
        if element.get("type") == "datetimepicker":
            when = element.get("initial_date_time")
            return [f"{datetime.fromtimestamp(when, self.reader.zone):%Y-%m-%dT%H:%M}"] if when else []
        found: list[Any] = []
        for key, value in element.items():
            if key.startswith("initial_") and value:
                found += value if isinstance(value, list) else [value]
        return [str(item.get("value", "")) if isinstance(item, dict) else str(item) for item in found]

    def option_groups(self, element: Json) -> list[Json]:
        """What a select offers, in groups (one without a label where there are none)."""
        kind = element["type"]
        names = self.reader.names
        if kind in _PEOPLE:
            return [_group([(user, f"@{names.user_name(user)}") for user in names.user_ids()])]
        channels = [(channel, f"#{names.channel_name(channel)}") for channel in names.channel_ids()]
        if kind in _CHANNELS:
            return [_group(channels)]
        if kind in _CONVERSATIONS:
            people = [(user, f"@{names.user_name(user)}") for user in names.user_ids()]
            return [_group(channels), _group(people)]
        groups = element.get("option_groups") or [{"options": element.get("options") or []}]
        return [
            {
                "label": _words(group.get("label")),
                "options": [
                    {"value": option.get("value", ""), "label": _words(option["text"])} for option in group["options"]
                ],
            }
            for group in groups
        ]


def environment(templates: Path, reader: Reader) -> Environment:
    """An environment for readers in one time zone."""
    env = Environment(
        loader=FileSystemLoader(templates / "local"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    texts = Texts(reader)
    env.filters |= {
        "text": texts.text,
        "mrkdwn": texts.mrkdwn,
        "markdown": texts.markdown,
        "mention": texts.mention,
        "channel_link": texts.channel_link,
        "rich_date": texts.rich_date,
        "rich_link": lambda element: Markup(mrkdwn.link(element["url"], element.get("text"))),
        "initial": texts.initial,
        "option_groups": texts.option_groups,
        "emoji": lambda name: emoji(name) or f":{name}:",
        "lines": lambda value: Markup(escape(str(value)).replace("\n", "<br>")),
        "place": _place,
        "safe_url": lambda url: url if _WEB.match(str(url)) else "",
        "fingerprint": _fingerprint,
        "confirm_json": texts.confirm_json,
    }
    env.globals |= {"reactions": [(name, EMOJI[name]) for name in REACTIONS], "draw": partial(_draw, env)}
    return env


def _draw(env: Environment, block: Json, surface: str) -> Markup:
    """One block as HTML. What cannot be drawn says so in its place, and leaves the rest of the page alone."""
    try:
        macro = env.get_template("blocks.html.j2").module.block  # type: ignore[attr-defined]
        return Markup(macro(block, surface))
    except (UndefinedError, LookupError, TypeError, ValueError, AttributeError) as error:
        form = Markup('<div class="blk unsupported">This page cannot draw this block “{}”: {}</div>')
        return form.format(block.get("type"), error)


def _place(block: Json, surface: str, dispatch: bool, label: str = "") -> Place:
    return Place(surface, str(block.get("block_id") or ""), bool(dispatch), label)


def _group(options: Iterable[tuple[str, str]]) -> Json:
    return {"label": "", "options": [{"value": value, "label": label} for value, label in options]}


def _words(text: Json | str | None) -> str:
    """A text object as plain words, for places where HTML cannot be (options, confirm dialogs)."""
    if text is None:
        return ""
    words = text if isinstance(text, str) else str(text.get("text", ""))
    return replace_shortcodes(mrkdwn.unescape(words))


def _fingerprint(element: Json) -> str:
    """Changes exactly when the element's definition does: the page leaves an unchanged control alone."""
    return hashlib.sha1(json.dumps(element, sort_keys=True).encode(), usedforsecurity=False).hexdigest()[:12]
