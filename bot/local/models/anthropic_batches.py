"""Anthropic's Message Batches, emulated: create, retrieve, results, cancel; done after a while, at half the price."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from aiohttp import web

from bot.local.models.answering import Refused, json_object
from bot.local.models.batches import Batches
from bot.local.models.script import Batch, Reply

_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class AnthropicBatches(Batches):
    """The endpoints under /v1/messages/batches."""

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/messages/batches", self._guarded(self._create))
        router.add_get("/v1/messages/batches/{id}", self._guarded(self._retrieve))
        router.add_get("/v1/messages/batches/{id}/results", self._guarded(self._results))
        router.add_post("/v1/messages/batches/{id}/cancel", self._guarded(self._cancel))

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if "anthropic" in self._house.faults.without_batches:
            raise Refused(404, "", "Not found")
        asked = (await json_object(request)).get("requests")
        if not isinstance(asked, list) or not asked:
            raise Refused(400, "", "requests: at least one is required")
        if status := self._house.faults.status.get("anthropic"):
            raise Refused(status, "", f"scripted error {status}")
        names = [str(one.get("custom_id", "")) for one in asked]
        if len(set(names)) != len(names) or not all(_CUSTOM_ID.fullmatch(name) for name in names):
            raise Refused(400, "", "requests: custom_id must be unique, 1 to 64 of a-z, A-Z, 0-9, - and _")
        calls = {name: self._receive(request, one.get("params") or {}) for name, one in zip(names, asked, strict=True)}
        batch = self._begun(f"msgbatch_rehearsal_{next(self._numbers)}", calls)
        return web.json_response(self._shown(batch, request))

    async def _retrieve(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._shown(self._named(request), request))

    async def _results(self, request: web.Request) -> web.StreamResponse:
        batch = self._named(request)
        if len(batch.results) < len(batch.calls):
            raise Refused(404, "", f"{batch.id} has no results yet")
        lines = [json.dumps({"custom_id": name, "result": result}) for name, result in batch.results.items()]
        return web.Response(text="\n".join(lines) + "\n", content_type="application/x-jsonl")

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        batch = self._named(request)
        if len(batch.results) == len(batch.calls):
            raise Refused(400, "", f"{batch.id} has ended; it cannot be cancelled")
        batch.canceling = True
        return web.json_response(self._shown(batch, request))

    def _ended(self, how: Literal["canceled", "expired"]) -> dict[str, Any]:
        return {"type": how}

    def _refused(self, reply: Reply) -> dict[str, Any]:
        return {"type": "errored", "error": self._house.refusal(reply.status, "", reply.error or "scripted error")}

    def _answered(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "succeeded", "message": body}

    def _shown(self, batch: Batch, request: web.Request) -> dict[str, Any]:
        ended = len(batch.results) == len(batch.calls)
        kinds = [result["type"] for result in batch.results.values()]
        counts = {kind: kinds.count(kind) for kind in ("succeeded", "errored", "canceled", "expired")}
        url = request.url.with_path(request.path.partition("/v1/")[0] + f"/v1/messages/batches/{batch.id}/results")
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "canceling" if batch.canceling else "in_progress",
            "request_counts": {"processing": len(batch.calls) - len(kinds), **counts},
            "ended_at": "2026-01-01T00:01:00Z" if ended else None,
            "created_at": "2026-01-01T00:00:00Z",
            "expires_at": "2026-01-02T00:00:00Z",
            "archived_at": None,
            "cancel_initiated_at": "2026-01-01T00:00:30Z" if batch.canceling else None,
            "results_url": str(url) if ended else None,
        }
