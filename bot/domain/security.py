"""Is a task security-critical? The floor under every route (R-SEC-1): no flag, fallback or budget lowers it.

Words and paths speak for it; only clear evidence that nothing but documentation, wording or tests changes
speaks against it. Where the two disagree, the task is security-critical.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from bot.domain.file_kinds import FileKind, kind_of
from bot.domain.paths import matches
from bot.domain.security_words import HARMLESS, PATHS, WORDS

#: A text that plainly asks for documentation: its object must come before any "to", "for", "in" and the like, since
#: "add the login to the docs" asks for a log-in.
_FEW = r"(?:(?!(?:so|and|then|until|before|without|pass|passes|to|for|from|in|on|behind|when|if)\b)[\w/.'`-]+ ){0,7}?"
_DOC_THINGS = (
    r"(?:documentation|(?:(?:ts|js|type|api)[ -]?)?docs?|readme(?:\.md)?|docstrings?|changelogs?|changesets?|guides?|"
    r"tutorials?|faqs?|spelling|wording|examples? (?:for|of)|(?:code|inline) comments?|comments? in|"
    r"(?:notes?|sections?|explanations?) (?:about|regarding)|diagrams?|how-?to|quick-?start|explanations?|"
    r"best practices|[\w/-]+\.(?:md|mdx|rst))"
)
_DOC_VERBS = (
    r"(?:add|updat|fix|improv|writ|extend|correct|clarif|remov|revis|rework|polish|mov|creat|expand|tweak|includ|enhanc|"
    r"reorder|align|re-?word|reformat|restructur|reorgani[sz]|translat|adjust)"
    r"(?:e|y|s|es|ed|ies|ing)?"
)
_PRINTED = (
    r"(?:docs?|documentation|readme|guides?|comments?|messages?|texts?|labels?|headings?|titles?|copy|tooltips?|"
    r"descriptions?|pages?|footer|[\w/-]+\.(?:md|mdx|rst))"
)
DOC_PHRASE = re.compile(
    r"(?:please )?(?:docs?: (?!(?:add|implement|fix|change|remove|make|use|allow|enable|disable|switch|enforce)\b))?"
    r"(?:(?<=: )|(?:describ|explain|mention|clarif)(?:e|y|s|es|ies|ing)? "
    r"|document(?:ing|s)? (?:the|an?|how|what|why|when|which|that|all|each|our|this|these|new|missing|usage|using)\b"
    rf"|(?:(?:fix|correct|resolv)(?:e|es|s|ed|ing)? )?{_FEW}(?:typos?|misspell\w*)"
    rf"(?: in (?:[\w/.'`-]+ ){{0,5}}?{_PRINTED}\b|\.?$)"
    rf"|{_DOC_VERBS} {_FEW}{_DOC_THINGS}(?=$|[\s,.:;)]+(?:about|for|on|of|to|in|with|how|that|and|using)\b|[.:;]?$)"
    rf"|{_DOC_VERBS} {_FEW}(?:notes?|sections?|explanations?|comments?) (?:about|regarding|in)\b"
    rf"|(?:add|updat)(?:e|s|es|ed|ing)? {_FEW}examples?(?: (?:for|of|using)\b|\.?$))",
    re.IGNORECASE,
)
TEST_PHRASE = re.compile(
    r"(?:please )?(?:(?:(?:add|writ|extend|improv|updat|creat|refactor|mock|unskip|deflak|stabili[sz]|port)"
    r"(?:e|es|s|ed|ing)?|(?:fix|fixup|resolve) flaky|more|missing) "
    rf"{_FEW})?(?:tests?|test cases?|test coverage|test suites?)(?: (?:for|of|on|in|around|covering|that)\b.*)?",
    re.IGNORECASE | re.DOTALL,
)
#: What makes such a phrase unclear: a second piece of work, or a consequence for the code.
_MORE_WORK = re.compile(
    r"(?:\band|\bthen|\balso|[,;+&.\n])\s+(?:also |then |please )*(?:implement|fix|add|change|refactor|remove|enforce|"
    r"rotate|enable|disable|switch|replace|migrate|make|move|harden|validate|verify|encrypt|hash|store|allow|block|"
    r"reject|patch|use|drop|skip|stop|start|let)\b"
    r"|\b(?:fix|patch|plug|bump|upgrad|resolv|address|mitigat|clos|remediat|prevent|avoid|introduc|caus)\w*\b"
    r".{0,60}\bvulnerab|\bvulnerabilit(?:y|ies) (?:in|from|of|by)\b"
    r"|\b(?:implement|bypass|exploit|vulnerable|attack|leak|uncomment|comment(?:ed|ing)? out|must\b|should\b|"
    r"(?:which|that) (?:lets|breaks|allows|accepts|rejects|skips|causes|makes|disables))",
    re.IGNORECASE,
)
#: Verbs that ask for a change of code, at the start of a text.
_CODE_VERB = re.compile(
    r"(?:please )?(?:implement|enforce|encrypt|decrypt|hash|sign|validate|verify|rotate|revoke|harden|prevent|"
    r"block|reject|refactor|introduce|build|secure|protect|restrict|require|check|store|sanitize|sanitise|escape)\b",
    re.IGNORECASE,
)
_WORDS = tuple((theme, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)) for theme, words in WORDS)
_HARMLESS = re.compile(rf"(?<!\w)(?:{HARMLESS})(?!\w)", re.IGNORECASE)
#: Files that cannot weaken what they are named after. The gate judges the change itself all the same.
_HARMLESS_KINDS = frozenset({FileKind.DOCS, FileKind.TEST, FileKind.STYLE, FileKind.LOCK})
_PROSE = frozenset({FileKind.DOCS, FileKind.TEST, FileKind.STYLE})
#: What sets up tools has nothing critical in it for lying in a folder named `auth`.
_TOOLING = re.compile(
    r"(?:package|tsconfig[\w.-]*|jsr|deno)\.json|(?:pyproject|cargo)\.toml|go\.mod|makefile|"
    r"(?:eslint|prettier|vitest|jest|rollup|tsup)\.config\.\w+|"
    r"\.(?:gitignore|npmignore|dockerignore|eslint\w*|prettier\w*|editorconfig|nvmrc)[\w.-]*"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_")  # also CSRFConfig: CSRF Config


class Assessment(NamedTuple):
    """The answer. `why` is the evidence in a few words; `mentions` = such words occur, critical or not; `by_words` =
    nothing but such words says so: no path, no project rule, no person."""

    critical: bool
    why: str
    mentions: bool
    by_words: bool = False


def assess(text: str, files: Iterable[str] = (), security_paths: Iterable[str] = ()) -> Assessment:
    """Judge a task by its text and its declared files. `security_paths` are the project's own patterns."""
    paths = tuple(files)
    word = _security_word(text)
    own = _covered(paths, tuple(security_paths))
    if own:
        return Assessment(True, f"the project guards {own}", True)
    kinds = {kind_of(path) for path in paths}
    wording = is_wording(text)
    asks_for_code = bool(word and not wording and _CODE_VERB.match(text.strip()))
    if kinds and kinds <= _PROSE and not (asks_for_code and FileKind.DOCS in kinds):
        return Assessment(False, "it changes documentation, tests or styling only", bool(word))
    path = next((path for path in paths if _is_critical(path)), None)
    if path:
        return Assessment(True, f"it touches {path}", True)
    if word and wording:
        return Assessment(False, "it only writes about such things", True)
    if word:
        return Assessment(True, f"it speaks of “{word}”", True, by_words=True)
    return Assessment(False, "nothing security-critical is named", False)


