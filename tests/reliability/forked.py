"""The bot as a process of its own, forked from one that has loaded everything: it works and dies like any other, but
Python's start and the libraries, 5 s of a processor, are paid once in place of at each start."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.__main__ import main

ROOT = Path(__file__).parents[2]
LOADED = ["tests.reliability.forked", "bot.cli.serve", "bot.cli.ci", "anthropic", "google.genai"]

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(LOADED)


class ForkedBot:
    """What of asyncio.subprocess.Process is needed."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        log.touch()
        self._process = _server.Process(target=_work, args=(list(arguments), dict(environment), log))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    async def wait(self) -> int:
        while (code := self.returncode) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return code

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()

    def send_signal(self, sign: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self._process.pid or 0, sign)


def _work(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    """In the new process: what `python -m bot` would do in this environment."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    with Path(os.devnull).open() as nothing, log.open("ab") as file:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.exit(main(arguments))
