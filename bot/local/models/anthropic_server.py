"""The emulated Anthropic API: messages, count_tokens, models. Refuses what the real one would, where that is
cheap to see."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, Literal

from aiohttp import web

from bot.local.models.answering import House, Made, Refused, json_object
from bot.local.models.anthropic_batches import AnthropicBatches
from bot.local.models.prompt_cache import MOST_MARKS, marks_of, unmarked
from bot.local.models.script import Call, Faults, Reply, Script, estimate

MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5-20251001")
EDITOR = {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}
NO_LONGER_TAKEN = ("temperature", "top_p", "top_k")
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def build_anthropic_app(script: Script, faults: Faults, keys: frozenset[str] | None) -> web.Application:
    """The API as an application to mount under a prefix. `keys` None: any key is good."""
    server = _Server(script, faults, keys)
    app = web.Application()
    app.router.add_post("/v1/messages", server.messages)
    app.router.add_post("/v1/messages/count_tokens", server.count_tokens)
    app.router.add_get("/v1/models", server.models)
    server.batches.routes(app.router)
    return app


class _Server:
    def __init__(self, script: Script, faults: Faults, keys: frozenset[str] | None) -> None:
        self._house = House(script, faults, _refusal)
        self._keys = keys
        self._numbers = count(1)
        self.batches = AnthropicBatches(self._house, self._check_key, self._batched, self._made)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        call = None
        try:
            call = await self._received(request, "answer")
            _check_messages(call.body)
        except Refused as refused:
            return self._house.refuse(refused, call)
        return await self._house.answer(request, call, self._made)

    async def count_tokens(self, request: web.Request) -> web.StreamResponse:
        call = None
        try:
            call = await self._received(request, "count")
            _check_messages({**call.body, "max_tokens": 1})
            self._house.check_counting(call)
        except Refused as refused:
            return self._house.refuse(refused, call)
        call.outcome = "counted"
        return web.json_response({"input_tokens": _input_tokens(call.body)})

    async def models(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check_key(request)
        except Refused as refused:
            return self._house.refuse(refused)
        created = "2026-01-01T00:00:00Z"
        data = [{"type": "model", "id": m, "display_name": m, "created_at": created} for m in MODELS]
        return web.json_response({"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]})

    def _check_key(self, request: web.Request) -> None:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        key = request.headers.get("x-api-key") or bearer  # version 2 of the SDK sends the key as a bearer's
        if not key or (self._keys is not None and key not in self._keys):
            raise Refused(401, "", "invalid x-api-key")
        if "anthropic-version" not in request.headers:
            raise Refused(400, "", "anthropic-version: header is required")

    async def _received(self, request: web.Request, kind: Literal["answer", "count"]) -> Call:
        self._check_key(request)
        return self._booked(request, await json_object(request), kind)

    def _batched(self, request: web.Request, params: Mapping[str, Any]) -> Call:
        call = self._booked(request, params, "answer")
        call.batch = True
        _check_messages(params)
        return call

    def _booked(self, request: web.Request, body: Mapping[str, Any], kind: Literal["answer", "count"]) -> Call:
        model = str(body.get("model", ""))
        call = Call(
            provider="anthropic",
            kind=kind,
            model=model,
            call_id=request.headers.get("X-Orch-Call", ""),
            headers=dict(request.headers),
            body=body,
            text=_first_user_text(body),
        )
        self._house.script.book.append(call)
        if model not in MODELS:
            call.outcome = "refused 404"
            raise Refused(404, "", f"model: {model}")
        return call

    def _made(self, call: Call, reply: Reply) -> Made:
        content, stop = self._content(reply)
        output = estimate(content)
        limit = int(call.body["max_tokens"])
        if output > limit:  # as the real one: cut off in the middle of its answer
            output, stop = limit, "max_tokens"
            content = [{**block, "input": {}} if "input" in block else block for block in content[:2]]
        billed_input = self._house.script.cache.bill(call.body, _input_tokens(call.body))
        usage: dict[str, Any] = {
            "input_tokens": billed_input.plain,
            "output_tokens": output,
            "cache_creation_input_tokens": billed_input.written,
            "cache_read_input_tokens": billed_input.read,
            "service_tier": "standard",
            **reply.usage,
        }
        body = {
            "id": f"msg_rehearsal_{next(self._numbers)}",
            "type": "message",
            "role": "assistant",
            "model": reply.model or f"{call.model}-rehearsal",
            "content": content,
            "stop_reason": reply.stop or stop,
            "stop_sequence": None,
            "usage": {name: value for name, value in usage.items() if value is not None},
        }
        billed = sum(
            usage[name] or 0 for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        )
        return Made(body, billed, usage["output_tokens"] or 0)

    def _content(self, reply: Reply) -> tuple[list[dict[str, Any]], str]:
        if reply.content is not None:
            return [dict(block) for block in reply.content], "end_turn"
        content: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text else []
        for edit in reply.edits:
            number = next(self._numbers)
            content.append({"type": "tool_use", "id": f"toolu_{number}", "name": EDITOR["name"], "input": edit.input})
        return content, "tool_use" if reply.edits else "end_turn"


def _refusal(status: int, kind: str, message: str) -> dict[str, Any]:
    error = {"type": kind or KINDS.get(status, "api_error"), "message": message}
    return {"type": "error", "error": error, "request_id": "req_rehearsal"}


def _input_tokens(body: Mapping[str, Any]) -> int:
    return estimate(body.get("system"), unmarked(body.get("messages")), body.get("tools"))


def _first_user_text(body: Mapping[str, Any]) -> str:
    for message in body.get("messages") or ():
        if isinstance(message, dict) and message.get("role") == "user":
            content = message.get("content")
            return content if isinstance(content, str) else "\n".join(b.get("text", "") for b in _blocks(message))
    return ""


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def _check_messages(body: Mapping[str, Any]) -> None:
    """Raises Refused for a request that the real API would not take."""
    limit = body.get("max_tokens")
    if not isinstance(limit, int) or limit < 1:
        raise Refused(400, "", "max_tokens: Field required, a positive integer")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "", "messages: at least one message is required")
    if messages[0].get("role") != "user" or messages[-1].get("role") != "user":
        raise Refused(400, "", "messages: the first and the last must be the user's")
    if marks_of(body) > MOST_MARKS:
        raise Refused(400, "", f"A maximum of {MOST_MARKS} blocks with cache_control may be provided")
    for name in NO_LONGER_TAKEN:
        if name in body and "-5-5" in body["model"]:
            raise Refused(400, "", f"{name}: not supported by this model")
    for tool in body.get("tools") or ():
        if tool.get("type", "").startswith("text_editor") and tool != EDITOR:
            raise Refused(400, "", f"tools: not a text editor tool of this API: {tool}")
    _check_tools(messages)


def _check_tools(messages: list[dict[str, Any]]) -> None:
    """Every tool_use is answered in the next message, and nothing else is."""
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        blocks = _blocks(message)
        if any(b["type"] == "text" and not b.get("text") for b in blocks) or message.get("content") == "":
            raise Refused(400, "", f"messages.{number}: text content blocks must be non-empty")
        answered = {b.get("tool_use_id", "") for b in blocks if b.get("type") == "tool_result"}
        if missing := open_calls - answered:
            raise Refused(400, "", f"messages.{number}: tool_use without tool_result: {sorted(missing)}")
        if extra := answered - open_calls:
            raise Refused(400, "", f"messages.{number}: tool_result without tool_use: {sorted(extra)}")
        open_calls = {b.get("id", "") for b in blocks if b.get("type") == "tool_use"}
