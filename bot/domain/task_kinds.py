"""What kind of work a text and its files describe: ordered rules, the first that fits decides (R-RT-1 to R-RT-5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from bot.domain.file_kinds import FileKind, kind_of
from bot.domain.shortening import shortened
from bot.domain.task import TaskType
from bot.domain.task_rules import CHANGES, REQUESTS, Rule

T = TaskType
K = FileKind


class Guess(NamedTuple):
    """A kind of work, how sure the rules are (0..1), and what they saw. `simple`: small enough for haiku."""

    type: TaskType
    confidence: float
    why: str
    simple: bool = False


#: Small enough for haiku where the matrix says "may" (R-RT-6).
SIMPLE = (
    r"\b(?:typos?|wording|copy change|labels?|tooltips?|colou?rs?|padding|margin|spacing|unused|console\.logs?|"
    r"log message|whitespace|trivial|one[- ]liner|one line|tiny|small|simple|minor|nits?|cosmetic)\b"
)
#: Too much for haiku, whatever else is said (R-RT-2: more than 30 changed lines).
LARGE = (
    r"\b(?:complex\w*|rewrite|redesign|overhaul|architecture|concurren\w*|algorithm\w*|distributed|entire|"
    r"across all)\b"
)
_LINES = re.compile(r"\b(\d{2,5})\+? (?:changed )?(?:lines|loc)\b", re.IGNORECASE)
_LINT = re.compile(r"\b(?:lint\w*|eslint|coverage|type ?check\w*)\b", re.IGNORECASE)
_NEW_TESTS = re.compile(
    r"^(?:add|writ|creat|cover|implement|increas|extend|expand|more|missing|generat)\w*\b.*"
    r"\b(?:tests?|specs?|coverage|test cases?)\b",
    re.IGNORECASE,
)
#: A request that also wants the change is a change.
_AND_CHANGE = re.compile(
    r"\b(?:and|then)(?: then)? (?:fix|implement|add|refactor|change|update|rewrite|improve|remove|"
    r"optimi[sz]e|correct)\b",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|pls|can you|could you|would you|we need to|i want to|need to|let's|also)[\s,]+)*",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    "a|all|and|asap|again|anything|at|be|bit|can|could|do|does|done|everything|fix|for|get|good|"
    "hello|help|hey|hi|i|improve|in|is|it|its|job|just|make|me|more|my|need|now|of|ok|on|one|or|our|"
    "please|pls|problem|some|something|stuff|task|that|the|them|then|there|these|thing|things|this|to|"
    "todo|up|urgent|us|want|we|with|work|works|you|your"
)


def _compiled(rules: tuple[Rule, ...], anchored: bool) -> tuple[tuple[Rule, re.Pattern[str]], ...]:
    start = "^" if anchored else ""
    return tuple((rule, re.compile(f"{start}(?:{rule.pattern})", re.IGNORECASE | re.DOTALL)) for rule in rules)


_REQUESTS = _compiled(REQUESTS, anchored=True)
_CHANGES = _compiled(CHANGES, anchored=False)
_SIMPLE = re.compile(SIMPLE, re.IGNORECASE)
_LARGE = re.compile(LARGE, re.IGNORECASE)


def classify(text: str, files: Iterable[str] = ()) -> Guess | None:
    """The kind of work, or None where no rule knows it. Files decide over words, requests over both."""
    plain = _POLITE.sub("", text.strip(), count=1)
    placed = _by_files([kind_of(path) for path in files])
    for rule, pattern in _REQUESTS:
        if (found := pattern.search(plain)) and not _AND_CHANGE.search(plain):
            if placed and placed.type is T.CONFIG and rule.type in (T.OPS, T.VALIDATION):
                return placed  # "run the linter" with a workflow's file: CI shall run it
            return Guess(rule.type, rule.confidence, _said(found))
    worded = _by_words(plain)
    if placed and placed.type is not T.LOGIC:
        return placed
    if placed and worded and worded.type in (T.DOCS, T.CONFIG, T.SETUP) and worded.confidence < 0.9:
        return placed._replace(simple=is_simple(plain))
    return worded or (placed and placed._replace(simple=is_simple(plain)))


def is_simple(text: str) -> bool:
    """Whether the text says that the change is small, and nothing says that it is not."""
    lines = [int(n) for n in _LINES.findall(text)]
    return bool(_SIMPLE.search(text)) and not _LARGE.search(text) and max(lines, default=0) <= 30


def asks_for_tests(text: str) -> bool:
    """Whether new tests shall be written, rather than old ones kept running (R-RT-5)."""
    return bool(_NEW_TESTS.search(_POLITE.sub("", text.strip(), count=1)))


def is_lint_check(text: str) -> bool:
    """Whether a validation is about lint, types or coverage, which gemini may do (R-RT-3)."""
    return bool(_LINT.search(text))


def is_vague(text: str) -> bool:
    """Whether the text says nothing that could be done: no words, or only words like "fix it please"."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return all(_VAGUE.fullmatch(word) or len(word) < 2 for word in words)


def _by_words(text: str) -> Guess | None:
    for rule, pattern in _CHANGES:
        if found := pattern.search(text):
            return Guess(rule.type, rule.confidence, _said(found), is_simple(text))
    return None


def _by_files(kinds: list[FileKind]) -> Guess | None:
    """What the files alone say. LOGIC stands for any source file among them."""
    present = set(kinds) - {K.LOCK} or set(kinds)
    if not present:
        return None
    if present == {K.DOCS}:
        return Guess(T.DOCS, 0.9, "its files are documentation")
    if K.TEST in present and present <= {K.TEST, K.DOCS}:
        return Guess(T.TESTS, 0.85, "its files are tests")
    if K.SCHEMA in present and present <= {K.SCHEMA, K.TEST, K.DOCS, K.CONFIG}:
        return Guess(T.SCHEMA, 0.85, "its files are migrations")
    if present <= {K.CI, K.CONFIG, K.LOCK, K.DOCS, K.TEST}:
        return Guess(T.CONFIG, 0.85, "its files are configuration")
    return Guess(T.LOGIC, 0.7, "its files are source code")


def _said(found: re.Match[str]) -> str:
    return f"it says “{shortened(' '.join(found[0].split()), 40)}”"
