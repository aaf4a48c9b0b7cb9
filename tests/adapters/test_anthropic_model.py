"""The real anthropic SDK over real HTTP against the emulated provider."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from bot.adapters.anthropic_model import AnthropicModel
from bot.domain.calls import ModelRequest
from bot.errors import ModelError, ModelOutcomeUnknown, ModelRefusedCall
from bot.local.models import Call, Reply
from bot.local.sample import create, replace
from tests.adapters.emulated_models import KEY, World, emulated_models, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODEL = "claude-haiku-5-5"


def ask(text: str = "Write notes/plan.md", **changes: Any) -> ModelRequest:
    known: dict[str, Any] = {
        "model": MODEL,
        "system": "You edit files.",
        "messages": ({"role": "user", "content": text},),
        "edit_tools": True,
        "call_id": "call-1",
    }
    return ModelRequest(**known | changes)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[tuple[World, AnthropicModel]]:
    async with emulated_models() as world:
        model = AnthropicModel(KEY, f"{world.address}/anthropic", timeout_seconds=5)
        yield world, model
        await model.close()


@pytest.fixture
def world(shared: tuple[World, AnthropicModel]) -> World:
    return shared[0].fresh()


@pytest.fixture
def model(shared: tuple[World, AnthropicModel]) -> AnthropicModel:
    return shared[1]


async def test_one_request_on_the_wire_as_agreed(world: World, model: AnthropicModel) -> None:
    await model.send(ask(max_output=700))
    (call,) = world.script.book
    assert call.call_id == "call-1"
    assert call.body == {
        "model": MODEL,
        "max_tokens": 700,
        "system": "You edit files.",
        "messages": [{"role": "user", "content": "Write notes/plan.md"}],
        "tools": [{"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}],
    }


async def test_no_tools_and_no_system_when_not_asked_for(world: World, model: AnthropicModel) -> None:
    reply = await model.send(ask(edit_tools=False, system=""))
    assert set(world.script.book[0].body) == {"model", "max_tokens", "messages"}
    assert reply.stop == "end"
    assert reply.edits == ()


async def test_parallel_edits_and_usage_agree_with_the_providers_book(world: World, model: AnthropicModel) -> None:
    world.script.on(Reply(text="Done.", edits=(create("a.md", "A\n"), replace("b.py", "x", "y"))))
    counted = await model.count(ask())
    reply = await model.send(ask())
    first, second = reply.edits
    assert (first.command, first.path, first.file_text) == ("create", "a.md", "A\n")
    assert (second.command, second.path, second.old_str, second.new_str) == ("str_replace", "b.py", "x", "y")
    assert (reply.text, reply.stop, reply.model) == ("Done.", "tool_use", f"{MODEL}-rehearsal")
    assert reply.usage.input == counted
    assert reply.usage.total == world.script.billed_tokens


async def test_the_conversation_goes_back_as_it_came(world: World, model: AnthropicModel) -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln", "later_field": None}
    use = {"type": "tool_use", "id": "toolu_9", "name": "str_replace_based_edit_tool", "input": {}}
    world.script.on(Reply(content=(thinking, {"type": "text", "text": ""}, use), stop="tool_use"))
    reply = await model.send(ask())
    assert reply.content == (thinking, use)
    result = {"type": "tool_result", "tool_use_id": reply.edits[0].id, "content": "no command", "is_error": True}
    more = ({"role": "assistant", "content": list(reply.content)}, {"role": "user", "content": [result]})
    await model.send(ask(messages=(*ask().messages, *more)))
    assert world.script.book[-1].body["messages"][1]["content"] == [thinking, use]


async def test_cache_tokens_are_counted(world: World, model: AnthropicModel) -> None:
    usage = {
        "cache_creation_input_tokens": 40,
        "cache_read_input_tokens": 60,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
    }
    world.script.on(Reply(text="Hello", usage=usage))
    used = (await model.send(ask())).usage
    assert (used.cache_write, used.cache_read, used.output, used.thinking) == (40, 60, 50, 20)
    assert used.total == world.script.billed_tokens


async def test_an_answer_that_is_cut_at_its_limit(world: World, model: AnthropicModel) -> None:
    world.script.on(Reply(edits=(create("a.md", "word " * 500),)))
    reply = await model.send(ask(max_output=20))
    assert (reply.stop, reply.usage.output) == ("max_tokens", 20)
    assert reply.edits[0].file_text is None


# -- errors --------------------------------------------------------------------------------------------------

STATUS = [  # status, refused (else unknown), retryable, words that a person needs
    (400, True, False, "scripted error 400"),
    (401, True, False, "ANTHROPIC_API_KEY"),
    (402, True, False, "Add credit"),
    (403, True, False, MODEL),
    (404, True, False, "models.<rung>.id"),
    (408, True, True, "HTTP 408"),
    (409, True, True, "HTTP 409"),
    (413, True, False, "Split the task"),
    (422, True, False, "HTTP 422"),
    (429, True, True, "rate"),
    (499, False, True, "counted in full"),
    (500, False, True, "counted in full"),
    (502, False, True, "counted in full"),
    (503, True, True, "overloaded"),
    (504, False, True, "counted in full"),
    (529, True, True, "overloaded"),
]


@pytest.mark.parametrize(("status", "refused", "retryable", "words"), STATUS)
async def test_status_errors(
    world: World, model: AnthropicModel, status: int, refused: bool, retryable: bool, words: str
) -> None:
    world.script.on(Reply(status=status, retry_after="7"))
    with pytest.raises(ModelError) as caught:
        await model.send(ask())
    error = caught.value
    assert type(error) is (ModelRefusedCall if refused else ModelOutcomeUnknown)
    assert error.retryable is retryable
    assert error.retry_after_seconds == (7.0 if retryable else None)
    assert words in str(error)
    assert KEY not in str(error)
    assert len(world.script.book) == 1  # no retry inside


@pytest.mark.parametrize(("status", "kind"), [(503, ModelOutcomeUnknown), (529, ModelRefusedCall)])
async def test_a_gateways_own_error_page(
    world: World, model: AnthropicModel, status: int, kind: type[ModelError]
) -> None:
    world.script.on(Reply(status=status, body="<h1>upstream reset</h1>"))
    with pytest.raises(ModelError) as caught:
        await model.send(ask())
    assert type(caught.value) is kind


async def test_a_wrong_key_is_never_shown(world: World) -> None:
    model = AnthropicModel("sk-wrong", f"{world.address}/anthropic")
    with pytest.raises(ModelRefusedCall, match="refused the key in ANTHROPIC_API_KEY") as caught:
        await model.send(ask())
    assert "sk-wrong" not in str(caught.value)
    await model.close()


async def test_the_key_is_cut_out_of_what_the_provider_says(world: World, model: AnthropicModel) -> None:
    world.script.on(Reply(status=400, error=f"bad\n\n thing with {KEY} " + "x" * 900))
    with pytest.raises(ModelRefusedCall) as caught:
        await model.send(ask())
    assert 'it said: "bad thing with [key] xxx' in str(caught.value)
    assert len(str(caught.value)) < 450


@pytest.mark.parametrize(
    "reply",
    [
        Reply(text="Hello", cut="before"),
        Reply(text="Hello", cut="middle"),
        Reply(body='{"id": "msg_1", "type": "mess'),
        Reply(body="<html>login</html>"),
        Reply(body="[]"),
        Reply(body='{"type": "message", "content": [{"type": "text", "text": "no usage"}]}'),
        Reply(text="Hello", usage={"output_tokens": None}),
        Reply(text="Hello", usage={"input_tokens": -1}),
    ],
)
async def test_sent_but_no_answer_that_can_be_read(world: World, model: AnthropicModel, reply: Reply) -> None:
    world.script.on(reply)
    with pytest.raises(ModelOutcomeUnknown, match="counted in full") as caught:
        await model.send(ask())
    assert caught.value.retryable
    assert len(world.script.book) == 1


async def test_a_time_out_is_unknown_and_sent_once(world: World) -> None:
    model = AnthropicModel(KEY, f"{world.address}/anthropic", timeout_seconds=0.1)
    await model.list_models()
    world.script.on(Reply(text="late", delay_seconds=0.4))
    with pytest.raises(ModelOutcomeUnknown, match="ReadTimeout"):
        await model.send(ask())
    assert len(world.script.paid("call-1")) == 1  # the provider bills it: the ledger must too
    await model.close()


async def test_no_server_is_a_refusal() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = AnthropicModel(KEY, f"http://127.0.0.1:{port}/anthropic")
    with pytest.raises(ModelRefusedCall, match="could not be reached") as caught:
        await model.send(ask())
    assert caught.value.retryable
    await model.close()


async def test_a_redirect_is_not_followed_with_the_key() -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/stolen")

    async def stolen(request: web.Request) -> web.Response:
        raise AssertionError(str(request.headers))

    app = web.Application()
    app.router.add_post("/v1/messages", elsewhere)
    app.router.add_post("/stolen", stolen)
    async with serving(app) as address:
        model = AnthropicModel(KEY, address)
        with pytest.raises(ModelRefusedCall, match="ANTHROPIC_BASE_URL"):
            await model.send(ask())
        await model.close()


async def test_cancelling_passes_through(world: World, model: AnthropicModel) -> None:
    await model.list_models()
    received = asyncio.Event()

    def late(call: Call) -> Reply:
        received.set()
        return Reply(text="late", delay_seconds=0.4)

    world.script.on(late)
    sending = asyncio.create_task(model.send(ask()))
    await received.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_count_refused_and_unreadable(world: World, model: AnthropicModel) -> None:
    with pytest.raises(ModelRefusedCall, match="does not know the model claude-2"):
        await model.count(ask(model="claude-2"))


async def test_list_models(world: World, model: AnthropicModel) -> None:
    assert MODEL in await model.list_models()
    world.faults.status["anthropic"] = 529  # paid calls only
    assert await model.list_models()
