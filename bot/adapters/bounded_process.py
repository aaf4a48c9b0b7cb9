"""Run one program within limits of time, memory and output, and leave nothing of it behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

#: Bytes of output that are kept: the last ones.
KEEP = 64 * 1024
#: Seconds between two looks at how much memory the program and its children use.
WATCH_EVERY = 0.25


@dataclass(frozen=True)
class Ended:
    """How a program ended. `exit_code` is None where Orch killed it, for the reason in `killed_for`."""

    exit_code: int | None
    killed_for: Literal["", "time", "memory"]
    seconds: float
    head: bytes  # the first line
    output: bytes  # the rest, its last KEEP bytes


async def run_bounded(argv: Callable[[int], Sequence[str]], *, timeout_seconds: float, memory_bytes: int) -> Ended:
    """Run a bubblewrap command line with an empty environment and no input; stdout and stderr are read together.

    `argv` is told the file descriptor for bubblewrap's `--info-fd`, so that the end of the sandbox's last
    process can be awaited. All are killed at the time limit, when together they hold more than `memory_bytes`
    of anonymous and shared memory, and when the caller is cancelled. Raises OSError if it cannot be started."""
    began = time.monotonic()
    info, told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        process = await asyncio.create_subprocess_exec(
            *argv(told),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={},
            start_new_session=True,
            pass_fds=(told,),
        )
        assert process.stdout is not None
        reading = asyncio.create_task(_read(process.stdout))
        try:
            killed_for = await _end(process, timeout_seconds, memory_bytes)
        finally:
            await asyncio.shield(asyncio.to_thread(_await_last, info))
        head, output = await reading
    finally:
        os.close(info)
        os.close(told)
    code = None if killed_for else process.returncode
    return Ended(code, killed_for, time.monotonic() - began, head, output)


async def _end(process: Process, timeout_seconds: float, memory_bytes: int) -> Literal["", "time", "memory"]:
    """Wait for the end of a process, or bring it about."""
    waiting = asyncio.create_task(process.wait())
    watching = asyncio.create_task(_until_over(process.pid, memory_bytes))
    try:
        await asyncio.wait({waiting, watching}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        if process.returncode is not None:
            return ""
        return "memory" if watching.done() else "time"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        watching.cancel()
        await asyncio.gather(waiting, watching, return_exceptions=True)


def _await_last(info: int) -> None:
    """Wait (at most 5 s) until the sandbox's first process has gone, and so, as the kernel promises, all have."""
    with contextlib.suppress(OSError, ValueError, KeyError):  # bubblewrap said nothing, or it has gone already
        first = os.pidfd_open(json.loads(os.read(info, 4096))["child-pid"])
        try:
            select.select([first], [], [], 5)
        finally:
            os.close(first)


async def _read(stream: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The first line and the last KEEP bytes of what follows, whatever its length."""
    kept = bytearray()
    head: bytes | None = None
    while chunk := await stream.read(KEEP):
        kept += chunk
        if head is None and b"\n" in kept:
            first, _, rest = bytes(kept).partition(b"\n")
            head, kept = first, bytearray(rest)
        del kept[:-KEEP]
    return head or b"", bytes(kept)


async def _until_over(pid: int, limit: int) -> None:
    while True:
        if await asyncio.to_thread(memory_of_tree, pid) > limit:
            return
        await asyncio.sleep(WATCH_EVERY)


def memory_of_tree(pid: int) -> int:
    """Bytes of anonymous and shared memory that a process and all its descendants hold now."""
    total, todo = 0, [pid]
    while todo:
        folder = Path("/proc") / str(todo.pop())
        with contextlib.suppress(OSError):  # it may end while we look
            for line in (folder / "status").read_text().splitlines():
                if line.startswith(("RssAnon:", "RssShmem:")):
                    total += int(line.split()[1]) * 1024
            for thread in (folder / "task").iterdir():
                todo += [int(child) for child in (thread / "children").read_text().split()]
    return total
