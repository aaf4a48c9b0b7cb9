"""The desk: every delivery becomes one inbox row, is acked, and is then worked from that row.

Slack does not send again what was acked, so the row comes first; a second delivery of the same thing finds the row and
is only acked. What a crash left unfinished is worked off at the next start. On SQLite the row survives a crash, and not
surely a power failure: waiting for the disk (`begin(durable=True)`) took the ack from 12 to 26 ms, twice its floor. On
PostgreSQL it survives both.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from time import perf_counter
from typing import Any

from bot.domain.approvals import Person
from bot.domain.commands import typed
from bot.domain.project import Project
from bot.errors import ChatError, OrchError, UserMistake
from bot.store import inbox, replies
from bot.store.tables import TaskRow
from bot.workflows.office import Office

log = logging.getLogger("orch.desk")

Payload = dict[str, Any]
Handler = Callable[["Desk", Payload], Awaitable[None]]

#: A delivery that is older than this and not done was left over by a crash.
LEFT_OVER = timedelta(seconds=30)
#: How often it is looked for such, in seconds.
LOOK_SECONDS = 5.0


class Desk:
    """Receives deliveries and knows who works on each kind."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._handlers: dict[str, Handler] = {}
        self._at_work: set[str] = set()  # keys of the deliveries that this process works on now
        self._put_off: set[str] = set()  # keys of those that waited for Slack; not left over by a crash

    def handles(self, kind: str, handler: Handler) -> None:
        self._handlers[kind] = handler

    async def receive(self, key: str, kind: str, payload: Payload, ack: Callable[[], Awaitable[Any]]) -> None:
        """Write the row, ack, work. `payload` must hold user, and channel or response_url to answer to."""
        office, received = self.office, perf_counter()
        key = key[:255]
        payload = {**payload, "key": key}
        with self._working_on(key):
            async with office.db.begin() as session:
                fresh = await inbox.take(session, key, kind, payload, office.now())
            await ack()
            office.acks.took(perf_counter() - received)
            if fresh:
                await self._work(kind, payload)

    @contextmanager
    def _working_on(self, key: str) -> Iterator[None]:
        first = key not in self._at_work
        self._at_work.add(key)
        try:
            yield
        finally:
            if first:
                self._at_work.discard(key)

    async def work_left_over(self) -> None:
        """Work until cancelled on what was acked and not finished."""
        started = True
        while True:
            with self.office.troubles.at("desk"):
                await self.look(at_start=started)
            started = False
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, *, at_start: bool = False) -> None:
        """Work on what is old enough to be nobody's; at a start, where this is the only process, on all there is."""
        wait = timedelta(0) if at_start and self.office.db.sole else LEFT_OVER
        before = self.office.now() - wait
        async with self.office.db.read() as session:
            rows = await inbox.left_over(session, self.office.now())
        for row in rows:
            if row.key in self._at_work or (row.received_at >= before and row.key not in self._put_off):
                continue
            self._put_off.discard(row.key)
            with self._working_on(row.key):
                async with self.office.db.read() as session:
                    still_open = await inbox.is_open(session, row.key)
                if still_open:
                    log.warning("%s (%s) was left over; working on it now", row.key, row.kind)
                    await self._work(row.kind, row.payload)

    async def _work(self, kind: str, payload: Payload) -> None:
        try:
            await self._handle(kind, payload)
        except ChatError as error:
            log.warning("%s (%s) waits until Slack can be reached: %s", payload["key"], kind, error)
            self._put_off.add(payload["key"])
            return  # left open: it is taken up again at the next look
        except Exception:
            log.exception("%s %s failed", kind, payload["key"])
            await self._say_defect(payload)
        async with self.office.db.begin() as session:
            await inbox.done(session, payload["key"], self.office.now())

    async def _handle(self, kind: str, payload: Payload) -> None:
        """Work on a delivery; what a person did wrong is answered. Raises ChatError where Slack is out of order."""
        try:
            await self._handlers[kind](self, payload)
        except UserMistake as mistake:
            await self.answer(payload, "replies/mistake", text=str(mistake), form=mistake.form, ask=mistake.ask)
        except OrchError as error:
            if isinstance(error, ChatError) and error.passing:
                raise
            await self.answer(payload, "replies/mistake", text=str(error), form=None, ask=())

    async def _say_defect(self, payload: Payload) -> None:
        try:
            await self.answer(payload, "replies/defect", key=payload.get("key"))
        except Exception:
            log.exception("and could not be answered")

    async def answer(self, payload: Payload, template: str, *, replace: bool = False, **facts: Any) -> None:
        """Answer privately to whoever caused the delivery; `replace` the private message that was clicked on."""
        message = self.office.render.message(template, facts)
        try:
            await self.office.chat.whisper(
                payload.get("channel", ""),
                payload["user"],
                message,
                response_url=payload.get("response_url"),
                replace=replace,
                thread_ts=payload.get("thread_ts"),
            )
        except ChatError as error:
            log.warning("could not answer %s: %s", payload["user"], error)

    async def person(self, payload: Payload) -> Person:
        """Who caused the delivery. Raises UserMistake for those who may do nothing."""
        person = await self.office.chat.person(payload["user"])
        if person.barred:
            raise UserMistake(f"{person.barred[0].upper()}{person.barred[1:]}, so I did nothing.")
        return person

    async def task_above(self, channel: str, thread_ts: str, person: str) -> TaskRow | None:
        """The task that a thread is about, if it is about one."""
        async with self.office.db.read() as session:
            return await replies.task_of_thread(session, channel, thread_ts, person)

    async def thread_above(self, channel: str, thread_ts: str, person: str) -> tuple[TaskRow | None, bool]:
        """The same; and where it is about none, whether it may turn out to be once Slack says where a post went."""
        async with self.office.db.read() as session:
            awaited = await replies.awaits_its_place(session, channel, person)  # first: it may end between the two
            found = await replies.task_of_thread(session, channel, thread_ts, person)
        return found, awaited and found is None

    async def is_below_a_direct_message(self, thread_ts: str, person: str) -> bool:
        """Whether a thread hangs on what Orch wrote to a person of its own accord."""
        async with self.office.db.read() as session:
            return await replies.is_below_a_direct_message(session, thread_ts, person)

    def typed(self, payload: Payload) -> Payload:
        """What was typed as a command, with the project that it names outside the projects' channels (R-MSG-4)."""
        projects = self.office.projects
        here = len(projects) < 2 or any(payload["channel"] == p.channel for p in projects.values())
        key, text = typed(payload["text"], message="ts" in payload, keys=() if here else projects)
        return payload | {"text": text} | ({"project": key} if key else {})

    def meant(self, payload: Payload, key: str | None = None) -> Project:
        """The project that a delivery is for. Raises UserMistake."""
        return self.project(payload["channel"], key or payload.get("project"))

    def project(self, channel: str, key: str | None = None) -> Project:
        """The project that is meant: by key, by its channel, or the only one. Raises UserMistake."""
        projects = self.office.projects
        if key is not None:
            if key in projects:
                return projects[key]
            raise UserMistake(f"There is no project {key}. Known: {', '.join(sorted(projects)) or 'none'}.")
        here = next((p for p in projects.values() if p.channel == channel), None)
        if here is not None:
            return here
        if len(projects) == 1:
            return next(iter(projects.values()))
        if not projects:
            raise UserMistake("No project is configured yet. `orch init` on the command line adds one.")
        places = ", ".join(f"{p.key} in <#{p.channel}>" for p in projects.values())
        raise UserMistake(
            f"Which project do you mean? Ask in its channel ({places}), or begin with its key, "
            f"`{min(projects)}: ...`; a task reads `{min(projects)}:S1-D1-1`. Nothing was done."
        )


def delivery_key(kind: str, *parts: object, body: Mapping[str, Any]) -> str:
    """What makes a delivery the same when it comes again; where Slack gave no id, the body itself."""
    if all(parts):
        return ":".join([kind, *map(str, parts)])
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
    return f"{kind}:sha256:{digest}"
