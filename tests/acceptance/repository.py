"""The sample repository of a conversation, looked at and changed with git as a person would."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Repo:
    """A repository whose branch `main` is checked out."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Person", "-c", "user.email=person@example.com", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(self.path), *who, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    @property
    def head(self) -> str:
        return self.git("rev-parse", "main")

    def file(self, path: str, commit: str = "main") -> str | None:
        """A file's text on the branch; None where there is none."""
        if not self.git("ls-tree", commit, "--", path):
            return None
        return self.git("show", f"{commit}:{path}")

    def message(self, commit: str = "main") -> str:
        return self.git("log", "-1", "--format=%an%n%B", commit)

    def commit(self, **files: str) -> str:
        """Commit files to `main` (`__` in a name stands for `/`, `_dot_` for a dot)."""
        for name, text in files.items():
            self.write(name.replace("__", "/").replace("_dot_", "."), text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "A person's commit")
        return self.head

    def write(self, path: str, text: str) -> None:
        """Write into the checked-out tree, without a commit."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
