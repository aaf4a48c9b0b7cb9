"""Slack's mrkdwn and plain text as safe HTML.

Everything a message says is escaped; the only tags are the ones written here. The order is the trick: code
and `<...>` references are lifted out first and put back last, so that nothing inside them is styled.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html import escape
from typing import Protocol

from markupsafe import Markup

from bot.local.page.emoji import SHORTCODE, emoji, replace_shortcodes


class Names(Protocol):
    """Who and what a reference in a text stands for (None where it is unknown), and what selects offer."""

    def user_name(self, user: str) -> str | None: ...
    def channel_name(self, channel: str) -> str | None: ...
    def user_ids(self) -> list[str]: ...
    def channel_ids(self) -> list[str]: ...


@dataclass(frozen=True)
class Reader:
    """Everything about the reader that a text needs: names, the reader's zone, the clock."""

    names: Names
    zone: tzinfo
    now: Callable[[], datetime]


_FENCE = re.compile(r"\n?```\n?(.+?)\n?```\n?", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_REFERENCE = re.compile(r"<([^<>\n]+)>")
BARE_URL = re.compile(r"https?://[^\s<>|\ue000\ue001]+[^\s<>|.,;:!?)\]'\"*_~\ue000\ue001]")
_BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]*[^*\s])\*(?![\w*])")
_ITALIC = re.compile(r"(?<![\w_])_(?=\S)([^_\n]*[^_\s])_(?![\w_])")
_STRIKE = re.compile(r"(?<![\w~])~(?=\S)([^~\n]*[^~\s])~(?![\w~])")
_LIST_ITEM = re.compile(r"(\s*)([•◦▪*-]|\d{1,3}\.)\s+(.*)")
_BLOCK = "b"
_KEPT = re.compile("\ue000b?(\\d+)\ue001")
_SAFE_LINK = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)


class Kept:
    """Finished HTML, set aside under a mark of its own while the text around it is read."""

    def __init__(self) -> None:
        self._html: list[str] = []

    def __call__(self, html: str, kind: str = "") -> str:
        """The mark that stands for it in the text."""
        self._html.append(html)
        return f"\ue000{kind}{len(self._html) - 1}\ue001"

    def back_in(self, html: str) -> str:
        while _KEPT.search(html):
            html = _KEPT.sub(lambda m: self._html[int(m[1])], html)
        return html


def unmarked(text: str) -> str:
    """Without what would look like a mark, and with plain line ends."""
    return text.replace("\ue000", "\ufffd").replace("\ue001", "\ufffd").replace("\r\n", "\n")


def mrkdwn(text: str, reader: Reader, *, verbatim: bool = False) -> Markup:
    """A mrkdwn text as HTML. `verbatim` turns off the linking of bare URLs, as in Slack."""
    keep = Kept()
    text = unmarked(text)
    text = _FENCE.sub(lambda m: f"\n{keep(f'<pre>{_escaped(_shown(m[1], reader))}</pre>', _BLOCK)}\n", text)
    text = _CODE.sub(lambda m: keep(f"<code>{_escaped(_shown(m[1], reader))}</code>"), text)
    text = _REFERENCE.sub(lambda m: keep(reference(m[1], reader)), text)
    if not verbatim:
        text = BARE_URL.sub(lambda m: keep(link(unescape(m[0]))), text)
    text = SHORTCODE.sub(lambda m: keep(_emoji_html(m[1])) if emoji(m[1]) else m[0], text)
    return Markup(keep.back_in(_lines(text)))


def plain(text: str, *, with_emoji: bool = True) -> Markup:
    """A plain_text object's text as HTML: escaped, line breaks kept, emoji shown unless turned off."""
    text = replace_shortcodes(text) if with_emoji else text
    return Markup(escape(text).replace("\n", "<br>"))


def unescape(text: str) -> str:
    """Undo Slack's three escapes, the only ones it knows."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def link(url: str, label: str | None = None) -> str:
    """An HTML link that opens elsewhere; a scheme that could run code is shown as text instead."""
    shown = escape(replace_shortcodes(label if label else url))
    if not _SAFE_LINK.match(url) or "\ue000" in url:
        return shown if label else escape(f"<{url}>")
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{shown}</a>'


def mention(user: str, reader: Reader) -> str:
    """A person's name as Slack shows a mention."""
    name = reader.names.user_name(user) or user
    return f'<span class="mention" data-user="{escape(user)}">@{escape(name)}</span>'


def channel_link(channel: str, reader: Reader, label: str = "") -> str:
    """A channel's name, as a link that opens it in this page."""
    name = reader.names.channel_name(channel) or label or channel
    return f'<a class="mention" href="?c={escape(channel)}" data-channel="{escape(channel)}">#{escape(name)}</a>'


def reference(inside: str, reader: Reader) -> str:
    """What stands between `<` and `>`: a mention, channel, date or link; unknown ones are shown as text."""
    target, _, label = inside.partition("|")
    label = unescape(label)
    if re.fullmatch(r"@[A-Z0-9_]+", target):
        return mention(target[1:], reader)
    if re.fullmatch(r"#[A-Z0-9_]+", target):
        return channel_link(target[1:], reader, label)
    if target in ("!here", "!channel", "!everyone"):
        return f'<span class="mention mention-all">@{target[1:]}</span>'
    if target.startswith("!subteam^"):
        return f'<span class="mention">{escape(label or "@" + target[9:])}</span>'
    if target.startswith("!date^"):
        return _date_html(target, label, reader)
    if _SAFE_LINK.match(unescape(target)):
        return link(unescape(target), label or None)
    return escape(unescape(f"<{inside}>"))


