"""Checks: set-up once per set of lock files, then the project's commands, all in the sandbox (R-PAR-4)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bot.adapters.bounded_process import Ended
from bot.adapters.file_lock import file_lock
from bot.adapters.sandbox import NOBODY, Sandbox, SandboxSettings
from bot.adapters.scratch import disposable_copy, end_orphans, remove_old
from bot.adapters.setup_layers import fingerprint, keep_new, lay_over, paths_in
from bot.domain.change import CheckRun
from bot.domain.terminal_text import plain_text
from bot.errors import SandboxUnavailable

#: How much of the output a CheckRun keeps.
TAIL_LINES, TAIL_CHARACTERS = 60, 8000
#: Seconds after its last use that a result of set-up is kept; and a copy that a kill left behind.
KEEP_SETUP, KEEP_COPY = 14 * 24 * 3600, 24 * 3600


class SandboxedChecks:
    """The CheckRunner (ports). `home` is ORCH_HOME; `redact` removes secrets from what is kept of outputs."""

    def __init__(self, settings: SandboxSettings, home: Path, redact: Callable[[str], str]) -> None:
        self._settings = settings
        self._home = home.resolve()
        self._redact = redact
        self._sandbox = Sandbox(settings, self._home)

    async def probe(self) -> str | None:
        """None if checks can be run here, else why not and what to do (`orch doctor`)."""
        return await self._sandbox.probe()

    async def run(
        self, worktree: Path, commands: Sequence[str], *, setup: Sequence[str], setup_source: Path
    ) -> tuple[CheckRun, ...]:
        """See ports.CheckRunner. All commands share one copy of the worktree, which itself is not touched.

        Where nothing can be run at all, every command is returned as `not_run`, with the reason as its tail."""
        if not commands:
            return ()
        try:
            if reason := await self.probe():
                return self._not_run(commands, reason)
            await asyncio.to_thread(end_orphans, self._home / "scratch")
            await asyncio.to_thread(remove_old, self._home / "scratch", KEEP_COPY)
            layer, failed = await self._set_up(setup, setup_source)
            if failed:
                return (failed,)
            async with disposable_copy(worktree, self._home / "scratch", NOBODY) as tree:
                mounts = await asyncio.to_thread(lay_over, layer, tree) if layer else {}
                return await self._sequence(commands, tree, mounts)
        except OSError as error:
            return self._not_run(commands, f"The files could not be prepared, so nothing was run: {error}")

    def _not_run(self, commands: Sequence[str], why: str) -> tuple[CheckRun, ...]:
        return tuple(CheckRun(command=each, status="not_run", tail=self._redact(why)) for each in commands)

    async def _set_up(self, setup: Sequence[str], source: Path) -> tuple[Path | None, CheckRun | None]:
        """The layer that set-up made, cached, or the run that failed. The same set-up runs once at a time."""
        if not setup:
            return None, None
        folder = self._home / "setup"
        words = [*setup, "--", *self._settings.read_only_paths]
        layer = folder / await asyncio.to_thread(fingerprint, words, source)
        async with file_lock(layer.with_suffix(".lock")):
            if layer.is_dir():
                os.utime(layer)
                return layer, None
            await asyncio.to_thread(remove_old, folder, KEEP_SETUP)
            async with disposable_copy(source, self._home / "scratch", NOBODY) as tree:
                before = await asyncio.to_thread(lambda: frozenset(paths_in(tree)))
                last = (await self._sequence(setup, tree, {}, network=True))[-1]
                if last.status != "passed":
                    return None, last
                await asyncio.to_thread(keep_new, tree, before, layer)
        return layer, None

    async def _sequence(
        self, commands: Sequence[str], tree: Path, mounts: Mapping[str, Path], *, network: bool = False
    ) -> tuple[CheckRun, ...]:
        """Run the commands in order, up to the first that does not pass."""
        runs: list[CheckRun] = []
        for command in commands:
            try:
                ended = await self._sandbox.execute(command, tree, network=network, mounts=mounts)
            except SandboxUnavailable as error:
                return (*runs, *self._not_run([command], str(error)))
            runs.append(self._judge(command, ended))
            if runs[-1].status != "passed":
                break
        return tuple(runs)

    def _judge(self, command: str, ended: Ended) -> CheckRun:
        note = {
            "": "",
            "time": f"[stopped: it ran longer than {self._settings.timeout_seconds:g} seconds]",
            "memory": f"[stopped: it used more than {self._settings.memory_mb} MB of memory]",
        }[ended.killed_for]
        status = "passed" if ended.exit_code == 0 else "timed_out" if ended.killed_for == "time" else "failed"
        return CheckRun.model_validate(
            {
                "command": command,
                "status": status,
                "exit_code": ended.exit_code,
                "seconds": round(ended.seconds, 3),
                "tail": last_lines(self._redact(f"{plain_text(ended.output.decode(errors='replace'))}\n{note}")),
            }
        )


def last_lines(text: str) -> str:
    """The last TAIL_LINES lines, at most TAIL_CHARACTERS characters."""
    return "\n".join(text.strip().splitlines()[-TAIL_LINES:])[-TAIL_CHARACTERS:]
