"""A small plan for conversations: three sprints' worth of pages, in the folder where a team keeps its own plans."""

from __future__ import annotations

from tests.acceptance.card import CHANNEL
from tests.acceptance.conversation import Orch

DEMO = """\
name: demo
title: A small demo
sprints:
  - {number: 0, title: Set-up, budget: {haiku: 40000, sonnet: 20000, gemini: 40000}}
  - {number: 1, title: Pages, budget: {haiku: 40000, gemini: 20000}}
tasks:
  - id: S0-D1-1
    title: First page
    prompt: Write docs/first.md
    type: docs
    files: [docs/first.md]
    success_criteria: [The page says what it is for]
    blockers_if_fail: [S0-D1-2]
    priority: critical
    deadline: D1 17:00
    owner: human-dev-1
  - id: S0-D1-2
    title: Second page
    prompt: Write docs/second.md
    type: docs
    files: [docs/second.md]
    deadline: D2 12:00
  - id: S0-D2-1
    title: Try it out
    prompt: Go through the checklist by hand
    type: validation
    model: manual
    owner: human-dev-1
  - id: S1-D1-1
    title: Third page
    prompt: Write docs/third.md
    type: docs
    files: [docs/third.md]
    after: [S0-D1-2]
"""
TEAM = {"aliases": {"human-dev-1": "U0DEV"}, "timezone": "Europe/Lisbon", "checks": []}


def keep_plan(orch: Orch, text: str = DEMO, name: str = "demo") -> None:
    """Put a plan where the team keeps its own."""
    folder = orch.home / "plans"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


async def load(orch: Orch, name: str = "demo") -> str:
    await orch.lead.types(f"/orch plan load {name}")
    return await orch.lead.sees_privately("is loaded into GRANTER")


async def start(orch: Orch, number: int) -> str:
    await orch.lead.types(f"/orch sprint start {number}")
    return await orch.lead.sees_privately(f"Sprint {number} is started")


async def merge(orch: Orch, task: str, by: str = "U0TWO") -> None:
    """Let a task be done and approve it; where criteria ask for the checklist, tick it."""
    card = await orch.channel.shows(task, state="Awaiting approval")
    if not (await orch.row(task)).criteria:
        await orch.two.clicks("Approve merge", on=task)
    else:
        await orch.world.click(by, CHANNEL, card.message.ts, "task_approve")
        await tick(orch, by)
    await orch.channel.shows(task, state="Merged")


async def tick(orch: Orch, who: str) -> None:
    """Tick every line of the open checklist and submit it."""
    view = await orch.until(lambda: orch.world.open_view(who), f"a form for {who}")
    boxes = [b for b in view.blocks if b.get("element", {}).get("type") == "checkboxes"]
    values = {b["block_id"]: [o["value"] for o in b["element"]["options"]] for b in boxes}
    await orch.world.submit_view(who, view.id, values)


def said_in_channel(orch: Orch, text: str) -> bool:
    return any(text in m.text for m in orch.world.messages(CHANNEL))
