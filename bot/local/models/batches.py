"""Batches, emulated: calls that are answered after a while. What each vendor's look like is its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import count
from time import monotonic
from typing import Any, Literal

from aiohttp import web

from bot.local.models.answering import House, Made, Refused
from bot.local.models.script import Batch, Call, Reply

Make = Callable[[Call, Reply], Made]
Receive = Callable[[web.Request, Mapping[str, Any]], Call]


class Batches(ABC):
    """One vendor's endpoints of batches. `receive` puts a call into the book, and checks it."""

    def __init__(self, house: House, check_key: Callable[[web.Request], None], receive: Receive, make: Make) -> None:
        self._house, self._check_key, self._receive, self._make = house, check_key, receive, make
        self._batches = house.script.batches
        self._numbers = count(1)

    @abstractmethod
    def routes(self, router: web.UrlDispatcher) -> None: ...

    @abstractmethod
    def _ended(self, how: Literal["canceled", "expired"]) -> dict[str, Any]:
        """The result of a call that was not answered."""

    @abstractmethod
    def _refused(self, reply: Reply) -> dict[str, Any]: ...

    @abstractmethod
    def _answered(self, body: Mapping[str, Any]) -> dict[str, Any]: ...

    def _guarded(self, answer: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                self._check_key(request)
                made: web.StreamResponse = await answer(request)
                return made
            except Refused as refused:
                return self._house.refuse(refused)

        return guarded

    def _begun(self, id_: str, calls: dict[str, Call]) -> Batch:
        batch = Batch(id_, monotonic() + self._house.faults.batch_seconds, calls)
        self._batches[batch.id] = batch
        return batch

    def _named(self, request: web.Request) -> Batch:
        """The batch, worked on by as much as it is due."""
        batch = self._batches.get(request.match_info["id"])
        if batch is None:
            raise Refused(404, "", f"no such batch: {request.match_info['id']}")
        for name, call in batch.calls.items():
            if name in batch.results:
                continue
            if batch.canceling:
                batch.results[name], call.outcome = self._ended("canceled"), "canceled"
            elif self._house.faults.batches_expire:
                batch.results[name], call.outcome = self._ended("expired"), "expired"
            elif monotonic() >= batch.due:
                batch.results[name] = self._worked(call)
        return batch

    def _worked(self, call: Call) -> dict[str, Any]:
        reply = self._house.script.reply(call)
        if reply.status != 200:
            call.outcome = f"refused {reply.status}"
            return self._refused(reply)
        made = self._make(call, reply)
        call.input_tokens, call.output_tokens = made.input_tokens, made.output_tokens
        call.outcome = "answered"
        return self._answered(made.body)
