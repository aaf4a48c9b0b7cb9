"""The messenger: sends what the outbox wants, once, in order, and no faster than Slack likes."""

from __future__ import annotations

import asyncio
import logging
import time
from base64 import b64decode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.chart import CHART, BarChart, LineChart
from bot.errors import ChatError, OrchError
from bot.ports import Upload
from bot.store import outbox
from bot.store.tables import OutboxRow, TaskRow
from bot.workflows.card import card_facts
from bot.workflows.card_metadata import card_metadata
from bot.workflows.office import Office

log = logging.getLogger("orch.messenger")

ROUND_SECONDS = 1.0
#: What hangs on another message.
IN_THREADS = frozenset({"thread", "upload"})
#: How long a message is ours while it is being sent; lengthened as long as that takes.
LEASE = timedelta(seconds=15)
#: At most one update per card and second; the last state wins.
CARD_SECONDS = 1.0
#: Waits after a failed send, in seconds. What Slack refuses is given up after the last one, and the log says so;
#: while Slack is out of order, the last one repeats.
RETRY_SECONDS = (1, 2, 5, 15, 60, 300, 900)


class Messenger:
    """One per process that talks to Slack."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._card_due: dict[str, float] = {}  # key -> monotonic time before which the card is left alone

    async def run(self) -> None:
        """Work until cancelled."""
        if self._office.db.sole:
            async with self._office.db.begin() as session:
                await outbox.release_all(session)
        while True:
            self._office.mail.clear()
            pause = ROUND_SECONDS
            with self._office.troubles.at("messenger"):
                pause = await self.round()
            try:
                async with asyncio.timeout(pause):
                    await self._office.mail.wait()
            except TimeoutError:
                continue

    async def round(self) -> float:
        """Send what is due; returns the seconds until something may be due again."""
        async with self._office.db.read() as session:
            rows = await outbox.due(session, self._office.now())
        pause = ROUND_SECONDS
        now = time.monotonic()
        self._card_due = {key: at for key, at in self._card_due.items() if at > now}
        for row in rows:
            early = self._card_due.get(row.key, 0.0) - time.monotonic()
            if early > 0:
                pause = min(pause, early)
                continue
            with self._office.troubles.at(f"messenger {row.key}"):
                await self._deliver(row)
        return pause

    async def _deliver(self, row: OutboxRow) -> None:
        now = self._office.now()
        async with self._office.db.begin() as session:
            fresh = await outbox.lease(session, row.key, now, now + LEASE)
            if fresh is None:
                return
            thread_ts = await _thread_of(session, fresh) if row.kind in IN_THREADS else None
        holding = asyncio.create_task(self._hold(row.key))
        try:
            ts = await self._send(fresh, thread_ts, maybe_sent=row.tries > 0)
        except OrchError as error:
            await self._postpone(row, str(error), passing=not isinstance(error, ChatError) or error.passing)
            return
        except DBAPIError:  # it is ours until the lease ends, and is looked for then
            raise
        except Exception as error:  # a defect: this message must not stop the others
            log.exception("%s: a defect in Orch", row.key)
            await self._postpone(row, f"a defect in Orch: {type(error).__name__}: {error}", passing=False)
            return
        finally:
            holding.cancel()
        if row.kind == "card":
            self._card_due[row.key] = time.monotonic() + CARD_SECONDS
        async with self._office.db.begin() as session:
            await outbox.sent(session, row.key, fresh.wanted_revision, ts)

    async def _hold(self, key: str) -> None:
        """Keep the lease while a send takes long (Slack limits rates); a process that dies keeps it only briefly."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            async with self._office.db.begin() as session:
                await outbox.hold(session, key, self._office.now() + LEASE)

    async def _send(self, row: OutboxRow, thread_ts: str | None, maybe_sent: bool) -> str | None:
        """Send one message; returns its ts. A card that was deleted is posted anew, so that no task is unseen, and its
        thread begins anew there. Raises OrchError where Slack refused or could not be reached."""
        chat, office = self._office.chat, self._office
        match row.kind:
            case "card":
                async with office.db.read() as session:
                    facts = await card_facts(office, session, row.task_pk or 0)
                    message = office.render.message("cards/task", facts)
                    message["metadata"] = await card_metadata(session, facts, row.key)
                if row.ts and await self._changed(row, row.ts, message):
                    return row.ts
                look = maybe_sent or row.ts is not None  # where it was deleted, a crash may have left the next one
                ts = await chat.post(row.channel, message, key=row.key, look_first=look)
                if look:  # the one that was found may show how the task stood then
                    await chat.update(row.channel, ts, message)
                return ts
            case "thread" if row.ts is None:
                ts = self._need(thread_ts)
                return await chat.post(row.channel, row.payload, key=row.key, thread_ts=ts, look_first=maybe_sent)
            case "upload":
                file = await upload_of(office, row.payload)
                await chat.upload(row.channel, self._need(thread_ts), file, look_first=maybe_sent)
                return None
            case "reaction":
                await chat.react(row.channel, row.payload["ts"], row.payload["name"])
                return None
            case "whisper":
                told = row.payload
                await chat.whisper(row.channel, told["user"], told["message"], thread_ts=told["thread_ts"])
                return None
            case _ if row.ts:
                await self._changed(row, row.ts, row.payload)  # what a person deleted stays deleted
                return row.ts
            case _:
                ts = await chat.post(row.channel, row.payload, key=row.key, look_first=maybe_sent)
                if maybe_sent and row.wanted_revision > 1:  # the one that was found may be older
                    await chat.update(row.channel, ts, row.payload)
                return ts

    async def _changed(self, row: OutboxRow, ts: str, message: Mapping[str, Any]) -> bool:
        """Change a message in place; False where somebody deleted it."""
        try:
            await self._office.chat.update(row.channel, ts, message)
        except ChatError as error:
            if error.code != "message_not_found":
                raise
            log.info("%s: it was deleted in Slack", row.key)
            return False
        return True

    def _need(self, thread_ts: str | None) -> str:
        if thread_ts is None:
            raise OrchError("the message above it is not posted yet")
        return thread_ts

    async def _postpone(self, row: OutboxRow, error: str, *, passing: bool) -> None:
        give_up = row.tries >= len(RETRY_SECONDS) and not passing
        log.log(logging.ERROR if give_up else logging.WARNING, "%s: not sent (%s)%s", row.key, error,
                "; given up" if give_up else "")  # fmt: skip
        again = (
            None
            if give_up
            else self._office.now() + timedelta(seconds=RETRY_SECONDS[min(row.tries, len(RETRY_SECONDS) - 1)])
        )
        async with self._office.db.begin() as session:
            await outbox.failed(session, row.key, error, again)


async def _thread_of(session: AsyncSession, row: OutboxRow) -> str | None:
    """The `ts` of the message in whose thread it belongs: its task's card, if nothing else is said."""
    task = await session.get(TaskRow, row.task_pk) if row.task_pk else None
    parent = row.thread_of or (outbox.card_key(task) if task else None)
    above = await session.get(OutboxRow, parent) if parent else None
    if above is not None and above.kind == "part":
        above = await session.get(OutboxRow, above.thread_of)
    return above.ts if above else None


async def upload_of(office: Office, file: Mapping[str, Any]) -> Upload:
    """The file that an `upload` row's payload describes; a chart is drawn now. Raises OrchError."""
    if "chart" in file:
        chart: LineChart | BarChart = CHART.validate_python(file["chart"])
        if office.charts is None:
            raise OrchError(f"there is nothing here to draw {file['name']} with")
        return Upload(file["name"], chart.title, await office.charts.draw(chart), chart.alt)
    content = b64decode(file["base64"]) if "base64" in file else file["content"]
    return Upload(file["name"], file["title"], content, file.get("alt", ""))
