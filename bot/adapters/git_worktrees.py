"""The tasks' working trees of one bare clone. A tree that a kill left half made is made again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from bot.adapters.git_command import Git
from bot.adapters.scratch import remove_tree
from bot.errors import RepositoryError


class Worktrees:
    """One folder per task under `folder`. The caller holds the repository's lock."""

    def __init__(self, git: Git, clone: Path, folder: Path) -> None:
        self._git, self._clone, self._folder = git, clone, folder

    async def at(self, task_id: str, commit: str, lock: int) -> Path:
        """The task's tree, clean and at `commit`, on branch `orch/<task id>`."""
        path, branch = self._folder / task_id, f"orch/{task_id}"
        if (path / ".git").is_file():
            try:
                await self._reset(path, branch, commit, lock)
            except RepositoryError:
                pass  # damaged: made again below
            else:
                return path
        await asyncio.to_thread(self._remove, path)
        path.parent.mkdir(parents=True, exist_ok=True)
        words = ("worktree", "add", "--quiet", "--force", "--force", "--no-track", "-B", branch)
        await self._git(*words, str(path), commit, at=self._clone, lock=lock, doing="making a working tree")
        return path

    async def drop(self, task_ids: Sequence[str], lock: int) -> None:
        """Remove the trees and branches of these tasks, where they exist."""
        for task_id in task_ids:
            await asyncio.to_thread(self._remove, self._folder / task_id)
        lines = "".join(f"delete refs/heads/orch/{task_id}\n" for task_id in task_ids)
        await self._git("update-ref", "--stdin", at=self._clone, stdin=lines.encode(), lock=lock)

    async def _reset(self, path: Path, branch: str, commit: str, lock: int) -> None:
        if not (path / ".git").read_text().startswith(f"gitdir: {self._clone}/worktrees/"):
            raise self._git.error("using a working tree", f"{path} belongs to another repository")
        await self._git("checkout", "--quiet", "--force", "--no-track", "-B", branch, commit, at=path, lock=lock)
        await self._git("clean", "-ffdxq", at=path, lock=lock)

    def _remove(self, path: Path) -> None:
        """Remove a tree and git's record of it, also one that git had locked while it was made."""
        if os.path.lexists(path):
            remove_tree(path)
        for record in (self._clone / "worktrees").glob("*"):
            place = record / "gitdir"
            if not place.is_file() or place.read_text().strip() == str(path / ".git"):
                remove_tree(record)
