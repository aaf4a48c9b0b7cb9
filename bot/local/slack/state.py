"""What the workspace remembers: records, questions about them, and the stream of changes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.local.slack.records import (
    AppConfig,
    Change,
    ChangeKind,
    Channel,
    File,
    Message,
    ResponseUrl,
    User,
    View,
)
from bot.local.slack.saving import Saver
from bot.local.slack.seed import Seed

KEPT_CHANGES = 10_000


def ts_of(microseconds: int) -> str:
    """A message's timestamp: seconds with six decimals."""
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def new_id(prefix: str) -> str:
    """An id that no other run of this world has used."""
    return prefix + uuid.uuid4().hex[:10].upper()


class Subscription:
    """The changes since it was opened, in order: `async for change in subscription`."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Change] = asyncio.Queue()

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        return await self.queue.get()


class State:
    """The memory of a World; it delivers nothing."""

    def __init__(self, app: AppConfig, seed: Seed, path: Path | None) -> None:
        self.app = app
        self.team = seed.team
        self.users: dict[str, User] = {user.id: user for user in seed.users}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in seed.channels}
        self.log: list[Message] = []  # every message of every channel, ephemerals included, oldest first
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}  # user -> ids of open modals, the visible one last
        self.homes: dict[str, str] = {}  # user -> view id
        self.files: dict[str, File] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.base_url = "http://127.0.0.1:0"  # SlackServer sets the real one
        self.clock: Callable[[], float] = time.time  # seconds; tests may turn it
        self.changes: list[Change] = []
        self.last_ts = 0
        self._subscriptions: set[Subscription] = set()
        self.saver = Saver(self, path)

    # --- questions ---

    @property
    def bot(self) -> User:
        return self.users[self.app.bot_user]

    def user(self, who: str) -> User:
        """A user by id or name; LookupError if there is none."""
        found = self.users.get(who) or next((u for u in self.users.values() if u.name == who.lstrip("@")), None)
        if found is None:
            raise LookupError(f"no user {who!r}")
        return found

    def channel(self, where: str) -> Channel:
        """A channel by id or name; LookupError if there is none."""
        name = where.lstrip("#")
        found = self.channels.get(where) or next((c for c in self.channels.values() if c.name == name != ""), None)
        if found is None:
            raise LookupError(f"no channel {where!r}")
        return found

    def channels_of(self, user: str) -> list[Channel]:
        """What this person's sidebar lists: channels they are in, then their direct messages with the bot."""
        mine = [c for c in self.channels.values() if user in c.members]
        return sorted(mine, key=lambda c: (c.kind == "im", c.name))

    def dm(self, user: str) -> Channel:
        """This person's direct messages with the bot; opened if need be."""
        for channel in self.channels.values():
            if channel.kind == "im" and user in channel.members:
                return channel
        members = [self.app.bot_user, user]
        created = Channel("D" + user[1:], "", "im", members, created=int(self.clock()))
        self.channels[created.id] = created
        self.changed("channel_changed", channel=created.id, user=user)
        return created

    def may_see(self, user: str, channel: Channel) -> bool:
        return user in channel.members or (channel.kind == "public" and not self.users[user].is_restricted)

    def messages(self, channel: str, user: str | None = None) -> list[Message]:
        """Top-level messages of a channel, oldest first, as `user` sees them: with their own ephemerals.

        Without `user`: what everybody sees. Replies are in `thread`.
        """
        return [m for m in self._seen(channel, user) if not m.is_reply]

    def thread(self, channel: str, thread_ts: str, user: str | None = None) -> list[Message]:
        """A parent and its replies, oldest first."""
        return [m for m in self._seen(channel, user) if thread_ts in (m.ts, m.thread_ts)]

    def ephemerals(self, user: str, channel: str | None = None) -> list[Message]:
        """All that only this person was shown, oldest first."""
        return [m for m in self.log if m.ephemeral_to == user and channel in (None, m.channel)]

    def message(self, channel: str, ts: str) -> Message | None:
        return next((m for m in self.log if m.ts == ts and m.channel == channel), None)

    def view_stack(self, user: str) -> list[View]:
        """This person's open modals, the visible one last."""
        return [self.views[view_id] for view_id in self.stacks.get(user, [])]

    def open_view(self, user: str) -> View | None:
        """The modal this person looks at."""
        stack = self.view_stack(user)
        return stack[-1] if stack else None

    def home(self, user: str) -> View | None:
        """This person's Home tab, if the app has published one."""
        view_id = self.homes.get(user)
        return self.views[view_id] if view_id else None

    def _seen(self, channel: str, user: str | None) -> Iterator[Message]:
        if user is not None and not self.may_see(user, self.channels[channel]):
            return iter(())
        return (m for m in self.log if m.channel == channel and m.ephemeral_to in (None, user))

    # --- changes ---

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """`with world.subscribe() as changes: async for change in changes: ...`"""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def wait_for(
        self,
        predicate: Callable[[Change], bool],
        timeout: float = 60.0,  # noqa: ASYNC109 - reads best at the call
    ) -> Change:
        """The first change that satisfies `predicate`; TimeoutError after `timeout` seconds.

        Past changes of this run count too, so nothing is missed between an action and the wait.
        """
        with self.subscribe() as changes:
            for change in list(self.changes):
                if predicate(change):
                    return change
            async with asyncio.timeout(timeout):
                async for change in changes:
                    if predicate(change):
                        return change
        raise AssertionError("a subscription does not end")

    def changed(
        self,
        kind: ChangeKind,
        *,
        channel: str | None = None,
        user: str | None = None,
        message: Message | None = None,
        view: View | None = None,
    ) -> None:
        """Record a change, tell the subscribers, and have the state saved soon."""
        message = replace(message) if message else None
        view = replace(view) if view else None
        change = Change(kind, channel, user, message, view)
        self.changes.append(change)
        if len(self.changes) > KEPT_CHANGES:
            del self.changes[: KEPT_CHANGES // 2]
        for subscription in self._subscriptions:
            subscription.queue.put_nowait(change)
        self.saver.soon()

    def next_ts(self) -> str:
        """A message's timestamp, unique and rising in this world."""
        self.last_ts = max(self.last_ts + 1, int(self.clock() * 1_000_000))
        return ts_of(self.last_ts)
