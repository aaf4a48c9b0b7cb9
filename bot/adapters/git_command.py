"""Start git so that nothing in a repository can run on the host, and translate its failures.

What a repository's content or a model's edit could make git run, and what stops it: hooks
(`core.hooksPath=/dev/null`), a file-system monitor (off), filters, merge drivers, diff programs and text
converters (they need configuration, and ours has none; the owner's configuration is blanked where it is in
reach), `ext::` addresses (refused), submodules (never entered), prompts and pagers (off).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import RepositoryError

#: Seconds that one git command may take: on files here, and over a network.
LOCAL_SECONDS, REMOTE_SECONDS = 120.0, 600.0

SAFE_OPTIONS = tuple(
    word
    for setting in (
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.attributesFile=/dev/null",
        "core.protectNTFS=true",
        "core.protectHFS=true",
        "core.autocrlf=false",
        "core.quotePath=false",
        "core.alternateRefsCommand=true",
        "core.pager=cat",
        "credential.interactive=false",
        "diff.external=",
        "fetch.recurseSubmodules=false",
        "submodule.recurse=false",
        "push.recurseSubmodules=no",
        "protocol.allow=never",
        *(f"protocol.{name}.allow=always" for name in ("file", "git", "ssh", "http", "https")),
        "log.showSignature=false",
        "commit.gpgSign=false",
        "push.gpgSign=false",
        "gc.auto=0",
        "maintenance.auto=false",
    )
    for word in ("-c", setting)
)
#: What git may know of Orch's own environment when it talks to a remote.
_REMOTE_VARIABLES = re.compile(
    r"HOME|XDG_CONFIG_HOME|USER|LOGNAME|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO|GIT_SSL_CAPATH"
    r"|GIT_SSH|GIT_SSH_COMMAND|GIT_ASKPASS|CURL_CA_BUNDLE|(?i:https?_proxy|no_proxy|all_proxy)"
)
_URL_SECRET = re.compile(r"(?<=://)[^/@\s]+@")
_LINES_SHOWN = 6


@dataclass(frozen=True)
class Said:
    """What git answered."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "backslashreplace").strip()


class Git:
    """Runs git commands on one repository. `name` is what errors call it; `redact` removes known secrets."""

    def __init__(self, name: str, redact: Callable[[str], str], config: Path) -> None:
        self._name = name
        self._redact = redact
        self._config = config
        self._base = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_PAGER": "cat",
            "GIT_EDITOR": "false",
            "SSH_ASKPASS_REQUIRE": "never",
            "GIT_LITERAL_PATHSPECS": "1",
            **{f"GIT_{who}_NAME": "Orch" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "orch@localhost" for who in ("AUTHOR", "COMMITTER")},
        }

    async def __call__(
        self,
        *words: str,
        at: Path,
        git_dir: Path | None = None,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        remote: bool = False,
        lock: int | None = None,
        as_owner_of: Path | None = None,
        may_fail: Sequence[int] = (),
        doing: str = "",
    ) -> Said:
        """Run `git <words>` in folder `at`. Raises RepositoryError for an exit code not in `may_fail`.

        `lock` is a descriptor that git inherits, so that a lock outlives a killed Orch for as long as git
        does. `as_owner_of`: where Orch is root, run as the user who owns that path."""
        argv = ["git", *SAFE_OPTIONS, *([f"--git-dir={git_dir}"] if git_dir else []), *words]
        doing = doing or f"git {words[0]}"
        user = _owner(as_owner_of)
        seconds = REMOTE_SECONDS if remote else LOCAL_SECONDS
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=at,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment(remote, user is not None) | dict(environment or {}),
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
                umask=0o022,
                user=user[0] if user else None,
                group=user[1] if user else None,
                extra_groups=[] if user else None,
            )
        except OSError as error:
            raise self.error(doing, str(error)) from error
        try:
            said = await _end(process, stdin, seconds)
        except TimeoutError:
            raise self.error(doing, f"no answer within {seconds:g} seconds") from None
        if said.code and said.code not in may_fail:
            raise self.error(doing, said.err or said.text or f"exit code {said.code}")
        return said

    def error(self, doing: str, said: str, advice: str = "") -> RepositoryError:
        """A RepositoryError whose text holds no secret: which repository, what failed, what git said."""
        return RepositoryError(self.text(doing, said, advice))

    def text(self, doing: str, said: str, advice: str = "") -> str:
        """The words of `error`, for its kinds."""
        lines = [line.strip() for line in said.strip().splitlines() if line.strip()][-_LINES_SHOWN:]
        advice = advice or _advice(said)
        text = f"Repository {self._name}: {doing} failed: {' / '.join(lines) or 'git said nothing'}. {advice}"
        return self._redact(_URL_SECRET.sub("***@", text)).strip()

    def _environment(self, remote: bool, as_owner: bool) -> dict[str, str]:
        if remote:  # the person's own settings hold the credentials
            own = {name: value for name, value in os.environ.items() if _REMOTE_VARIABLES.fullmatch(name)}
            return own | self._base
        config = "/dev/null" if as_owner else str(self._config)
        return self._base | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": config}


async def _end(process: asyncio.subprocess.Process, stdin: bytes, seconds: float) -> Said:
    """What it answered by its end. Where nobody waits that long, it is killed with all that it started."""
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin), seconds)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return Said(process.returncode or 0, out, err.decode("utf-8", "backslashreplace"))


def _owner(path: Path | None) -> tuple[int, int] | None:
    """User and group to become so that files made in a person's repository stay theirs, or None."""
    if path is None or os.geteuid() != 0:
        return None
    status = path.stat()
    return (status.st_uid, status.st_gid) if status.st_uid else None


def _advice(said: str) -> str:
    """What to do about the failures that people meet most."""
    for sign, advice in (
        (r"Permission denied \(publickey|Host key verification", "Check Orch's SSH key and known_hosts."),
        (r"could not read (Username|Password)|Authentication failed|403", "Check Orch's credentials for it."),
        (r"couldn't find remote ref", "Check the project's `branch`, and that it has a commit."),
        (r"does not appear to be a git repo|not a git repo|not found|No such file", "Check the project's `repo`."),
        (
            r"Could not resolve host|timed out|Connection refused|connect to|no answer",
            "Check the network, then retry.",
        ),
        (r"No space left", "Free some disk space."),
    ):
        if re.search(sign, said, re.IGNORECASE):
            return advice
    return "Nothing of the task is lost; look at the repository, then retry."
