"""What both emulated providers share: one paid call from its receipt to its answer, as scripted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.local.models.script import Call, Faults, Reply, Script


@dataclass
class Refused(Exception):
    """The request is not one that the real API would take."""

    status: int
    kind: str
    message: str


@dataclass(frozen=True)
class Made:
    """An answer's JSON and the tokens that it bills."""

    body: Mapping[str, Any]
    input_tokens: int
    output_tokens: int


@dataclass
class House:
    """One provider: its script, what is wrong with it, and how it words a refusal."""

    script: Script
    faults: Faults
    refusal: Callable[[int, str, str], Mapping[str, Any]]  # status, kind, message

    def refuse(self, refused: Refused, call: Call | None = None) -> web.Response:
        if call is not None:
            call.outcome = f"refused {refused.status}"
        body = self.refusal(refused.status, refused.kind, refused.message)
        return web.json_response(body, status=refused.status)

    def check_counting(self, call: Call) -> None:
        """Raises Refused where the provider is too broken to count."""
        if status := self.faults.counting.get(call.provider):
            raise Refused(status, "", f"scripted error {status}")

    async def answer(self, request: web.Request, call: Call, make: Callable[[Call, Reply], Made]) -> web.StreamResponse:
        """Answer a valid paid call as its script and the faults say."""
        scripted = self.script.reply(call)
        reply = self.faults.over(call, scripted) or scripted
        if reply.status == 200:  # the work is done, and billed, whatever becomes of the answer
            made = make(call, reply)
            call.input_tokens, call.output_tokens = made.input_tokens, made.output_tokens
        if not await _caller_waits(request, self.faults.latency_seconds + reply.delay_seconds):
            call.outcome = "left"
            return web.Response()
        if reply.until is not None:
            await reply.until.wait()
        if reply.status != 200:
            return self._failure(call, reply)
        text = reply.body if reply.body is not None else json.dumps(made.body)
        if reply.cut is not None:
            call.outcome = "cut"
            return await _cut(request, text, reply)
        call.outcome = "answered"
        return web.Response(text=text, content_type="application/json")

    def _failure(self, call: Call, reply: Reply) -> web.Response:
        refused = Refused(reply.status, "", reply.error or f"scripted error {reply.status}")
        response = self.refuse(refused, call)
        if reply.body is not None:
            response = web.Response(status=reply.status, text=reply.body, content_type="text/html")
        if reply.retry_after is not None:
            response.headers["retry-after"] = reply.retry_after
        return response


async def _caller_waits(request: web.Request, seconds: float) -> bool:
    """Wait for so long; False as soon as the caller has hung up."""
    until = asyncio.get_running_loop().time() + seconds
    while (left := until - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(min(left, 0.02))
        if request.transport is None or request.transport.is_closing():
            return False
    return True


async def _cut(request: web.Request, text: str, reply: Reply) -> web.StreamResponse:
    """Break the connection before the answer, or after half of it."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    if reply.cut == "middle":
        whole = text.encode()
        response.content_length = len(whole)
        await response.prepare(request)
        await response.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def json_object(request: web.Request) -> dict[str, Any]:
    """The request's body. Raises Refused."""
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "", "The body is not a JSON object.")
    return body
