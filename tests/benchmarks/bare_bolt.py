"""The floor of a Slack bot: a Bolt app on the same adapter that only acknowledges; with `--dbos`, DBOS beside it.

Run as a process: `python -m tests.benchmarks.bare_bolt [--dbos]`, in the same environment as `python -m bot serve`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


async def main() -> None:
    if "--dbos" in sys.argv:
        from dbos import DBOS

        from tests.benchmarks.bare_dbos import configure

        await configure(Path(os.environ["ORCH_HOME"]))
        DBOS.launch()
    client = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    client.proxy = None
    app = AsyncApp(client=client, signing_secret="socket mode needs none")

    @app.command("/orch")
    async def on_command(
        ack: Callable[..., Awaitable[Any]], body: dict[str, Any], respond: Callable[..., Awaitable[Any]]
    ) -> None:
        await ack()
        if body["text"] != "quiet":
            await respond("Hello.")

    handler = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"], ping_interval=5)
    handler.client.proxy = None
    await handler.connect_async()  # type: ignore[no-untyped-call]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await handler.close_async()  # type: ignore[no-untyped-call]
    os._exit(0)  # what a clean stop costs is not measured


if __name__ == "__main__":
    asyncio.run(main())
