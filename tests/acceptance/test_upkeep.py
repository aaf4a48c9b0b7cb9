"""A quarter later: what grew is trimmed, once, and all that people look at is as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from dbos import DBOS
from sqlalchemy import func, select

from bot.store.tables import CallRow, InboxRow
from bot.workflows.office import utc_now
from bot.workflows.upkeep import Upkeep
from tests.acceptance.clock import MovableClock
from tests.acceptance.conversation import Orch, conversation


async def _rows(orch: Orch, table: type[CallRow] | type[InboxRow]) -> int:
    async with orch.office.db.read() as session:
        query = select(func.count()).select_from(table)
        return int(await session.scalar(query.where(CallRow.reply.is_not(None)) if table is CallRow else query) or 0)


def _branches(orch: Orch) -> list[str]:
    clone = orch.home / "repos" / "GRANTER.git"
    return orch.repo.git(f"--git-dir={clone}", "for-each-ref", "--format=%(refname:lstrip=3)", "refs/heads/").split()


async def test_what_grew_is_trimmed_and_nothing_else(tmp_path: Path, database_url: str) -> None:
    clock = MovableClock(utc_now())
    own_is_off = {"retention_days": 0}  # so that only the test says when
    async with conversation(tmp_path, database_url, now=clock, policy=own_is_off) as orch:
        upkeep = Upkeep(replace(orch.office, retention=timedelta(days=90)))
        await upkeep.look()  # the first look begins the clock
        merged = await orch.dev.assigns("Describe a in the documentation --files docs/a.md")
        await orch.channel.shows(merged, state="Awaiting approval")
        await orch.lead.clicks("Approve merge", on=merged)
        await orch.channel.shows(merged, state="Merged")
        stopped = await orch.dev.assigns("Describe b in the documentation --files docs/b.md")
        await orch.channel.shows(stopped, state="Awaiting approval")
        await orch.lead.clicks("Reject", on=stopped)
        await orch.lead.submits(reason="No")
        await orch.channel.shows(stopped, state="Rejected")
        left = await orch.dev.assigns("Describe c in the documentation --files docs/c.md")
        await orch.channel.shows(left, state="Awaiting approval")
        await orch.all_is_worked_on()

        clock.goes_on(days=89)
        await upkeep.look()
        assert (await _rows(orch, CallRow), _branches(orch)) == (6, [stopped, left])
        clock.goes_on(days=3)
        await upkeep.look()
        assert await _rows(orch, CallRow) == 2, "those of the open task"
        assert await _rows(orch, InboxRow) == 0
        assert _branches(orch) == [left]
        assert await DBOS.list_workflows_async(name="stage", load_input=False, load_output=False) == []

        await orch.dev.types(f"/orch why {merged}")
        await orch.dev.sees_privately("gemini approved it")
        await orch.lead.clicks("Approve merge", on=left)
        await orch.channel.shows(left, state="Merged")
        await orch.dev.types(f"/orch retry {stopped}")
        await orch.channel.shows(stopped, state="Awaiting approval")
        await orch.books.agree()
