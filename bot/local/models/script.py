"""What the emulated models answer, and the provider's own book of every call it received."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.local.models.prompt_cache import PromptCache
from bot.local.sample import Edit

Provider = Literal["anthropic", "gemini"]
Cut = Literal["before", "middle"]


@dataclass(frozen=True)
class Reply:
    """One scripted answer. What is not said is filled in: a stop reason that fits, usage by `estimate`.

    `text`, `edits` and `content` (raw blocks, as they are) make an Anthropic answer; `review` (an object,
    sent as JSON) or `text` a Gemini one. `usage` overrides fields of the provider's usage object; None for
    a field leaves it out. The rest goes wrong on purpose: `status` answers with that error, `cut` breaks
    the connection before the answer or in its middle (the provider has done the work and bills it),
    `body` is sent as the whole 200 answer, `delay_seconds` comes before all of that, and so does `until`: the
    answer waits for it to be set."""

    text: str = ""
    edits: tuple[Edit, ...] = ()
    content: tuple[Mapping[str, Any], ...] | None = None
    review: Mapping[str, Any] | None = None
    stop: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    delay_seconds: float = 0.0
    until: asyncio.Event | None = None
    status: int = 200
    error: str = ""
    retry_after: str | None = None
    cut: Cut | None = None
    body: str | None = None


@dataclass
class Call:
    """One request as the provider saw it. Tokens are what it bills: 0 where it refused."""

    provider: Provider
    kind: Literal["answer", "count"]
    model: str
    call_id: str  # X-Orch-Call
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    text: str  # the first user message
    batch: bool = False  # of a batch
    input_tokens: int = 0
    output_tokens: int = 0
    outcome: str = "received"  # then: answered, counted, refused <status>, cut, left (the caller hung up)

    @property
    def billed_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


Answer = Callable[[Call], Reply]


@dataclass
class Batch:
    """One batch of calls, by custom id; `due`: when it is worked on, in monotonic seconds."""

    id: str
    due: float
    calls: dict[str, Call]
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    canceling: bool = False


@dataclass
class Rule:
    """A scripted reply and the calls that it is for."""

    reply: Reply | Answer
    model: re.Pattern[str]
    text: re.Pattern[str]
    times: int | None


class Script:
    """Answers scripted ahead, in order; then those of `otherwise`."""

    def __init__(self, otherwise: Answer) -> None:
        self.book: list[Call] = []
        self.cache = PromptCache()
        self.batches: dict[str, Batch] = {}
        self._otherwise = otherwise
        self._rules: list[Rule] = []

    def on(self, reply: Reply | Answer, *, model: str = "", text: str = "", times: int | None = 1) -> None:
        """Answer the next `times` paid calls (None: all) so, where the model's name and the first user
        message match the regular expressions. Rules apply in the order in which they were made."""
        rule = Rule(reply, re.compile(model), re.compile(text, re.DOTALL | re.IGNORECASE), times)
        self._rules.append(rule)

    def reply(self, call: Call) -> Reply:
        """The answer to a paid call; uses a rule up."""
        for rule in self._rules:
            if rule.model.search(call.model) and rule.text.search(call.text):
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                return rule.reply(call) if callable(rule.reply) else rule.reply
        return self._otherwise(call)

    def clear(self) -> None:
        """Forget the rules that are left, and what is cached; the book stays."""
        self._rules.clear()
        self.cache.clear()

    def paid(self, call_id: str | None = None) -> list[Call]:
        """The calls that the provider bills, oldest first."""
        return [
            call
            for call in self.book
            if call.kind == "answer" and call.billed_tokens and call_id in (None, call.call_id)
        ]

    @property
    def billed_tokens(self) -> int:
        return sum(call.billed_tokens for call in self.paid())


@dataclass
class Faults:
    """What is wrong with the emulated providers as a whole; all is well by default."""

    latency_seconds: float = 0.0  # before every answer
    status: dict[Provider, int] = field(default_factory=dict)  # every paid call of it answers so
    cut: set[Provider] = field(default_factory=set)  # every paid call of it is cut off
    batch_seconds: float = 0.0  # until a batch is worked on
    batches_expire: bool = False
    without_batches: set[Provider] = field(default_factory=set)  # whose API has none
    counting: dict[Provider, int] = field(default_factory=dict)  # every counting of tokens answers so

    def over(self, call: Call, reply: Reply) -> Reply | None:
        """The reply in place of a scripted one, where the provider is broken."""
        if call.provider in self.status:
            return Reply(status=self.status[call.provider])
        if call.provider in self.cut:
            return Reply(text=reply.text, edits=reply.edits, review=reply.review, cut="before")
        return None


def estimate(*values: object) -> int:
    """Tokens of texts and JSON values: a fourth of their characters, rounded up, at least 1."""
    length = sum(len(value if isinstance(value, str) else json.dumps(value)) for value in values if value)
    return max(1, -(-length // 4))
