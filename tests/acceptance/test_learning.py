"""The router learns from what the team's own tasks came to (R-RT-6, R-BUD-5)."""

from __future__ import annotations

from tests.acceptance.conftest import Starting
from tests.acceptance.models import HAIKU, create, edits

ASKED = "Keep drafts of orders --type logic --files granter/drafts.py"


async def test_haiku_is_tried_first_once_it_has_made_such_tasks(starting: Starting) -> None:
    async with starting(checks=()) as orch:
        await orch.dev.types(f"/orch assign {ASKED} --dry-run")
        await orch.dev.sees_privately("*Quote*", "*Model*\nsonnet", "business logic needs care")
        made = []
        for number in range(5):
            path = f"granter/part_{number}.py"
            orch.models.answer(edits(create(path, f"x = {number}\n")), model=HAIKU)
            made.append(await orch.dev.assigns(f"Keep part {number} --type logic --model haiku --files {path}"))
            await orch.channel.shows(made[-1], state="Awaiting approval")

        await orch.dev.types(f"/orch assign {ASKED} --dry-run")
        await orch.dev.sees_privately("*Quote*", "*Model*\nhaiku", "haiku did 5 of 5 such tasks", "against $0.")
        orch.models.answer(edits(create("granter/drafts.py", "x = 1\n")), model=HAIKU)
        task = await orch.dev.assigns(ASKED)
        await orch.channel.shows(task, "haiku did 5 of 5 such tasks", state="Awaiting approval")
        await orch.dev.types(f"/orch why {task}")
        await orch.dev.sees_privately("assigned to haiku: You said logic: haiku did 5 of 5 such tasks")
        await orch.dev.types("/orch assign Keep sessions of the login --type logic --dry-run")
        await orch.dev.sees_privately("*Model*\nsonnet", "never haiku")  # R-SEC-1
        await orch.books.agree()
