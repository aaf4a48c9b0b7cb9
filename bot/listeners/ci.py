"""`POST /ci` on PORT: a signed result of CI. Nobody who does not know ORCH_CI_SECRET is told anything."""

from __future__ import annotations

from aiohttp import web
from pydantic import ValidationError

from bot.domain.ci import MAX_BODY, CiResult, is_signed
from bot.workflows import ci
from bot.workflows.office import Office

STATUS = {"done": 200, "blocked": 200, "known": 200, "unknown": 404, "refused": 409}


def add_ci(server: web.Application, office: Office, secret: str | None) -> None:
    """Add the page; without a secret it says that it is not configured."""

    async def take(request: web.Request) -> web.Response:
        if secret is None:
            return _refuse(404, "not configured: ORCH_CI_SECRET is not set")
        body = await _body(request)
        if body is None:
            return _refuse(413, f"at most {MAX_BODY:,} bytes; send the end of the log")
        timestamp = request.headers.get("X-Orch-Timestamp", "")
        given = request.headers.get("X-Orch-Signature", "")
        if not is_signed(secret, timestamp, given, body, office.now()):
            return _refuse(401, "unauthorized")
        try:
            result = CiResult.model_validate_json(body)
        except ValidationError as error:
            return _refuse(400, _mistakes(error))
        answer = await ci.take(office, result)
        status = STATUS[answer.what]
        if status != 200:
            return _refuse(status, answer.why)
        return web.json_response({"task": answer.task, "status": answer.what})

    server.router.add_post("/ci", take)


async def _body(request: web.Request) -> bytes | None:
    """The whole body; None for one that is too large, of which no more is read."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _refuse(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)


def _mistakes(error: ValidationError) -> str:
    """Which fields are wrong, without what they hold."""
    found = (f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in error.errors())
    return "; ".join(found)[:500]
