"""What `orch init` can find out by itself: about a repository, and about this machine. Nothing here asks or writes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import available_timezones

from bot.adapters.git_origin import local_path

#: Seconds that git may take to reach a remote repository.
PATIENCE = 20.0


@dataclass(frozen=True)
class Repository:
    """A repository as it was found. `folder` is None for one on another machine; `problem` says why it could not be
    looked at."""

    place: str
    folder: Path | None
    branch: str | None = None
    problem: str | None = None


def look_at(place: str) -> Repository:
    """Find a repository by path or address; a folder inside one leads to its top."""
    folder = local_path(place)
    if folder is None:
        said = _git(Path.cwd(), "ls-remote", "--symref", "--", place, "HEAD")
        found = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", said.stdout, re.MULTILINE)
        return Repository(place, None, found[1] if found else None, _problem(said))
    if not folder.is_dir():
        return Repository(str(folder), folder, problem=f"there is no folder {folder}")
    said = _git(folder, "rev-parse", "--is-bare-repository")
    if said.returncode:
        return Repository(str(folder), folder, problem=_problem(said))
    if said.stdout.strip() == "false":
        folder = Path(_git(folder, "rev-parse", "--show-toplevel").stdout.strip() or folder)
    branch = _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip()
    return Repository(str(folder), folder, branch or None)


def key_for(place: str) -> str | None:
    """A project's key, made of the repository's name: `git@host:team/granter-v2.git` -> GRANTERV2."""
    name = re.split(r"[/:\\]", place.rstrip("/"))[-1].removesuffix(".git")
    return re.sub(r"[^A-Z0-9]|^[0-9]+", "", name.upper())[:16] or None


def time_zone() -> str:
    """This machine's time zone, else UTC."""
    for find in (_zone_of_variable, _zone_of_file, _zone_of_link):
        if (zone := find()) in available_timezones():
            return "UTC" if zone in ("Etc/UTC", "Universal", "Zulu") else zone
    return "UTC"


def checks_in(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(set-up, checks): how the tests of the project in this folder are run, as far as its files tell."""
    for find in (_node, _make, _pytest, _cargo, _go):
        if found := find(folder):
            return found
    return (), ()


Found = tuple[tuple[str, ...], tuple[str, ...]] | None


def _node(folder: Path) -> Found:
    try:
        scripts = json.loads((folder / "package.json").read_text(encoding="utf-8"))["scripts"]
        test = str(scripts["test"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if "no test specified" in test:
        return None
    for lock, setup, command in (
        ("pnpm-lock.yaml", "pnpm install --frozen-lockfile", "pnpm test"),
        ("yarn.lock", "yarn install --frozen-lockfile", "yarn test"),
        ("package-lock.json", "npm ci", "npm test"),
    ):
        if (folder / lock).exists():
            return (setup,), (command,)
    return ("npm install",), ("npm test",)


def _make(folder: Path) -> Found:
    found = any(re.search(r"^test\s*:(?!=)", _text(folder / name), re.MULTILINE) for name in ("Makefile", "makefile"))
    return ((), ("make test",)) if found else None


def _pytest(folder: Path) -> Found:
    try:
        configured = "pytest" in tomllib.loads(_text(folder / "pyproject.toml")).get("tool", {})
    except ValueError:
        configured = False
    known = configured or (folder / "pytest.ini").exists() or any(folder.glob("tests/test_*.py"))
    return ((), ("python3 -m pytest",)) if known else None


def _cargo(folder: Path) -> Found:
    return (("cargo fetch",), ("cargo test --offline",)) if (folder / "Cargo.toml").exists() else None


def _go(folder: Path) -> Found:
    return (("go mod download",), ("go test ./...",)) if (folder / "go.mod").exists() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _zone_of_variable() -> str:
    return os.environ.get("TZ", "").lstrip(":")


def _zone_of_file() -> str:
    return _text(Path("/etc/timezone")).strip()


def _zone_of_link() -> str:
    return os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]


def _problem(said: subprocess.CompletedProcess[str]) -> str | None:
    if not said.returncode:
        return None
    lines = [line.removeprefix("fatal: ") for line in said.stderr.splitlines() if line.strip()]
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", lines[0] if lines else "git said nothing")


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """git, which never asks for a password; its failure is a value."""
    argv = ["git", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never", *words]
    quiet = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    environment = {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes", **os.environ, **quiet}
    try:
        return subprocess.run(
            argv,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        return subprocess.CompletedProcess(argv, 1, "", f"git cannot be started: {error.strerror}")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 1, "", f"no answer within {PATIENCE:g} seconds")
