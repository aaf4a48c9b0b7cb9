"""`orch doctor` on this machine: folders, git, repositories, the sandbox and the database."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.cli.finding import Finding, Patient, note, problem, well
from bot.config import Project
from bot.errors import ConfigError, RepositoryError
from bot.store.database import opened
from bot.store.migrate import pending
from bot.wiring import checks_runner, data_folder, repository

#: `git merge-tree --write-tree`, which builds merge candidates without a checkout, is that new.
OLDEST_GIT = (2, 38)
#: Seconds that the database may take to answer.
PATIENCE = 20.0


async def home(patient: Patient) -> list[Finding]:
    """Can Orch write its own folder?"""
    folder = patient.settings.home
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return [well("ORCH_HOME", str(folder))]
    except OSError as error:
        why = f"{folder} cannot be written: {error.strerror}"
        return [
            problem("ORCH_HOME", why, "give Orch's user the right to write there, or set ORCH_HOME to another folder")
        ]


async def git(patient: Patient) -> list[Finding]:
    mend = f"install git {'.'.join(map(str, OLDEST_GIT))} or newer"
    try:
        process = await asyncio.create_subprocess_exec("git", "--version", stdout=asyncio.subprocess.PIPE)
        said = (await process.communicate())[0].decode(errors="replace")
    except OSError as error:
        return [problem("git", f"cannot be started: {error.strerror}", mend)]
    found = re.search(r"(\d+)\.(\d+)[\d.]*", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GIT:
        return [problem("git", f"{found[0] if found else said.strip()} is too old", mend)]
    return [well("git", found[0])]


async def repositories(patient: Patient) -> list[Finding]:
    """Can each project's branch be fetched? What was fetched is kept for the first task."""
    return [await _repository(patient, project) for project in patient.settings.config.projects]


async def _repository(patient: Patient, project: Project) -> Finding:
    what = f"{project.key}'s repository"
    try:
        commit = await repository(patient.settings, project, patient.redact).refresh()
    except (RepositoryError, ConfigError) as error:
        return problem(what, str(error))
    return well(what, f"{project.branch} is at {commit[:12]}")


async def sandbox(patient: Patient) -> list[Finding]:
    """Can checks run? Where they cannot, nothing runs bare: a person decides each time."""
    projects = patient.settings.config.projects
    without = [
        note(f"{p.key}'s checks", "none: only the review guards a merge", "add `checks`")
        for p in projects
        if not p.checks
    ]
    reason = await checks_runner(patient.settings, patient.redact).probe()
    if reason is None:
        return [well("sandbox", "a trial command ran"), *without]
    if not patient.settings.config.sandbox.enabled:
        return [note("sandbox", reason, "set sandbox.enabled to true"), *without]
    why, _, mend = reason.partition(". ")
    return [problem("sandbox", why, mend), *without]


async def database(patient: Patient) -> list[Finding]:
    """Can the database be reached, and is it at this version?"""
    url = make_url(patient.settings.database_url)
    name = f"database ({url.get_backend_name()})"
    if url.get_backend_name() == "sqlite" and not _exists(url.database):
        return [note(name, f"{url.database} is not there yet", "`orch serve` makes it at its first start")]
    try:
        async with opened(patient.settings.database_url) as store, asyncio.timeout(PATIENCE):
            current, newest = await pending(store, data_folder("migrations"))
    except ConfigError as error:
        why, _, mend = str(error).rpartition(". ")
        return [problem(name, why, mend)]
    except TimeoutError:
        return [problem(name, f"no answer within {PATIENCE:g} s", "check DATABASE_URL and the network")]
    return [_version(name, current, newest)]


def _version(name: str, current: str | None, newest: str | None) -> Finding:
    if current == newest:
        return well(name, f"at {newest}")
    if current is not None and not any(data_folder("migrations").glob(f"versions/{current}_*.py")):
        return problem(name, f"it is at {current}, which a newer Orch made", "update Orch, or use another database")
    return note(name, f"it is at {current or 'nothing'}, and {newest} is new", "`orch migrate`, or just `orch serve`")


def _exists(path: str | None) -> bool:
    return path is not None and Path(path).exists()
