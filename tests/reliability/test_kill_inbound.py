"""kill -9 in what is no stage: a reply in a thread being received, and the day's posts."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from bot.store.tables import InboxRow, ReplyRow, ScheduleRow, SlotRow
from tests.bot_settings import CHANNEL, DEVELOPER
from tests.reliability.bed import (
    PATIENCE,
    Bed,
    assert_every_task_is_merged_once,
    assert_everything_is_said_once,
    assert_nothing_is_paid_twice,
    bed,
    key_of,
)

WISHES = ("Write it in Portuguese, please", "Mention the index too, please")


async def test_killed_while_a_reply_is_received(tmp_path: Path) -> None:
    """Once when it was just received, once after the reaction that says it was read: each wish is kept, told once."""
    async with bed(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'home' / 'orch.db'}", latency=600.0, checks=()) as made:
        await made.start()
        await made.assign("Write documentation about replies --files docs/replies.md")
        await made.until_in_call()
        card = made.cards()[0]
        writing = asyncio.create_task(made.world.post_message(DEVELOPER, CHANNEL, WISHES[0], card.ts))
        await _until_row(made, select(InboxRow.key).where(InboxRow.kind == "reply"))
        await made.kill()
        await made.start()
        first = await writing
        await _until_read(made, first.ts)
        reactions = asyncio.create_task(made.until_api("reactions.add"))
        second = await made.world.post_message(DEVELOPER, CHANNEL, WISHES[1], card.ts)
        async with asyncio.timeout(PATIENCE):
            await reactions
        await _until_read(made, second.ts)  # what was seen may have been the first one's reaction
        await made.kill()
        made.faults.latency_seconds = 0.0
        await made.start()
        await made.finish()
        await made.stop()
        kept = await made.rows(select(ReplyRow).order_by(ReplyRow.id))
        assert [reply.text for reply in kept] == list(WISHES)
        assert all(reply.heard_attempt is not None for reply in kept)
        answered = [call for call in made.script.book if call.kind == "answer" and call.outcome == "answered"]
        assert all(answered[0].text.count(wish) == 1 for wish in WISHES)
        for ts in (first.ts, second.ts):
            shown = {each["name"]: each["count"] for each in made.world.message(CHANNEL, ts).reactions}  # type: ignore[union-attr]
            assert shown["eyes"] == 1, shown
        await assert_nothing_is_paid_twice(made)
        await assert_every_task_is_merged_once(made)


async def _until_read(made: Bed, ts: str | None) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await made.rows(select(ReplyRow.id).where(ReplyRow.ts == ts)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_killed_while_the_posts_of_the_day_are_made(tmp_path: Path) -> None:
    """R-DAY: killed when a post was begun, and when Slack had it but Orch did not know yet: each comes exactly once."""
    async with bed(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'home' / 'orch.db'}", latency=0.0) as made:
        _every_day(tmp_path / "orch.json")
        await made.start()
        await _until_row(made, select(ScheduleRow.project))
        await made.stop()
        async with made.db.begin() as session:  # it was away since yesterday
            await session.execute(update(ScheduleRow).values(looked_until=datetime.now(UTC) - timedelta(hours=24)))
        await made.start(wait=False)
        await _until_row(made, select(SlotRow.kind).where(SlotRow.state == "started"))
        await made.kill()
        await _minutes_pass(made)
        posted = asyncio.create_task(made.until_api("chat.postMessage"))
        await made.start(wait=False)
        async with asyncio.timeout(PATIENCE):
            await posted
        await made.kill()
        await _minutes_pass(made)
        await made.start()
        async with asyncio.timeout(PATIENCE):
            while not await _all_posts_are_there(made):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await made.stop())[0] == 0
        slots = await made.rows(select(SlotRow).order_by(SlotRow.at))
        assert {"morning", "midday", "evening"} <= {slot.kind for slot in slots}
        assert {slot.state for slot in slots} == {"posted"}
        said = Counter(key_of(m) for m in made.world.log if key_of(m).startswith("standup/"))
        assert {key: n for key, n in said.items() if n > 1} == {}
        assert {f"standup/GRANTER/{slot.day}/{slot.kind}" for slot in slots if slot.kind != "weekly"} <= set(said)
        await assert_everything_is_said_once(made)


def _every_day(config: Path) -> None:
    """Every day is worked on, and no post is too late."""
    told = json.loads(config.read_text()) | {"schedule": {"grace_minutes": 10_000}}
    told["projects"][0]["working_days"] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    config.write_text(json.dumps(told))


async def _minutes_pass(made: Bed) -> None:
    """What was started counts as lost two minutes later; the test does not wait for them."""
    async with made.db.begin() as session:
        before = datetime.now(UTC) - timedelta(minutes=3)
        await session.execute(update(SlotRow).where(SlotRow.state == "started").values(started_at=before))


async def _until_row(made: Bed, query: object) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await made.rows(query):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def _all_posts_are_there(made: Bed) -> bool:
    slots = await made.rows(select(SlotRow.state))
    return set(slots) == {"posted"} and await made.mail_is_sent()
