"""Build trees and commits from objects alone, without a checkout, so that nothing on disk can interfere."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.git_command import Git
from bot.adapters.git_paths import Entry, obstacle, path_problem
from bot.errors import MergeConflict

#: Files larger than this are not read as text.
MAX_TEXT_BYTES = 1024 * 1024
_PATHS_AT_ONCE = 200
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Builder:
    """Reads and writes the objects of one bare clone."""

    def __init__(self, git: Git, clone: Path) -> None:
        self._git, self._clone = git, clone

    async def entries(self, commit: str, paths: Collection[str] | None = None) -> dict[str, Entry]:
        """Every file of a commit, or those at (or under) `paths`; git's path is decoded as UTF-8."""
        some = list(paths) if paths is not None and len(paths) <= _PATHS_AT_ONCE else []
        if paths is not None and not paths:
            return {}
        said = await self._git("ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *some, at=self._clone)
        found = {}
        for line in said.out.decode("utf-8", "backslashreplace").split("\0")[:-1]:
            facts, _, path = line.partition("\t")
            mode, _, blob, size = facts.split()
            found[path] = Entry(mode, blob, int(size) if size.isdigit() else 0)
        return found

    async def texts(self, commit: str, paths: Sequence[str]) -> dict[str, str]:
        """The UTF-8 regular files among `paths`, up to MAX_TEXT_BYTES each, without NUL characters."""
        plain = [path for path in dict.fromkeys(paths) if path_problem(path) is None]
        entries = await self.entries(commit, plain)
        wanted = [
            (path, entries[path].blob)
            for path in plain
            if path in entries and entries[path].mode.startswith("100") and entries[path].size <= MAX_TEXT_BYTES
        ]
        asked = "".join(f"{blob}\n" for _, blob in wanted).encode()
        out = (await self._git("cat-file", "--batch", at=self._clone, stdin=asked)).out if wanted else b""
        found, at = {}, 0
        for path, _ in wanted:
            end = out.index(b"\n", at)
            size = int(out[at:end].split()[2])
            content = out[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
            if b"\0" not in content:
                try:
                    found[path] = content.decode("utf-8")
                except UnicodeDecodeError:
                    continue
        return found

    async def tree_with(self, parent: str, files: Mapping[str, str | None]) -> str:
        """The tree of `parent` with the files written (None = deleted). Raises RepositoryError for a path that
        may not be written; an existing file keeps its mode, a new one is not executable."""
        entries = await self.entries(parent)
        written = {path for path, text in files.items() if text is not None}
        deleted = set(files) - written
        for path in files:
            problem = path_problem(path) or obstacle(path, entries, written, deleted)
            if problem:
                raise self._git.error("writing files", f"{path!r} {problem}", "Nothing was written.")
        lines = []
        for path, text in sorted(files.items(), key=lambda item: (item[1] is not None, item[0])):
            if text is None:
                lines.append(f"0 {'0' * len(parent)}\t{path}")
            else:
                mode = entries[path].mode if path in entries else "100644"
                lines.append(f"{mode} {await self._blob(text)}\t{path}")
        return await self._tree(parent, "".join(f"{line}\0" for line in lines).encode())

    async def _blob(self, text: str) -> str:
        words = ("hash-object", "-w", "--no-filters", "--stdin")
        return (await self._git(*words, at=self._clone, stdin=text.encode("utf-8", "replace"))).text

    async def _tree(self, parent: str, lines: bytes) -> str:
        index = self._clone / f"index-{secrets.token_hex(8)}"
        private = {"GIT_INDEX_FILE": str(index)}
        try:
            await self._git("read-tree", parent, at=self._clone, environment=private)
            words = ("update-index", "-z", "--index-info")
            await self._git(*words, at=self._clone, stdin=lines, environment=private)
            return (await self._git("write-tree", at=self._clone, environment=private)).text
        finally:
            await asyncio.to_thread(index.unlink, missing_ok=True)

    async def commit(self, tree: str, parents: Sequence[str], message: str, when: datetime) -> str:
        """A commit of a tree, or of `<commit>^{tree}`; the same arguments give the same hash."""
        date = {f"GIT_{who}_DATE": f"@{int(when.timestamp())} +0000" for who in ("AUTHOR", "COMMITTER")}
        words = ["commit-tree", tree, *(word for parent in parents for word in ("-p", parent)), "-F", "-"]
        said = await self._git(
            *words, at=self._clone, stdin=message.replace("\0", "").encode("utf-8", "replace"), environment=date
        )
        return said.text

    async def merged_tree(self, base: str, head: str, onto: str) -> str:
        """The tree of `onto` with base..head applied, as `commit` takes it. Raises MergeConflict.

        Two stand-in commits on `base` make it the merge base whatever the history is (git < 2.40 cannot be
        told one)."""
        if onto == base:
            return _tree_of(head)
        ours, theirs = [await self.commit(_tree_of(each), [base], "a stand-in", _LONG_AGO) for each in (onto, head)]
        words = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
        said = await self._git(*words, at=self._clone, may_fail=(1,), doing="building the merge")
        tree, *paths = said.out.decode("utf-8", "backslashreplace").rstrip("\0").split("\0")
        if said.code:
            unique = tuple(dict.fromkeys(path for path in paths if path))
            text = self._git.text(
                "building the merge", f"conflicts in {', '.join(unique[:5])}", "The branch is as it was."
            )
            raise MergeConflict(text, unique)
        return tree


def _tree_of(commit: str) -> str:
    return f"{commit}^{{tree}}"
