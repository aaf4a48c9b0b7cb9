"""An Office whose outside world is a few plain fakes; its store and its rules are real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.adapters.prices import PriceBook
from bot.domain.approvals import Person
from bot.domain.calls import ModelReply, ModelRequest, Usage
from bot.domain.task import Rung
from bot.errors import ChatError
from bot.render import Renderer
from bot.settings import parse_config
from bot.store.database import Database
from bot.wiring import data_folder, project_rules
from bot.workflows.office import Office

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
REQUEST = ModelRequest(model="claude-haiku-5-5", system="", messages=({"role": "user", "content": "hello"},))


@dataclass
class FakeModel:
    """Answers what `answer` gives, and remembers what it was sent."""

    answer: Callable[[], ModelReply] = lambda: ModelReply(model="m", text="done", usage=Usage(input=10, output=5))
    sent: list[str] = field(default_factory=list)
    before_answer: Callable[[], Any] | None = None

    async def count(self, request: ModelRequest) -> int:
        return 10

    async def send(self, request: ModelRequest) -> ModelReply:
        self.sent.append(request.call_id)
        if self.before_answer:
            await self.before_answer()
        return self.answer()


@dataclass
class FakeChat:
    """A Slack that remembers posts by key; `trouble` raises errors in front of the next calls."""

    posts: list[str] = field(default_factory=list)
    looked_for: list[str] = field(default_factory=list)
    updates: list[str] = field(default_factory=list)
    threads: list[str | None] = field(default_factory=list)  # the message above each post that was sent
    trouble: list[tuple[Exception, bool]] = field(default_factory=list)  # (error, whether the post took effect)
    whispers: list[str] = field(default_factory=list)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    slow: float = 0.0
    deleted: set[str] = field(default_factory=set)  # the posts that somebody took out again, by their ts

    async def post(
        self, channel: str, message: Mapping[str, Any], *, key: str, thread_ts: str | None = None,
        look_first: bool = False,
    ) -> str:  # fmt: skip
        await asyncio.sleep(self.slow)
        if look_first:
            self.looked_for.append(key)
            there = [f"{n}.0" for n, posted in enumerate(self.posts) if posted == key]
            if left := [ts for ts in there if ts not in self.deleted]:
                return left[0]
        if self.trouble:
            error, took_effect = self.trouble.pop(0)
            if took_effect:
                self.posts.append(key)
            raise error
        self.posts.append(key)
        self.threads.append(thread_ts)
        return f"{len(self.posts) - 1}.0"

    async def update(self, channel: str, ts: str, message: Mapping[str, Any]) -> None:
        if ts in self.deleted:
            raise ChatError("Slack refused: message_not_found", "message_not_found")
        self.updates.append(ts)

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
        self.whispers.append(str(message.get("text")))

    async def react(self, channel: str, ts: str, name: str) -> None:
        self.reactions.append((ts, name))

    async def person(self, user: str) -> Person:
        if self.trouble:
            raise self.trouble.pop(0)[0]
        return Person(id=user)


class Clock:
    """Now, as the test says."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def an_office(
    database: Database, *, chat: FakeChat | None = None, model: FakeModel | None = None, clock: Clock | None = None
) -> Office:
    project = {
        "key": "GRANTER", "repo": "/nowhere", "branch": "main", "channel": "C0DEV", "leads": ["U0LEAD"],
        "approvers": ["U0TWO"], "timezone": "UTC",
    }  # fmt: skip
    config = parse_config({"name": "TEST", "projects": [project]})
    fake: Any = model or FakeModel()
    return Office(
        projects={"GRANTER": project_rules(config, config.projects[0])},
        db=database,
        chat=chat or FakeChat(),  # type: ignore[arg-type]
        render=Renderer(data_folder("templates")),
        repositories={},
        models=dict.fromkeys(Rung, fake),
        reviewer=fake,
        checks=None,  # type: ignore[arg-type]
        price=PriceBook({}).price,
        redact=str,
        now=clock or Clock(),
    )


def unreachable() -> ChatError:
    return ChatError("Slack could not be reached (TimeoutError)")


def refused() -> ChatError:
    return ChatError("Slack refused: invalid_blocks", "invalid_blocks")
