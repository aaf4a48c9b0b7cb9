"""Facts about a change and about the checks that ran on it, as git and the sandbox report them."""

from __future__ import annotations

from typing import Literal

from bot.domain.task import Frozen

#: git's modes of what no change may hold.
SYMLINK, SUBMODULE = "120000", "160000"


class FileChange(Frozen):
    """One path of a diff (renames are shown as a delete and an add)."""

    path: str
    status: Literal["added", "modified", "deleted", "type_changed"]
    old_mode: str = "000000"  # git's, say 100644 or 100755
    new_mode: str = "000000"
    added: int = 0  # lines
    removed: int = 0  # lines
    binary: bool = False


class Change(Frozen):
    """The exact difference between two commits."""

    base: str
    head: str
    files: tuple[FileChange, ...]
    patch: str  # unified diff, as git prints it

    @property
    def lines(self) -> int:
        """Changed lines: added + removed."""
        return sum(f.added + f.removed for f in self.files)


class CheckRun(Frozen):
    """One check (or set-up) command that was to run on a commit."""

    command: str
    status: Literal["passed", "failed", "timed_out", "not_run"]
    exit_code: int | None = None
    seconds: float = 0.0
    tail: str = ""  # the last lines of stdout and stderr together, secrets removed
