"""Which names may be written into a repository, and which may name things in one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from bot.domain.change import SUBMODULE, SYMLINK
from bot.domain.paths import is_git_folder

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_TASK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Entry(NamedTuple):
    """One file of a commit."""

    mode: str
    blob: str
    size: int  # bytes; 0 where it is not a file


def path_problem(path: str) -> str | None:
    """Why a path may not be written, or None. The rule holds for every system a commit may be checked out on."""
    parts = path.split("/")
    if not path or len(path) > 1000 or any(len(part.encode(errors="replace")) > 255 for part in parts):
        return "is empty or too long"
    if path.startswith("/") or "\\" in path:
        return "is absolute or holds a backslash"
    if _CONTROL.search(path):
        return "holds control characters"
    if any(part in ("", ".", "..") for part in parts):
        return "is not a plain path inside the repository"
    if any(is_git_folder(part) for part in parts):
        return "leads into git's own folder"
    return None


def obstacle(path: str, entries: Mapping[str, Entry], written: Collection[str], deleted: Collection[str]) -> str | None:
    """Why a file cannot be at `path`, given what the commit holds (`entries`) and what is written with it."""
    links = {at.casefold() for at, entry in entries.items() if entry.mode in (SYMLINK, SUBMODULE)}
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        above = "/".join(parts[:end])
        if above.casefold() in links:
            return f"passes through {above}, which is a symlink or a submodule"
        is_file = (above in entries and above not in deleted) or above in written
        if end < len(parts) and is_file:
            return f"lies under {above}, which is a file"
    if any(other.startswith(f"{path}/") and other not in deleted for other in entries):
        return "is a folder"
    return None


def is_task_id(text: str) -> bool:
    """Whether it can name a branch and a folder."""
    return bool(_TASK.fullmatch(text)) and ".." not in text and not text.endswith((".", ".lock"))


def is_commit(text: str) -> bool:
    """Whether it is a full hash, and nothing that git could take for an option."""
    return bool(_COMMIT.fullmatch(text))
