"""What the workflows need of the outside world. Adapters implement these; nothing else talks to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from bot.domain.calls import ModelReply, ModelRequest, ReviewReply
from bot.domain.change import Change, CheckRun


class ModelClient(Protocol):
    """A model that edits. Each `send` is one request on the wire: no retries inside (DESIGN, "At most once").

    Raises ModelRefusedCall (nothing owed) or ModelOutcomeUnknown (may be owed)."""

    async def count(self, request: ModelRequest) -> int:
        """Input tokens of the request, counted by the provider; free."""
        ...

    async def send(self, request: ModelRequest) -> ModelReply: ...


class Reviewer(Protocol):
    """A model that reviews: the same rules as ModelClient."""

    async def count(self, request: ModelRequest) -> int: ...

    async def review(self, request: ModelRequest) -> ReviewReply: ...


class Repository(Protocol):
    """One project's git repository. All paths are relative to its root; commits are full hashes.

    Raises RepositoryError and its kinds."""

    async def refresh(self) -> str:
        """Fetch the project's branch from its origin; returns its commit."""
        ...

    async def list_files(self, commit: str) -> tuple[str, ...]: ...

    async def read_files(self, commit: str, paths: Sequence[str]) -> dict[str, str]:
        """Text of the files that exist at the commit and are UTF-8 regular files (others are left out)."""
        ...

    async def commit_files(
        self, task_id: str, parent: str, files: Mapping[str, str | None], message: str
    ) -> str:
        """Write the files (None = delete) on top of `parent` in the task's own worktree and commit them on
        branch `orch/<task id>`; returns the commit. The same call again returns a commit with the same tree.
        Paths that leave the worktree or pass through a symlink are refused."""
        ...

    async def change(self, base: str, head: str) -> Change: ...

    async def worktree(self, task_id: str, commit: str) -> Path:
        """The task's own worktree, clean and at the commit (branch `orch/<task id>`)."""
        ...

    async def build_candidate(self, base: str, head: str, onto: str, message: str, *, squash: bool) -> str:
        """Build, without a checkout, the commit that would put base..head on top of `onto`.
        Raises MergeConflict."""
        ...

    async def advance(self, new: str, expected: str) -> None:
        """Move the project's branch from `expected` to `new` by compare-and-swap, at the origin.
        Raises BaseMoved or TreeDirty; does nothing if the branch is at `new` already."""
        ...

    async def contains(self, commit: str) -> bool:
        """Whether the project's branch at the origin contains the commit."""
        ...

    async def drop(self, task_id: str) -> None:
        """Remove the task's worktree and branch, if they exist."""
        ...


class CheckRunner(Protocol):
    """Runs commands on a worktree in a sandbox, or says that it cannot (status `not_run`); never bare."""

    async def run(
        self, worktree: Path, commands: Sequence[str], *, setup: Sequence[str], setup_source: Path
    ) -> tuple[CheckRun, ...]:
        """Run `setup` on `setup_source` (the base commit; cached), then each command; stops at the first
        that does not pass. Where setup fails, its CheckRun is the only one returned."""
        ...


class Chat(Protocol):
    """Outbound Slack. Posts carry metadata so that a repeat can find the first (key)."""

    async def post(
        self, channel: str, message: Mapping[str, Any], *, key: str, thread_ts: str | None = None
    ) -> str:
        """Post `{text, blocks?}`; returns its ts. With the same key again: the first post's ts, if found."""
        ...

    async def update(self, channel: str, ts: str, message: Mapping[str, Any]) -> None: ...

    async def whisper(self, channel: str, user: str, message: Mapping[str, Any]) -> None:
        """Show a message to one person only (ephemeral), or by DM where that is impossible."""
        ...

    async def upload(self, channel: str, thread_ts: str, name: str, content: str, title: str) -> None: ...
