"""The sandbox for real: what a check can do, what it cannot, and that nothing of it is left behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.adapters import sandbox
from bot.adapters.checks import SandboxedChecks, last_lines
from bot.adapters.sandbox import Sandbox, SandboxSettings
from bot.adapters.scratch import remove_old
from bot.domain.change import CheckRun

with tempfile.TemporaryDirectory() as _home:
    WORKS = not asyncio.run(Sandbox(SandboxSettings(), Path(_home)).probe())
needs_sandbox = pytest.mark.skipif(not WORKS, reason="no sandbox can be had on this machine")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """ORCH_HOME, as private as under /root."""
    home = tmp_path / "private" / "orch"
    home.mkdir(parents=True)
    home.parent.chmod(0o700)
    (home / "orch.db").write_text("the database")
    return home


@pytest.fixture
def tree(home: Path) -> Path:
    """A task's worktree, with a `.git` file as git makes them."""
    tree = home / "worktrees" / "DEMO" / "T1"
    tree.mkdir(parents=True)
    (tree / "app.py").write_text("print('app')\n")
    (tree / ".git").write_text("gitdir: /nowhere\n")
    (tree / "link").symlink_to("/etc/hostname")
    return tree


def settings(**more: object) -> SandboxSettings:
    return SandboxSettings(**{"timeout_seconds": 20, "memory_mb": 256, **more})  # type: ignore[arg-type]


async def check(
    home: Path, tree: Path, *commands: str, setup: tuple[str, ...] = (), source: Path | None = None, **more: object
) -> tuple[CheckRun, ...]:
    checks = SandboxedChecks(settings(**more), home, lambda text: text.replace("s3cret", "[secret]"))
    return await checks.run(tree, commands, setup=setup, setup_source=source or tree)


