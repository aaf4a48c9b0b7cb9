"""The example product's five sprints, run through with realistic failures, seeded (R-ESC, R-PAR, R-SEC-4, R-MSG):
20 % of haiku's and 10 % of sonnet's attempts fail, 15 % of reviews find something critical. People click as they would.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from random import Random
from typing import Any

import yaml

from bot.domain.saving import STEPS, measure
from bot.domain.task import Rung, TaskState
from bot.local.models import Call, Reply
from bot.local.models.rehearsal import rehearse
from bot.store import tasks
from bot.store.spending import paid_calls
from bot.store.tables import TaskRow
from bot.wiring import data_folder
from tests.acceptance.card import CHANNEL, buttons
from tests.acceptance.conftest import Starting
from tests.acceptance.conversation import Orch
from tests.acceptance.models import Edit, asks_for_changes, create, edits, finding, replace
from tests.acceptance.sprints import keep_plan, load, start

SEED = "granter"
FAILING = {"haiku": 0.20, "sonnet": 0.10}
CRITICAL = 0.15
#: What a person does, one after the other, where a task is blocked; then it stays with them.
ANSWERS = ("Retry", "Escalate to Sonnet", "Escalate to Opus", "Retry", "Retry")
OVER = {TaskState.MERGED, TaskState.DONE}
#: Seconds in which something must happen, on a machine that does other things as well.
PATIENCE = 300.0

SETUP: dict[str, Any] = {
    "project": {
        "aliases": {"human-dev-1": "U0DEV"}, "approvers": ["U0TWO", "U0OUT"], "security_approvers": ["U0TWO"],
        "timezone": "Europe/Lisbon",
    },
    "checks": [],
    "token_budget_daily": 20_000_000,
    "budgets": {
        "preset": "standard",
        "daily": dict.fromkeys(("haiku", "sonnet", "gemini", "opus"), 20_000_000),
        "sprints": {str(n): dict.fromkeys(("haiku", "sonnet", "gemini", "opus"), 2_000_000) for n in range(5)},
    },
}  # fmt: skip


class People:
    """The team: approves what is ready, ticks what is to be ticked, answers blockers, does the manual work."""

    def __init__(self, orch: Orch) -> None:
        self._orch = orch
        self._blocks: Counter[str] = Counter()
        self._done: set[tuple[str, str, int]] = set()  # who clicked on which task, in which entry of a state
        self.left: set[str] = set()  # what stays with a person

    async def look_after(self, number: int) -> None:
        """Work until every task of the sprint is over, or stays with a person."""
        seen: list[tuple[str, int]] = []
        while True:
            async with self._orch.office.db.read() as session:
                rows = await tasks.in_project(session, "GRANTER", ended=True)
            for row in rows:
                await self._see_to(row)
            open_ones = [row for row in rows if row.sprint == number and row.state not in OVER]
            if all(self._is_left(row) for row in open_ones):
                return
            if seen != (seen := [(row.task_id, row.entry) for row in rows]):
                until = time.monotonic() + PATIENCE
            assert time.monotonic() < until, [(self._card(row).text, row.waits_for) for row in open_ones]
            await asyncio.sleep(0.1)

    def _is_left(self, row: TaskRow) -> bool:
        """Whether it stays with a person, or waits for what does; which its card says."""
        waits = row.state == TaskState.QUEUED and bool(self.left & set(row.after))
        if waits:
            self.left.add(row.task_id)
        return row.task_id in self.left

    async def _see_to(self, row: TaskRow) -> None:
        match row.state:
            case TaskState.AWAITING_APPROVAL:
                for person in ("U0TWO", "U0OUT") if row.route["security"] else ("U0TWO",):
                    await self._approve(row, person)
            case TaskState.WITH_HUMAN:
                await self._mark_done(row)
            case TaskState.BLOCKED if row.task_id not in self.left:
                await self._answer(row)

    async def _approve(self, row: TaskRow, person: str) -> None:
        await self._click(row, person, "Approve merge", row.head_commit or "")
        view = self._orch.world.open_view(person)
        if view is not None:
            boxes = [b for b in view.blocks if b.get("element", {}).get("type") == "checkboxes"]
            ticked = {b["block_id"]: [o["value"] for o in b["element"]["options"]] for b in boxes}
            await self._orch.world.submit_view(person, view.id, ticked)

    async def _mark_done(self, row: TaskRow) -> None:
        await self._click(row, row.owner, "Mark done")
        view = self._orch.world.open_view(row.owner)
        if view is not None and view.body["callback_id"] == "done_form":
            await self._orch.world.submit_view(row.owner, view.id, {"seen": "As it should be"})

    async def _answer(self, row: TaskRow) -> None:
        """The next answer that the card offers."""
        offered = self._offered(row)
        if not offered or (row.task_id, "U0TWO", row.entry) in self._done:
            return
        answers = [label for label in ANSWERS[self._blocks[row.task_id] :] if label in offered]
        if not answers:
            self.left.add(row.task_id)
            return
        if await self._click(row, "U0TWO", answers[0]):
            self._blocks[row.task_id] = ANSWERS.index(answers[0], self._blocks[row.task_id]) + 1

    async def _click(self, row: TaskRow, person: str, label: str, commit: str = "") -> bool:
        """Click once each time that the task comes to this state, when its card shows the button and the commit;
        whether it was clicked now. As people do, wait for what comes of it (a form takes the place of one that is
        open), and click again where Slack says that it failed."""
        key, offered = (row.task_id, person, row.entry), self._offered(row)
        if key in self._done or label not in offered or commit[:10] not in self._card(row).text:
            return False
        clicked = await self._orch.world.click(person, CHANNEL, self._card(row).message.ts, offered[label])
        if clicked.acked:
            self._done.add(key)
            await self._orch.all_is_worked_on()
        return clicked.acked

    def _offered(self, row: TaskRow) -> dict[str, str]:
        cards = self._orch.channel.cards(row.task_id)
        return dict(buttons(cards[0].message)) if cards else {}

    def _card(self, row: TaskRow) -> Any:
        return self._orch.channel.cards(row.task_id)[0]


def drawn(share: float, *what: str) -> bool:
    """Whether this falls into the share: the same each time, in whichever order things happen."""
    return Random("/".join((SEED, *what))).random() < share


def answer(call: Call) -> Reply:
    """A rehearsal, which fails as often as models do. The call's id names task, attempt and call."""
    _project, task, attempt, number = call.call_id.split("/")
    rung = next((name for name in ("haiku", "sonnet", "gemini") if name in call.model), "")
    usual = rehearse(call)
    if rung in FAILING and call.body.get("tools"):
        if drawn(FAILING[rung], rung, task, attempt):
            return edits(replace("README.md", "words that stand nowhere", "others"))
        return edits(*made(call, attempt))
    if usual.review is not None and drawn(CRITICAL, "review", task, attempt, number):
        return asks_for_changes(finding("critical", "An error is swallowed here", usual.review["findings"][0]["file"]))
    return usual


