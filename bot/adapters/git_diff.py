"""Read the difference between two commits as git's plumbing prints it: no settings, drivers or renames."""

from __future__ import annotations

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

    words = ("diff-tree", "-r", "-z", "--raw", "--numstat", "-p", "--full-index", *_PLAIN, base, head)
    said = (await git(*words, at=clone, doing="reading the change")).out.decode("utf-8", "backslashreplace")
    fields = said.split("\0")
    end = fields.index("")  # between the files and the patch, which may hold a NUL itself
    raw = [each for each in range(0, end, 2) if fields[each].startswith(":")]  # each with its path behind it
    counts = (line.split("\t", 2) for line in fields[2 * len(raw) : end])
    lines = {path: (added, removed) for added, removed, path in counts}
    files = tuple(_file(fields[at], fields[at + 1], lines.get(fields[at + 1])) for at in raw)
    return Change(base=base, head=head, files=files, patch="\0".join(fields[end + 1 :]))


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
