"""Where a project's branch lives: in a repository on this machine, or behind a URL.

The branch only ever moves forward and by compare-and-swap. Nothing is pushed to a repository on this machine:
that would run its hooks here; objects are handed over and the reference is moved instead.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import NoReturn, Protocol
from urllib.parse import unquote

from bot.adapters.git_command import Git, Said
from bot.errors import BaseMoved, TreeDirty

_SHOWN = 5  # paths named in an error


class Origin(Protocol):
    """The place that holds the project's branch."""

    async def fetch(self, clone: Path, ref: str, lock: int) -> None:
        """Bring the branch into `clone` as `ref`. Raises RepositoryError."""
        ...

    async def advance(self, clone: Path, new: str, expected: str, lock: int) -> None:
        """Move the branch from `expected` to `new`, its descendant. Raises BaseMoved, TreeDirty."""
        ...


def origin_at(place: str, branch: str, git: Git) -> Origin:
    """The origin that a project's `repo` setting names."""
    path = local_path(place)
    return LocalOrigin(path, branch, git) if path else RemoteOrigin(place, branch, git)


def local_path(place: str) -> Path | None:
    """The folder that `place` names on this machine, or None if it is the address of another."""
    if place.startswith("file://"):
        return Path(unquote(place.removeprefix("file://"))).absolute()
    scp_like = re.match(r"[^/]+:", place)
    if "://" in place or (scp_like and not Path(place).exists()):
        return None
    return Path(place).expanduser().absolute()


def _fetch_words(place: str, branch: str, ref: str) -> tuple[str, ...]:
    return (
        *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow", "--refmap="),
        *("--", place, f"+refs/heads/{branch}:{ref}"),
    )


class RemoteOrigin:
    """A repository behind a URL (ssh, https, git)."""

    def __init__(self, url: str, branch: str, git: Git) -> None:
        self._url, self._branch, self._git = url, branch, git

    async def fetch(self, clone: Path, ref: str, lock: int) -> None:
        words = _fetch_words(self._url, self._branch, ref)
        await self._git(*words, at=clone, remote=True, lock=lock, doing=f"fetching {self._branch}")

    async def advance(self, clone: Path, new: str, expected: str, lock: int) -> None:
        """A push that the remote itself refuses if its branch is not at `expected` any more."""
        branch = f"refs/heads/{self._branch}"
        said = await self._git(
            *("push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed"),
            *(f"--force-with-lease={branch}:{expected}", "--", self._url, f"{new}:{branch}"),
            at=clone,
            remote=True,
            lock=lock,
            may_fail=(1,),
            doing=f"pushing to {self._branch}",
        )
        if said.code == 0:
            return
        if re.search(
            r"^!.*\[(rejected|remote rejected)\] \((stale info|fetch first|non-fast-forward|.*lock)", said.text, re.M
        ):
            raise BaseMoved(self._git.text("the merge", f"{self._branch} has moved meanwhile", "Build it again."))
        raise self._git.error(f"pushing to {self._branch}", f"{said.text}\n{said.err}")


