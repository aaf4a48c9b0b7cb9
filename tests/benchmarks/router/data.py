"""The training data (README in shared/data of the project's desk): public commits, their subjects and their paths."""

from __future__ import annotations

import gzip
import zlib
from array import array
from pathlib import Path
from typing import Literal, NamedTuple

from bot.domain.security import assess
from bot.domain.task_kinds import classify
from bot.domain.text_features import Block, Features, features
from bot.domain.text_model import Question, View
from tests.benchmarks.router.fit import Example

#: What a judgement may be trained on: its own question, or what it takes a second opinion from.
Lesson = Question | Literal["critical"]

FOLDER = Path(__file__).parent.parent / "data"
FOLDS = 6
CHEAP = frozenset({"docs", "chore", "ci", "build", "style"})
STRONG = frozenset({"feat", "fix", "refactor", "perf"})


class Commit(NamedTuple):
    """One commit. `group`: "task", "security" (critical) or "lookalike" (merely mentions such words)."""

    group: str
    repo: str
    type: str
    text: str
    files: tuple[str, ...]


def commits() -> list[Commit]:
    """All of them, in the files' order."""
    found = [Commit("task", row[0], row[1], row[3], _paths(row[4])) for row in _rows("routing_train")]
    found += [Commit("security", row[0], "", row[2], _paths(row[3])) for row in _rows("security_train")]
    found += [Commit("lookalike", row[0], row[1], row[3], _paths(row[4])) for row in _rows("security_lookalike_train")]
    return found


def folds(found: list[Commit]) -> dict[str, int]:
    """Repository -> the fold that holds all of it out."""
    repos = sorted({commit.repo for commit in found}, key=lambda repo: zlib.crc32(repo.encode()))
    return {repo: place % FOLDS for place, repo in enumerate(repos)}


def seen(commit: Commit, view: View) -> Features:
    """The features of a commit, as the router makes them."""
    files = commit.files if view == "files" else ()
    made = features(commit.text, files, classify(commit.text, files), assess(commit.text, files))
    return tuple(Block(block.scale, array("I", block.places)) for block in made)  # small, also when shared by processes


def label(question: Lesson, commit: Commit) -> tuple[bool, float] | None:
    """The answer that the commit teaches and its weight, or None where it teaches nothing.

    strong: the commit's type. docs, tests: of other work, whether it is that. code: whether it changes code,
    which security work does and what merely mentions security does not; ordinary work helps with the wording.
    critical: whether it is security work, so that words weigh as much as they tell it from all other work.
    """
    if question == "strong":
        return (commit.type in STRONG, 1.0) if commit.group == "task" and commit.type != "test" else None
    if question == "docs":
        return (commit.type == "docs", 1.0) if commit.group == "task" and commit.type in CHEAP else None
    if question == "critical":
        return (True, 3.0) if commit.group == "security" else (False, 1.0)
    if question == "tests":
        return (commit.type == "test", 1.0) if commit.group == "task" and commit.type not in STRONG else None
    if commit.group != "task":
        return commit.group == "security", 5.0
    return (commit.type in STRONG, 1.0) if commit.type in STRONG | {"docs", "test", "style"} else None


def examples(question: Lesson, found: list[Commit], features_of: list[Features]) -> list[Example]:
    """What a question is trained on."""
    told = ((commit, label(question, commit), some) for commit, some in zip(found, features_of, strict=True))
    return [Example(some, answer[0], answer[1]) for _, answer, some in told if answer]


def _rows(name: str) -> list[list[str]]:
    with gzip.open(FOLDER / f"{name}.tsv.gz", "rt", encoding="utf-8", newline="\n") as lines:
        return [line.rstrip("\n").split("\t") for line in lines][1:]


def _paths(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("|"))
