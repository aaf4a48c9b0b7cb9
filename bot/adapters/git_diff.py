"""Read the difference between two commits as git's plumbing prints it: no settings, drivers or renames."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

from bot.adapters.git_command import Git
from bot.domain.change import Change, FileChange

_PLAIN = ("--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=none")
_STATUS: dict[str, Literal["added", "modified", "deleted", "type_changed"]] = {
    "A": "added",
    "M": "modified",
    "D": "deleted",
    "T": "type_changed",
}


async def read_change(git: Git, clone: Path, base: str, head: str) -> Change:
    """The Change between two commits of a clone. Bytes that are not UTF-8 are shown as escapes."""

    async def diff(*how: str) -> str:
        said = await git("diff-tree", "-r", *how, *_PLAIN, base, head, at=clone, doing="reading the change")
        return said.out.decode("utf-8", "backslashreplace")

    raw, counts, patch = await asyncio.gather(diff("--raw", "-z"), diff("--numstat", "-z"), diff("-p", "--full-index"))
    lines = {path: (added, removed) for added, removed, path in _numstat(counts)}
    fields = raw.split("\0")
    files = [_file(facts, path, lines.get(path)) for facts, path in zip(fields[::2], fields[1::2], strict=False)]
    return Change(base=base, head=head, files=tuple(files), patch=patch)


def _numstat(text: str) -> list[list[str]]:
    return [line.split("\t", 2) for line in text.split("\0") if line]


def _file(facts: str, path: str, lines: tuple[str, str] | None) -> FileChange:
    """One line `:<old mode> <new mode> <old blob> <new blob> <status>` and its numstat (`-` = binary)."""
    old_mode, new_mode, _, _, status = facts.removeprefix(":").split()
    added, removed = lines or ("0", "0")
    return FileChange(
        path=path,
        status=_STATUS[status[0]],
        old_mode=old_mode,
        new_mode=new_mode,
        added=0 if added == "-" else int(added),
        removed=0 if removed == "-" else int(removed),
        binary=added == "-",
    )
