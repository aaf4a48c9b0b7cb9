"""A plan's file: YAML -> values with their lines, and from there to a plan (bot/domain/plan_reading.py).

Only YAML's plain part is understood. Every value is taken as the text that stands there, because YAML itself would
read `10:30` as 630 and `no` as false.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.domain.command_text import nearest, shown
from bot.domain.plan import Plan
from bot.domain.plan_errors import Entry, Items, Node, Problem, Scalar, Table, mistake
from bot.domain.plan_reading import MAX_TASKS, Reading, check_plan
from bot.errors import UserMistake

MAX_BYTES = 512_000
MAX_DEPTH = 12
_NOTHING = ("", "~", "null", "Null", "NULL")


def load_plan(text: str, known: Collection[str] = ()) -> Plan:
    """The plan that a text in YAML holds; `known` are ids that the project has already. Raises UserMistake that names
    every error with its line."""
    plan, problems = read_plan_text(text, known)
    if plan is None:
        raise mistake(problems, "The plan", "orch plan check FILE")
    return plan


def read_plan_text(text: str, known: Collection[str] = (), most_tasks: int = MAX_TASKS) -> Reading:
    """The plan, or None, and everything that is wrong with it."""
    source = parse_yaml(text)
    return Reading(None, (source,)) if isinstance(source, Problem) else check_plan(source, known, most_tasks)


@dataclass(frozen=True)
class PlanFolders:
    """Plans by name: `NAME.yaml` in the first of the folders that has it."""

    folders: tuple[Path, ...]

    def __call__(self, name: str, known: Collection[str] = ()) -> Plan:
        """The plan. Raises UserMistake, with the names there are or with every error and its line."""
        found = self.find(name)
        if found is None:
            names = self.names
            near = nearest(name, names)
            hint = f" Did you mean `{near}`?" if near else f" There are: {', '.join(names)}." if names else ""
            own = f"A plan of yours belongs into {self.folders[0]}, as NAME.yaml."
            raise UserMistake(f"There is no plan called {shown(name)}.{hint} {own}", "/orch plan load NAME")
        return load_plan(read_text(found), known)

    def find(self, name: str) -> Path | None:
        """The file of a plan."""
        file = f"{name.removesuffix('.yaml')}.yaml"
        plain = "/" not in name and not name.startswith(".")
        return next((folder / file for folder in self.folders if plain and (folder / file).is_file()), None)

    @property
    def names(self) -> list[str]:
        return sorted({path.stem for folder in self.folders for path in folder.glob("*.yaml")})


def read_text(path: Path, most: int = MAX_BYTES) -> str:
    """A plan's file as text, of at most so many bytes. Raises UserMistake."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise UserMistake(f"{path} is too large for a plan: at most {most:,} bytes.")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserMistake(f"{path} is no text in UTF-8.") from None
    except OSError as error:
        raise UserMistake(f"{path} cannot be read: {error.strerror}.") from None


def parse_yaml(text: str) -> Node | Problem:
    """What the YAML holds, with lines; or the place where it stops being YAML."""
    try:
        # libyaml says less of what is wrong, but reads what a person would not write by hand ten times as fast.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader) if len(text) > MAX_BYTES else yaml.SafeLoader
        documents = list(yaml.compose_all(text, Loader=loader))
        if len(documents) > 1:
            return Problem(line=_line(documents[1]), where="", text="`---` starts a second plan; a file holds one")
        return _node(documents[0], 0) if documents else Scalar(1, "")
    except _NotPlain as error:
        return error.problem
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return Problem(line=mark.line + 1 if mark else 0, where="", text=_said(error, text, mark))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return Problem(line=line, where="", text="an invisible character stands here that YAML does not allow")
    except (RecursionError, yaml.YAMLError, ValueError):
        return Problem(line=0, where="", text="this is not valid YAML")


class _NotPlain(Exception):
    """A part of YAML that plans do not use."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(line=line, where="", text=text)


def _node(node: yaml.Node, depth: int, seen: set[int] | None = None) -> Node:
    seen = set() if seen is None else seen
    line = _line(node)
    if id(node) in seen:
        raise _NotPlain(line, "the part that starts here is used again by `*`; write it out")
    seen.add(id(node))
    if depth > MAX_DEPTH:
        raise _NotPlain(line, "this is nested too deeply for a plan")
    if isinstance(node, yaml.ScalarNode):
        blank = node.style is None and node.value in _NOTHING
        return Scalar(line, "" if blank else str(node.value))
    if isinstance(node, yaml.SequenceNode):
        return Items(line, tuple(_node(item, depth + 1, seen) for item in node.value))
    entries = []
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _NotPlain(_line(key), "a key must be one word, say `title:`")
        if key.value == "<<" and key.style is None:
            raise _NotPlain(_line(key), "`<<` is not understood here; write the keys out")
        entries.append(Entry(_line(key), str(key.value), _node(value, depth + 1, seen)))
    return Table(line, tuple(entries))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _said(error: yaml.MarkedYAMLError, text: str, mark: yaml.Mark | None) -> str:
    """What the parser says, with a hint for what people usually mean."""
    said = " ".join(part for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        hint = "; indent with spaces, not with tabs"
    elif "mapping values are not allowed" in said:
        hint = "; put a text that has `: ` in it into quotes"
    elif "found character" in said and any(c in line for c in "@`%"):
        hint = "; put a text that starts with `@`, a backtick or `%` into quotes"
    elif "block mapping" in said or "block collection" in said or "block sequence" in said:
        hint = "; is the indentation the same as above?"
    elif "unexpected end of stream" in said:
        hint = "; is a quote never closed?"
    elif "flow " in said:
        hint = "; is a bracket never closed, a comma missing, or a text with brackets in it not in quotes?"
    else:
        hint = ""
    return f"this is not valid YAML: {said}{hint}"
