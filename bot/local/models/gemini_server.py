"""The emulated Gemini API: generateContent, countTokens, models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from aiohttp import web

from bot.local.models.answering import House, Made, Refused, json_object
from bot.local.models.gemini_batches import GeminiBatches
from bot.local.models.script import Call, Faults, Reply, Script, estimate

MODELS = ("gemini-3.8-flash", "gemini-3.1-flash-lite")
THOUGHTS = 16  # tokens of thinking in every answer, where the limit leaves room
KINDS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def build_gemini_app(script: Script, faults: Faults, keys: frozenset[str] | None) -> web.Application:
    """The API as an application to mount under a prefix. `keys` None: any key is good."""
    server = _Server(script, faults, keys)
    app = web.Application()
    app.router.add_post("/v1beta/models/{model}:generateContent", server.generate)
    app.router.add_post("/v1beta/models/{model}:countTokens", server.count_tokens)
    app.router.add_get("/v1beta/models", server.models)
    server.batches.routes(app.router)
    return app


class _Server:
    def __init__(self, script: Script, faults: Faults, keys: frozenset[str] | None) -> None:
        self._house = House(script, faults, _refusal)
        self._keys = keys
        self.batches = GeminiBatches(self._house, self._check_key, self._batched, _made)

    async def generate(self, request: web.Request) -> web.StreamResponse:
        try:
            call = await self._received(request, "answer")
        except Refused as refused:
            return self._house.refuse(refused)
        return await self._house.answer(request, call, _made)

    async def count_tokens(self, request: web.Request) -> web.StreamResponse:
        try:
            call = await self._received(request, "count")
            self._house.check_counting(call)
        except Refused as refused:
            return self._house.refuse(refused)
        call.outcome = "counted"
        return web.json_response({"totalTokens": _input_tokens(call.body)})

    async def models(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check_key(request)
        except Refused as refused:
            return self._house.refuse(refused)
        return web.json_response({"models": [{"name": f"models/{m}", "displayName": m} for m in MODELS]})

    def _check_key(self, request: web.Request) -> None:
        key = request.headers.get("x-goog-api-key", "")
        if not key:
            raise Refused(403, "", "Method doesn't allow unregistered callers.")
        if self._keys is not None and key not in self._keys:
            raise Refused(400, "API_KEY_INVALID", "API key not valid. Please pass a valid API key.")

    async def _received(self, request: web.Request, kind: Literal["answer", "count"]) -> Call:
        self._check_key(request)
        return self._booked(request, await json_object(request), kind)

    def _batched(self, request: web.Request, asked: Mapping[str, Any]) -> Call:
        call = self._booked(request, asked, "answer")
        call.batch = True
        return call

    def _booked(self, request: web.Request, body: Mapping[str, Any], kind: Literal["answer", "count"]) -> Call:
        contents = body.get("contents")
        if not isinstance(contents, list) or not contents:
            raise Refused(400, "", "contents is not specified")
        model = request.match_info["model"]
        call = Call(
            provider="gemini",
            kind=kind,
            model=model,
            call_id=request.headers.get("X-Orch-Call", ""),
            headers=dict(request.headers),
            body=body,
            text=_text(contents[0]),
        )
        self._house.script.book.append(call)
        if model not in MODELS:
            call.outcome = "refused 404"
            raise Refused(404, "", f"models/{model} is not found for API version v1beta")
        return call


def _made(call: Call, reply: Reply) -> Made:
    text = reply.text if reply.review is None else json.dumps(reply.review)
    limit = int(call.body.get("generationConfig", {}).get("maxOutputTokens", 8192))
    thoughts = min(THOUGHTS, max(0, limit - 1))
    output, finish = estimate(text), reply.stop or "STOP"
    if output + thoughts > limit:  # as the real one: cut off in the middle of its JSON
        output, finish = limit - thoughts, "MAX_TOKENS"
        text = text[: output * 4]
    used: dict[str, Any] = {
        "promptTokenCount": _input_tokens(call.body),
        "candidatesTokenCount": output,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": None,
        **reply.usage,
    }
    candidate = {
        "content": {"role": "model", "parts": [{"text": text}]},
        "finishReason": finish,
        "index": 0,
    }
    body = {
        "candidates": [candidate],
        "usageMetadata": {name: value for name, value in used.items() if value is not None},
        "modelVersion": reply.model or f"{call.model}-rehearsal",
        "responseId": "rehearsal",
    }
    billed = (used["candidatesTokenCount"] or 0) + (used["thoughtsTokenCount"] or 0)
    return Made(body, used["promptTokenCount"] or 0, billed)


def _refusal(status: int, kind: str, message: str) -> dict[str, Any]:
    error: dict[str, Any] = {"code": status, "message": message, "status": KINDS.get(status, "UNKNOWN")}
    if kind:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": kind}]
    return {"error": error}


def _input_tokens(body: Mapping[str, Any]) -> int:
    schema = body.get("generationConfig", {}).get("responseSchema")
    return estimate(*(_text(c) for c in (body.get("systemInstruction"), *body["contents"])), schema)


def _text(content: Any) -> str:
    parts = content.get("parts", []) if isinstance(content, dict) else []
    return "\n".join(part.get("text", "") for part in parts)
