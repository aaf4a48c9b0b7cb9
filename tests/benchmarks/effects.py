"""The floor of a task's effects: as many programs, sandboxes and model calls as it had, each as small as can be."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from bot.adapters.sandbox import NOBODY, Sandbox, SandboxSettings
from bot.adapters.scratch import disposable_copy
from bot.local.models import Call
from bot.local.sample import CHECKS
from tests.benchmarks.spans import Span

PATHS = {
    ("anthropic", "answer"): "/anthropic/v1/messages",
    ("anthropic", "count"): "/anthropic/v1/messages/count_tokens",
    ("gemini", "answer"): "/gemini/v1beta/models/{model}:generateContent",
    ("gemini", "count"): "/gemini/v1beta/models/{model}:countTokens",
}


async def do_effects(programs: Sequence[Span], calls: Sequence[Call], models: str, repository: Path) -> float:
    """Seconds for: a `git rev-parse HEAD` for each git command, `true` for each other program, the sample's own check
    in the product's sandbox for each sandbox, and each model call sent again as it was, over one connection."""
    kinds = Counter("git" if p.what.startswith("git") else "bwrap" if p.what == "bwrap" else "true" for p in programs)
    sandbox = Sandbox(SandboxSettings(), repository.parent / "floor")
    async with (
        disposable_copy(repository, repository.parent / "floor" / "scratch", NOBODY) as tree,
        aiohttp.ClientSession() as http,
    ):
        await sandbox.probe()
        await _send(http, calls[:1], models)  # connects
        began = time.perf_counter()
        for _ in range(kinds["git"]):
            await _run("git", "-C", str(repository), "rev-parse", "HEAD")
        for _ in range(kinds["true"]):
            await _run("true")
        for _ in range(kinds["bwrap"]):
            ended = await sandbox.execute(CHECKS[0], tree)
            assert ended.exit_code == 0, ended.output
        await _send(http, calls, models)
        return time.perf_counter() - began


async def _send(http: aiohttp.ClientSession, calls: Sequence[Call], models: str) -> None:
    for call in calls:
        address = models + PATHS[call.provider, call.kind].format(model=call.model)
        kept = {name: value for name, value in call.headers.items() if name.lower() not in ("host", "content-length")}
        async with http.post(address, json=call.body, headers=kept) as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()


async def _run(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    await process.communicate()
    assert process.returncode == 0
