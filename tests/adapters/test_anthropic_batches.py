"""A call in a batch over the wire: handed over, looked after, cancelled; nothing owed without an answer (R-BUD-5)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.anthropic_batches import AnthropicBatches
from bot.adapters.anthropic_model import AnthropicModel
from bot.domain.batching import custom_id
from bot.domain.calls import ModelReply, ModelRequest, NoResult
from bot.errors import ModelOutcomeUnknown, ModelRefusedCall
from bot.local.models import Reply
from bot.local.sample import create
from tests.adapters.emulated_models import KEY, World

CALL = "GRANTER/S0-D0-1/1/1"
ASK = ModelRequest(
    model="claude-haiku-5-5", system="You edit.", messages=({"role": "user", "content": "Write a.md"},),
    max_output=700, edit_tools=True, call_id=CALL,
)  # fmt: skip


@pytest.fixture
async def batches(world: World) -> AsyncIterator[AnthropicBatches]:
    model = AnthropicModel(KEY, f"{world.address}/anthropic", timeout_seconds=5)
    yield AnthropicBatches(model)
    await model.close()


@pytest.mark.parametrize(
    ("call_id", "sent"),
    [(CALL, "GRANTER_S0-D0-1_1_1"), ("", "call"), ("x" * 80, "x" * 64), ("a/é b", "a___b")],
)
def test_a_custom_id_is_one_that_the_provider_takes(call_id: str, sent: str) -> None:
    assert custom_id(call_id) == sent


async def test_the_same_request_as_without_a_batch(world: World, batches: AnthropicBatches) -> None:
    await batches.submit(ASK, "edit")
    (call,) = world.script.book
    assert (call.call_id, call.batch, call.billed_tokens) == (CALL, True, 0)
    assert (call.body["model"], call.body["max_tokens"], call.body["system"]) == ("claude-haiku-5-5", 700, "You edit.")
    assert call.body["messages"] == [{"role": "user", "content": "Write a.md"}]
    assert "stream" not in call.body


async def test_it_is_under_way_and_then_there(world: World, batches: AnthropicBatches) -> None:
    world.script.on(Reply(edits=(create("a.md", "A\n"),)))
    world.faults.batch_seconds = 60.0
    batch = await batches.submit(ASK, "edit")
    assert await batches.collect(batch, CALL, "edit") is None
    world.faults.batch_seconds = 0.0
    later = await batches.submit(ASK, "edit")
    reply = await batches.collect(later, CALL, "edit")
    assert isinstance(reply, ModelReply)
    assert reply.edits[0].path == "a.md"
    assert reply.usage.total == world.script.billed_tokens > 0
    assert await batches.collect(later, CALL, "edit") == reply, "asked again, it says the same, and bills nothing"
    assert reply.usage.total == world.script.billed_tokens


async def test_cancelled_before_its_turn_nothing_is_owed(world: World, batches: AnthropicBatches) -> None:
    world.faults.batch_seconds = 60.0
    batch = await batches.submit(ASK, "edit")
    await batches.cancel(batch)
    outcome = await batches.collect(batch, CALL, "edit")
    assert isinstance(outcome, NoResult)
    assert "cancelled" in outcome.why
    assert world.script.billed_tokens == 0


async def test_cancelled_too_late_the_answer_stands(world: World, batches: AnthropicBatches) -> None:
    batch = await batches.submit(ASK, "edit")
    reply = await batches.collect(batch, CALL, "edit")
    with pytest.raises(ModelRefusedCall):
        await batches.cancel(batch)
    assert await batches.collect(batch, CALL, "edit") == reply


@pytest.mark.parametrize(("expire", "words"), [(True, "within a day"), (False, "could not process")])
async def test_it_ends_without_an_answer(world: World, batches: AnthropicBatches, expire: bool, words: str) -> None:
    world.faults.batches_expire = expire
    world.script.on(Reply(status=400))
    outcome = await batches.collect(await batches.submit(ASK, "edit"), CALL, "edit")
    assert isinstance(outcome, NoResult)
    assert words in outcome.why
    assert world.script.billed_tokens == 0


async def test_a_refusal_owes_nothing_and_an_odd_answer_may(world: World, batches: AnthropicBatches) -> None:
    with pytest.raises(ModelRefusedCall, match="does not know the model"):
        await batches.submit(ASK.model_copy(update={"model": "claude-2"}), "edit")
    world.faults.status["anthropic"] = 500
    with pytest.raises(ModelOutcomeUnknown, match="counted in full"):
        await batches.submit(ASK, "edit")
    world.faults.status.clear()
    with pytest.raises(ModelRefusedCall):
        await batches.collect("msgbatch_of_nobody", CALL, "edit")


async def test_a_call_that_the_results_do_not_name_may_be_owed(world: World, batches: AnthropicBatches) -> None:
    batch = await batches.submit(ASK, "edit")
    with pytest.raises(ModelOutcomeUnknown):
        await batches.collect(batch, "GRANTER/S0-D0-2/1/1", "edit")
