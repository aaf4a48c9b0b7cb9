"""Gemini's batches: one call each, half the price, an answer within a day."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bot.adapters.gemini_model import GeminiReviewer
from bot.adapters.gemini_wire import answer_of, review_of
from bot.adapters.model_errors import CONNECT_SECONDS, text_of
from bot.domain.batching import custom_id
from bot.domain.calls import ModelReply, ModelRequest, NoResult, Purpose, ReviewReply

T = TypeVar("T")
#: How a batch can end without an answer; nothing is owed for any of them.
NOTHING = {
    "JOB_STATE_FAILED": "the provider could not process it",
    "JOB_STATE_CANCELLED": "the batch was cancelled before its turn came",
    "JOB_STATE_EXPIRED": "the provider did not come to it in time",
}
DONE = "JOB_STATE_SUCCEEDED"


class GeminiBatches:
    """ports.Batches on the client of a GeminiReviewer."""

    def __init__(self, reviewer: GeminiReviewer) -> None:
        self._reviewer = reviewer

    async def submit(self, request: ModelRequest, purpose: Purpose) -> str:
        """Hand one call over; returns the batch's name. Raises ModelRefusedCall, also where the provider has no
        batches, or ModelOutcomeUnknown where it may have taken it."""
        contents, config = self._reviewer.asked(request, review=purpose == "review")
        name = custom_id(request.call_id)
        options = {"display_name": name, "http_options": {"headers": {"X-Orch-Call": request.call_id}}}

        async def create(client: Any) -> Any:
            inlined = [{"contents": contents, "config": config, "metadata": {"key": name}}]
            return await client.aio.batches.create(model=request.model, src=inlined, config=options)

        made = text_of((await self._call(create, request.model)).name)
        if not made:
            raise self._reviewer.provider.no_answer("a batch without a name")
        return made

    async def collect(
        self, batch_id: str, call_id: str, purpose: Purpose
    ) -> ModelReply | ReviewReply | NoResult | None:
        """The call's outcome, None while the batch is under way. Free. Raises ModelError."""

        async def get(client: Any) -> Any:
            return await client.aio.batches.get(name=batch_id)

        job = await self._call(get, "")
        state = str(getattr(job.state, "value", job.state))
        if state in NOTHING:
            return NoResult(why=NOTHING[state])
        if state != DONE:
            return None
        answers = (job.dest.inlined_responses if job.dest else None) or []
        if not answers:
            raise self._reviewer.provider.no_answer("its batch ended without an answer")
        if answers[0].response is None:
            return NoResult(why=NOTHING["JOB_STATE_FAILED"])
        body = answers[0].response.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            return review_of(body) if purpose == "review" else answer_of(body)
        except (KeyError, TypeError, ValueError) as error:
            raise self._reviewer.provider.no_answer(str(error)) from error

    async def cancel(self, batch_id: str) -> None:
        """Ask for an early end; what was answered by then is still billed. Raises ModelError."""

        async def cancel(client: Any) -> Any:
            await client.aio.batches.cancel(name=batch_id)

        await self._call(cancel, "")

    async def _call(self, ask: Callable[[Any], Awaitable[T]], model: str) -> T:
        client = await self._reviewer.client()
        try:
            async with asyncio.timeout(self._reviewer.timeout + CONNECT_SECONDS):
                return await ask(client)
        except Exception as error:
            raise self._reviewer.translated(error, model) from error
