"""What a plan's file says, with its lines, and what is wrong with it. The file itself is read at the edge
(bot/adapters/plan_file.py); every plain value arrives here as the text that the person wrote."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.domain.command_text import nearest, shown
from bot.domain.task import Frozen
from bot.errors import UserMistake

#: So many errors are shown; the rest are counted.
MOST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Scalar:
    """One plain value as it is written; nothing at all is the empty text. Lines count from 1; 0 = no lines."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and what it holds; `line` is the key's."""

    line: int
    key: str
    node: Node


@dataclass(frozen=True, slots=True)
class Table:
    """Keys in the order of the file. A key may stand there twice: that is for the reader to refuse."""

    line: int
    entries: tuple[Entry, ...]


Node = Scalar | Items | Table


class Problem(Frozen):
    """One thing that is wrong, or (a warning) only odd. `where` is a task, a sprint or a key."""

    line: int
    where: str
    text: str
    level: Literal["error", "warning"] = "error"

    @property
    def placed(self) -> str:
        """Where in the plan, and what, without the line."""
        return f"{self.where}: {self.text}" if self.where else self.text

    def __str__(self) -> str:
        return f"line {self.line}: {self.placed}" if self.line else self.placed


class Report:
    """Collects problems, so that one reading finds them all."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, line: int, where: str, text: str) -> None:
        self.problems.append(Problem(line=line, where=where, text=text))

    def warning(self, line: int, where: str, text: str) -> None:
        self.problems.append(Problem(line=line, where=where, text=text, level="warning"))

    @property
    def in_order(self) -> tuple[Problem, ...]:
        """Each problem once, by line."""
        return tuple(sorted(dict.fromkeys(self.problems), key=lambda problem: problem.line))


def errors_of(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.level == "error")


def mistake(problems: Sequence[Problem], what: str, form: str | None = None) -> UserMistake:
    """All errors as one mistake of a person; `what` names what they wrote ("The plan")."""
    errors = errors_of(problems)
    if len(errors) == 1:
        return UserMistake(f"{what} has an error. {errors[0]}", form)
    lines = [f"• {problem}" for problem in errors[:MOST_SHOWN]]
    more = [f"... and {len(errors) - MOST_SHOWN} more"] if len(errors) > MOST_SHOWN else []
    return UserMistake("\n".join([f"{what} has {len(errors)} errors:", *lines, *more]), form)


def unknown_key(key: str, known: Collection[str], also: dict[str, str] | None = None) -> str:
    """What to say of a key that nobody knows, with the nearest right name."""
    near = nearest(key, known, also)
    hint = f"did you mean `{near}`?" if near else f"known here: {', '.join(known)}"
    return f"{shown(key)} is not a key that I know; {hint}"
