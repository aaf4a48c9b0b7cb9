"""The arrows between rooms (bot/ARCHITECTURE.md), walked with ast."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BOT = ROOT / "bot"


def table() -> dict[str, set[str]]:
    """Room -> the rooms that it may import, as bot/ARCHITECTURE.md has it; all but local may import `errors` too."""
    rows = re.findall(r"^\| `(\w+)/?` \|.*\|(.*)\|$", (BOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.M)
    return {room: set(re.findall(r"\w+", rooms)) for room, rooms in rows}


MAY_IMPORT = table()
#: What the pure core may import besides itself and errors.
PURE = {
    "__future__", "collections", "dataclasses", "datetime", "decimal", "difflib", "enum", "functools", "itertools",
    "math", "pydantic", "re", "textwrap", "types", "typing", "unicodedata", "zoneinfo", "bisect", "html", "json",
    "string", "operator", "heapq", "fractions", "urllib", "base64", "zlib", "graphlib", "hashlib", "hmac",
}  # fmt: skip
FILES = sorted(BOT.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(BOT).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Dotted names of everything that a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            if node.module == "bot":
                found.update(f"bot.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_arrows(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    rooms = {name.split(".")[1] for name in imports(path) if name.startswith("bot.")}
    forbidden = rooms - {room} - MAY_IMPORT[room] - (set() if room == "local" else {"errors"})
    assert not forbidden, f"{room} may not import {sorted(forbidden)}"


@pytest.mark.parametrize("path", sorted((BOT / "domain").glob("*.py")), ids=lambda p: p.stem)
def test_the_core_is_pure(path: Path) -> None:
    """No clock, environment, log, random or I/O: the caller passes `now` and everything else."""
    outside = {name.split(".")[0] for name in imports(path)} - {"bot"}
    assert outside <= PURE
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
    assert not calls & {"open", "print", "input", "datetime.now", "datetime.utcnow", "date.today", "exec", "eval"}


def test_nothing_is_made_at_import() -> None:
    """No engine, client or app at module level: wiring makes them."""
    made = {"create_engine", "create_async_engine", "AsyncApp", "AsyncWebClient", "DBOS", "Database"}
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
                assert ast.unparse(node.value.func).split(".")[-1] not in made, path


def test_models_are_named_only_in_configuration_data() -> None:
    """Code speaks of rungs (DESIGN, Layout)."""
    allowed = {"config.py", "settings.py", "models.py"}
    for path in FILES:
        if room_of(path) == "local" or path.name in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
                assert not node.value.startswith(("claude-", "gemini-3", "gemini-2")), f"{path}:{node.lineno}"


def test_people_are_written_to_in_one_place() -> None:
    """Quiet hours are kept by everything that Orch writes to a person of its own accord (issue 5): only
    workflows.reach wants direct messages, and it asks domain.working_hours."""
    found = {
        path.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "outbox.want"
        and any("'direct'" in ast.unparse(each) or "'part'" in ast.unparse(each) for each in node.args)
    }
    assert found == {"reach.py"}


def test_top_level_folders() -> None:
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".")}
    assert folders - {"dist", "build"} <= {"bot", "templates", "tests", "migrations"}