def format_date(moment: datetime, pattern: str, now: datetime) -> str:
    """Slack's date tokens (`{date_short}`, `{time}` ...) filled in; both times in the reader's zone."""
    day = f"{moment:%B} {_ordinal(moment.day)}, {moment.year}"
    near = {
        now.date(): "today",
        now.date() - timedelta(1): "yesterday",
        now.date() + timedelta(1): "tomorrow",
    }
    pretty = near.get(moment.date())
    forms = {
        "date_num": f"{moment:%Y-%m-%d}",
        "date_slash": f"{moment:%m/%d/%Y}",
        "date_long": f"{moment:%A}, {day}",
        "date_long_full": f"{moment:%A}, {day}",
        "date": day,
        "date_short": f"{moment:%b} {moment.day}, {moment.year}",
        "date_pretty": pretty or day,
        "date_long_pretty": pretty or f"{moment:%A}, {day}",
        "date_short_pretty": pretty or f"{moment:%b} {moment.day}, {moment.year}",
        "day_divider_pretty": (pretty or f"{moment:%A}, {moment:%B} {_ordinal(moment.day)}").capitalize(),
        "time": f"{moment.hour % 12 or 12}:{moment:%M %p}",
        "time_secs": f"{moment.hour % 12 or 12}:{moment:%M:%S %p}",
        "ago": ago(now - moment),
    }
    return re.sub(r"\{(\w+)\}", lambda m: forms.get(m[1], m[0]), pattern)


def ago(passed: timedelta) -> str:
    """How long ago, or in how long, in the largest fitting unit."""
    seconds = int(abs(passed).total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            words = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"{words} ago" if passed > timedelta(0) else f"in {words}"
    return "just now" if passed >= timedelta(0) else "in a moment"


def _lines(text: str) -> str:
    """Escape and style line by line; consecutive quoted lines become one quote, bullets hang."""
    html: list[str] = []
    quote: list[str] = []

    def close_quote() -> None:
        if quote:
            html.append(f"<blockquote>{_joined(quote)}</blockquote>")
            quote.clear()

    rest_is_quote = False
    for line in text.split("\n"):
        opened = re.match(r"(?:>>>|&gt;&gt;&gt;)\s?(.*)", line) if not rest_is_quote else None
        quoted = re.match(r"(?:>|&gt;)\s?(.*)", line)
        rest_is_quote = rest_is_quote or opened is not None
        if rest_is_quote:
            quote.append(_line(opened[1] if opened else line))
        elif quoted:
            quote.append(_line(quoted[1]))
        else:
            close_quote()
            html.append(_line(line))
    close_quote()
    return _joined(html)


def _line(text: str) -> str:
    item = _LIST_ITEM.fullmatch(text)
    if item:
        depth = min(len(item[1].expandtabs(4)) // 2, 4)
        marker = "•" if item[2] in "*-" else item[2]
        return f'<span class="item item-{depth}"><span>{marker}</span><span>{_styled(item[3])}</span></span>'
    return _styled(text)


def _styled(text: str) -> str:
    html = _escaped(text)
    for pattern, tag in ((_BOLD, "strong"), (_ITALIC, "em"), (_STRIKE, "s")):
        html = pattern.sub(rf"<{tag}>\1</{tag}>", html)
    return html


def _joined(lines: list[str]) -> str:
    """Lines as HTML: a break between two, but none beside something that is a block of its own."""
    html = ""
    for number, line in enumerate(lines):
        if number and not _is_block(lines[number - 1]) and not _is_block(line):
            html += "<br>"
        html += line
    return html


def _is_block(html: str) -> bool:
    return html.startswith(("<blockquote>", '<span class="item', f"\ue000{_BLOCK}"))


def _escaped(text: str) -> str:
    return escape(unescape(text), quote=True)


def _shown(text: str, reader: Reader) -> str:
    """References inside code, as the words they stand for (Slack resolves them there too)."""

    def words(match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target.startswith("@") and (name := reader.names.user_name(target[1:])):
            return f"@{name}"
        if target.startswith("#") and (name := reader.names.channel_name(target[1:])):
            return f"#{name}"
        return (label or target) if _SAFE_LINK.match(target) else match[0]

    return _REFERENCE.sub(words, text)


def _emoji_html(name: str) -> str:
    label = escape(name)
    return f'<span class="emoji" role="img" aria-label="{label}" title=":{label}:">{emoji(name)}</span>'


def _date_html(target: str, label: str, reader: Reader) -> str:
    parts = target.split("^")
    try:
        moment = datetime.fromtimestamp(int(parts[1]), reader.zone)
    except (IndexError, ValueError, OverflowError, OSError):
        return escape(label or target)
    words = format_date(moment, parts[2] if len(parts) > 2 else "{date}", reader.now().astimezone(reader.zone))
    title = escape(f"{moment:%A %d %B %Y, %H:%M %Z}")
    html = f'<time datetime="{moment.isoformat()}" title="{title}">{escape(words)}</time>'
    url = parts[3] if len(parts) > 3 else ""
    if _SAFE_LINK.match(url):
        return f'<a href="{escape(unescape(url))}" target="_blank" rel="noopener noreferrer">{html}</a>'
    return html


def _ordinal(day: int) -> str:
    suffix = "th" if 11 <= day % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"
