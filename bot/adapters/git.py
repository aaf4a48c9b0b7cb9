"""A project's git repository (ports.Repository), by the real git command line.

Orch works in a bare clone of its own under ORCH_HOME, never in the origin; commits are built from objects, and
only `worktree` writes files to disk. Every call may be repeated after a kill. Calls that write hold one lock per
clone, across processes; a git child inherits it, so a lock file found while holding it is stale for certain.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from bot.adapters.file_lock import file_lock
from bot.adapters.git_build import Builder
from bot.adapters.git_command import Git
from bot.adapters.git_diff import read_change
from bot.adapters.git_origin import origin_at
from bot.adapters.git_paths import is_commit, is_task_id
from bot.adapters.git_worktrees import Worktrees
from bot.domain.change import SUBMODULE, Change
from bot.domain.paths import BRANCH
from bot.errors import BaseMoved, ConfigError, RepositoryError

#: As many loose objects are left as they are.
LOOSE_OBJECTS = 6700


class GitRepository:
    """See ports.Repository. `origin` is a path, file://, ssh or https address; `home` is ORCH_HOME; `key` names
    the project; `redact` removes known secrets from error texts."""

    def __init__(
        self,
        origin: str,
        branch: str,
        home: Path,
        key: str,
        redact: Callable[[str], str],
    ) -> None:
        if not re.fullmatch(BRANCH, branch):
            raise ConfigError(f"Project {key}: `branch` {branch!r} is not the name of a branch.")
        if not is_task_id(key) or not origin or origin.startswith("-"):
            raise ConfigError(f"Project {key}: `key` or `repo` cannot be used as a name or an address.")
        home = home.resolve()
        self._clone = home / "repos" / f"{key}.git"
        self._config = home / "repos" / "gitconfig"
        self._tracking = f"refs/remotes/origin/{branch}"
        self._branch = branch
        self._git = Git(key, redact, self._config)
        self._origin = origin_at(origin, branch, self._git)
        self._build = Builder(self._git, self._clone)
        self._worktrees = Worktrees(self._git, self._clone, home / "worktrees" / key)

    async def refresh(self) -> str:
        """Fetch the project's branch from its origin; returns its commit."""
        async with self._locked() as lock:
            return await self._fetched(lock)

    async def list_files(self, commit: str) -> tuple[str, ...]:
        """Every path of the commit in git's order, symlinks too, submodules not."""
        entries = await self._build.entries(self._known(commit))
        return tuple(path for path, entry in entries.items() if entry.mode != SUBMODULE)

    async def read_files(self, commit: str, paths: Sequence[str]) -> dict[str, str]:
        """Texts of those paths that are UTF-8 regular files of at most 1 MiB at the commit."""
        return await self._build.texts(self._known(commit), paths)

    async def commit_files(
        self,
        task_id: str,
        parent: str,
        files: Mapping[str, str | None],
        message: str,
        *,
        when: datetime,
    ) -> str:
        """See ports.Repository. The task's worktree on disk is not touched; call `worktree` to see the result."""
        self._known(parent)
        branch = f"refs/heads/orch/{self._task(task_id)}"
        async with self._locked() as lock:
            tree = await self._build.tree_with(parent, files)
            commit = await self._build.commit(tree, [parent], message, when)
            await self._git("update-ref", branch, commit, at=self._clone, lock=lock)
        return commit

    async def change(self, base: str, head: str) -> Change:
        """The exact difference between two commits; renames are a delete and an add."""
        return await read_change(self._git, self._clone, self._known(base), self._known(head))

    async def worktree(self, task_id: str, commit: str) -> Path:
        """The task's own worktree, clean and at the commit (branch `orch/<task id>`)."""
        self._known(commit)
        async with self._locked() as lock:
            return await self._worktrees.at(self._task(task_id), commit, lock)

    async def build_candidate(
        self, base: str, head: str, onto: str, message: str, *, squash: bool, when: datetime
    ) -> str:
        """See ports.Repository. Squash: one parent, `onto`; else two, `onto` and `head`. Raises MergeConflict."""
        for commit in (base, head, onto):
            self._known(commit)
        async with self._locked():
            tree = await self._build.merged_tree(base, head, onto)
            parents = [onto] if squash else [onto, head]
            return await self._build.commit(tree, parents, message, when)

    async def advance(self, new: str, expected: str) -> None:
        """Move the project's branch from `expected` to `new`, its descendant, at the origin; nothing happens if
        the branch contains `new` already. Raises BaseMoved, TreeDirty."""
        new, expected = self._known(new), self._known(expected)
        async with self._locked() as lock:
            if not await self._is_ancestor(expected, new):
                raise self._git.error("the merge", f"{new[:12]} does not follow {expected[:12]}")
            if await self._settled(new, expected, lock):
                return
            try:
                await self._origin.advance(self._clone, new, expected, lock)
            except BaseMoved:
                if not await self._settled(new, expected, lock):
                    raise

    async def contains(self, commit: str) -> bool:
        """Whether the project's branch at the origin contains the commit."""
        tip = await self.refresh()
        return await self._is_ancestor(self._known(commit), tip)

    async def kept_tasks(self) -> tuple[str, ...]:
        """The names under which a branch, and perhaps a worktree, is kept."""
        async with self._locked():
            words = ("for-each-ref", "--format=%(refname:lstrip=3)", "refs/heads/orch/")
            return tuple((await self._git(*words, at=self._clone)).text.splitlines())

    async def drop(self, *task_ids: str) -> None:
        """Remove the worktrees and branches of these tasks, where they exist."""
        names = [self._task(task_id) for task_id in task_ids]
        async with self._locked() as lock:
            await self._worktrees.drop(names, lock)

    async def pack(self) -> None:
        """Pack the clone's objects where many lie loose; git goes on with it by itself, and holds the lock."""
        async with self._locked() as lock:
            words = ("-c", f"gc.auto={LOOSE_OBJECTS}", "gc", "--auto", "--quiet")
            await self._git(*words, at=self._clone, lock=lock, doing="packing the clone")

    async def _settled(self, new: str, expected: str, lock: int) -> bool:
        """Whether the branch contains `new`. Raises BaseMoved if it is neither there nor at `expected`."""
        tip = await self._fetched(lock)
        if tip == new or (tip != expected and await self._is_ancestor(new, tip)):
            return True
        if tip != expected:
            moved = f"{self._branch} is at {tip[:12]}, not at {expected[:12]}"
            raise BaseMoved(self._git.text("the merge", moved, "Build it again on the new base."))
        return False

    async def _is_ancestor(self, older: str, newer: str) -> bool:
        """False too where a commit is not known here at all."""
        words = ("merge-base", "--is-ancestor", older, newer)
        return (await self._git(*words, at=self._clone, may_fail=(1, 128))).code == 0

    async def _fetched(self, lock: int) -> str:
        await self._origin.fetch(self._clone, self._tracking, lock)
        return (await self._git("rev-parse", "--verify", self._tracking, at=self._clone)).text

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[int]:
        """Hold the clone's lock; the clone exists, and no lock file of a killed git is left in it."""
        async with file_lock(self._clone.with_suffix(".lock")) as lock:
            if not (self._clone / "config").is_file():
                self._config.write_text("[safe]\n\tdirectory = *\n")  # see Git: only for our clone and its origin
                words = ("init", "--quiet", "--bare", "--template=", "--initial-branch=none", str(self._clone))
                await self._git(*words, at=self._clone.parent, lock=lock, doing="making the clone")
            await asyncio.to_thread(_remove_stale_locks, self._clone)
            yield lock

    def _known(self, commit: str) -> str:
        if not is_commit(commit):
            raise RepositoryError(f"{commit!r} is not the full hash of a commit.")
        return commit

    def _task(self, task_id: str) -> str:
        if not is_task_id(task_id):
            raise RepositoryError(f"{task_id!r} cannot name a branch. Use letters, digits, dots and dashes.")
        return task_id


def _remove_stale_locks(clone: Path) -> None:
    for found in (clone.glob("*.lock"), *((clone / name).rglob("*.lock") for name in ("refs", "worktrees"))):
        for path in found:
            path.unlink(missing_ok=True)
    for index in clone.glob("index-*"):
        index.unlink(missing_ok=True)
