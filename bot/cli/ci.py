"""`orch ci`: tells a running Orch what CI found, signed with ORCH_CI_SECRET."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import uuid
from pathlib import Path

import aiohttp

from bot.domain.ci import CiResult, signature
from bot.errors import OrchError
from bot.settings import Settings, load_settings

#: The end of the log that is sent, in bytes.
LOG_BYTES = 16 * 1024
#: Waits before it is sent again where no answer came, in seconds; the delivery's id stays, so it counts once.
WAITS = (0.0, 1.0, 4.0)
ANSWER_SECONDS = 20.0


async def tell(arguments: argparse.Namespace) -> int:
    """Send one result, and say what became of it. Returns the exit code. Raises OrchError."""
    settings = load_settings()
    if not settings.ci_secret:
        raise OrchError("ORCH_CI_SECRET is not set. It must be the one that the bot was started with.")
    result = CiResult(
        project=arguments.project,
        task=arguments.task,
        result=arguments.result,
        log=_log(arguments.log),
        url=arguments.url or "",
        delivery=uuid.uuid4().hex,
    )
    address = _address(arguments.to, settings)
    status, answer = await _send(address, settings.ci_secret, result.model_dump_json().encode())
    if status == 200:
        print(f"{answer.get('task')} is {answer.get('status')}.")
        return 0
    raise OrchError(
        f"{address} answered {status}: {answer.get('error', 'nothing that Orch would say')}.".replace("..", ".")
    )


def _address(to: str | None, settings: Settings) -> str:
    if to is None and not settings.port:
        raise OrchError("Where is Orch? Say `--to https://your.host`, or set PORT where it runs on this machine.")
    address = (to or f"http://127.0.0.1:{settings.port}").rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise OrchError(f"--to {address} is no address; write https://your.host.")
    return address if address.endswith("/ci") else f"{address}/ci"


def _log(name: str | None) -> str:
    """The end of the file, or of standard input for `-`, from the start of a line: half a secret is not seen as one."""
    if name is None:
        return ""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise OrchError(f"The log cannot be read: {error}. Nothing was sent.") from None
    end = content[-LOG_BYTES:]
    if len(content) > LOG_BYTES:
        end = end.partition(b"\n")[2]
    return end.decode("utf-8", "replace")


async def _send(address: str, secret: str, body: bytes) -> tuple[int, dict[str, str]]:
    """Raises OrchError where no answer comes."""
    last = ""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for wait in WAITS:
            await asyncio.sleep(wait)
            timestamp = str(int(time.time()))
            headers = {
                "Content-Type": "application/json",
                "X-Orch-Timestamp": timestamp,
                "X-Orch-Signature": signature(secret, timestamp, body),
            }
            try:
                async with session.post(address, data=body, headers=headers, allow_redirects=False) as answer:
                    if answer.status < 500:
                        return answer.status, await _fields(answer)
                    last = f"it answered {answer.status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                last = str(error) or type(error).__name__
    raise OrchError(f"Orch could not be told at {address}: {last}. Nothing was counted; run this again.")


async def _fields(answer: aiohttp.ClientResponse) -> dict[str, str]:
    try:
        found = await answer.json(content_type=None)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
