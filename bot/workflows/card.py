"""The facts that a task's card shows, read in one session. What it looks like is templates/cards/task.json.j2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import may_need_approval, shortage
from bot.domain.calls import Verdict
from bot.domain.card import OFFERED, RETRY, TO_OPUS, buttons
from bot.domain.escalation import proposed_in
from bot.store import blockers as store
from bot.store import ledger, tasks, verdicts
from bot.store.parts import parts_of
from bot.store.tables import CallRow, TaskRow
from bot.workflows.batch import is_in_batch
from bot.workflows.office import Office

#: What the calls are for whose model is shown as the one that did the work.
WORK = frozenset({"edit", "repair", "report"})


async def card_facts(office: Office, session: AsyncSession, pk: int) -> dict[str, Any]:
    """Everything the card template names."""
    row = await session.get_one(TaskRow, pk)
    task = tasks.as_task(row)
    offered = OFFERED[task.state]  # nothing else is asked for
    proposed = proposed_in((await tasks.standing_event(session, row)).detail) if TO_OPUS in offered else None
    was_split = RETRY in offered and bool(await parts_of(session, row))
    calls = await ledger.calls_of(session, pk)
    attempt_calls = [call for call in calls if call.attempt == row.attempt and call.purpose in ("edit", "repair")]
    in_batch = is_in_batch(row)
    review = await verdicts.newest_review(session, pk)
    project = office.projects.get(row.project)  # a card outlives its project's place in the configuration
    return {
        "row": row,
        "seen": (await tasks.newest_event(session, pk)).detail.get("seen") if row.state == "done" else None,
        "task": task,
        "proposed": proposed,
        "buttons": buttons(task, proposed=proposed, was_split=was_split, in_batch=in_batch),
        **_spent(calls),
        "attempt_tokens": sum(c.reserved_tokens if c.state in ledger.OPEN else c.used_tokens for c in attempt_calls),
        "answered_by": _who_answered(calls, row),
        "checkable": bool(row.checks or (project and project.checks)),
        "checks": await verdicts.checks_of(session, pk, row.merge_commit or row.head_commit),
        "review": review if review and review.head_commit == row.head_commit else None,
        "verdict": Verdict.model_validate(review.verdict) if review and review.verdict else None,
        "approved_by": tuple(await verdicts.approvals(session, pk)),
        "shortage": shortage(project.team, task) if project and may_need_approval(task) else None,
        "blockers": [(each, store.told_of(each)) for each in await store.of_task(session, pk)],
        "branch": project.branch if project else "its branch",
    }


def _who_answered(calls: Sequence[CallRow], row: TaskRow) -> str | None:
    """The model that did the work last, in this attempt or at its rung: beside a new rung the old one's is wrong."""
    mine = [call for call in calls if call.attempt == row.attempt or call.rung == row.route["rung"]]
    return next((c.answered_by for c in reversed(mine) if c.answered_by and c.purpose in WORK), None)


def _spent(calls: Sequence[CallRow]) -> dict[str, int]:
    """Tokens and micro-dollars: used, reserved by what is under way, and charged in full since nobody knows."""
    held = [call for call in calls if call.state in ledger.OPEN]
    return {
        "tokens": sum(call.used_tokens for call in calls if call not in held),
        "cost": sum(call.cost_microusd for call in calls if call not in held),
        "reserved_tokens": sum(call.reserved_tokens for call in held),
        "reserved_cost": sum(call.reserved_microusd for call in held),
        "unknown_tokens": sum(call.used_tokens for call in calls if call.state == "unknown"),
    }
