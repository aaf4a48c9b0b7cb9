"""What people said of a commit, counted once each."""

from __future__ import annotations

from datetime import timedelta

from bot.store import verdicts
from bot.store.database import Database
from tests.store.samples import NOW, created


async def test_an_approval_counts_once_a_person_and_again_after_it_was_voided(database: Database) -> None:
    row = await created(database, head_commit="c" * 40)
    async with database.begin() as session:
        assert await verdicts.approve(session, row, "U0LEAD", NOW)
        assert not await verdicts.approve(session, row, "U0LEAD", NOW)
        assert await verdicts.approvals(session, row.pk) == {"U0LEAD": "c" * 40}
        assert await verdicts.void_approvals(session, row.pk, NOW) == 1
        assert await verdicts.approvals(session, row.pk) == {}
    async with database.begin() as session:
        assert await verdicts.approve(session, row, "U0LEAD", NOW + timedelta(minutes=1))
        assert await verdicts.approvals(session, row.pk) == {"U0LEAD": "c" * 40}
