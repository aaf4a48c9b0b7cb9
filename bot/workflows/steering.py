"""What people write in the thread of a task: kept for the next model calls, and acknowledged by a reaction.

:eyes: on a message = it is kept for the next call; :white_check_mark: = a call was told it, or the word was obeyed.
Each acknowledgement is wanted in the transaction of what it tells of, under a key of its own, so that it comes once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import Action, Person, refusal
from bot.domain.task import FINISHED, GIVEN_UP, TaskState
from bot.domain.thread_words import Steer
from bot.store import inbox, outbox, project_events, replies, tasks
from bot.store.tables import TaskRow
from bot.workflows import reach
from bot.workflows.deeds import Deed, doing, state_words
from bot.workflows.office import Office

SEEN, DONE = "eyes", "white_check_mark"
#: States in which nothing goes on by itself, so that a reply alone changes nothing now.
STANDING = (TaskState.AWAITING_APPROVAL, TaskState.BLOCKED, TaskState.CANCELLED, TaskState.FAILED)


@dataclass(frozen=True)
class Place:
    """One message in a thread."""

    channel: str
    ts: str
    thread_ts: str


async def steer(office: Office, deed: Deed, place: Place, wish: Steer) -> None:
    """Keep a reply for the next calls."""
    async with doing(office, deed, Action.SEE) as (session, row):
        await _keep(office, session, row, deed, place, wish)


async def correct(office: Office, deed: Deed, place: Place, wish: Steer | None, change: str) -> bool:
    """Let a reply be what its writer made of it: a wish, or None = no wish any more. Calls from here on are told so;
    where one was told the earlier words, the writer learns that. `change`: the key of the delivery that tells of the
    change; False where a later change came already."""
    async with doing(office, deed, Action.SEE) as (session, row):
        if not await inbox.is_newest(session, change, change.rpartition(":")[0] + ":"):
            return False
        before = await replies.take_back(session, row, place.channel, place.ts, office.now())
        if wish is not None:
            await _keep(office, session, row, deed, place, wish, changed=True)
        elif before is not None:
            key = f"passed_on/{place.channel}/{place.ts}"
            message = office.render.message("thread/passed_on", {"row": row, "who": deed.person.id, "text": ""})
            await outbox.rewrite(session, key, message)
        if before is not None and before.heard_attempt is not None and row.state not in FINISHED:
            await _tell_once(office, session, row, deed.person.id, place, f"late-{change}", "replies/thread_late",
                             kept=wish is not None)  # fmt: skip
    return True


async def _keep(
    office: Office, session: AsyncSession, row: TaskRow, deed: Deed, place: Place, wish: Steer, *, changed: bool = False
) -> None:
    """Who may not ask for changes is told so once; so is who writes to a task that stands still or has ended."""
    team = office.projects[row.project].team
    if refusal(Action.REQUEST_CHANGES, deed.person, team, tasks.as_task(row)):
        await _tell_once(office, session, row, deed.person.id, place, "not_yours", "replies/thread_not_yours")
        return
    text = office.redact(wish.text)
    if row.state in FINISHED:
        await _tell_once(office, session, row, deed.person.id, place, "ended", "replies/thread_ended", text=text)
        return
    at = office.now()
    put = replies.put_right if changed else replies.add
    await put(session, row, channel=place.channel, ts=place.ts, who=deed.person.id, text=text, at=at)
    await react(office, session, place, SEEN)
    if row.state in STANDING:
        what = f"standing-{row.state}-{row.entry}"
        await _tell_once(office, session, row, deed.person.id, place, what, "replies/thread_standing")
    if row.state == TaskState.WITH_HUMAN and deed.person.id != row.owner:
        await _pass_on(office, session, row, deed.person.id, place, text)
    if wish.cut or text != wish.text:
        facts = {"cut": wish.cut, "secret": text != wish.text}
        await _tell_once(office, session, row, deed.person.id, place, f"kept-{place.ts}", "replies/thread_kept",
                         **facts)  # fmt: skip


async def set_muted(office: Office, deed: Deed, place: Place, muted: bool) -> None:
    """Hear only what is said to Orch by name in this task's threads, or everything again. Raises UserMistake."""
    async with doing(office, deed, Action.REQUEST_CHANGES) as (session, row):
        if row.muted != muted:
            row.muted = muted
            why = "only replies that mention Orch are read" if muted else "all replies are read again"
            project_events.note(session, row.project, at=office.now(), who=deed.person.id, kind="thread_muted",
                                why=f"{row.task_id}: {why}", detail={"task": row.task_id, "muted": muted})  # fmt: skip
        await react(office, session, place, DONE)


async def turn_away(office: Office, row: TaskRow, person: Person, place: Place) -> None:
    """Tell somebody who may do nothing (a guest, say) that nothing was done: once for each task (R-APR). Bots are not
    answered at all."""
    if person.bot or not person.barred:
        return
    async with office.db.begin() as session:
        await _tell_once(office, session, row, person.id, place, "barred", "replies/thread_barred", why=person.barred)
    office.mail.set()


async def obeyed(office: Office, place: Place) -> None:
    """Show that the word of a message was followed."""
    async with office.db.begin() as session:
        await react(office, session, place, DONE)
    office.mail.set()


async def tell_heard(office: Office, session: AsyncSession, row: TaskRow, heard: Collection[int]) -> None:
    """A call that carried these replies was answered: each of their writers sees it."""
    for reply in await replies.heard(session, row, heard):
        await react(office, session, Place(reply.channel, reply.ts, ""), DONE)


async def react(office: Office, session: AsyncSession, place: Place, name: str) -> None:
    """Want a reaction on a message, once."""
    key = f"reaction/{place.channel}/{place.ts}/{name}"
    await outbox.want(session, key, "reaction", place.channel, {"ts": place.ts, "name": name}, office.now())


async def _tell_once(
    office: Office, session: AsyncSession, row: TaskRow, person: str, place: Place, what: str, template: str,
    **facts: object,
) -> None:  # fmt: skip
    """A private word in the thread, which comes once for each person and reason."""
    again = row.state in GIVEN_UP
    message = office.render.message(template, {"row": row, "state": state_words(row), "may_retry": again, **facts})
    payload = {"user": person, "message": message, "thread_ts": place.thread_ts}
    key = f"told/{row.project}/{row.task_id}/{person}/{what}"
    await outbox.want(session, key, "whisper", place.channel, payload, office.now())


async def _pass_on(office: Office, session: AsyncSession, row: TaskRow, who: str, place: Place, text: str) -> None:
    """The person who does the work reads it below the message that gave it to them."""
    above = await outbox.newest_direct(session, row.pk, person=row.owner)
    if above is not None:
        message = office.render.message("thread/passed_on", {"row": row, "who": who, "text": text})
        key = f"passed_on/{place.channel}/{place.ts}"
        wait = await reach.quiet_until(office, session, row.project, row.owner)
        if not await outbox.want(session, key, "thread", row.owner, message, office.now(), thread_of=above,
                                 not_before=wait):  # fmt: skip
            await outbox.rewrite(session, key, message)
