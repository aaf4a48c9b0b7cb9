"""What the text model sees of a task: words, parts of words, files and what the rules found, as hashed features.

The names are hashed into `BUCKETS` places, so that the model needs no dictionary. Each block of features has the same
say however many features it has: a long text or a long list of files counts no more than a short one.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bot.domain.file_kinds import FileKind, kind_of
from bot.domain.security import DOC_PHRASE, TEST_PHRASE, Assessment
from bot.domain.security_words import WORDS
from bot.domain.task_kinds import LARGE, SIMPLE, Guess
from bot.domain.task_rules import CHANGES, REQUESTS

BUCKETS = 1 << 17
MAX_WORDS = 60
MAX_FILES = 10  # as many as the training data has

#: How much each block says: words and pairs, parts of words, what the rules found, files.
WEIGHTS = (1.2, 0.8, 1.0, 1.2)


class Block(NamedTuple):
    """Features of one sort: their places in the model, and what each of them counts."""

    scale: float
    places: Sequence[int]


Features = tuple[Block, ...]

_WORD = re.compile(r"[a-z]+|\d+|[^\sa-z\d]", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PATH_WORD = re.compile(r"[a-z]+|\d+")


def _named_rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Every rule of the router as a feature; named by its kind and rank, so that a reworded rule keeps its weight."""
    rank: Counter[str] = Counter()
    found: list[tuple[str, re.Pattern[str]]] = []
    for start, rules in (("^", REQUESTS), ("", CHANGES)):
        for rule in rules:
            name = f"{start}{rule.type}"
            rank[name] += 1
            found.append((f"{name}.{rank[name]}", re.compile(f"{start}(?:{rule.pattern})", re.I | re.S)))
    found += [(f"about:{theme}", re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.I)) for theme, words in WORDS]
    found += [("simple", re.compile(SIMPLE, re.I)), ("large", re.compile(LARGE, re.I))]
    return tuple(found)


_RULES = _named_rules()


def features(text: str, files: Iterable[str], guess: Guess | None, safety: Assessment) -> Features:
    """The features of a task, given what the rules made of it."""
    words = words_of(text)
    paths = tuple(files)[:MAX_FILES]
    names = (
        word_names(text, words),
        (part for word in words if len(word) > 3 for part in _parts(word)),
        rule_names(text, guess, safety),
        path_names(paths) if paths else (),
    )
    return tuple(_block(weight, block) for weight, block in zip(WEIGHTS, names, strict=True))


def words_of(text: str) -> list[str]:
    """The words and signs of a text, lower-cased, with `camelCase` taken apart and every number as 0."""
    found = _WORD.findall(_CAMEL.sub(" ", text[:2000]))[:MAX_WORDS]
    return ["0" if word.isdigit() else word.lower() for word in found]


def word_names(text: str, words: list[str]) -> Iterator[str]:
    """Words, pairs of words next to each other and one apart, first and last word, and the form of the text."""
    yield f"n:{min(len(words), 24) // 3}"
    if _CAMEL.search(text) or "_" in text or "()" in text:
        yield "code"
    if words:
        yield f"first:{words[0]}"
        yield f"last:{words[-1]}"
    for place, word in enumerate(words):
        yield f"w:{word}"
        yield f"b:{words[place - 1] if place else '^'} {word}"
        if place >= 2:
            yield f"s:{words[place - 2]} {word}"


def rule_names(text: str, guess: Guess | None, safety: Assessment) -> Iterator[str]:
    """What the rules made of the task, and every rule that fits, also those that came too late to decide."""
    if guess:
        yield f"r:{guess.type}"
        yield f"r:{guess.type}.{guess.confidence}.{guess.simple}"
    else:
        yield "r:none"
    yield f"r:critical.{safety.critical}"
    yield f"r:mentions.{safety.mentions}"
    plain = text.strip()
    if DOC_PHRASE.match(plain):
        yield "r:doc phrase"
    if TEST_PHRASE.fullmatch(plain):
        yield "r:test phrase"
    for name, pattern in _RULES:
        if pattern.search(plain):
            yield f"r:{name}"


def path_names(paths: tuple[str, ...]) -> Iterator[str]:
    """Kinds, endings, folders and words of the files, whether all or only some are of a kind, and how many."""
    kinds = [kind_of(path) for path in paths]
    present = sorted(set(kinds))
    yield f"k:{'+'.join(present)}"
    yield f"f:{min(len(paths), 10) // 2}"
    yield f"src:{min(kinds.count(FileKind.SOURCE), 4)}"
    yield from (f"{'all' if len(present) == 1 else 'some'}:{kind}" for kind in present)
    for path, kind in zip(paths, kinds, strict=True):
        *folders, name = path.lower().split("/")
        yield from (f"name:{name}", f"top:{folders[0] if folders else '.'}", f"ext:{kind}.{name.rpartition('.')[2]}")
        yield from (f"dir:{folder}" for folder in folders)
        yield from (f"p:{word}" for word in _PATH_WORD.findall(_CAMEL.sub(" ", path).lower()))


def _parts(word: str) -> Iterator[str]:
    marked = f"<{word[:30]}>"
    return (f"c:{marked[start : start + size]}" for size in (3, 4, 5) for start in range(len(marked) - size + 1))


def _block(weight: float, names: Iterable[str]) -> Block:
    places = sorted({zlib.crc32(name.encode(errors="replace")) % BUCKETS for name in names})
    return Block(weight / math.sqrt(len(places) or 1), tuple(places))
