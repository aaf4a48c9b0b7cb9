"""`/orch schedule show|set|skip`."""

from __future__ import annotations

from bot.domain import command_kinds as kinds
from bot.domain.approvals import Person
from bot.listeners.desk import Desk, Payload
from bot.workflows import scheduling


async def schedule(desk: Desk, payload: Payload, person: Person, command: kinds.Schedule) -> None:
    """Raises UserMistake."""
    project = desk.meant(payload)
    match command.action:
        case "show":
            shown = await scheduling.show(desk.office, project)
            await desk.answer(payload, "replies/schedule", project=project, **shown._asdict())
        case "set":
            before, coming = await scheduling.change(desk.office, project, command, person)
            await desk.answer(payload, "replies/schedule_set", slot=command.slot, before=before, coming=coming,
                              project=project, zone=project.zone)  # fmt: skip
        case "skip":
            slot, then = await scheduling.skip(desk.office, project, command, person)
            await desk.answer(payload, "replies/schedule_skipped", skipped=slot, then=then, zone=project.zone)
