"""What a reply in a task's thread means: a word for Orch, something for the next model call, or none of our business.

A word counts only where it stands alone (`stop`, `Stop!`, `@orch stop please`), so that "stop using tabs" is a wish and
stops nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from bot.domain.command_text import plain
from bot.domain.command_values import MAX_REASON
from bot.domain.shortening import shortened
from bot.domain.task import Frozen
from bot.errors import UserMistake

#: Characters of one reply that a model is told.
REPLY_CHARS = 1_500
#: Characters of all replies together in one call; the newest are kept.
SAID_CHARS = 3_000

Verb = Literal["stop", "retry", "unblock", "done", "blocked", "why", "status", "help", "mute", "unmute"]


class Aside(Frozen):
    """Not for Orch: `aside: ...`, something that is addressed to another person, or nothing at all."""


class Order(Frozen):
    """A word that Orch acts on. `said`: the reason of `blocked`, or what was seen with `done`."""

    verb: Verb
    said: str = ""


class Steer(Frozen):
    """A wish about the work itself, for the next model call; not longer than REPLY_CHARS, `cut` where it was."""

    text: str
    cut: bool = False


Reply = Aside | Order | Steer

#: What people write -> what they mean.
WORDS: dict[str, Verb] = {
    **dict.fromkeys(("stop", "cancel", "abort", "stop it", "stop this"), "stop"),
    **dict.fromkeys(("retry", "try again", "again", "restart", "redo"), "retry"),
    **dict.fromkeys(("unblock", "unblocked"), "unblock"),
    **dict.fromkeys(("done", "it is done", "it's done", "finished"), "done"),
    **dict.fromkeys(("blocked", "block", "stuck"), "blocked"),
    **dict.fromkeys(("why",), "why"),
    **dict.fromkeys(("status", "state"), "status"),
    **dict.fromkeys(("help", "?"), "help"),
    **dict.fromkeys(("mute",), "mute"),
    **dict.fromkeys(("unmute",), "unmute"),
}  # fmt: skip

_TO_SOMEBODY = re.compile(r"\s*<@([UW][A-Z0-9]+)>[\s,:]*")
_TO_ORCH = re.compile(r"/?orch(?=[\s,:])[\s,:]*", re.IGNORECASE)
_ASIDE = re.compile(r"\(?\s*aside\b", re.IGNORECASE)
_BLOCKED = re.compile(r"block(?:ed)?\s*(?:[:,–—]|-(?=\s)|(?=\s(?:by|because|since|until|on)\b))\s*(.*)",
                      re.IGNORECASE | re.DOTALL)  # fmt: skip
_DONE = re.compile(r"done\s*[:–—]\s*(.+)", re.IGNORECASE | re.DOTALL)
_POLITE = re.compile(r"^(?:please|ok|okay)[\s,]+|[\s,]+(?:please|now|thanks|thank you)$")


def read_reply(raw: str, bot: str) -> Reply:
    """What a reply means. `raw`: as Slack delivers it; `bot`: Orch's own Slack id. Raises UserMistake for `blocked`
    without a reason."""
    text = plain(raw)
    named = _TO_SOMEBODY.match(text)
    if named and named[1] != bot:
        return Aside()
    text = without_address(text, bot)
    if not any(char.isalnum() or char == "?" for char in text) or _ASIDE.match(text):
        return Aside()
    return _order(text) or Steer(text=shortened(text, REPLY_CHARS), cut=len(text) > REPLY_CHARS)


def change_of(before: Reply | None, now: Reply) -> Reply | None:
    """What is to be done about a reply that its writer changed; None = nothing. `before`: None where the earlier words
    meant nothing. A word that was obeyed is not obeyed again, unless it gives another reason now."""
    if isinstance(now, Order) and isinstance(before, Order) and now.verb == before.verb:
        return now if now.verb == "blocked" and now.said != before.said else None
    return None if now == before else now


def without_address(text: str, bot: str) -> str:
    """The text without the `@orch`, `orch` or `/orch` that it begins with."""
    named = _TO_SOMEBODY.match(text)
    text = text[named.end() :] if named and named[1] == bot else text
    to_orch = _TO_ORCH.match(text)
    return (text[to_orch.end() :] if to_orch else text).strip()


def _order(text: str) -> Order | None:
    alone = text.lower().strip(" \n.!`*_\"'")
    alone = "?" if alone == "?" else _POLITE.sub("", alone.rstrip("?")).strip()
    verb = WORDS.get(alone)
    if blocked := _BLOCKED.fullmatch(text):
        return Order(verb="blocked", said=_reason(blocked[1]))
    if verb == "blocked":
        _reason("")
    if seen := _DONE.fullmatch(text):
        return Order(verb="done", said=seen[1].strip()[:MAX_REASON])
    return Order(verb=verb) if verb else None


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise UserMistake(
            "Why is it blocked? Write the reason behind the word.", "blocked: waiting for the staging keys"
        )
    return reason[:MAX_REASON]


def newest_that_fit(replies: Sequence[str]) -> int:
    """How many of the newest replies (oldest first) a call has room for; the newest one always."""
    room, count = SAID_CHARS, 0
    for text in reversed(replies):
        room -= len(text)
        if room < 0 and count:
            break
        count += 1
    return count