def processes(word: str) -> list[str]:
    listed = subprocess.run(["ps", "axo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if word in line]


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


# what a check is given


@needs_sandbox
async def test_commands_run_in_order_on_one_copy(home: Path, tree: Path) -> None:
    runs = await check(home, tree, "python3 app.py > out", "cat out; exit 3", "echo never")
    assert [(run.command, run.status, run.exit_code, run.tail) for run in runs] == [
        ("python3 app.py > out", "passed", 0, ""),
        ("cat out; exit 3", "failed", 3, "app"),
    ]
    assert runs[0].seconds > 0
    assert contents(tree) == [".git", "app.py", "link"]  # the worktree itself is not touched
    assert contents(home / "scratch") == []


@needs_sandbox
async def test_git_works_on_the_copy(home: Path, tree: Path) -> None:
    (tree / ".gitignore").write_text("app.py\n")
    (run,) = await check(home, tree, "git diff --exit-code && git ls-files && echo x >> app.py && git diff --stat")
    assert run.status == "passed", run.tail
    assert run.tail.startswith(".gitignore\napp.py\nlink\n app.py | 1 +")


@needs_sandbox
async def test_the_environment_is_small_and_holds_no_key(
    home: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-key")
    (run,) = await check(
        home, tree, "env | cut -d= -f1 | sort | tr '\\n' ' '; echo; cat /proc/*/environ | tr '\\0' '\\n'"
    )
    assert run.tail.splitlines()[0].split() == ["CI", "HOME", "LANG", "PATH", "PWD"]
    assert "sk-ant-key" not in run.tail


@needs_sandbox
async def test_output_is_merged_cut_cleaned_and_redacted(home: Path, tree: Path) -> None:
    command = r"""for i in $(seq 500); do echo "line $i"; done; printf '\033[31mred\033[0m\rover\n' >&2; echo s3cret"""
    (run,) = await check(home, tree, command)
    lines = run.tail.splitlines()
    assert (len(lines), lines[0], lines[-3:]) == (60, "line 443", ["line 500", "over", "[secret]"])


@needs_sandbox
async def test_endless_output_is_not_kept(home: Path, tree: Path) -> None:
    (run,) = await check(home, tree, "yes 0123456789 | head -c 200000000; exit 1")
    assert run.status == "failed"
    assert len(run.tail) <= 8000


# what a check cannot do


@needs_sandbox
@pytest.mark.parametrize(
    "command",
    [
        "touch /x",
        "touch /usr/x",
        "touch /etc/x",
        "touch /dev/x",
        "echo 1 > /proc/sys/kernel/panic",
        "mount -t tmpfs none /tmp",
        "unshare --user true",
        "unshare --net true",
        "chroot / true",
        "setpriv --reuid 0 true",
        "cat /etc/shadow",
        "cat /repo/link",
        "ls /root/.ssh",
        "ls /home",
        f"ls {Path(__file__).parent}",
        "kill -9 1 && sleep 0.2 && false",
        "python3 -c \"import socket; socket.create_connection(('1.1.1.1', 53), 2)\"",
        "python3 -c \"import socket; socket.getaddrinfo('example.com', 80)\"",
        "truncate -s 3G /repo/big",
        "fallocate -l 2G $(mktemp -u)",
        "fallocate -l 1G /dev/shm/big",
    ],
)
async def test_it_fails_inside(command: str, home: Path, tree: Path) -> None:
    (run,) = await check(home, tree, f"({command}) >/dev/null 2>&1 || exit 42", memory_mb=4096)
    assert (run.status, run.exit_code) == ("failed", 42)


@needs_sandbox
async def test_it_is_nobody_without_any_capability(home: Path, tree: Path) -> None:
    (run,) = await check(home, tree, "id -u; grep -E 'Cap(Eff|Prm|Bnd)|NoNewPrivs' /proc/self/status; ls /proc/1/root")
    assert run.tail.splitlines()[0] == "65534"
    assert run.tail.count("0000000000000000") == 3
    assert "NoNewPrivs:\t1" in run.tail


@needs_sandbox
async def test_nothing_of_the_host_is_in_sight(home: Path, tree: Path) -> None:
    other = tree.parent / "T2"
    other.mkdir()
    (other / "file").write_text("another task")
    watched = [str(home), str(tree), str(other), str(home / "orch.db"), str(Path.home()), str(Path(__file__))]
    hidden = " ".join(f"'{path}'" for path in watched if path != "/tmp")
    (run,) = await check(home, tree, f"ls -d {hidden} 2>/dev/null; find / -xdev -name orch.db 2>/dev/null; true")
    assert (run.status, run.tail) == ("passed", "")


@needs_sandbox
async def test_the_real_git_folder_is_out_of_reach(home: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "plain")], check=True)  # noqa: ASYNC221
    plain = tmp_path / "plain"
    before = (plain / ".git/config").read_text()
    (run,) = await check(home, plain, "git config core.hooksPath /repo/evil; rm -rf .git/hooks; echo x >> .git/config")
    assert run.status == "passed"
    assert (plain / ".git/config").read_text() == before


@needs_sandbox
async def test_a_host_link_planted_by_one_command_does_not_lead_the_next_outside(home: Path, tmp_path: Path) -> None:
    """`a/deps` was made by set-up; the first command swaps `a` for a link to somewhere on the host."""
    source, outside = tmp_path / "source", tmp_path / "outside"
    (source / "a").mkdir(parents=True)
    (source / "a/file").write_text("x")
    outside.mkdir()
    outside.chmod(0o777)
    swap = f"mv a b && ln -s /oldroot{outside}/in a"
    runs = await check(home, source, swap, "ls a/deps", setup=("mkdir a/deps",))
    assert runs[0].status == "passed", runs
    assert contents(outside) == []


# limits


@needs_sandbox
async def test_a_fork_bomb_is_contained_and_removed(home: Path, tree: Path) -> None:
    bomb = "import os, time\nfor _ in range(20000):\n    try:\n        if not os.fork(): time.sleep(918273)\n"
    (tree / "bomb.py").write_text(bomb + "    except OSError: time.sleep(918273)\n")
    running = asyncio.create_task(check(home, tree, "python3 bomb.py", timeout_seconds=5.5, memory_mb=8192))
    await until(lambda: len(processes("bomb.py")) > 10)
    while not running.done():
        assert len(processes("bomb.py")) <= sandbox.PROCESSES + 4  # bubblewrap's own name the command too
        await asyncio.sleep(0.5)
    (run,) = await running
    assert run.status == "timed_out"
    assert "[stopped: it ran longer than 5.5 seconds]" in run.tail
    assert processes("bomb.py") == []


@needs_sandbox
@pytest.mark.parametrize(
    "command",
    [
        "python3 -c 'x = bytearray(10**9)'",  # one process
        "for i in 1 2 3 4 5 6; do python3 -c 'import time; x = bytearray(10**8); time.sleep(9)' & done; wait",
        "python3 -c 'import mmap; m = mmap.mmap(-1, 10**9); m.write(bytes(10**8) * 10)'",  # shared memory
    ],
)
async def test_a_memory_hog_is_stopped(command: str, home: Path, tree: Path) -> None:
    (run,) = await check(home, tree, command)
    assert run.status == "failed"
    assert run.seconds < 8
    assert "[stopped: it used more than 256 MB of memory]" in run.tail or "MemoryError" in run.tail


@needs_sandbox
async def test_programs_that_reserve_address_space_still_run(home: Path, tree: Path) -> None:
    (run,) = await check(home, tree, "python3 -c 'import mmap; mmap.mmap(-1, 20 << 30, prot=mmap.PROT_READ)'")
    assert run.status == "passed", run.tail


@needs_sandbox
@pytest.mark.parametrize("command", ["setsid sleep 918274 & sleep 918274", "exec >/dev/null 2>&1; sleep 918274"])
async def test_the_time_limit_ends_grandchildren_too(command: str, home: Path, tree: Path) -> None:
    (run,) = await check(home, tree, command, timeout_seconds=0.5)
    assert (run.status, run.exit_code) == ("timed_out", None)
    assert run.seconds < 5
    assert processes("918274") == []


@needs_sandbox
async def test_what_a_check_leaves_running_ends_with_it(home: Path, tree: Path) -> None:
    (run,) = await check(home, tree, "setsid sleep 918275 >/dev/null 2>&1 & exit 0")
    assert run.status == "passed"
    assert processes("918275") == []


@needs_sandbox
async def test_cancelling_ends_it_and_removes_the_copy(home: Path, tree: Path) -> None:
    running = asyncio.create_task(check(home, tree, "mkdir -p d/d && chmod 0 d; setsid sleep 918276; true"))
    await until(lambda: bool(processes("sleep 918276")))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert processes("918276") == []
    assert contents(home / "scratch") == []


@needs_sandbox
async def test_killing_orch_leaves_no_process(home: Path, tree: Path) -> None:
    program = f"""
        import asyncio
        from pathlib import Path
        from bot.adapters.checks import SandboxedChecks
        from bot.adapters.sandbox import SandboxSettings
        checks = SandboxedChecks(SandboxSettings(), Path({str(home)!r}), str)
        tree = Path({str(tree)!r})
        asyncio.run(checks.run(tree, ["setsid sleep 918277 & sleep 918277"], setup=(), setup_source=tree))
    """
    words = [sys.executable, "-c", textwrap.dedent(program)]
    orch = subprocess.Popen(words, cwd=Path(__file__).parents[2])  # noqa: ASYNC220
    await until(lambda: len(processes(" sleep 918277")) >= 2)
    orch.kill()
    orch.wait()
    await until(lambda: processes("918277") == [])
    (left,) = (home / "scratch").iterdir()
    os.utime(left, (1, 1))
    remove_old(home / "scratch", 24 * 3600)
    assert contents(home / "scratch") == []


# read-only paths and set-up


@needs_sandbox
async def test_read_only_paths_are_shown_and_their_programs_found(home: Path, tree: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    (tools / "bin").mkdir(parents=True)
    (tools / "bin/greet").write_text("#!/bin/sh\necho hello\n")
    (tools / "bin/greet").chmod(0o755)
    (run,) = await check(home, tree, f"greet; ! touch {tools}/x", read_only_paths=(str(tools),))
    assert run.status == "passed", run.tail
    assert run.tail.startswith("hello")


@pytest.mark.parametrize("which", ["parent", "home", "inside", "missing", "relative", "root"])
async def test_read_only_paths_cannot_show_orchs_data(which: str, home: Path, tree: Path) -> None:
    paths = {"parent": str(home.parent), "home": str(home), "inside": str(tree), "missing": "/none"}
    path = {**paths, "relative": "usr", "root": "/"}[which]
    (run,) = await check(home, tree, "true", read_only_paths=(path,))
    assert run.status == "not_run"
    assert "read_only_paths" in run.tail


SETUP = ("mkdir -p node_modules/x .venv && date +%s%N > node_modules/x/stamp && echo '#' > made.txt", "ls node_modules")


@needs_sandbox
async def test_setup_is_laid_read_only_over_later_copies(home: Path, tree: Path) -> None:
    command = "cat node_modules/x/stamp made.txt; touch node_modules/.cache/ok && ! touch node_modules/y 2>/dev/null"
    first = await check(home, tree, command, setup=SETUP)
    second = await check(home, tree, command, setup=SETUP)
    assert [run.status for run in (*first, *second)] == ["passed", "passed"], first
    assert first[0].tail == second[0].tail  # the same stamp: set-up ran once
    assert contents(tree) == [".git", "app.py", "link"]


@needs_sandbox
async def test_setup_runs_again_when_a_lock_file_changes_and_only_then(home: Path, tree: Path) -> None:
    stamps = []
    for name, text in [("app.py", "1"), ("app.py", "2"), ("package-lock.json", "1"), ("package-lock.json", "2")]:
        (tree / name).write_text(text)
        stamps.append((await check(home, tree, "cat node_modules/x/stamp", setup=SETUP))[0].tail)
    assert stamps[0] == stamps[1]
    assert len(set(stamps)) == 3


@needs_sandbox
async def test_setup_that_is_wanted_twice_at_once_runs_once(home: Path, tree: Path) -> None:
    runs = await asyncio.gather(*(check(home, tree, "cat node_modules/x/stamp", setup=SETUP) for _ in range(3)))
    assert len({run[0].tail for run in runs}) == 1


@needs_sandbox
async def test_setup_that_fails_is_returned_alone_and_not_remembered(home: Path, tree: Path) -> None:
    (run,) = await check(home, tree, "true", "true", setup=("true", "echo no such package; exit 1"))
    assert (run.command, run.status, run.tail) == ("echo no such package; exit 1", "failed", "no such package")
    assert [name for name in contents(home / "setup") if not name.endswith(".lock")] == []


@needs_sandbox
async def test_what_the_task_has_itself_comes_before_what_setup_made(home: Path, tree: Path, tmp_path: Path) -> None:
    task = tmp_path / "task"
    (task / ".venv").mkdir(parents=True)
    (task / ".venv/own").write_text("own")
    (run,) = await check(home, task, "cat .venv/own; ls node_modules", setup=SETUP, source=tree)
    assert (run.status, run.tail) == ("passed", "ownx")


@needs_sandbox
async def test_only_setup_has_the_network(home: Path, tree: Path) -> None:
    """A server on the host's loopback: set-up reaches it, a check does not."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connect = f"python3 -c \"import socket; socket.create_connection(('127.0.0.1', {port}), 5)\""
    (run,) = await check(home, tree, connect, setup=(f"{connect} && touch reached",))
    server.close()
    await server.wait_closed()
    assert run.command == connect
    assert "ConnectionRefusedError" in run.tail


# no sandbox


async def test_switched_off_means_not_run(home: Path, tree: Path) -> None:
    runs = await check(home, tree, f"touch {tree}/ran", "true", enabled=False)
    assert [run.status for run in runs] == ["not_run", "not_run"]
    assert "sandbox.enabled is false" in runs[0].tail
    assert "ran" not in contents(tree)


def nothing() -> list[sandbox._Engine]:
    return []


def broken() -> list[sandbox._Engine]:
    return [sandbox._Engine("/bin/false", "/bin/false"), sandbox._Engine("/none", "/none")]


def bare_shell() -> list[sandbox._Engine]:
    """A bwrap that would run things bare is found out by the missing word."""
    return [sandbox._Engine("/bin/echo", "/bin/echo")]


@pytest.mark.parametrize("engines", [nothing, broken, bare_shell])
async def test_without_a_working_bubblewrap_nothing_is_run(
    engines: Callable[[], list[sandbox._Engine]], home: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "_engines", engines)
    runs = await check(home, tree, f"touch {tree}/ran", "true", setup=(f"touch {tree}/ran",))
    assert [run.status for run in runs] == ["not_run", "not_run"]
    assert "Install bubblewrap" in runs[0].tail
    assert "ran" not in contents(tree)


@needs_sandbox
async def test_the_wheel_serves_where_the_system_has_none(
    home: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.shutil, "which", lambda *_: None)
    (run,) = await check(home, tree, "id -u")
    assert (run.status, run.tail) == ("passed", "65534"), run.tail


# text


def test_last_lines() -> None:
    assert last_lines("\n".join(map(str, range(100)))).splitlines()[0] == "40"
    assert len(last_lines("x" * 20000)) == 8000
