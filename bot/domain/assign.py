"""`assign`: the task's text, and its options anywhere in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, get_args

from bot.domain import command_values as values
from bot.domain.command_text import ALL_QUOTES, DOUBLE_QUOTES, Word, nearest, option_name, shown, split, unescape
from bot.domain.help import ASSIGN_OPTIONS
from bot.domain.task import Frozen, Priority, Rung, TaskType
from bot.errors import UserMistake

MAX_CHECKS = 10

TYPE_WORDS = {
    **dict.fromkeys(("doc", "documentation", "readme", "comment", "comments"), "docs"),
    **dict.fromkeys(("test", "testing"), "tests"),
    **dict.fromkeys(("bug", "bugfix", "fix", "error"), "debug"),
    **dict.fromkeys(("feature", "feat", "code", "service", "implementation", "refactor"), "logic"),
    **dict.fromkeys(("security", "crypto", "login", "jwt"), "auth"),
    **dict.fromkeys(("db", "database", "migration", "sql"), "schema"),
    **dict.fromkeys(("api", "webhook"), "integration"),
    **dict.fromkeys(("boilerplate", "scaffold", "init"), "setup"),
    **dict.fromkeys(("perf", "performance", "profiling"), "analysis"),
    **dict.fromkeys(("question", "find"), "search"),
    **dict.fromkeys(("lint", "coverage"), "validation"),
    **dict.fromkeys(("deploy", "deployment", "release", "git"), "ops"),
    **dict.fromkeys(("ci", "chore", "style", "format"), "config"),
}
MODEL_WORDS = {
    **dict.fromkeys(("human", "person", "me", "ci", "hand", "none"), "manual"),
    **dict.fromkeys(("claude", "gpt", "auto"), "sonnet"),
    **dict.fromkeys(("google", "flash", "reviewer"), "gemini"),
    **dict.fromkeys(("cheap", "cheapest", "small"), "haiku"),
    **dict.fromkeys(("strong", "strongest", "best", "big"), "opus"),
}
PRIORITY_WORDS = {
    **dict.fromkeys(("urgent", "asap", "blocker", "highest", "p0"), "critical"),
    **dict.fromkeys(("medium", "default", "p2"), "normal"),
    **dict.fromkeys(("important", "p1"), "high"),
    **dict.fromkeys(("lowest", "minor", "p3"), "low"),
}


class AssignRequest(Frozen):
    """What a person asked for, whichever way it came in. Unset options are None, to be decided later."""

    text: str = ""  # "" = open the form
    files: tuple[str, ...] = ()
    type: TaskType | None = None
    model: Rung | None = None
    priority: Priority = "normal"
    deadline: datetime | None = None  # local, without a zone: the project's is applied at the edge
    token_budget: int | None = None  # tokens per attempt
    sprint: int | None = None
    day: int | None = None
    after: tuple[values.TaskRef, ...] = ()
    checks: tuple[str, ...] = ()
    owner: str | None = None  # Slack user id
    security: bool = False
    dry_run: bool = False


class _Option(NamedTuple):
    field: str
    read: Callable[[str], Any] | None = None  # None = a flag, without a value
    joins: bool = False  # a list: goes on over a space after a comma


OPTIONS: dict[str, _Option] = {
    "files": _Option("files", values.paths, joins=True),
    "type": _Option("type", lambda word: values.choice(word, TaskType, "a type", TYPE_WORDS)),
    "model": _Option("model", lambda word: values.choice(word, Rung, "a model", MODEL_WORDS)),
    "priority": _Option("priority", lambda word: values.one_of(word, get_args(Priority), "a priority", PRIORITY_WORDS)),
    "deadline": _Option("deadline", values.deadline),
    "budget": _Option("token_budget", values.tokens),
    "sprint": _Option("sprint", lambda word: values.number(word, "sprint")),
    "day": _Option("day", lambda word: values.number(word, "day of the sprint")),
    "after": _Option("after", values.task_refs, joins=True),
    "check": _Option("checks", values.check),
    "owner": _Option("owner", values.person),
    "security": _Option("security"),
    "dry-run": _Option("dry_run"),
}
_OPTION_WORDS = {
    **dict.fromkeys(("file", "path", "paths"), "files"),
    **dict.fromkeys(("due", "until", "by", "date"), "deadline"),
    **dict.fromkeys(("tokens", "limit", "cost", "max-tokens"), "budget"),
    **dict.fromkeys(("checks", "test", "tests", "verify", "cmd"), "check"),
    **dict.fromkeys(("depends", "depends-on", "needs", "blocked-by", "dependency"), "after"),
    **dict.fromkeys(("assignee", "user", "assigned-to", "person"), "owner"),
    **dict.fromkeys(("rung", "llm", "engine"), "model"),
    **dict.fromkeys(("dry", "plan", "quote", "preview", "simulate"), "dry-run"),
    **dict.fromkeys(("prio", "urgency"), "priority"),
    **dict.fromkeys(("kind",), "type"),
    **dict.fromkeys(("secure", "sec"), "security"),
}
_FORMS = {form.split()[0].removeprefix("--"): form for form, _ in ASSIGN_OPTIONS}
_KNOWN = "|".join(OPTIONS)
_LAUNCHERS = re.compile(
    "npm|npx|yarn|pnpm|bun|deno|node|make|just|cargo|go|python3?|poetry|uvx?|tox|docker|bash|sh|mvn|(./)?gradlew?"
    "|dotnet|bundle|rake|php|composer|ruff"
)
_SECOND_PATH = re.compile(r"[^\s,]*/[^\s,]*\.[A-Za-z]{1,5}", re.ASCII)


def parse_assign(source: str) -> AssignRequest:
    """Read what follows `assign`. Raises UserMistake; an empty text means that the form is wanted."""
    reader = _Reader(source)
    reader.run()
    return AssignRequest(text=values.task_text(reader.text()), **reader.fields)


class _Reader:
    """Walks over the words once: options are cut out, everything else is the task's text, as typed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.words = split(source)
        self.at = 0
        self.text_words: list[Word] = []
        self.cuts: list[tuple[int, int]] = []
        self.fields: dict[str, Any] = {}

    def run(self) -> None:
        while (word := self._next()) is not None:
            if word.value == "--" and not word.quoted:
                self.cuts.append((word.start, word.end))
                self.text_words += self.words[self.at :]
                break
            self._refuse_single_dash(word)
            option = option_name(word)
            if option is None:
                self.text_words.append(word)
            else:
                self._option(word, *option)
                self.cuts.append((word.start, self.words[self.at - 1].end))
        self._refuse_swallowed_options()

    def text(self) -> str:
        """The source without its options; one quoted whole loses its quotes."""
        if len(self.text_words) == 1 and self.text_words[0].whole:
            return self.text_words[0].value.strip()
        pieces, start = [], 0
        for cut in [*self.cuts, (len(self.source), len(self.source))]:
            pieces.append(self.source[start : cut[0]].strip())
            start = cut[1]
        return unescape(" ".join(piece for piece in pieces if piece))

    def _next(self) -> Word | None:
        if self.at >= len(self.words):
            return None
        self.at += 1
        return self.words[self.at - 1]

    def _peek(self) -> Word | None:
        """The word that follows, unless it is an option or the end of the options."""
        word = self.words[self.at] if self.at < len(self.words) else None
        ends = word is None or option_name(word) or (word.value == "--" and not word.quoted)
        return None if ends else word

    def _option(self, word: Word, name: str, inline: str | None) -> None:
        option = OPTIONS.get(name)
        if option is None:
            raise _unknown_option(name)
        if option.field in self.fields and name != "check":
            together = f" Put them together: `--{name} a,b`." if option.joins else ""
            raise UserMistake(f"`--{name}` is given twice; I take it once.{together}")
        if option.read is None:
            if inline is not None:
                raise UserMistake(f"`--{name}` takes no value: leave {shown('=' + inline)} away.")
            self.fields[option.field] = True
            return
        read = option.read(self._value(word, name, inline, option.joins))
        self.fields[option.field] = (*self.fields.get("checks", ()), read) if name == "check" else read
        if len(self.fields.get("checks", ())) > MAX_CHECKS:
            raise UserMistake(f"These are too many checks for one task: at most {MAX_CHECKS}.")

    def _value(self, word: Word, name: str, inline: str | None, joins: bool) -> str:
        holder = word if inline is not None else self._peek()
        if holder is None or inline == "" or not holder.value:
            raise UserMistake(f"`--{name}` needs a value: `{_FORMS[name]}`.")
        value = inline if inline is not None else holder.value
        if inline is None:
            self.at += 1
        if holder.unclosed:
            raise UserMistake(f"The quote in {shown(self.source[holder.start :])} is never closed.")
        while (more := self._peek()) and joins and (value.endswith(",") or more.value.startswith(",")):
            value += more.value
            self.at += 1
        if name == "deadline" and more and re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", more.value, re.ASCII):
            value += f" {more.value}"
            self.at += 1
        if self.source[self.words[self.at - 1].end - 1] not in ALL_QUOTES:
            self._refuse_loose_value(name, value, more)
        return value

    def _refuse_loose_value(self, name: str, value: str, more: Word | None) -> None:
        """A value that plainly goes on after a space would lose its tail to the text."""
        if more is None or more.quoted:
            return
        if name == "check" and _LAUNCHERS.fullmatch(value):
            raise UserMistake(f'Put the check in quotes, or I cannot see where it ends: `--check "{value} …"`.')
        if name == "files" and _SECOND_PATH.fullmatch(more.value):
            raise UserMistake(f"Put commas between the files: `--files {value},{more.value}`.")

    def _refuse_single_dash(self, word: Word) -> None:
        found = None if word.quoted else re.fullmatch(rf"-({_KNOWN})(?:=.*)?", word.value, re.IGNORECASE)
        if found:
            raise UserMistake(
                f"{shown(word.value)} has one dash only: write `--{found[1].lower()}`, "
                "or put it in quotes if it belongs to the text."
            )

    def _refuse_swallowed_options(self) -> None:
        """An option inside quotes beside a quote that stands alone: a quote before it was not closed."""
        stray = any(not w.quoted and w.value.strip(".,;:!?")[-1:] in tuple(DOUBLE_QUOTES) for w in self.text_words)
        for word in self.text_words:
            if stray and word.quoted and re.search(rf"\s(--|[—–])({_KNOWN})\b", word.value):
                raise UserMistake(
                    f"A quote near {shown(self.source[word.start : word.end], 40)} is not closed, "
                    "so options would become part of the text."
                )


def _unknown_option(name: str) -> UserMistake:
    if name in ("no-security", "insecure", "skip-security"):
        return UserMistake(f"`--{name}` does not exist: nothing lowers the security floor (R-SEC-1).")
    near = nearest(name, OPTIONS, _OPTION_WORDS)
    hint = f" Did you mean `{_FORMS[near]}`?" if near else ""
    return UserMistake(
        f"I do not know the option {shown('--' + name)}.{hint} "
        "If it belongs to the text, put it in quotes, or write ` -- ` before the text."
    )
