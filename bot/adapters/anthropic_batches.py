"""Anthropic's Message Batches: one call each, half the price, an answer within a day."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from bot.adapters.anthropic_model import AnthropicModel, reply_of
from bot.adapters.model_errors import CONNECT_SECONDS, text_of
from bot.domain.batching import custom_id
from bot.domain.calls import ModelReply, ModelRequest, NoResult, Purpose

#: How a call in a batch can end without an answer; nothing is owed for any of them.
NOTHING = {
    "errored": "the provider could not process it",
    "canceled": "the batch was cancelled before its turn came",
    "expired": "the provider did not come to it within a day",
}


class AnthropicBatches:
    """ports.Batches on the client of an AnthropicModel."""

    def __init__(self, model: AnthropicModel) -> None:
        self._model = model

    async def submit(self, request: ModelRequest, purpose: Purpose) -> str:
        """Hand one call over; returns the batch's id. Raises ModelRefusedCall, or ModelOutcomeUnknown where the
        provider may have taken it."""
        params = self._model.fields(request) | {"max_tokens": request.max_output}

        async def create(client: Any) -> Any:
            made = await client.messages.batches.with_raw_response.create(
                requests=[{"custom_id": custom_id(request.call_id), "params": params}],
                extra_headers={"X-Orch-Call": request.call_id},
            )
            return made.http_response

        body = json.loads(await self._call(create, request.model))
        batch_id = text_of(body.get("id")) if isinstance(body, dict) else ""
        if not batch_id:
            raise self._model.provider.no_answer("a batch without an id")
        return batch_id

    async def collect(self, batch_id: str, call_id: str, purpose: Purpose) -> ModelReply | NoResult | None:
        """The call's outcome, None while the batch is under way. Free. Raises ModelError."""

        async def retrieve(client: Any) -> Any:
            return (await client.messages.batches.with_raw_response.retrieve(batch_id)).http_response

        async def results(client: Any) -> Any:
            import httpx2

            return await client.get(f"/v1/messages/batches/{batch_id}/results", cast_to=httpx2.Response)

        batch = json.loads(await self._call(retrieve, ""))
        if not isinstance(batch, dict) or batch.get("processing_status") != "ended":
            return None
        lines = [json.loads(line) for line in (await self._call(results, "")).splitlines() if line.strip()]
        mine = [line for line in lines if isinstance(line, dict) and line.get("custom_id") == custom_id(call_id)]
        return self._outcome(mine[0].get("result") if mine else None)

    async def cancel(self, batch_id: str) -> None:
        """Ask for an early end; what was answered by then is still billed. Raises ModelError."""

        async def cancel(client: Any) -> Any:
            return (await client.messages.batches.with_raw_response.cancel(batch_id)).http_response

        await self._call(cancel, "")

    def _outcome(self, result: Any) -> ModelReply | NoResult:
        if result is None:
            raise self._model.provider.no_answer("its batch ended without naming it")
        kind = text_of(result.get("type")) if isinstance(result, dict) else ""
        if kind in NOTHING:
            return NoResult(why=NOTHING[kind])
        try:
            return reply_of(result["message"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._model.provider.no_answer(str(error)) from error

    async def _call(self, ask: Callable[[Any], Awaitable[Any]], model: str) -> str:
        client = await self._model.client()
        try:
            async with asyncio.timeout(self._model.timeout + CONNECT_SECONDS):
                response = await ask(client)
            text: str = response.text
            return text
        except Exception as error:
            raise self._model.translated(error, model) from error