def is_wording(text: str) -> bool:
    """Whether the text unmistakably asks for documentation, wording or tests, and for nothing besides."""
    plain = text.strip()
    phrase = DOC_PHRASE.match(plain) or TEST_PHRASE.fullmatch(plain)
    return bool(phrase) and not _MORE_WORK.search(plain)


def asks_for_more(text: str) -> bool:
    """Whether a text names a change of code, or a consequence for it, so that it is not merely about wording."""
    return bool(_CODE_VERB.match(text.strip()) or _MORE_WORK.search(text))


def _security_word(text: str) -> str | None:
    """The first security-critical word, also inside a camelCase or snake_case name."""
    for form in (text, _CAMEL.sub(" ", text)):
        plain = _HARMLESS.sub(" ", form)
        for _, words in _WORDS:
            found = words.search(plain)
            if found:
                return found[0]
    return None


def _is_critical(path: str) -> bool:
    """By the file's name and its folders; what CI runs, by its name alone; what sets up tools, never."""
    kind, name = kind_of(path), path.rpartition("/")[2]
    if kind in _HARMLESS_KINDS or _TOOLING.fullmatch(name.lower()):
        return False
    return bool(matches(name if kind is FileKind.CI else path, PATHS))


def _covered(paths: Iterable[str], patterns: tuple[str, ...]) -> str | None:
    return next((path for path in paths if matches(path, patterns)), None)
