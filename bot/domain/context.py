"""Choose what a one-shot edit is shown of the repository (DESIGN, "Context and edits").

Two phases, since the caller reads the contents: `likely_files` names the candidates, `pack` chooses whole files
or ranges of lines that fit the allowance. Both are deterministic. The caller renders the parts; the task's text
comes first. Files that may hold secrets are never named nor shown, and what is shown is redacted (R-SEC-3).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from bot.domain.file_kinds import LOCK_FILES
from bot.domain.paths import declared as declared_by
from bot.domain.paths import matches
from bot.domain.secrets import Redactor, is_secret_file
from bot.domain.task import Frozen

#: UTF-8 bytes per token: conservative, for code at the newest models, which count about 30 % more tokens than
#: their elders did (FACTS, "Anthropic"). The provider's own count decides what is reserved.
BYTES_PER_TOKEN = 2.5
BLOCK_TOKENS = 14  # what a `<file path="...">` block costs besides its path and text
LIST_SHARE = 0.25  # of what the task, checks and notes leave: at most for the list of paths
DECLARED, NAMED = 1_000.0, 50.0  # scores; what is shared by words alone scores about 1 to 20
MIN_PART = 40  # tokens; a smaller part of a file is not worth showing
HEAD_LINES = 8  # of a file that is cut: its imports
MAX_WINDOWS = 30  # ranges tried in one file
AROUND = 6  # lines shown on each side of a line that speaks of the task

_NEVER = (
    *LOCK_FILES,
    *("node_modules/", "vendor/", "third_party/", "dist/", ".yarn/", ".next/", "__snapshots__/", "*.snap"),
    *("*.min.js", "*.min.css", "*.map", "*.png", "*.jpg", "*.jpeg", "*.gif", "*.webp", "*.ico", "*.pdf", "*.svg"),
    *("*.zip", "*.gz", "*.tgz", "*.jar", "*.whl", "*.so", "*.dll", "*.exe", "*.bin", "*.wasm", "*.pyc", "*.mp4"),
    *("*.woff", "*.woff2", "*.ttf", "*.eot", "*.otf", "*.mp3", "*.wav", "*.sqlite", "*.db", "*.parquet"),
)
_COMMON = frozenset(
    [
        *("the", "and", "for", "with", "from", "into", "that", "this", "add", "use", "new", "make", "all", "not"),
        *("are", "was", "when", "should", "must", "can", "code", "change", "update", "fix", "file", "files"),
        *("src", "lib", "app", "apps", "index", "main", "test", "tests", "spec", "json", "yml", "yaml", "tsx", "jsx"),
    ]
)
SMALL = 15  # files; of so small a repository every file is a candidate
FAINT = 0.3  # of the best score among undeclared files: what scores less is left out
_hide = Redactor()


class FilePart(Frozen):
    """Lines of one file. `first_line` counts from 1; `whole` = nothing of the file is left out."""

    path: str
    text: str
    first_line: int
    whole: bool


class Packed(Frozen):
    """What the prompt is made of, besides the task's text, the checks and the notes, all counted in
    `estimated_tokens`. More than the allowance only where those alone exceed it."""

    file_parts: tuple[FilePart, ...]
    path_list: str  # the same for every task of a commit, as far as budgets allow: it stands in the shared prefix
    near_paths: str = ""  # beside the candidates, where the list only counts them
    estimated_tokens: int


def estimate_tokens(text: str) -> int:
    """Tokens of the text, estimated on the high side."""
    return math.ceil(len(text.encode(errors="replace")) / BYTES_PER_TOKEN)


def likely_files(task_text: str, declared: Sequence[str], all_paths: Sequence[str], limit: int) -> tuple[str, ...]:
    """The files most likely needed, best first, at most `limit`: those declared, those that the text names, those
    whose path shares rare words with it, and the tests of all these."""
    paths = sorted(path for path in set(all_paths) if not _is_never_shown(path))
    frequency = Counter(word for path in paths for word in path_words(path))
    wanted = {word: math.log(1 + len(paths) / n) for word in text_words(task_text) if (n := frequency[word])}
    lowered = task_text.casefold()
    scores = {path: _score(path, wanted, lowered, declared) for path in paths}
    _lift_tests(scores)
    best = max((score for score in scores.values() if score < DECLARED), default=0.0)
    floor = 0.0 if len(paths) <= SMALL else max(FAINT * min(best, 2 * NAMED), 1e-9)
    chosen = [path for path in paths if scores[path] >= floor]
    ranked = sorted(chosen, key=lambda path: (-scores[path], _subject(path) is not None, path))
    return tuple(ranked[:limit])


def pack(
    task_text: str,
    declared: Sequence[str],
    all_paths: Sequence[str],
    contents: Mapping[str, str],
    checks: Sequence[str],
    notes: Sequence[str],
    max_tokens: int,
    *,
    redact: Callable[[str], str] = _hide,
) -> Packed:
    """Fill `max_tokens` with the best of `contents`, and with the list of paths. Declared files come first and
    share what there is. A file that does not fit whole is cut to ranges of lines: an undeclared one to half of
    what is left at most."""
    fixed = sum(estimate_tokens(text) + 2 for text in (task_text, *checks, *notes))
    left = max_tokens - fixed
    path_list = list_paths(all_paths, (), min(int(max_tokens * LIST_SHARE), left // 2))
    left -= estimate_tokens(path_list)
    order = _order(task_text, declared, all_paths, contents)
    near_paths = _beside(all_paths, path_list, order, int(left * LIST_SHARE))
    left -= estimate_tokens(near_paths)
    owed = sum(1 for path in order if declared_by(path, declared))
    words = text_words(task_text)
    parts: list[FilePart] = []
    for number, path in enumerate(order):
        whole = FilePart(path=path, text=redact(contents[path]), first_line=1, whole=True)
        share = left // (owed - number) if number < owed else left
        if _cost(whole) <= share:
            chosen: tuple[FilePart, ...] = (whole,)
        else:
            chosen = _ranges(whole, words, share if number < owed else share // 2)
        parts += chosen
        left -= sum(map(_cost, chosen))
    used = estimate_tokens(path_list) + estimate_tokens(near_paths) + sum(map(_cost, parts))
    return Packed(
        file_parts=tuple(parts),
        path_list=path_list,
        near_paths=near_paths,
        estimated_tokens=fixed + used,
    )


def _order(
    task_text: str, declared: Sequence[str], all_paths: Sequence[str], contents: Mapping[str, str]
) -> tuple[str, ...]:
    """The known files, likely ones first, then the others that the caller chose to read; declared before all."""
    every = (*all_paths, *contents)
    likely = [path for path in likely_files(task_text, declared, every, len(every)) if path in contents]
    rest = [path for path in sorted(contents) if not _is_never_shown(path)]
    return tuple(dict.fromkeys([*likely, *rest]))


@lru_cache(maxsize=65_536)
def _is_never_shown(path: str) -> bool:
    return is_secret_file(path) or matches(path, _NEVER) is not None


def list_paths(all_paths: Iterable[str], near: Sequence[str], max_tokens: int) -> str:
    """The paths, one a line, within the allowance: whole, or else with folders as `src/ (12 files)`, the deeper
    ones first and those that hold `near` files last; or nothing, where not even that fits."""
    paths = sorted(path for path in set(all_paths) if not is_secret_file(path))
    kept = frozenset(_folder(path) for path in near)
    for depth, keep in ((99, kept), (4, kept), (3, kept), (2, kept), (1, kept), (3, frozenset()), (2, frozenset())):
        text = _abbreviated(paths, depth, keep)
        if estimate_tokens(text) <= max_tokens:
            return text
    text = _abbreviated(paths, 1, frozenset())
    return text if estimate_tokens(text) <= max_tokens else ""


def _beside(all_paths: Iterable[str], listed: str, near: Sequence[str], max_tokens: int) -> str:
    """The files in the folders of `near` that the list does not name, as far as they fit; by folder, best first."""
    named = frozenset(listed.split("\n"))
    paths = sorted(path for path in set(all_paths) if path not in named and not is_secret_file(path))
    chosen: list[str] = []
    for folder in dict.fromkeys(_folder(path) for path in near):
        inside = [path for path in paths if _folder(path) == folder]
        if estimate_tokens("\n".join([*chosen, *inside])) <= max_tokens:
            chosen += inside
    return "\n".join(chosen)


@lru_cache(maxsize=65_536)
def path_words(path: str) -> frozenset[str]:
    return text_words(path)


def text_words(text: str) -> frozenset[str]:
    """Telling words of a text or a path, in lower case and without the plural's s."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+", text)
    plain = (word.casefold() for word in found)
    return frozenset(_stem(word) for word in plain if len(word) > 2 and word not in _COMMON)


