"""The sample repository: a small real project, and example tasks with an answer that fits each."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bot.local.sample_files import AUTH_AFTER, AUTH_BEFORE, AUTH_TESTS, FILES, INSTALMENT_TESTS, USAGE

CHECKS = ("sh check.sh",)


@dataclass(frozen=True)
class Edit:
    """One text-editor call: its command, its path and its other inputs."""

    command: str
    path: str
    inputs: dict[str, str | int] = field(default_factory=dict)

    @property
    def input(self) -> dict[str, str | int]:
        return {"command": self.command, "path": self.path, **self.inputs}


def create(path: str, text: str) -> Edit:
    return Edit("create", path, {"file_text": text})


def replace(path: str, old: str, new: str) -> Edit:
    return Edit("str_replace", path, {"old_str": old, "new_str": new})


@dataclass(frozen=True)
class Example:
    """A task for the sample repository, where it should go, and edits that make its checks pass."""

    text: str
    rung: str
    type: str
    files: tuple[str, ...]
    edits: tuple[Edit, ...]


EXAMPLES = (
    Example(
        text="Write documentation for the command line in docs/usage.md: every command with an example",
        rung="haiku",
        type="docs",
        files=("docs/usage.md",),
        edits=(create("docs/usage.md", USAGE),),
    ),
    Example(
        text="Fix the business logic of instalments: the cents that are left over must not be lost, the first "
        "instalments get one each",
        rung="sonnet",
        type="logic",
        files=("granter/instalments.py", "tests/test_instalments.py"),
        edits=(
            replace(
                "granter/instalments.py",
                "    return [total_cents // months] * months\n",
                "    share, left_over = divmod(total_cents, months)\n"
                "    return [share + 1] * left_over + [share] * (months - left_over)\n",
            ),
            replace("tests/test_instalments.py", "\n\nif __name__", INSTALMENT_TESTS + "\n\nif __name__"),
        ),
    ),
    Example(
        text="Harden auth token validation: refuse expired tokens and compare signatures in constant time",
        rung="sonnet",
        type="auth",
        files=("granter/auth.py", "tests/test_auth.py"),
        edits=(
            replace("granter/auth.py", "import hmac\n", "import hmac\nimport time\n"),
            replace("granter/auth.py", AUTH_BEFORE, AUTH_AFTER),
            replace("tests/test_auth.py", "\n\nif __name__", AUTH_TESTS + "\n\nif __name__"),
        ),
    ),
)


def create_sample(path: Path) -> None:
    """Make the sample repository at `path`, with one commit on `main`; nothing happens if it is there.

    Raises FileExistsError where `path` holds something else, and CalledProcessError where git fails."""
    if (path / ".git").exists():
        return
    if path.exists() and any(path.iterdir()):
        raise FileExistsError(f"{path} is not empty and holds no git repository.")
    for name, text in FILES.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    _git(path, "init", "--quiet", "--initial-branch=main")
    _git(path, "add", "--all")
    _git(path, "commit", "--quiet", "--no-verify", "-m", "Start granter-sample")


def _git(path: Path, *arguments: str) -> None:
    """git without the person's own configuration and hooks; the commit is the same on every machine."""
    who = {"NAME": "Sample", "EMAIL": "sample@example.com", "DATE": "2026-01-26T09:00:00+00:00"}
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in who.items()},
    }
    command = ["git", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null", *arguments]
    subprocess.run(command, cwd=path, env=environment, check=True, capture_output=True)
