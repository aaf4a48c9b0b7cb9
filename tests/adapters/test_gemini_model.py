"""The real google-genai SDK over real HTTP against the emulated provider."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.adapters.gemini_model import GeminiReviewer
from bot.domain.calls import ModelRequest, Usage
from bot.errors import ModelError, ModelOutcomeUnknown, ModelRefusedCall
from bot.local.models import Call, Reply
from tests.adapters.emulated_models import KEY, World, emulated_models

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODEL = "gemini-3.8-flash"
APPROVAL = {"verdict": "approve", "quality_score": 9, "findings": []}


def ask(text: str = "+++ b/app.py\n+x = 1", **changes: Any) -> ModelRequest:
    known: dict[str, Any] = {
        "model": MODEL,
        "system": "You review.",
        "messages": ({"role": "user", "content": text},),
        "max_output": 800,
        "call_id": "call-7",
    }
    return ModelRequest(**known | changes)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[tuple[World, GeminiReviewer]]:
    async with emulated_models() as world:
        reviewer = GeminiReviewer(KEY, f"{world.address}/gemini", timeout_seconds=5)
        yield world, reviewer
        await reviewer.close()


@pytest.fixture
def world(shared: tuple[World, GeminiReviewer]) -> World:
    return shared[0].fresh()


@pytest.fixture
def reviewer(shared: tuple[World, GeminiReviewer]) -> GeminiReviewer:
    return shared[1]


async def test_one_request_on_the_wire_as_agreed(world: World, reviewer: GeminiReviewer) -> None:
    await reviewer.review(ask())
    (call,) = world.script.book
    assert (call.call_id, call.model, call.text) == ("call-7", MODEL, "+++ b/app.py\n+x = 1")
    assert call.body["systemInstruction"]["parts"] == [{"text": "You review."}]
    config = call.body["generationConfig"]
    assert config["maxOutputTokens"] == 800
    assert config["responseMimeType"] == "application/json"
    assert config["thinkingConfig"] == {"thinking_level": "LOW"}
    schema = config["responseSchema"]
    assert schema["required"] == ["findings", "quality_score", "verdict"]
    assert schema["properties"]["verdict"]["enum"] == ["approve", "request_changes"]
    assert "description" not in json.dumps(schema)  # not paid for with every call


async def test_thinking_is_only_asked_of_models_that_know_it(world: World) -> None:
    reviewer = GeminiReviewer(KEY, f"{world.address}/gemini", thinking=None)
    await reviewer.review(ask())
    assert "thinkingConfig" not in world.script.book[0].body["generationConfig"]
    await reviewer.close()


async def test_a_rehearsed_review(world: World, reviewer: GeminiReviewer) -> None:
    counted = await reviewer.count(ask())
    reply = await reviewer.review(ask())
    assert reply.verdict is not None
    assert reply.verdict.verdict == "approve"
    assert [finding.file for finding in reply.verdict.findings] == ["app.py"]
    assert reply.model == f"{MODEL}-rehearsal"
    assert reply.usage.thinking == 16
    assert reply.usage.total == world.script.billed_tokens
    assert counted >= reply.usage.input
    assert [call.kind for call in world.script.book] == ["count", "answer"]


async def test_cached_tokens_are_part_of_the_prompt(world: World, reviewer: GeminiReviewer) -> None:
    usage = {"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 9}
    world.script.on(Reply(review=APPROVAL, usage=usage))
    used = (await reviewer.review(ask())).usage
    assert used == Usage(input=40, cache_read=60, output=25, thinking=16)
    assert used.total == world.script.billed_tokens


async def test_a_critical_finding_is_never_an_approval(world: World, reviewer: GeminiReviewer) -> None:
    finding = {"severity": "critical", "file": "a.py", "line": 3, "message": "Anyone may log in."}
    world.script.on(Reply(review=APPROVAL | {"findings": [finding]}))
    reply = await reviewer.review(ask())
    assert reply.verdict is not None
    assert reply.verdict.verdict == "request_changes"


NO_VERDICT = [
    (Reply(review=APPROVAL, stop="SAFETY"), "cut off before its end (SAFETY)"),
    (Reply(review=APPROVAL, stop="A_LATER_REASON"), "cut off before its end (A_LATER_REASON)"),
    (Reply(review=APPROVAL, stop="MAX_TOKENS"), "cut off before its end (MAX_TOKENS)"),
    (Reply(review=APPROVAL, stop="CONTINUATION"), "cut off before its end (CONTINUATION)"),
    (Reply(text="LGTM"), "not valid JSON"),
    (Reply(text=""), "not valid JSON"),
    (Reply(review=APPROVAL | {"quality_score": 11}), "quality_score"),
    (Reply(review=APPROVAL | {"verdict": "lgtm"}), "verdict"),
]


@pytest.mark.parametrize(("scripted", "why"), NO_VERDICT)
async def test_no_verdict_but_paid(world: World, reviewer: GeminiReviewer, scripted: Reply, why: str) -> None:
    world.script.on(scripted)
    reply = await reviewer.review(ask())
    assert reply.verdict is None
    assert why in reply.why_none
    assert reply.usage.total == world.script.billed_tokens > 0
    assert len(world.script.book) == 1


async def test_an_answer_that_is_cut_at_its_limit(world: World, reviewer: GeminiReviewer) -> None:
    reply = await reviewer.review(ask(max_output=30))
    assert (reply.verdict, reply.why_none) == (None, "the review was cut off before its end (MAX_TOKENS)")
    assert reply.usage.output == 30


# -- errors --------------------------------------------------------------------------------------------------

STATUS = [  # status, refused (else unknown), retryable, words that a person needs
    (400, True, False, "scripted error 400"),
    (403, True, False, "GEMINI_API_KEY"),
    (404, True, False, "models.<rung>.id"),
    (429, True, True, "rate"),
    (499, False, True, "counted in full"),
    (500, False, True, "counted in full"),
    (503, True, True, "overloaded"),
    (504, False, True, "counted in full"),
]


@pytest.mark.parametrize(("status", "refused", "retryable", "words"), STATUS)
async def test_status_errors(
    world: World, reviewer: GeminiReviewer, status: int, refused: bool, retryable: bool, words: str
) -> None:
    world.script.on(Reply(status=status, retry_after="7"))
    with pytest.raises(ModelError) as caught:
        await reviewer.review(ask())
    error = caught.value
    assert type(error) is (ModelRefusedCall if refused else ModelOutcomeUnknown)
    assert error.retryable is retryable
    assert error.retry_after_seconds == (7.0 if retryable else None)
    assert words in str(error)
    assert len(world.script.book) == 1  # no retry inside


async def test_googles_own_retry_delay(world: World, reviewer: GeminiReviewer) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13s"}
    error = {"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED", "details": [info]}}
    world.script.on(Reply(status=429, body=json.dumps(error)))
    with pytest.raises(ModelRefusedCall) as caught:
        await reviewer.review(ask())
    assert caught.value.retry_after_seconds == 13.0


async def test_a_gateways_own_error_page_is_unknown(world: World, reviewer: GeminiReviewer) -> None:
    world.script.on(Reply(status=503, body="<h1>upstream reset</h1>"))
    with pytest.raises(ModelOutcomeUnknown):
        await reviewer.review(ask())


async def test_a_wrong_key_is_never_shown(world: World) -> None:
    reviewer = GeminiReviewer("wrong-key", f"{world.address}/gemini")
    with pytest.raises(ModelRefusedCall, match="refused the key in GEMINI_API_KEY") as caught:
        await reviewer.review(ask())
    assert "wrong-key" not in str(caught.value)
    await reviewer.close()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(review=APPROVAL, cut="before"),
        Reply(review=APPROVAL, cut="middle"),
        Reply(body='{"candidates": ['),
        Reply(body=""),
        Reply(body="[]"),
        Reply(body='{"candidates": []}'),
        Reply(review=APPROVAL, usage={"promptTokenCount": None}),
    ],
)
async def test_sent_but_no_answer_that_can_be_read(world: World, reviewer: GeminiReviewer, reply: Reply) -> None:
    world.script.on(reply)
    with pytest.raises(ModelOutcomeUnknown, match="counted in full") as caught:
        await reviewer.review(ask())
    assert caught.value.retryable
    assert len(world.script.book) == 1  # the SDK on aiohttp would have sent it twice


async def test_a_time_out_is_unknown_and_sent_once(world: World) -> None:
    reviewer = GeminiReviewer(KEY, f"{world.address}/gemini", timeout_seconds=1.0)
    await reviewer.list_models()
    world.script.on(Reply(review=APPROVAL, delay_seconds=60))
    with pytest.raises(ModelOutcomeUnknown, match="ReadTimeout"):
        await reviewer.review(ask())
    assert len(world.script.paid("call-7")) == 1
    await reviewer.close()


async def test_no_server_is_a_refusal() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    reviewer = GeminiReviewer(KEY, f"http://127.0.0.1:{port}/gemini")
    with pytest.raises(ModelRefusedCall, match="could not be reached"):
        await reviewer.review(ask())
    await reviewer.close()


async def test_cancelling_passes_through(world: World, reviewer: GeminiReviewer) -> None:
    await reviewer.list_models()
    received = asyncio.Event()

    def late(call: Call) -> Reply:
        received.set()
        return Reply(review=APPROVAL, delay_seconds=0.4)

    world.script.on(late)
    asking = asyncio.create_task(reviewer.review(ask()))
    await received.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_count_of_an_unknown_model(reviewer: GeminiReviewer) -> None:
    with pytest.raises(ModelRefusedCall, match="does not know the model gemini-1"):
        await reviewer.count(ask(model="gemini-1"))


async def test_list_models(reviewer: GeminiReviewer) -> None:
    assert MODEL in await reviewer.list_models()


async def test_an_answer_in_words(world: World, reviewer: GeminiReviewer) -> None:
    """R-RT-3: a report asks for no schema, and a cut answer says that it is cut."""
    reply = await reviewer.send(ask())
    assert reply.text.startswith("Rehearsal:")
    assert (reply.model, reply.stop) == (f"{MODEL}-rehearsal", "end")
    assert reply.usage.total == world.script.billed_tokens
    world.script.on(Reply(text="word " * 500))
    assert (await reviewer.send(ask(max_output=100))).stop == "max_tokens"
