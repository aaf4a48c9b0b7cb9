"""What people type, made plain: Slack's markup restored, then cut into words with their quotes understood.

Nothing here can fail: a quote that is never closed is an ordinary character, and the word remembers it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple

from bot.domain.shortening import shortened

_MARKUP = re.compile(
    r"<(?:(?P<mention>@[UW][A-Z0-9]+)|(?P<channel>#C[A-Z0-9]+)|!(?P<special>[^<>|]+)"
    r"|(?P<link>(?:https?|mailto|tel|ftp):[^<>|]+))(?:\|(?P<label>[^<>]*))?>"
)
_ESCAPES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff\ud800-\udfff]")

#: Each opening quote with what may close it: the first kind that is found wins.
_CLOSERS: dict[str, tuple[str, ...]] = {
    '"': ('"', "”“"),
    "“": ("”", '"“'),
    "”": ("”", '"'),
    "„": ("“”", '"'),
    "«": ("»",),
    "'": ("'’",),
    "‘": ("’", "'"),
    "`": ("`",),
}
DOUBLE_QUOTES = '"“”„'
ALL_QUOTES = "\"“”„«»'‘’`"
_SINGLE_CLOSERS = "'’"
_BEFORE_QUOTE = "=,([{"  # a quote opens here too, not only at the start of a word
_DASH = re.compile(r"[–—―−]{1,2}(?=[A-Za-z])|[-‐‑]{2}(?=[A-Za-z])")
_ONE_DASH = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))


class Word(NamedTuple):
    """One word. `value` has its quotes removed; `start` and `end` are its place in the source."""

    value: str
    start: int
    end: int
    quoted: bool = False  # it begins with a quote, so it is never an option
    whole: bool = False  # it is nothing but one quoted stretch
    unclosed: bool = False  # it holds an opening quote that nothing closes


def plain(raw: str) -> str:
    """What the person typed: Slack's links and mentions restored, its three escapes decoded once.

    `<@U1|ann>` becomes `<@U1>`; `<http://README.md|README.md>` becomes `README.md`. Characters that no
    database stores (controls, lone surrogates) are dropped."""
    restored = _MARKUP.sub(_restore, raw)
    decoded = re.sub("&(?:amp|lt|gt);", lambda m: _ESCAPES[m.group()], restored)
    return _UNSTORABLE.sub("", decoded.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _restore(m: re.Match[str]) -> str:
    label = m["label"]
    if m["mention"]:
        return f"<{m['mention']}>"
    if m["channel"]:
        return f"#{label or m['channel'][1:]}"
    if m["special"]:
        return label or f"@{m['special']}"
    link = m["link"]
    if not label:
        return link.removeprefix("mailto:").removeprefix("tel:")
    bare = re.sub(r"^(https?://|mailto:|tel:|ftp://)", "", link).rstrip("/")
    typed = re.sub(r"^(https?://)", "", label).rstrip("/")
    return label if bare.lower() == typed.lower() else f"{label} ({link})"


def split(source: str) -> list[Word]:
    """Cut the source into words. Quotes open at the start of a word, or after `=`, `,` and brackets."""
    words: list[Word] = []
    at = 0
    while at < len(source):
        if source[at].isspace():
            at += 1
            continue
        word = _word(source, at)
        words.append(word)
        at = word.end
    return words


def _word(source: str, start: int) -> Word:
    at, value, unclosed, whole = start, "", False, False
    while at < len(source) and not source[at].isspace():
        char = source[at]
        opens = char in _CLOSERS and (at == start or source[at - 1] in _BEFORE_QUOTE)
        close = _closing(source, at) if opens else None
        if close is not None:
            inner = source[at + 1 : close]
            value += inner if char == "`" else unescape(inner)
            whole = at == start
            at = close + 1
            continue
        unclosed = unclosed or opens
        if char == "\\" and source[at + 1 : at + 2] in _CLOSERS:
            at += 1
            char = source[at : at + 1]
        value += char
        whole = False
        at += 1
    return Word(value, start, at, source[start] in _CLOSERS and not unclosed, whole, unclosed)


def _closing(source: str, opening: int) -> int | None:
    """Where the quote that opens here is closed. An apostrophe inside a word closes nothing."""
    for kind in _CLOSERS[source[opening]]:
        inside_word = "(?!\\w)" if kind[0] in _SINGLE_CLOSERS else ""
        found = re.compile(rf"(?<!\\)[{kind}]{inside_word}").search(source, opening + 1)
        if found is not None:
            return found.start()
    return None


def unescape(text: str) -> str:
    """A backslash is literal, except before a quote."""
    return re.sub(r"\\([\"'“”„‘’«»`])", r"\1", text)


def option_name(word: Word) -> tuple[str, str | None] | None:
    """`--files=a` gives ("files", "a"), `—files` ("files", None); any other word gives None."""
    dashes = None if word.quoted else _DASH.match(word.value)
    if dashes is None:
        return None
    name, equals, value = word.value[dashes.end() :].partition("=")
    return hyphened(name).lower(), value if equals else None


def hyphened(word: str) -> str:
    """A name with every kind of dash in it as the plain one: keyboards and web pages put in others."""
    return word.translate(_ONE_DASH)


def shown(word: str, cap: int = 60) -> str:
    """The person's own word, fit to stand in a sentence."""
    flat = " ".join(word.split()).replace("`", "'")
    return f"`{shortened(flat, cap)}`"


def nearest(word: str, known: Iterable[str], also: dict[str, str] | None = None) -> str | None:
    """The known word that the person probably meant: a listed synonym, one inside the other, or alike."""
    lower, names = word.lower(), list(known)
    if also and lower in also:
        return also[lower]
    inside = [n for n in names if len(lower) >= 3 and (n in lower or n.startswith(lower))]
    alike = difflib.get_close_matches(lower, names, n=1, cutoff=0.6)
    return alike[0] if alike else (inside[0] if inside else None)
