"""The first words in a project's channel: what Orch is, and buttons that teach it (issue 5, item 6)."""

from __future__ import annotations

from bot.store import outbox, task_lists
from bot.workflows.office import Office


async def welcome_projects(office: Office) -> None:
    """Say hello once in the channel of each project that has no tasks yet; whoever starts first does it."""
    for project in office.projects.values():
        if not project.welcome:
            continue
        async with office.db.begin() as session:
            if await task_lists.any_of(session, project.key):
                continue  # Orch has worked here before it learned to say hello
            message = office.words_of(project.key).message("alerts/welcome", {"project": project})
            await outbox.want(session, f"welcome/{project.key}", "channel", project.channel, message, office.now())
    office.mail.set()