class LocalOrigin:
    """A repository on this machine: bare, or a person's own, whose working trees must stay whole."""

    def __init__(self, path: Path, branch: str, git: Git) -> None:
        self._path, self._branch, self._git = path.resolve(), branch, git

    async def fetch(self, clone: Path, ref: str, lock: int) -> None:
        if not self._path.is_dir():
            raise self._git.error("fetching", f"{self._path} does not appear to be a git repository")
        words = _fetch_words(str(self._path), self._branch, ref)
        await self._git(*words, at=clone, lock=lock, doing=f"fetching {self._branch}")

    async def advance(self, clone: Path, new: str, expected: str, lock: int) -> None:
        """First the trees that have the branch checked out, then the branch: a kill in between leaves a tree
        that holds exactly `new`, which the next call recognises."""
        filters_off = await self._filters_off(lock)
        added, deleted = await self._paths_between(clone, expected, new)
        await self._hand_over(clone, new, expected, lock)
        moving = []
        for at in await self._trees(lock):
            tree = _Tree(at, self._git, self._path, filters_off, lock)
            if not await tree.holds(new):
                await tree.require_clean(self._branch, added, deleted)
                moving.append(tree)
        for tree in moving:
            await tree.move(expected, new)
        words = ("update-ref", "-m", "merge by Orch", f"refs/heads/{self._branch}", new, expected)
        said = await self._here(*words, lock=lock, may_fail=(1, 128))
        if said.code:
            for tree in moving:
                await tree.move(new, expected)
            raise BaseMoved(self._git.text("the merge", said.err, "Build it again."))

    async def _here(self, *words: str, lock: int, stdin: bytes = b"", may_fail: tuple[int, ...] = ()) -> Said:
        """git in the origin, as the person who owns it, and never in a repository around it."""
        return await self._git(
            *words,
            at=self._path,
            stdin=stdin,
            environment={"GIT_CEILING_DIRECTORIES": str(self._path.parent)},
            lock=lock,
            as_owner_of=self._path,
            may_fail=may_fail,
            doing="the merge",
        )

    async def _hand_over(self, clone: Path, new: str, expected: str, lock: int) -> None:
        """Give the origin the objects of expected..new."""
        wanted = f"{new}\n^{expected}\n".encode()
        pack = await self._git("pack-objects", "--quiet", "--revs", "--stdout", at=clone, stdin=wanted, lock=lock)
        await self._here("unpack-objects", "-q", stdin=pack.out, lock=lock)

    async def _paths_between(self, clone: Path, old: str, new: str) -> tuple[set[str], set[str]]:
        """Paths that `new` adds, and that it deletes."""
        words = ("diff-tree", "-r", "-z", "--no-renames", "--name-status", old, new)
        fields = (await self._git(*words, at=clone)).out.decode("utf-8", "surrogateescape").split("\0")
        pairs = list(zip(fields[::2], fields[1::2], strict=False))
        return {path for kind, path in pairs if kind == "A"}, {path for kind, path in pairs if kind == "D"}

    async def _trees(self, lock: int) -> list[Path]:
        """The working trees that have the branch checked out."""
        said = await self._here("worktree", "list", "--porcelain", "-z", lock=lock)
        blocks = (block.split("\0") for block in said.out.decode("utf-8", "surrogateescape").split("\0\0"))
        trees = [
            Path(block[0].removeprefix("worktree "))
            for block in blocks
            if f"branch refs/heads/{self._branch}" in block and "bare" not in block
        ]
        return [tree for tree in trees if tree.is_dir()]

    async def _filters_off(self, lock: int) -> dict[str, str]:
        """Environment that blanks the content filters of the origin's own configuration: their programs may
        be files of the repository, and so a model's work."""
        said = await self._here(
            "config", "--null", "--name-only", "--get-regexp", r"^filter\.", lock=lock, may_fail=(1,)
        )
        names = [name for name in said.text.split("\0") if name]
        off = {"GIT_CONFIG_COUNT": str(len(names))}
        for at, name in enumerate(names):
            off |= {f"GIT_CONFIG_KEY_{at}": name}
            off |= {f"GIT_CONFIG_VALUE_{at}": "false" if name.endswith(".required") else ""}
        return off


class _Tree:
    """A person's working tree that has the branch checked out."""

    def __init__(self, path: Path, git: Git, origin: Path, environment: dict[str, str], lock: int) -> None:
        self._path, self._git, self._origin = path, git, origin
        self._environment, self._lock = environment, lock

    async def _run(self, *words: str, may_fail: tuple[int, ...] = ()) -> Said:
        return await self._git(
            *words,
            at=self._path,
            environment=self._environment,
            lock=self._lock,
            as_owner_of=self._origin,
            may_fail=may_fail,
            doing=f"looking at {self._path}",
        )

    async def holds(self, commit: str) -> bool:
        """Whether index and files are exactly the commit's."""
        await self._run("update-index", "-q", "--refresh", may_fail=(1, 128))
        index = await self._run("diff-index", "--cached", "--quiet", commit, may_fail=(1, 128))
        if index.code:
            return False
        files = await self._run("diff-files", "--quiet", "--ignore-submodules=all", may_fail=(1,))
        return files.code == 0

    async def require_clean(self, branch: str, added: set[str], deleted: set[str]) -> None:
        """Raises TreeDirty for uncommitted changes, and for untracked files where the merge adds its own."""
        words = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=all")
        status = (await self._run(*words)).out.decode("utf-8", "backslashreplace").split("\0")
        paths = [line[3:] for line in status if line]
        paths += sorted(path for path in added if self._in_the_way(path, deleted))
        if paths:
            shown = ", ".join(paths[:_SHOWN]) + (", ..." if len(paths) > _SHOWN else "")
            self._refuse(f"{branch} is checked out in {self._path}, which has uncommitted changes ({shown})")

    def _in_the_way(self, path: str, deleted: set[str]) -> bool:
        """Whether something untracked lies where `path` is to be added, or a file where its folder is."""
        parents = [parent for parent in PurePosixPath(path).parents if str(parent) != "."]
        if any(
            os.path.lexists(at := self._path / parent)
            and str(parent) not in deleted
            and (at.is_symlink() or not at.is_dir())
            for parent in parents
        ):
            return True
        return os.path.lexists(self._path / path) and not any(old.startswith(f"{path}/") for old in deleted)

    async def move(self, old: str, new: str) -> None:
        """Move index and files from commit to commit; git refuses if that would lose anything. Raises TreeDirty."""
        said = await self._run("read-tree", "-m", "-u", old, new, may_fail=(1, 128))
        if said.code:
            self._refuse(f"{self._path} could not be moved forward: {said.err}")

    def _refuse(self, why: str) -> NoReturn:
        raise TreeDirty(self._git.text("the merge", why, "Commit or stash them there, then merge again."))
