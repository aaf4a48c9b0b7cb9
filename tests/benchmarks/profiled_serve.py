"""`orch serve` with a stopwatch at every port: what it was told to time is the same bot, wired the same way.

Run as a process: `python -m tests.benchmarks.profiled_serve FILE`. At the end FILE holds one JSON line per span:
[room, what, begin, end], in Unix seconds. Rooms: git, checks, model, slack (ports); step, tx (the bodies of DBOS
steps, ports included); stage (a whole workflow); program (each process that was started).
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from bot import process
from bot.__main__ import main
from bot.workflows import stages
from bot.workflows.office import Office

T = TypeVar("T")

SPANS: list[tuple[str, str, float, float]] = []


def timed(room: str, what: str, function: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    @functools.wraps(function)
    async def measured(*args: Any, **kwargs: Any) -> T:
        began = time.time()
        try:
            return await function(*args, **kwargs)
        finally:
            SPANS.append((room, what, began, time.time()))

    return measured


class Port:
    """Any port, with its async methods timed."""

    def __init__(self, room: str, real: object) -> None:
        self._room, self._real = room, real

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        return timed(self._room, name, found) if inspect.iscoroutinefunction(found) else found


@dataclass(frozen=True)
class TimedOffice(Office):
    """The office, with the bodies of its steps and transactions timed."""

    async def tx(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return await super().tx(timed("tx", function.__name__, function), *args, **kwargs)

    async def step(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return await super().step(timed("step", function.__name__, function), *args, **kwargs)


def _ports(room: str, ports: Mapping[Any, Any]) -> dict[Any, Any]:
    made = {id(port): Port(room, port) for port in ports.values()}  # one port may stand under several keys
    return {key: made[id(port)] for key, port in ports.items()}


def install() -> None:
    build, work = process.build_office, stages._work

    def build_timed(*args: Any) -> Office:
        office = build(*args)
        timed_ports: dict[str, Any] = {
            "repositories": _ports("git", office.repositories),
            "models": _ports("model", office.models),
            "reviewer": Port("model", office.reviewer),
            "checks": Port("checks", office.checks),
            "chat": Port("slack", office.chat),
        }
        same = replace(office, **timed_ports)
        return TimedOffice(**{name: getattr(same, name) for name in Office.__dataclass_fields__})

    async def work_timed(office: Office, visit: Any) -> None:
        await timed("stage", visit.stage, work)(office, visit)

    process.build_office = build_timed  # type: ignore[assignment]
    stages._work = work_timed
    _time_programs()


def _time_programs() -> None:
    start, run = asyncio.create_subprocess_exec, subprocess.run

    async def start_timed(*argv: Any, **options: Any) -> Any:
        began = time.time()
        process = await start(*argv, **options)
        wait = asyncio.ensure_future(process.wait())
        wait.add_done_callback(lambda _: SPANS.append(("program", _name(argv), began, time.time())))
        return process

    def run_timed(argv: Any, *args: Any, **options: Any) -> Any:
        began = time.time()
        try:
            return run(argv, *args, **options)
        finally:
            SPANS.append(("program", _name(argv), began, time.time()))

    asyncio.create_subprocess_exec = start_timed
    subprocess.run = run_timed  # type: ignore[assignment]


def _name(argv: Any) -> str:
    """`git merge-base` of `git -c core.hooksPath=... merge-base ...`."""
    words = [str(word) for word in argv]
    if Path(words[0]).name != "git":
        return Path(words[0]).name
    rest = iter(words[1:])
    for word in rest:
        if word in ("-c", "-C"):
            next(rest)
        elif not word.startswith("-"):
            return f"git {word}"
    return "git"


if __name__ == "__main__":
    install()
    try:
        code = main(["serve"])
    finally:
        Path(sys.argv[1]).write_text("\n".join(map(json.dumps, SPANS)))
    sys.exit(code)
