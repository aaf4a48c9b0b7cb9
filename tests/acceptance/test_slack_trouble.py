"""When Slack itself is slow, forgets, refuses or goes away."""

from __future__ import annotations

import asyncio

import pytest

from tests.acceptance.card import CHANNEL
from tests.acceptance.conftest import Starting
from tests.acceptance.conversation import Orch, conversation
from tests.acceptance.models import HAIKU, Reply


@pytest.mark.parametrize("after_effect", [True, False], ids=["its answer is lost", "it fails"])
async def test_a_card_is_posted_once(orch_on_each: Orch, after_effect: bool) -> None:
    orch = orch_on_each
    orch.world.faults.fail("chat.postMessage", "internal_error", status=500, after_effect=after_effect)
    task = await orch.dev.assigns("Document a --files docs/a.md")
    await orch.channel.shows(task, state="Awaiting approval")
    await orch.channel.thread_shows(task, "Ready for approval")
    assert len(orch.channel.cards(task)) == 1


async def test_a_card_that_somebody_deleted_comes_back_with_the_next_change(orch: Orch) -> None:
    task = await orch.dev.assigns("Document a --files docs/a.md")
    await orch.channel.shows(task, state="Awaiting approval")
    await orch.channel.thread_shows(task, "Ready for approval")
    (old,) = orch.channel.cards(task)
    orch.world.remove(next(m for m in orch.world.messages(CHANNEL) if m.ts == old.message.ts))
    assert orch.channel.cards(task) == []
    await orch.lead.types(f"/orch block {task} Wait for the lawyers")
    card = await orch.channel.shows(task, "Wait for the lawyers", state="Blocked")
    assert card.message.ts != old.message.ts
    await orch.lead.replies("unblock", to=task)
    await orch.channel.shows(task, state="Awaiting approval")
    await orch.lead.clicks("Approve merge", on=task)
    await orch.channel.shows(task, state="Merged")
    await orch.channel.thread_shows(task, "Merged")  # the thread begins anew below it


async def test_a_thread_says_everything_once(orch: Orch) -> None:
    orch.models.answer(Reply(delay_seconds=1.0, text="BEYOND: me"), model=HAIKU)
    task = await orch.dev.assigns("Document a --files docs/a.md")
    await orch.channel.shows(task)
    orch.world.faults.fail("chat.postMessage", "fatal_error", after_effect=True)
    orch.world.faults.fail("chat.update", "ratelimited", status=429, retry_after=1, times=2)
    await orch.channel.shows(task, state="Awaiting approval")
    await orch.channel.thread_shows(task, "Ready for approval")
    await orch.until(lambda: orch.channel.threads_files(task), "the diff")
    said = [message.text for message in orch.channel.thread(task) if message.text]
    assert len(said) == len(set(said)), said


async def test_the_socket_comes_and_goes(orch: Orch) -> None:
    task = await orch.dev.assigns("Document a --files docs/a.md")
    await orch.world.faults.disconnect()
    await orch.world.app_connected()
    await orch.channel.shows(task, state="Awaiting approval")
    orch.world.faults.abort()
    await orch.world.app_connected()
    await orch.lead.clicks("Approve merge", on=task)
    await orch.channel.shows(task, state="Merged")
    await orch.books.agree()


async def test_a_form_that_slack_gives_no_time_for(orch: Orch) -> None:
    orch.world.faults.fail("views.open", "expired_trigger_id")
    await orch.dev.types("/orch assign")
    await orch.dev.sees_privately("too little time to open the form", "try again")
    await orch.dev.types("/orch assign")
    await orch.dev.form()

    task = await orch.two.assigns("Document a --files docs/a.md")
    await orch.channel.shows(task, state="Awaiting approval")
    orch.world.faults.fail("views.open", "trigger_expired")
    await orch.two.clicks("Request changes", on=task)
    await orch.two.sees_privately("too little time to open the form")


async def test_a_command_is_kept_until_slack_says_who_someone_is(orch: Orch) -> None:
    orch.world.faults.fail("users.info", "internal_error")
    said = await orch.dev.types("/orch assign Document a --files docs/a.md")
    assert said.acked
    await orch.outsider.types("/orch list")
    await orch.outsider.sees_privately("GRANTER")
    await orch.dev.sees_privately("*S0-D0-1* is queued")  # within seconds, and without being asked again
    assert await orch.tasks() == ["S0-D0-1"]


async def test_a_response_url_that_is_dead(orch: Orch) -> None:
    orch.world.clock = _later(orch.world.clock)
    await orch.dev.types("/orch help")
    await orch.dev.sees_privately("gives coding tasks")


async def test_slow_answers_of_slack_lose_nothing(orch: Orch) -> None:
    orch.world.faults.api_delay = 0.3
    said = await asyncio.gather(*(orch.dev.types(f"/orch assign Document {n} --files docs/{n}.md") for n in range(4)))
    assert all(delivery.acked for delivery in said)
    for number in range(1, 5):
        await orch.channel.shows(f"S0-D0-{number}", state="Awaiting approval")
    await orch.books.agree()


async def test_the_main_job_over_http(starting: Starting) -> None:
    async with starting(http=True) as orch:
        task = await orch.dev.assigns("Document a --files docs/a.md")
        old_card = await orch.channel.shows(task, state="Awaiting approval")
        await orch.two.clicks("Request changes", on=task)
        await orch.two.submits(reason="Say more")
        await orch.channel.shows(task, state="Awaiting approval", new_since=old_card)
        await orch.lead.clicks("Approve merge", on=task)
        await orch.channel.shows(task, state="Merged")
        (first, *_) = orch.world.faults.signed_requests
        assert await orch.world.faults.replay(first) in (200, 401)
        assert len(await orch.tasks()) == 1


async def test_everything_is_still_there_after_a_restart(tmp_path, database_url: str) -> None:  # type: ignore[no-untyped-def]
    slack = tmp_path / "slack.json"
    async with conversation(tmp_path, database_url, slack=slack) as orch:
        task = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(task, state="Awaiting approval")
        await orch.channel.thread_shows(task, "Ready for approval")
    async with conversation(tmp_path, database_url, slack=slack) as orch:
        await orch.lead.clicks("Approve merge", on=task)
        card = await orch.channel.shows(task, state="Merged")
        assert orch.repo.head[:10] in card.state
        assert (await orch.row(task)).attempt == 1


def _later(clock):  # type: ignore[no-untyped-def]
    """A clock on which every second look is an hour on: what was just given out has expired when it is used."""
    looks = iter(range(10**9))
    return lambda: clock() + 3600.0 * next(looks)