def made(call: Call, attempt: str) -> list[Edit]:
    """Something in each of the task's files, or a page where it names none."""
    allowed = re.search(r"^Change only:(.*)$", call.text, re.MULTILINE)
    paths = [path.strip(" `") for path in allowed[1].split(",")] if allowed else []
    there = dict(re.findall(r'<file path="([^"]+)">\n?(.*?)</file>', call.text, re.DOTALL))
    task = call.call_id.split("/")[1]
    done = []
    for path in paths or [f"docs/{task.lower()}.md"]:
        line = f"Attempt {attempt} at {task}\n"
        first = there.get(path, "").splitlines()[:1]
        done.append(replace(path, first[0], f"{first[0]} {line.strip()}") if first and first[0] else create(path, line))
    return done


def quick_plan() -> str:
    """The example plan, with checks that need no packages of the product."""
    text = (data_folder("templates") / "plans" / "granter-v2.yaml").read_text(encoding="utf-8")
    plan = yaml.load(text, Loader=yaml.BaseLoader)
    for task in plan["tasks"]:
        if "checks" in task:
            task["checks"] = ["true"]
    return yaml.safe_dump(plan, sort_keys=False, allow_unicode=True, width=200)


async def _show_saving(orch: Orch) -> None:
    """R-BUD-5 over the ledger of this run. The tokens are those of a rehearsal: short answers, small files."""
    async with orch.office.db.read() as session:
        calls = await paid_calls(session, "GRANTER")
    saving = measure(calls, orch.office.price, orch.office.projects["GRANTER"].models[Rung.SONNET])
    assert saving.actual == sum(call.cost_microusd for call in await orch.books.calls())
    assert saving.actual < saving.baseline
    print(f"\nrehearsal, {saving.calls} calls, {saving.tokens:,} tokens:")
    for step, words in STEPS.items():
        print(f"  {words:45} {saving.microusd[step]:9,} micro-dollars  {saving.share_at(step):6.1%}")


async def test_all_five_sprints_run_through(starting: Starting) -> None:
    async with starting(**SETUP) as orch:
        orch.world.rates.enabled = False
        keep_plan(orch, quick_plan(), "granter-v2")
        orch.models.script.on(answer, times=None)
        assert "38 new" in await load(orch, "granter-v2")
        people = People(orch)
        for number in range(5):
            await start(orch, number)
            await people.look_after(number)
            await orch.lead.types(f"/orch sprint close {number}")
            said = await orch.lead.sees_privately(f"Sprint {number}")
            if "unfinished" in said:
                await orch.lead.clicks(f"Carry over to sprint {number + 1}", on=orch.world.ephemerals("U0LEAD")[-1])
        async with orch.office.db.read() as session:
            rows = await tasks.in_project(session, "GRANTER", ended=True)
        states = {row.task_id: row.state for row in rows}
        assert len(states) == 38
        assert {name for name, state in states.items() if state not in OVER} <= people.left
        for name in people.left - {name for name, state in states.items() if state in OVER}:
            card = orch.channel.cards(name)[0]
            assert "*Blocked*" in card.state or "waiting for" in card.state, card.text
        assert sum(row.attempt for row in rows) > len(rows), "some attempts failed"
        await orch.books.agree()
        await _show_saving(orch)
