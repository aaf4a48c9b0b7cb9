"""The plan's messages, in and out: R-MSG-1, R-MSG-2, R-MSG-3, R-MSG-6."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.acceptance.conftest import Starting
from tests.acceptance.conversation import Orch
from tests.acceptance.exports import exported
from tests.acceptance.models import Reply
from tests.acceptance.sprints import TEAM, keep_plan, load, merge, start

ASSIGNMENT = {
    "task_id": "S1-D1-1", "sprint": 1, "day": 1, "mcp_assignment": "claude-bridge", "model": "haiku",
    "prompt": "Setup Turbo monorepo in package.json", "token_budget": 2000, "priority": "critical",
    "blockers_if_fail": ["S1-D1-2"], "success_criteria": ["docker compose up"], "deadline": "2031-02-03 10:30",
    "assigned_to": "human-dev-1",
}  # fmt: skip
FIELDS = {
    "assignment": list(ASSIGNMENT),
    "status": ["task_id", "status", "tokens_used", "quality_score", "issues", "completedAt", "next_task_id",
               "ready_for_review"],
    "alert": ["alert_type", "task_id", "reason", "recommended_escalation", "timestamp", "action_required", "priority"],
}  # fmt: skip


async def lines_of(orch: Orch, capsys: pytest.CaptureFixture[str], what: str = "events", **more: Any) -> list[Any]:
    return [json.loads(line) for line in (await exported(orch, capsys, what, **more)).splitlines()]


async def test_an_assignment_in_json_makes_the_task(starting: Starting) -> None:
    """R-MSG-1: by command, with every field; R-MSG-4: its id is its own."""
    async with starting(project=TEAM) as orch:
        await orch.dev.types(f"/orch assign {json.dumps(ASSIGNMENT)}")
        await orch.dev.sees_privately("*S1-D1-1* is queued for haiku", "S1-D1-2 will wait for it")
        row = await orch.row("S1-D1-1")
        assert (row.sprint, row.day, row.number, row.priority, row.token_budget) == (1, 1, 1, "critical", 2000)
        assert (row.text, row.criteria) == ("Setup Turbo monorepo in package.json", ["docker compose up"])
        assert (row.owner, row.requester) == ("U0DEV", "U0DEV")
        assert row.deadline is not None and row.deadline.isoformat() == "2031-02-03T10:30:00+00:00"

        told = (await orch.events("S1-D1-1"))[0].detail["message"]
        assert list(told) == FIELDS["assignment"] and told == ASSIGNMENT

        await orch.two.types(f"/orch assign {json.dumps(ASSIGNMENT)}")
        await orch.two.sees_privately("There is a task S1-D1-1 in GRANTER already; it was left as it is")
        again = {**ASSIGNMENT, "task_id": "S1-D1-2", "blockers_if_fail": ["S1-D1-1"]}
        await orch.two.types(f"/orch assign {json.dumps(again)}")
        after = {**ASSIGNMENT, "task_id": "S1-D1-3", "blockers_if_fail": [], "assigned_to": "nobody-1"}
        await orch.two.types(f"/orch assign ```{json.dumps(after, indent=1)}```")
        await orch.two.sees_privately("*S1-D1-3* is queued", "Nobody in GRANTER is called nobody-1, so it is yours")
        await orch.two.types("/orch assign " + json.dumps({**ASSIGNMENT, "task_id": "S9-D1-1", "priority": "hihg"}))
        await orch.two.sees_privately("priority: `hihg`", "high")
        await orch.two.types('/orch assign Answer {"task_id": 1} from the status page in docs/api.md')
        await orch.two.sees_privately("*S0-D0-1* is queued")


async def test_tasks_that_wait_by_blockers_if_fail(starting: Starting) -> None:
    """R-PAR-3: whoever comes first; a circle is refused and nothing of it is kept."""
    async with starting(project=TEAM) as orch:
        await orch.dev.writes_to_orch(json.dumps(ASSIGNMENT))
        await orch.dev.gets("*S1-D1-1* is queued")
        later = {**ASSIGNMENT, "task_id": "S1-D1-2", "blockers_if_fail": [], "prompt": "Write docs/two.md"}
        await orch.dev.writes_to_orch(f"Please: ```{json.dumps(later)}```")
        await orch.dev.gets("*S1-D1-2* is queued")
        assert (await orch.row("S1-D1-2")).after == ["S1-D1-1"]
        third = {**later, "task_id": "S1-D1-3", "blockers_if_fail": ["S1-D1-1", "S1-D1-2"]}
        await orch.dev.writes_to_orch(json.dumps(third))
        await orch.dev.gets("*S1-D1-3* is queued")
        assert "S1-D1-3" in (await orch.row("S1-D1-2")).after
        circle = {**later, "task_id": "S1-D1-4", "after": ["S1-D1-2"], "blockers_if_fail": ["S1-D1-2"]}
        await orch.dev.writes_to_orch(json.dumps(circle))
        await orch.dev.gets("circle", "S1-D1-2", "S1-D1-4")
        assert "S1-D1-4" not in await orch.tasks()


async def test_what_comes_out_is_what_happened(starting: Starting, capsys: pytest.CaptureFixture[str]) -> None:
    """R-MSG-2, R-MSG-3, R-MSG-6: in the log, on the cards, and by `orch export events`."""
    async with starting(project=TEAM) as orch:
        keep_plan(orch)
        await load(orch)
        for model in ("haiku", "sonnet"):
            orch.models.always(Reply(status=400, error="no"), model=model)
        await start(orch, 0)
        await orch.channel.shows("S0-D1-1", state="Blocked")
        await orch.until(lambda: "alert" in _payload(orch), "the alert with the card")
        assert list(_payload(orch)["alert"]) == FIELDS["alert"]
        orch.models.script.clear()
        await orch.lead.clicks("Retry", on="S0-D1-1")
        await merge(orch, "S0-D1-1")
        await orch.until(lambda: _payload(orch)["message"].get("status") == "completed", "the end with the card")

        before = {event.id for task in await orch.tasks() for event in await orch.events(task)}
        lines = await lines_of(orch, capsys)  # the next task goes on meanwhile
        ids = [line["id"] for line in lines]
        assert ids == sorted(ids) and before <= set(ids)
        mine = [line for line in lines if line["task_id"] == "S0-D1-1"]
        assert list(mine[0]["message"]) == FIELDS["assignment"]
        assert mine[0]["message"]["blockers_if_fail"] == ["S0-D1-2"]
        assert mine[0]["message"]["assigned_to"] == "human-dev-1"
        told = [line["message"] for line in mine[1:] if line["message"]]
        assert all(list(message) == FIELDS["status"] for message in told)
        statuses = [message["status"] for message in told]
        assert set(statuses) == {"in_progress", "blocked", "queued", "completed"}
        assert (statuses[0], statuses[-1]) == ("in_progress", "completed")
        (alert,) = [line["alert"] for line in mine if line["alert"] and line["kind"] == "blocked"]
        assert alert["alert_type"] == "blocker" and alert["action_required"] is True
        end = told[-1]
        assert end["next_task_id"] == "S0-D1-2" and end["completedAt"] and end["quality_score"] == 8.5
        ledger = await lines_of(orch, capsys, "ledger")
        assert end["tokens_used"] == sum(c["used_tokens"] for c in ledger if c["task_id"] == "S0-D1-1") > 0

        bare = await lines_of(orch, capsys, messages=True)
        assert mine[0]["message"] in bare and alert in bare and all("kind" not in line for line in bare)
        assert await lines_of(orch, capsys, first="2031-01-01") == []


def _payload(orch: Orch, task: str = "S0-D1-1") -> dict[str, Any]:
    """What the task's card carries for programs."""
    (card,) = orch.channel.cards(task)
    metadata = card.message.metadata or {}
    assert metadata["event_type"] == "orch" and metadata["event_payload"]["key"] == f"card/GRANTER/{task}"
    return dict(metadata["event_payload"])
