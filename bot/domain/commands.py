"""What people type after `/orch` (and the same words by mention or DM), as values. `parse` is the way in."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.domain.command_kinds import Command, Help
from bot.domain.command_readers import READERS
from bot.domain.command_text import nearest, plain, shown, split
from bot.domain.help import BY_NAME, NAMES, SYNONYMS
from bot.domain.message_reading import looks_like_assignment
from bot.errors import UserMistake

MAX_INPUT = 12_000  # characters of a whole command
MAX_REPEATED = 2_500  # characters of it that an answer repeats

_FOR_ME = re.compile(r"(?:\s*<@[UW][A-Z0-9]+>[\s,:]*)*(?:/?orch(?=\s|$)[\s,:]*)?", re.IGNORECASE)
_ADDRESS = re.compile(r"\s*(?P<verb>(?:assign|incident)\s+)?(?P<key>[A-Za-z][A-Za-z0-9]{0,15}):\s+", re.IGNORECASE)
_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(\|[^>]*)?>[\s,:]*")
_GREETINGS = frozenset({"", "hi", "hello", "hey", "help", "?"})
_HELP_WORDS = ("--help", "-h", "?", "—help", "–help")
_WITH_TEXT = ("assign", "block", "incident")  # a mistake in these repeats what was typed
_BUTTONS = ("approve", "merge", "reject", "acknowledge", "split")


def parse(raw: str) -> Command:
    """The command that the text asks for; an empty text asks for help.

    Raises UserMistake, and nothing else, whatever the text: it says what is wrong, and `form` is the right
    form. Where the person wrote a text, the answer repeats it, ready to be copied and corrected.
    """
    source = plain(raw)
    source = source[_for_me(source) :]
    if len(source) > MAX_INPUT:
        raise UserMistake(
            f"That has {len(source):,} characters; a command has at most {MAX_INPUT:,}.", "/orch assign <what>"
        )
    words = split(source)
    if not words or words[0].value in _HELP_WORDS:
        return Help()
    name = words[0].value.lower().rstrip(":,")
    rest = source[words[0].end :].strip()
    if name not in NAMES:
        raise _unknown_command(words[0].value, source, rest)
    action, _, last = rest.lower().rpartition(" ")
    if last in _HELP_WORDS and (topic := f"{name} {action}".strip()) in BY_NAME:
        return Help(topic=topic)
    try:
        return READERS[name](rest)
    except UserMistake as mistake:
        again = f"\nTo copy and correct: {_repeated(f'{name} {rest}')}" if name in _WITH_TEXT and rest else ""
        raise UserMistake(f"{mistake}{again}", mistake.form or BY_NAME[name].short) from None


def typed(text: str, *, message: bool, keys: Iterable[str]) -> tuple[str | None, str]:
    """What a person asks for as it would stand after `/orch`, and the key of the project that it is for, where it says
    so (R-MSG-4): `KEY: words` or `assign KEY: words`; a task's id, `KEY:S1-D1-1`, says it for itself. `message`: it is
    a mention or a direct message, where other words are a task. `keys`: of the projects that may be meant."""
    if message:
        text = _MENTION.sub("", text)
    found = _ADDRESS.match(text)
    key = next((key for key in keys if found and key == found["key"].upper()), None)
    if found and key:
        text = f"{found['verb'] or ''}{text[found.end() :]}"
    return key, _of_message(text) if message else text


def _of_message(text: str) -> str:
    words = text.split(maxsplit=1)
    first = words[0].lower().strip(":,") if words else ""
    if first in _GREETINGS and len(words) < 2:
        return "help"
    if first in (*NAMES, "/orch", "help") or looks_like_assignment(text):
        return text
    return f"assign {text}"


def _for_me(source: str) -> int:
    """How much of the start only addresses the bot: mentions, `/orch`."""
    found = _FOR_ME.match(source)
    return found.end() if found else 0


def _is_prose(rest: str) -> bool:
    """Whether what follows a word that is no command reads as a sentence, not as a command's ids and numbers."""
    return len(rest.split()) > 1 and not re.search(r"\d", rest)


def _repeated(typed: str) -> str:
    whole = f"/orch {typed}"
    return whole if len(whole) <= MAX_REPEATED else whole[:MAX_REPEATED].rstrip() + " …"


def _unknown_command(word: str, source: str, rest: str) -> UserMistake:
    if word.lower() in _BUTTONS:
        text = f"{shown(word)} is a button on the task's card, not a command: open the card and click it there."
        return UserMistake(text, "/orch status ID")
    near = nearest(word, NAMES, SYNONYMS)
    if near != "assign" and word.lower() not in SYNONYMS and _is_prose(rest):
        near = None  # "please write ..." is not `plan`
    hint = f" Did you mean `/orch {near}`?" if near else ""
    if near == "assign" and word.lower() not in SYNONYMS:  # a slip of the finger: the word is no part of the task
        task = f"\nTo copy and correct: {_repeated(f'assign {rest}')}" if rest else ""
    else:
        task = f"\nIf it is a task for me: {_repeated(f'assign {source}')}" if " " in rest else ""
    form = BY_NAME[near].short if near else "/orch help"
    return UserMistake(f"I do not know the command {shown(word)}.{hint}{task}", form)
