"""`/orch standup` and `/orch report`: a report in the channel now. `/orch metrics`: for whoever asks."""

from __future__ import annotations

from bot.domain import command_kinds as kinds
from bot.listeners.desk import Desk, Payload
from bot.workflows.measuring import DAYS, measured
from bot.workflows.reporting import Kind, want_report


async def post_now(desk: Desk, payload: Payload, command: kinds.Standup | kinds.Report) -> None:
    """Post the report, once for each time it is asked for. Raises UserMistake."""
    office = desk.office
    project = desk.meant(payload)
    kind: Kind = "daily"
    day, sprint = project.day(office.now()), None
    if isinstance(command, kinds.Report):
        kind, day, sprint = command.period, command.on or day, command.sprint
    key = f"report/{payload['key']}"[:240]
    async with office.db.begin() as session:
        await want_report(office, session, project, kind, day, key=key, sprint=sprint)
    office.nudge()
    await desk.answer(payload, "replies/report_posted", kind=kind, day=day, channel=project.channel)


async def show_metrics(desk: Desk, payload: Payload, command: kinds.Metrics) -> None:
    """The success metrics of the last days (R-MET)."""
    office = desk.office
    project = desk.meant(payload)
    days = command.days or DAYS
    async with office.db.read() as session:
        found = await measured(session, project, office.now(), office.price, days=days, ack_seconds=office.acks.seconds)
    await desk.answer(payload, "replies/metrics", project=project.key, days=days, metrics=found)
