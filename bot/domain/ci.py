"""What CI says of work that a person sees to (R-RT-4): its shape, its signature, and whether the task can take it."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from bot.domain.task import ENDED, Frozen, Rung, Task, TaskState, TaskType
from bot.domain.terminal_text import plain_text

#: Work of these types is something that runs, whatever files it names.
RUNS = frozenset({TaskType.TESTS, TaskType.VALIDATION, TaskType.OPS})
#: A signature is good this long before and after its own time, so that a recorded one is soon worthless.
WINDOW = timedelta(minutes=5)
#: Bytes of a whole request.
MAX_BODY = 64 * 1024
#: A shorter secret could be guessed from one recorded signature; characters.
MIN_SECRET = 16
#: What is shown of a log: its end, so many lines and characters.
TAIL_LINES, TAIL_CHARACTERS = 40, 2_500
REASON_LINES, REASON_CHARACTERS = 6, 400


class CiResult(Frozen):
    """One result. `delivery` is the sender's own id of it: the same one again counts once. `log`: its end."""

    project: str | None = Field(None, max_length=32)
    task: str = Field(min_length=1, max_length=60)
    result: Literal["pass", "fail"]
    log: str = Field("", max_length=MAX_BODY)
    url: str = Field("", max_length=500, pattern=r"^(https?://[^\s<>|\"]+)?$")
    delivery: str = Field(min_length=1, max_length=120)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over timestamp, a dot and the body, as hexadecimal digits."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_signed(secret: str, timestamp: str, given: str, body: bytes, now: datetime) -> bool:
    """Whether somebody who knows the secret sent exactly this, within WINDOW of `now`. `timestamp`: seconds since 1970.
    Compared in constant time."""
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or not given.isascii():
        return False
    right = hmac.compare_digest(signature(secret, timestamp, body), given)
    return right and abs(int(timestamp) - now.timestamp()) <= WINDOW.total_seconds()


def hindrance(task: Task, *, by_ci: bool) -> str | None:
    """Why the task cannot take a result of CI, to be read behind its id, or None. `by_ci`: CI itself blocked it, and
    may find otherwise now."""
    state = task.state
    if state in ENDED:
        return f"is {state.value} already"
    if task.route.rung is not Rung.MANUAL:
        return f"is {task.route.rung}'s work: its own checks and its review decide, not a result from outside"
    if _changes_code(task):
        return (
            "is a change of the code that a person makes by hand, and a run of CI does not show that it is finished: "
            f"whoever makes it says so, `/orch done {task.id}`"
        )
    if state is TaskState.WITH_HUMAN or (state is TaskState.BLOCKED and by_ci):
        return None
    if state is TaskState.BLOCKED:
        return f"is blocked; `/orch unblock {task.id}` says that it can go on"
    return f"is {state.words}: nobody is to see to it yet"


def _changes_code(task: Task) -> bool:
    """Whether a person writes it: it names files, or a model began it. The type does not tell: where a person said that
    it is done by hand, it is only what the words sound like (a release checklist: `config`)."""
    return task.route.type not in RUNS and bool(task.files or task.touched or task.attempt)


def tail(log: str, lines: int, characters: int) -> str:
    """The end of a log as people read it: whole lines of plain text, without empty ones."""
    kept: list[str] = []
    room = characters
    for line in reversed([line.rstrip() for line in plain_text(log).split("\n") if line.strip()][-lines:]):
        if room - len(line) - 1 < 0:
            kept += [f"{line[: characters - 1]}…"] if not kept else []
            break
        room -= len(line) + 1
        kept.append(line)
    return "\n".join(reversed(kept))
