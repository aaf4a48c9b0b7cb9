"""Prompt caching over the wire: what is marked is written once and read for five minutes (R-BUD-5)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.anthropic_model import AnthropicModel
from bot.domain.calls import ModelRequest, Usage
from bot.errors import ModelRefusedCall
from tests.adapters.emulated_models import KEY, World

SHARED = "src/app/module.py\n" * 200  # about 900 tokens
NOW = 1000.0


@pytest.fixture
def world(world: World) -> World:
    world.script.cache.clock = lambda: NOW
    return world


@pytest.fixture
async def model(world: World) -> AsyncIterator[AnthropicModel]:
    model = AnthropicModel(KEY, f"{world.address}/anthropic", timeout_seconds=5)
    yield model
    await model.close()


def ask(task: str, shared: str = SHARED, model: str = "claude-haiku-5-5") -> ModelRequest:
    message = {"role": "user", "content": task}
    return ModelRequest(
        model=model, system=f"You edit.\n{shared}", cache_system=True, messages=(message,), edit_tools=True, call_id="c"
    )


async def used(model: AnthropicModel, request: ModelRequest) -> Usage:
    counted = await model.count(request)
    usage = (await model.send(request)).usage
    assert usage.input + usage.cache_write + usage.cache_read == counted, "no token is billed twice, none is lost"
    return usage


async def test_the_second_task_reads_what_the_first_one_wrote(world: World, model: AnthropicModel) -> None:
    first, second = await used(model, ask("Write a.md")), await used(model, ask("Write b.md, please"))
    assert first.cache_write > 850
    assert (first.cache_read, second.cache_write) == (0, 0)
    assert second.cache_read == first.cache_write
    assert second.input < 100


async def test_what_stands_before_must_be_the_same(world: World, model: AnthropicModel) -> None:
    await used(model, ask("Write a.md"))
    assert (await used(model, ask("Write a.md", "other " + SHARED))).cache_read == 0
    assert (await used(model, ask("Write a.md", model="claude-sonnet-5-5"))).cache_read == 0
    without_tools = ask("Write a.md").model_copy(update={"edit_tools": False})
    assert (await used(model, without_tools)).cache_read == 0


async def test_a_short_prompt_is_not_cached(world: World, model: AnthropicModel) -> None:
    request = ask("x", "short").model_copy(update={"edit_tools": False})
    for _ in range(2):
        usage = await used(model, request)
        assert (usage.cache_write, usage.cache_read) == (0, 0)


@pytest.mark.parametrize(("later", "read"), [(299.0, True), (301.0, False)])
async def test_it_is_kept_for_five_minutes(world: World, model: AnthropicModel, later: float, read: bool) -> None:
    await used(model, ask("Write a.md"))
    world.script.cache.clock = lambda: NOW + later
    assert bool((await used(model, ask("Write b.md"))).cache_read) is read


async def test_a_repair_reads_the_beginning_of_its_edit(world: World, model: AnthropicModel) -> None:
    request = ask("Write a.md")
    wrote = await used(model, request)
    more = ({"role": "assistant", "content": [{"type": "text", "text": "Hm."}]}, {"role": "user", "content": "Mend it"})
    repair = request.model_copy(update={"messages": (*request.messages, *more)})
    assert (await used(model, repair)).cache_read == wrote.cache_write


async def test_too_many_marks_are_refused(world: World, model: AnthropicModel) -> None:
    block = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    request = ask("x").model_copy(update={"messages": ({"role": "user", "content": [block] * 5},)})
    with pytest.raises(ModelRefusedCall, match="cache_control"):
        await model.send(request)
