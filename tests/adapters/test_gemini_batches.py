"""Gemini's calls in batches over the wire: handed over, looked after, cancelled; nothing owed without an answer
(R-BUD-5). The SDK is the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.gemini_batches import GeminiBatches
from bot.adapters.gemini_model import GeminiReviewer
from bot.domain.calls import ModelReply, ModelRequest, NoResult, ReviewReply
from bot.errors import ModelRefusedCall
from bot.local.models import Reply
from tests.adapters.emulated_models import KEY, World

CALL = "GRANTER/S0-D0-1/1/2"
ASK = ModelRequest(
    model="gemini-3.8-flash", system="You review.", messages=({"role": "user", "content": "A diff"},),
    max_output=700, call_id=CALL,
)  # fmt: skip
APPROVED = {"verdict": "approve", "quality_score": 9, "findings": []}


@pytest.fixture
async def reviewer(world: World) -> AsyncIterator[GeminiReviewer]:
    reviewer = GeminiReviewer(KEY, f"{world.address}/gemini", timeout_seconds=5)
    yield reviewer
    await reviewer.close()


async def test_the_same_request_as_without_a_batch(world: World, reviewer: GeminiReviewer) -> None:
    await GeminiBatches(reviewer).submit(ASK, "review")
    await reviewer.review(ASK)
    batched, direct = world.script.book
    assert (batched.call_id, batched.batch, batched.billed_tokens) == (CALL, True, 0)
    assert batched.model == direct.model == "gemini-3.8-flash"
    assert batched.body == direct.body
    assert batched.body["generationConfig"]["maxOutputTokens"] == 700
    assert "verdict" in batched.body["generationConfig"]["responseSchema"]["properties"]


async def test_a_review_is_under_way_and_then_there(world: World, reviewer: GeminiReviewer) -> None:
    batches = GeminiBatches(reviewer)
    world.script.on(Reply(review=APPROVED))
    world.faults.batch_seconds = 60.0
    assert await batches.collect(await batches.submit(ASK, "review"), CALL, "review") is None
    world.faults.batch_seconds = 0.0
    batch = await batches.submit(ASK, "review")
    reply = await batches.collect(batch, CALL, "review")
    assert isinstance(reply, ReviewReply)
    assert reply.verdict is not None
    assert (reply.verdict.verdict, reply.model) == ("approve", "gemini-3.8-flash-rehearsal")
    assert reply.usage.total == world.script.billed_tokens > 0
    assert await batches.collect(batch, CALL, "review") == reply, "asked again, it says the same, and bills nothing"


async def test_a_report_is_words(world: World, reviewer: GeminiReviewer) -> None:
    batches = GeminiBatches(reviewer)
    world.script.on(Reply(text="Two queries in a loop."))
    reply = await batches.collect(await batches.submit(ASK, "report"), CALL, "report")
    assert isinstance(reply, ModelReply)
    assert (reply.text, reply.stop) == ("Two queries in a loop.", "end")


async def test_a_verdict_that_was_cut_off_is_none(world: World, reviewer: GeminiReviewer) -> None:
    """R-SEC-4: no verdict is never an approval, in a batch neither."""
    batches = GeminiBatches(reviewer)
    world.script.on(Reply(review=APPROVED))
    short = ASK.model_copy(update={"max_output": 18})
    reply = await batches.collect(await batches.submit(short, "review"), CALL, "review")
    assert isinstance(reply, ReviewReply)
    assert reply.verdict is None


async def test_cancelled_expired_or_not_processed_nothing_is_owed(world: World, reviewer: GeminiReviewer) -> None:
    batches = GeminiBatches(reviewer)
    world.faults.batch_seconds = 60.0
    batch = await batches.submit(ASK, "review")
    await batches.cancel(batch)
    cancelled = await batches.collect(batch, CALL, "review")
    world.faults.batches_expire = True
    expired = await batches.collect(await batches.submit(ASK, "review"), CALL, "review")
    world.faults.batches_expire, world.faults.batch_seconds = False, 0.0
    world.script.on(Reply(status=500))
    failed = await batches.collect(await batches.submit(ASK, "review"), CALL, "review")
    for outcome, word in ((cancelled, "cancelled"), (expired, "in time"), (failed, "could not process")):
        assert isinstance(outcome, NoResult)
        assert word in outcome.why
    assert world.script.billed_tokens == 0


async def test_a_provider_without_batches_refuses(world: World, reviewer: GeminiReviewer) -> None:
    world.faults.without_batches.add("gemini")
    with pytest.raises(ModelRefusedCall):
        await GeminiBatches(reviewer).submit(ASK, "review")
    assert world.script.book == []
