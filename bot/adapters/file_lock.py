"""One lock for tasks, threads and processes alike; the kernel frees it when its holder dies."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def file_lock(path: Path) -> AsyncIterator[int]:
    """Hold the lock at `path`; waits without blocking the loop. Yields the file descriptor: a child process
    that inherits it keeps the lock until it ends, even if Orch itself is killed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        pause = 0.005
        while not _taken(descriptor):
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.1)
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
