"""What the workflows need of the outside world. Adapters implement these; nothing else talks to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from bot.domain.approvals import Person
from bot.domain.calls import ModelReply, ModelRequest, NoResult, Purpose, ReviewReply
from bot.domain.change import Change, CheckRun
from bot.domain.chart import BarChart, LineChart


class ModelClient(Protocol):
    """A model that edits. Each `send` is one request on the wire: no retries inside (DESIGN, "At most once").

    Raises ModelRefusedCall (nothing owed) or ModelOutcomeUnknown (may be owed)."""

    async def count(self, request: ModelRequest) -> int:
        """Input tokens of the request, counted by the provider; free."""
        ...

    async def send(self, request: ModelRequest) -> ModelReply: ...

    async def close(self) -> None: ...


class Batches(Protocol):
    """Calls that may wait: the provider answers within a day, at half the price. Errors as of ModelClient."""

    async def submit(self, request: ModelRequest, purpose: Purpose) -> str:
        """Hand one call over; returns the id of its batch."""
        ...

    async def collect(
        self, batch_id: str, call_id: str, purpose: Purpose
    ) -> ModelReply | ReviewReply | NoResult | None:
        """What became of the call, None while it is under way; free."""
        ...

    async def cancel(self, batch_id: str) -> None:
        """Ask for an early end; `collect` then tells how it ended."""
        ...


class Reviewer(Protocol):
    """A model that reviews: the same rules as ModelClient."""

    async def count(self, request: ModelRequest) -> int: ...

    async def review(self, request: ModelRequest) -> ReviewReply: ...

    async def close(self) -> None: ...


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
        self, task_id: str, parent: str, files: Mapping[str, str | None], message: str, *, when: datetime
    ) -> str:
        """Write the files (None = delete) on top of `parent` in the task's own worktree and commit them on
        branch `orch/<task id>`; returns the commit. The same call again returns the same commit.
        Paths that leave the worktree or pass through a symlink are refused."""
        ...

    async def change(self, base: str, head: str) -> Change: ...

    async def worktree(self, task_id: str, commit: str) -> Path:
        """The task's own worktree, clean and at the commit (branch `orch/<task id>`)."""
        ...

    async def build_candidate(
        self, base: str, head: str, onto: str, message: str, *, squash: bool, when: datetime
    ) -> str:
        """Build, without a checkout, the commit that would put base..head on top of `onto`; the same call again
        returns the same commit. Raises MergeConflict."""
        ...

    async def advance(self, new: str, expected: str) -> None:
        """Move the project's branch from `expected` to `new` by compare-and-swap, at the origin.
        Raises BaseMoved or TreeDirty; does nothing if the branch is at `new` already."""
        ...

    async def contains(self, commit: str) -> bool:
        """Whether the project's branch at the origin contains the commit."""
        ...

    async def kept_tasks(self) -> tuple[str, ...]:
        """The names under which a worktree or branch is kept, as `drop` takes them."""
        ...

    async def drop(self, *task_ids: str) -> None:
        """Remove the worktrees and branches of these tasks, where they exist."""
        ...

    async def pack(self) -> None:
        """Keep what is stored small; once a day is often enough."""
        ...


class CheckRunner(Protocol):
    """Runs commands on a worktree in a sandbox, or says that it cannot (status `not_run`); never bare."""

    async def run(
        self, worktree: Path, commands: Sequence[str], *, setup: Sequence[str], setup_source: Path
    ) -> tuple[CheckRun, ...]:
        """Run `setup` on `setup_source` (the base commit; cached), then each command; stops at the first
        that does not pass. Where setup fails, its CheckRun is the only one returned."""
        ...


class Charts(Protocol):
    """Draws pictures."""

    async def draw(self, chart: LineChart | BarChart) -> bytes:
        """The chart as a PNG. Raises OrchError."""
        ...


@dataclass(frozen=True)
class Upload:
    """A file for a thread: text, or bytes such as a picture's, which `alt` says in words."""

    name: str
    title: str
    content: str | bytes
    alt: str = ""


class Chat(Protocol):
    """Outbound Slack. Posts carry metadata (`event_type: orch`, key) so that a repeat can find the first.

    Raises ChatError."""

    async def post(
        self,
        channel: str,
        message: Mapping[str, Any],
        *,
        key: str,
        thread_ts: str | None = None,
        look_first: bool = False,
    ) -> str:
        """Post `{text, blocks?}` to a channel, or to a person by id; returns its ts. `look_first`: it may have
        been sent before, so look for a message with this key and return that one."""
        ...

    async def update(self, channel: str, ts: str, message: Mapping[str, Any]) -> None: ...

    async def whisper(
        self,
        channel: str,
        user: str,
        message: Mapping[str, Any],
        *,
        response_url: str | None = None,
        replace: bool = False,
        thread_ts: str | None = None,
    ) -> None:
        """Show a message to one person only: by `response_url` while it works (there it may `replace` the message
        that was clicked on), else as an ephemeral message, else by DM; in the thread of `thread_ts`, if any."""
        ...

    async def react(self, channel: str, ts: str, name: str) -> None:
        """Add an emoji (name without colons) to a message; once, however often it is asked for."""
        ...

    async def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None: ...

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None: ...

    async def person(self, user: str) -> Person:
        """What Slack says of a person; remembered for a few minutes."""
        ...

    async def upload(self, channel: str, thread_ts: str, file: Upload, *, look_first: bool = False) -> None:
        """Upload a file into a thread. `look_first`: it may have been uploaded before, so look for a file of this name
        and title there, and be content with that one."""
        ...


class Numbers(NamedTuple):
    """What /metrics shows. `tasks`: (project, state) -> how many; `tokens`: (project, rung) -> used today."""

    tasks: Mapping[tuple[str, str], int]
    tokens: Mapping[tuple[str, str], int]
    to_send: int
    given_up: int
    to_work_on: int
    acks: int
    ack_seconds: float
    recent_acks: tuple[float, ...]
    troubles: int
