"""Gemini's batches, emulated: create with inlined requests, get, cancel; done after a while, at half the price."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from time import monotonic
from typing import Any

from aiohttp import web

from bot.local.models.answering import House, Made, Refused, json_object
from bot.local.models.script import Batch, Call, Reply

Make = Callable[[Call, Reply], Made]
Receive = Callable[[web.Request, Mapping[str, Any]], Call]


class GeminiBatches:
    """The endpoints of batches. `receive` puts a call into the book, and checks it."""

    def __init__(self, house: House, check_key: Callable[[web.Request], None], receive: Receive, make: Make) -> None:
        self._house, self._check_key, self._receive, self._make = house, check_key, receive, make
        self._batches = house.script.batches
        self._numbers = count(1)

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1beta/models/{model}:batchGenerateContent", self._guarded(self._create))
        router.add_get("/v1beta/batches/{id}", self._guarded(self._get))
        router.add_post("/v1beta/batches/{id}:cancel", self._guarded(self._cancel))

    def _guarded(self, answer: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                self._check_key(request)
                made: web.StreamResponse = await answer(request)
                return made
            except Refused as refused:
                return self._house.refuse(refused)

        return guarded

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if "gemini" in self._house.faults.without_batches:
            raise Refused(404, "", "Not found.")
        batch = (await json_object(request)).get("batch") or {}
        asked = batch.get("inputConfig", {}).get("requests", {}).get("requests")
        if not batch.get("displayName") or not isinstance(asked, list) or not asked:
            raise Refused(400, "", "batch: displayName and at least one request are required")
        calls = {str(n): self._receive(request, one.get("request") or {}) for n, one in enumerate(asked)}
        made = Batch(f"rehearsal{next(self._numbers)}", monotonic() + self._house.faults.batch_seconds, calls)
        self._batches[made.id] = made
        return web.json_response(_shown(made))

    async def _get(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(_shown(self._named(request)))

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        self._named(request).canceling = True
        return web.json_response({})

    def _named(self, request: web.Request) -> Batch:
        """The batch, worked on by as much as it is due."""
        batch = self._batches.get(request.match_info["id"])
        if batch is None:
            raise Refused(404, "", f"no such batch: {request.match_info['id']}")
        for name, call in batch.calls.items():
            if name in batch.results:
                continue
            if batch.canceling:
                batch.results[name], call.outcome = {"state": "CANCELLED"}, "canceled"
            elif self._house.faults.batches_expire:
                batch.results[name], call.outcome = {"state": "EXPIRED"}, "expired"
            elif monotonic() >= batch.due:
                batch.results[name] = self._worked(call)
        return batch

    def _worked(self, call: Call) -> dict[str, Any]:
        reply = self._house.script.reply(call)
        if reply.status != 200:
            call.outcome = f"refused {reply.status}"
            return {"state": "SUCCEEDED", "error": {"code": 13, "message": reply.error or "scripted error"}}
        made = self._make(call, reply)
        call.input_tokens, call.output_tokens = made.input_tokens, made.output_tokens
        call.outcome = "answered"
        return {"state": "SUCCEEDED", "response": made.body}


def _shown(batch: Batch) -> dict[str, Any]:
    """As the API shows it: an operation whose metadata is the batch."""
    ended = len(batch.results) == len(batch.calls)
    state = next(iter(batch.results.values()))["state"] if ended else "PENDING"
    answers = [{k: v for k, v in result.items() if k != "state"} for result in batch.results.values()]
    output = {"inlinedResponses": {"inlinedResponses": answers}} if state == "SUCCEEDED" else None
    metadata = {"state": f"BATCH_STATE_{state}", **({"output": output} if output else {})}
    return {"name": f"batches/{batch.id}", "metadata": metadata, "done": ended}
