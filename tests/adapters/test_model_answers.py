"""Answers in every odd form, read without a wire; and keys that cannot be keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.adapters.anthropic_model import AnthropicModel, reply_of
from bot.adapters.gemini_model import GeminiReviewer
from bot.adapters.gemini_wire import review_of
from bot.adapters.model_errors import retry_after_seconds
from bot.domain.calls import EditCall, ModelRequest, Usage
from bot.errors import ConfigError, ModelRefusedCall


@pytest.mark.parametrize("key", ["", "  ", "sk-ant with blank", "sk-ant-…"])
def test_a_key_that_cannot_be_one(key: str) -> None:
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY"):
        AnthropicModel(key)


def test_geminis_key_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="GEMINI_API_KEY"):
        GeminiReviewer("two words")


@pytest.mark.parametrize("address", ["http://[", "http://host:port"])
async def test_an_address_that_is_none(address: str) -> None:
    request = ModelRequest(model="m", system="", messages=({"role": "user", "content": "Hello"},))
    for made in (AnthropicModel("k", address), GeminiReviewer("k", address)):
        with pytest.raises(ModelRefusedCall, match="BASE_URL"):
            await made.count(request)
        await made.close()


RETRY_AFTER = [  # headers, seconds
    ({}, None),
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": "0.5"}, 0.5),
    ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ({"retry-after": "soon"}, None),
    ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
    ({"retry-after-ms": "x"}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), RETRY_AFTER)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


# -- Anthropic -----------------------------------------------------------------------------------------------


def message(*blocks: object, **changes: object) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": None}
    known = {"model": "m", "content": list(blocks), "stop_reason": "end_turn", "usage": usage}
    return known | changes


def tool(**given: object) -> dict[str, object]:
    return {"type": "tool_use", "id": "t1", "name": "str_replace_based_edit_tool", "input": given}


ODD_EDITS = [
    (
        tool(command="insert", path="a", insert_line=3, insert_text="x"),
        EditCall(id="t1", command="insert", path="a", insert_line=3, insert_text="x"),
    ),
    (tool(command="create", path="a", surprise=[1]), EditCall(id="t1", command="create", path="a")),
    (tool(command=["create"], path=7, file_text={}), EditCall(id="t1", command="")),
    (tool(command="insert", insert_line="3"), EditCall(id="t1", command="insert")),
    (tool(command="insert", insert_line=True), EditCall(id="t1", command="insert")),
    (tool() | {"input": "create a file"}, EditCall(id="t1", command="")),
    (tool() | {"input": None}, EditCall(id="t1", command="")),
    (tool() | {"name": "bash"}, EditCall(id="t1", command="bash")),
    ({"type": "tool_use"}, EditCall(id="toolu_without_id_0", command="")),
]


@pytest.mark.parametrize(("block", "edit"), ODD_EDITS)
def test_odd_edits_still_exist(block: dict[str, object], edit: EditCall) -> None:
    reply = reply_of(message(block))
    assert reply.edits == (edit,)
    assert reply.content[0]["id"] == edit.id
    assert isinstance(reply.content[0]["input"], dict)


def test_what_no_database_keeps_is_replaced() -> None:
    """A NUL and half a surrogate pair: PostgreSQL refuses both, and the answer is paid for by then."""
    said = message({"type": "text", "text": "a\x00b \ud83d"}, tool(command="create", path="a", file_text="\ud83d"))
    reply = reply_of(json.loads(json.dumps(said)))
    assert reply.text == "a\ufffdb \ufffd" and reply.edits[0].file_text == "\ufffd"
    assert "\\u0000" not in json.dumps(reply.content) and "\\ud83d" not in json.dumps(reply.content)


def test_odd_blocks_do_not_crash() -> None:
    blocks = (None, "text", {"text": "untyped"}, {"type": "text", "text": 3}, {"type": "text", "text": "Yes"})
    reply = reply_of(message(*blocks, {"type": "server_tool_use", "later": 1}))
    assert reply.text == "Yes"
    assert [block["type"] for block in reply.content] == ["text", "server_tool_use"]
    assert reply.usage == Usage(input=3, output=5)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("end_turn", "end"),
        ("stop_sequence", "end"),
        ("tool_use", "tool_use"),
        ("max_tokens", "max_tokens"),
        ("model_context_window_exceeded", "max_tokens"),
        ("refusal", "refusal"),
        ("pause_turn", "other"),
        ("something_new", "other"),
        (None, "other"),
    ],
)
def test_stop_reasons(reason: str | None, stop: str) -> None:
    assert reply_of(message(stop_reason=reason)).stop == stop


# -- Gemini --------------------------------------------------------------------------------------------------

APPROVAL = {"verdict": "approve", "quality_score": 9, "findings": []}
USED = {"promptTokenCount": 5, "candidatesTokenCount": None}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "(blocked: SAFETY)"),
        ({"candidates": []}, "(no candidate)"),
        ({"candidates": [None]}, "(no candidate)"),
        ({"candidates": [{"content": None}]}, "(no finish reason)"),
        ({"candidates": [{"content": {"parts": [None, 3]}, "finishReason": "STOP"}]}, "not valid JSON"),
    ],
)
def test_odd_answers(body: dict[str, Any], why: str) -> None:
    reply = review_of(body | {"usageMetadata": USED})
    assert reply.verdict is None
    assert why in reply.why_none
    assert reply.usage == Usage(input=5)


def test_thoughts_are_not_the_answer() -> None:
    parts = [{"text": "Let me see.", "thought": True}, {"text": json.dumps(APPROVAL)}]
    body = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}], "usageMetadata": USED}
    assert review_of(body).verdict is not None
