"""A sandbox that a kill orphaned while it was being started is ended before the next check."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from bot.adapters.scratch import end_orphans


def running(folder: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            if f"{folder}/".encode() in words and b"bwrap" in words.split(b"\0")[0]:
                found.append(int(process.name))
        except OSError:
            continue
    return found


async def test_an_orphan_is_ended_and_a_sandbox_at_work_is_not(tmp_path: Path) -> None:
    program = shutil.which("bwrap")
    if program is None or os.geteuid() != 0:
        pytest.skip("needs a system's bwrap, and root")
    words = [program, "--dev-bind", "/", "/", "--unshare-pid", "--bind"]
    ours, theirs = tmp_path / "ours" / "copy", tmp_path / "theirs" / "copy"
    for folder in (ours, theirs):
        folder.mkdir(parents=True)
    at_work = await asyncio.create_subprocess_exec(*words, str(ours), "/mnt", "sleep", "60")
    # an outer bubblewrap that is gone, and an inner one that did not hear of it
    script = (
        f"import subprocess, time; subprocess.Popen({[*words, str(theirs), '/mnt', 'sleep', '60']!r}); time.sleep(60)"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    try:
        async with asyncio.timeout(60):
            while len(running(ours.parent)) < 2 or len(running(theirs.parent)) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        outer = min(running(theirs.parent))
        os.kill(outer, signal.SIGKILL)
        parent.kill()
        await parent.wait()
        async with asyncio.timeout(60):  # the kernel needs a moment, as it does below
            while len(running(theirs.parent)) > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert len(running(theirs.parent)) == 1
        assert end_orphans(ours.parent) == 0
        assert end_orphans(theirs.parent) == 1
        assert at_work.returncode is None
        async with asyncio.timeout(60):
            while running(theirs.parent):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        at_work.kill()
        await at_work.wait()
        for pid in (*running(ours.parent), *running(theirs.parent)):
            os.kill(pid, signal.SIGKILL)
