"""Gemini's batches, emulated: create with inlined requests, get, cancel; done after a while, at half the price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from aiohttp import web

from bot.local.models.answering import Refused, json_object
from bot.local.models.batches import Batches
from bot.local.models.script import Batch, Reply


class GeminiBatches(Batches):
    """The endpoints under /v1beta/batches."""

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1beta/models/{model}:batchGenerateContent", self._guarded(self._create))
        router.add_get("/v1beta/batches/{id}", self._guarded(self._get))
        router.add_post("/v1beta/batches/{id}:cancel", self._guarded(self._cancel))

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if "gemini" in self._house.faults.without_batches:
            raise Refused(404, "", "Not found.")
        batch = (await json_object(request)).get("batch") or {}
        asked = batch.get("inputConfig", {}).get("requests", {}).get("requests")
        if not batch.get("displayName") or not isinstance(asked, list) or not asked:
            raise Refused(400, "", "batch: displayName and at least one request are required")
        calls = {str(n): self._receive(request, one.get("request") or {}) for n, one in enumerate(asked)}
        return web.json_response(_shown(self._begun(f"rehearsal{next(self._numbers)}", calls)))

    async def _get(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(_shown(self._named(request)))

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        self._named(request).canceling = True
        return web.json_response({})

    def _ended(self, how: Literal["canceled", "expired"]) -> dict[str, Any]:
        return {"state": "CANCELLED" if how == "canceled" else "EXPIRED"}

    def _refused(self, reply: Reply) -> dict[str, Any]:
        return {"state": "SUCCEEDED", "error": {"code": 13, "message": reply.error or "scripted error"}}

    def _answered(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {"state": "SUCCEEDED", "response": body}


def _shown(batch: Batch) -> dict[str, Any]:
    """As the API shows it: an operation whose metadata is the batch."""
    ended = len(batch.results) == len(batch.calls)
    state = next(iter(batch.results.values()))["state"] if ended else "PENDING"
    answers = [{k: v for k, v in result.items() if k != "state"} for result in batch.results.values()]
    output = {"inlinedResponses": {"inlinedResponses": answers}} if state == "SUCCEEDED" else None
    metadata = {"state": f"BATCH_STATE_{state}", **({"output": output} if output else {})}
    return {"name": f"batches/{batch.id}", "metadata": metadata, "done": ended}
