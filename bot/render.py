"""Words for people and models, from templates/ (undefined = error).

`*.json.j2` are Slack messages and views: every `{{ value }}` is escaped for Slack and for JSON, so that what a
user or a model wrote can neither ping a channel nor break the message. `*.txt.j2` are prompts, unescaped.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from bot.domain.budget import in_percent
from bot.domain.prices import DOLLAR
from bot.domain.shortening import first_line
from bot.domain.task import TaskState

log = logging.getLogger("orch.render")


class Safe(str):
    """Text that is mrkdwn already, safe as it stands."""

    __slots__ = ()


def escape(value: object) -> Safe:
    """Text with Slack's three control characters made harmless."""
    if isinstance(value, Safe):
        return value
    return Safe(str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def clip(value: object, limit: int) -> Safe:
    """Escaped text of at most `limit` characters; what is cut is shown as an ellipsis, never half an entity."""
    text = escape(value)
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    cut = head.rfind("&")
    return Safe((head[:cut] if cut > limit - 7 and ";" not in head[cut:] else head) + "…")


class Raw(str):
    """A piece of JSON, put into a message as it is."""

    __slots__ = ()


def json_string(value: object) -> Raw:
    """A whole JSON string of text that Slack takes verbatim (plain_text, rich_text): not escaped for mrkdwn."""
    return Raw(json.dumps(str(value), ensure_ascii=False))


def joined(value: object) -> Raw:
    """A whole JSON string of mrkdwn that a macro put together from parts that are escaped already."""
    return Raw(f'"{value}"'.replace("\n", "\\n"))


def money(microusd: int) -> str:
    """Micro-dollars as people read them; what was paid is never shown as nothing."""
    if 0 < microusd < 50:
        return "under $0.0001"
    dollars = microusd / DOLLAR
    return f"${dollars:.2f}" if dollars >= 1 or microusd == 0 else f"${dollars:.4f}"


def tokens(count: int) -> str:
    """1,850 -> 1.9k, 1,500,000 -> 1.5M; small numbers as they are."""
    if count < 1_000:
        return str(count)
    size, unit = (1_000, "k") if count < 999_950 else (1_000_000, "M")
    return f"{count / size:.1f}".removesuffix(".0") + unit


def state_words(state: str) -> str:
    """A task's state as people read it."""
    return TaskState(state).words


def bar(share: float, cells: int = 10) -> Safe:
    """A gauge of text, from 0 to 1 and not beyond; what was begun shows, and what is not used up is not full."""
    full = min(cells - (share < 1), max(share > 0, round(share * cells)))
    return Safe("▰" * full + "▱" * (cells - full))


def markdown(value: object) -> str:
    """Text as it stands, on one line of Markdown: its marks made harmless."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", str(value).replace("\n", " "))


def slack_time(at: datetime) -> Safe:
    """A time that Slack shows in each reader's own zone."""
    fallback = at.strftime("%Y-%m-%d %H:%M UTC")
    return Safe(f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>")


FILTERS = {
    "clip": clip,
    "first_line": first_line,
    "raw": Raw,
    "verbatim": json_string,
    "mrkdwn": joined,
    "money": money,
    "tokens": tokens,
    "percent": in_percent,
    "at": slack_time,
    "bar": bar,
    "state": state_words,
    "markdown": markdown,
}


class Renderer:
    """Renders templates of one folder; a project's own folder, where given, is looked in first. A message whose own
    template fails is rendered by ours, since nobody may miss it; a text is not, since a checklist must not be lowered
    so (R-SEC-4)."""

    def __init__(self, templates: Path, overrides: Sequence[Path] = ()) -> None:
        self._messages, self._texts = _environments(templates, *overrides)
        self._ours = Renderer(templates) if overrides else None
        self._failed: set[str] = set()  # messages whose own template failed, and that was said

    def message(self, name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """A Slack message or view: the parsed JSON of templates/<name>.json.j2."""
        try:
            text = self._messages.get_template(f"{name}.json.j2").render(facts)
            message: dict[str, Any] = json.loads(text, strict=False)
        except Exception as error:
            if self._ours is None:
                raise
            message = self._ours.message(name, facts)
            if name not in self._failed:
                self._failed.add(name)
                log.error(
                    "the project's own %s.json.j2 fails, so Orch's is used: %s: %s", name, type(error).__name__, error
                )
        return message

    def text(self, name: str, facts: Mapping[str, Any]) -> str:
        """templates/<name>.txt.j2, as it is."""
        return self._texts.get_template(f"{name}.txt.j2").render(facts).strip("\n")


@cache
def _environments(templates: Path, *overrides: Path) -> tuple[Environment, Environment]:
    """Those of messages and of texts, made once for the same folders: each compiles a template when it is first used,
    and again when its file changed."""
    options: dict[str, Any] = {
        "loader": ChoiceLoader([FileSystemLoader(path) for path in (*overrides, templates)]),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": False,
    }
    messages = Environment(**options, autoescape=False, finalize=_for_json)
    texts = Environment(**options, autoescape=False)
    for environment in (messages, texts):
        environment.filters.update(FILTERS)
    return messages, texts


def _for_json(value: object) -> str:
    """What a `{{ value }}` becomes inside a JSON string; numbers and booleans read as JSON too."""
    if isinstance(value, Raw):
        return value
    return json.dumps(str(escape(value)), ensure_ascii=False)[1:-1]