@lru_cache(maxsize=16_384)
def _stem(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ing", "ers", "er", "ed", "es", "s", "e"):
        if word.endswith(ending) and not word.endswith("ss") and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _score(path: str, wanted: Mapping[str, float], lowered: str, declared: Sequence[str]) -> float:
    """DECLARED or NAMED (twice for a whole path), and the weight of the words that path and text share."""
    if by := declared_by(path, declared):
        is_exact = by.removeprefix("./").strip("/").casefold() == path.casefold()
        return DECLARED + (100 if is_exact else 0) + _overlap(path, wanted)
    folded = path.casefold()
    name = folded.rpartition("/")[2]
    if "/" in path and folded in lowered:
        return 2 * NAMED + _overlap(path, wanted)
    return (NAMED if _names(lowered, name) else 0.0) + _overlap(path, wanted) * _likelihood(path, lowered)


def _likelihood(path: str, lowered: str) -> float:
    """Tests and prose are what a task is about where it says so; elsewhere they only resemble it."""
    if _subject(path) is not None or "/__tests__/" in path:
        return 1.0 if "test" in lowered or "spec" in lowered else 0.5
    if matches(path, ("*.md", "*.mdx", "*.rst", "*.txt", "/docs/")):
        return 1.0 if re.search(r"\b(?:doc|readme|changelog|guide|typo)", lowered) else 0.5
    return 1.0


def _names(text: str, name: str) -> bool:
    """Whether a text speaks of a file by its name, `a.py` or so, as a word of its own."""
    at = text.find(name) if len(name) > 3 and "." in name else -1
    around = text[max(at - 1, 0) : at] + text[at + len(name) : at + len(name) + 1]
    return at >= 0 and not any(c.isalnum() or c in "_-" for c in around)


def _overlap(path: str, wanted: Mapping[str, float]) -> float:
    """The weight of the shared words, those of the file's own name half as much again, long paths a little less."""
    own = path_words(path.rpartition("/")[2])
    shared = sum(weight * (1.5 if word in own else 1) for word, weight in wanted.items() if word in path_words(path))
    return shared / math.sqrt(4 + len(path_words(path)))


def _lift_tests(scores: dict[str, float]) -> None:
    """A test stands after the file that it tests, and before what is merely similar."""
    by_stem: dict[str, float] = {}
    for path, score in scores.items():
        if _subject(path) is None:
            stem = path.rpartition("/")[2].rpartition(".")[0].casefold()
            by_stem[stem] = max(by_stem.get(stem, 0.0), score)
    for path, score in scores.items():
        subject = _subject(path)
        if subject is not None and score < DECLARED:
            scores[path] = max(score, 0.6 * min(by_stem.get(subject, 0.0), 6 * NAMED))


@lru_cache(maxsize=65_536)
def _subject(path: str) -> str | None:
    """The stem of the file that a test is for (`a` for `test_a.py`, `a.spec.ts`), or None for what is no test."""
    name = path.rpartition("/")[2].casefold()
    match = re.fullmatch(r"(?:test_(\w+)|(\w+)_test|([\w.-]+)\.(?:test|spec|e2e-spec))\.\w+", name)
    return next(filter(None, match.groups())) if match else None


def _cost(part: FilePart) -> int:
    return BLOCK_TOKENS + estimate_tokens(part.path) + estimate_tokens(part.text)


def _ranges(whole: FilePart, words: frozenset[str], allowance: int) -> tuple[FilePart, ...]:
    """The file's head, and lines around those that speak of the task, best first, while they fit."""
    lines: list[str] = re.findall(r"[^\n]*\n|[^\n]+", whole.text)
    rarity = Counter(word for line in lines for word in words & text_words(line))
    weight = {n: sum(1 / rarity[w] for w in words & text_words(line)) for n, line in enumerate(lines)}
    best = sorted((n for n in weight if weight[n] > 0), key=lambda n: (-weight[n], n))[:MAX_WINDOWS]
    shown: set[int] = set()
    chosen: tuple[FilePart, ...] = ()
    for window in (range(HEAD_LINES), *(range(n - AROUND, n + AROUND + 1) for n in best)):
        wider = shown | {n for n in window if 0 <= n < len(lines)}
        parts = _parts(whole.path, lines, wider)
        if wider != shown and sum(map(_cost, parts)) <= allowance:
            shown, chosen = wider, parts
    return chosen if sum(map(_cost, chosen)) >= MIN_PART else ()


def _parts(path: str, lines: Sequence[str], shown: set[int]) -> tuple[FilePart, ...]:
    """The shown lines as runs without a gap."""
    starts = sorted(n for n in shown if n - 1 not in shown)
    ends = sorted(n + 1 for n in shown if n + 1 not in shown)
    return tuple(
        FilePart(path=path, text="".join(lines[start:end]), first_line=start + 1, whole=False)
        for start, end in zip(starts, ends, strict=True)
    )


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _abbreviated(paths: Sequence[str], depth: int, keep: frozenset[str]) -> str:
    """The paths; what lies deeper than `depth` components is counted by folder, unless its folder is kept."""
    entries: dict[str, list[str]] = {}
    for path in paths:
        parts = path.split("/")
        deep = len(parts) > depth and _folder(path) not in keep
        entries.setdefault("/".join(parts[:depth]) + "/" if deep else path, []).append(path)
    named = sorted(entries.items())
    return "\n".join(inside[0] if len(inside) == 1 else f"{name} ({len(inside)} files)" for name, inside in named)
