"""Disposable copies of a tree. Checks work on one, so whatever they do, the task's worktree stays as it was."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_GIT = (
    *("git", "-c", "core.hooksPath=/dev/null", "-c", "core.attributesFile=/dev/null"),
    *("-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c", "core.looseCompression=0"),
    *("-c", "core.autocrlf=false", "-c", "core.safecrlf=false", "-c", "init.defaultBranch=checked"),
    *("-c", "user.name=Orch", "-c", "user.email=orch@localhost", "-c", "advice.addEmbeddedRepo=false"),
)
_GIT_ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@asynccontextmanager
async def disposable_copy(source: Path, folder: Path, owner: int) -> AsyncIterator[Path]:
    """A copy of `source` under `folder`, removed at the end. It has a fresh git repository of one commit
    (so that `git diff --exit-code` and the like work in checks) in place of the real one, and where Orch
    runs as root it belongs to the user `owner`."""
    copy = folder / secrets.token_hex(8)
    try:
        await asyncio.to_thread(_copy, source, copy, owner)
        yield copy
    finally:
        await asyncio.shield(asyncio.to_thread(remove_tree, copy))


def _copy(source: Path, copy: Path, owner: int) -> None:
    copy.mkdir(parents=True)
    entries = [str(entry) for entry in source.iterdir() if entry.name != ".git"]
    for some in (entries[at : at + 500] for at in range(0, len(entries), 500)):
        _do("cp", "-a", "--reflink=auto", "-t", str(copy), "--", *some)
    for words in (
        ("init", "--quiet", "--template="),
        ("add", "--all", "--force"),
        ("commit", "--quiet", "--no-verify", "--allow-empty", "--message=The tree under test"),
    ):
        _do(*_GIT, "-C", str(copy), *words, environment=_GIT_ENVIRONMENT)
    if os.geteuid() == 0:
        _do("chown", "-R", "-h", f"{owner}:{owner}", "--", str(copy))


def remove_tree(path: Path) -> None:
    """Remove what a check may have made as hard to remove as it could."""
    for _ in range(5):
        if os.geteuid() != 0:  # root needs no leave
            subprocess.run(["chmod", "-R", "u+rwX", "--", path], check=False, capture_output=True)
        done = subprocess.run(["rm", "-rf", "--", path], check=False, capture_output=True)
        if done.returncode == 0:
            return
        time.sleep(0.02)


def remove_old(folder: Path, older_than_seconds: float) -> None:
    """Remove the entries of `folder` that were last touched longer ago: left by a kill, or out of use."""
    limit = time.time() - older_than_seconds
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_dir() and entry.lstat().st_mtime < limit:
            remove_tree(entry)


def _do(*argv: str, environment: dict[str, str] | None = None) -> None:
    """Run one of the system's tools on files that nobody else touches meanwhile. Raises OSError."""
    done = subprocess.run(argv, check=False, capture_output=True, stdin=subprocess.DEVNULL, env=environment)
    if done.returncode:
        raise OSError(f"{argv[0]} failed: {done.stderr.decode(errors='replace').strip()[-300:]}")


def end_orphans(folder: Path) -> int:
    """End the sandboxes on copies under `folder` whose bubblewrap lost its parent in the first milliseconds: a kill of
    Orch in that window leaves them waiting for ever, before their `--die-with-parent` holds. Returns how many."""
    ended = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may end while we look
            if not _is_bubblewrap(process) or f"{folder}/".encode() not in (process / "cmdline").read_bytes():
                continue
            facts = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
            inner = len(facts.get("NSpid", "").split()) > 1  # in the sandbox's own namespace
            if inner and not _is_bubblewrap(Path("/proc") / facts["PPid"].strip()):
                os.kill(int(process.name), signal.SIGKILL)
                ended += 1
    return ended


def _is_bubblewrap(process: Path) -> bool:
    return Path(os.fsdecode((process / "cmdline").read_bytes().split(b"\0")[0])).name.startswith("bwrap")
