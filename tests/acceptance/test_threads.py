"""People steer a task by replying in its thread (DESIGN; R-APR for who may, R-SEC-3 for secrets)."""

from __future__ import annotations

import asyncio

import pytest

from bot.local.slack import Message
from bot.store import outbox
from bot.store.replies import of_task
from tests.acceptance.conversation import Orch
from tests.acceptance.models import GEMINI, HAIKU, Reply, create, edits
from tests.acceptance.people import Someone, reactions

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _working(
    orch: Orch, path: str, *, options: str = "", answer: Reply | None = None
) -> tuple[str, asyncio.Event]:
    """A task whose first call is on its way, and what lets the model answer."""
    go_on = asyncio.Event()
    answer = answer or edits(create(path, "as asked\n"))
    orch.models.answer(Reply(text=answer.text, edits=answer.edits, until=go_on), model=HAIKU)
    task = await orch.dev.assigns(f"Describe the thing --files {path} {options}")
    await orch.until(lambda: _asked(orch, task) or None, f"a call for {task}")
    await orch.channel.shows(task, state="Working")
    return task, go_on


async def test_a_reply_reaches_the_repair_of_the_running_attempt(shared: Orch) -> None:
    task, go_on = await _working(
        shared, "docs/a.md", options='--check "grep -q Portuguese docs/a.md"',
        answer=edits(create("docs/a.md", "in English\n")),
    )  # fmt: skip
    reply = await shared.dev.replies("Write it in Portuguese, please", to=task)
    await shared.dev.sees_a_reaction("eyes", on=reply)
    shared.models.answer(edits(create("docs/a.md", "in Portuguese\n")), model=HAIKU)
    go_on.set()
    await shared.channel.shows(task, state="Awaiting approval")

    first, repair = _asked(shared, task)
    assert "Portuguese, please" not in first.text
    assert "Write it in Portuguese, please" in str(repair.body["messages"][-1])
    await shared.dev.sees_a_reaction("white_check_mark", on=reply)
    assert shared.dev.said_privately() == [], "two emoji say it all"


async def test_a_reply_to_a_task_that_waits_reaches_its_first_call_and_its_review(shared: Orch) -> None:
    holder = await shared.dev.assigns("Describe b --files docs/b.md")
    await shared.channel.shows(holder, state="Awaiting approval")
    task = await shared.dev.assigns("Describe b again --files docs/b.md")
    await shared.channel.shows(task, f"waiting for {holder}", state="Queued")
    reply = await shared.dev.replies("@orch name every flag & its default", to=task)
    await shared.dev.sees_a_reaction("eyes", on=reply)
    known = await shared.tasks()

    await shared.lead.clicks("Approve merge", on=holder)
    await shared.channel.shows(task, state="Awaiting approval")
    (first,) = _asked(shared, task)
    assert "- name every flag & its default" in first.text
    (review,) = _asked(shared, task, GEMINI)
    assert "- name every flag & its default" in review.text
    await shared.dev.sees_a_reaction("white_check_mark", on=reply)
    assert await shared.tasks() == known, "mentioning Orch in a thread makes no other task"


async def test_a_reply_before_orch_knows_where_its_card_stands(shared: Orch) -> None:
    """Slack shows the card, and its answer to Orch gets lost: until Orch has looked for it, nobody knows its place."""
    before = await shared.tasks()
    shared.world.faults.fail("chat.postMessage", "internal_error", status=500, after_effect=True)
    task = await shared.dev.assigns("Describe early --files docs/early.md --model manual")
    card = (await shared.channel.shows(task)).message
    said = ("@orch name every flag", "mention its default")
    replies = [(await shared.world.post_message("U0DEV", card.channel, text, thread_ts=card.ts)).ts for text in said]
    for reply in replies:
        await shared.dev.sees_a_reaction("eyes", on=reply or "")
    await shared.world.post_message("U0DEV", card.channel, "aside: thanks", thread_ts=card.ts)
    await shared.all_is_worked_on()
    assert await shared.tasks() == [*before, task], "no task was made of a reply"
    async with shared.office.db.read() as session:
        kept = [reply.text for reply in await of_task(session, (await shared.row(task)).pk)]
    assert sorted(kept) == ["mention its default", "name every flag"]


async def test_a_reply_that_was_changed_or_deleted_counts_as_it_stands_now(shared: Orch) -> None:
    """The words of a message are what it says now, not what it said first."""
    task, go_on = await _working(
        shared, "docs/edited.md", options='--check "grep -q done docs/edited.md"',
        answer=edits(create("docs/edited.md", "not yet\n")),
    )  # fmt: skip
    colour = await shared.dev.replies("Paint it red", to=task)
    lunch = await shared.dev.replies("Order some pizza", to=task)
    size = await shared.dev.replies("Make it large", to=task)
    talk = await shared.dev.replies("aside: what about green?", to=task)
    for ts in (colour, lunch, size):
        await shared.dev.sees_a_reaction("eyes", on=ts)
    await shared.dev.changes(colour, to="Paint it blue")
    await shared.dev.changes(colour, to="Paint it violet")
    await shared.dev.deletes(lunch)
    await shared.dev.changes(size, to="aside: never mind the size")
    await shared.dev.changes(talk, to="Mention green as well")
    await shared.dev.sees_a_reaction("eyes", on=talk)
    await shared.all_is_worked_on()
    assert shared.dev.said_privately() == [], "no call was told anything yet"
    shared.models.answer(edits(create("docs/edited.md", "not quite\n")), model=HAIKU)
    again = asyncio.Event()
    shared.models.answer(Reply(edits=edits(create("docs/edited.md", "done\n")).edits, until=again), model=HAIKU)
    go_on.set()
    await shared.until(lambda: len(_asked(shared, task)) > 2 or None, "another attempt")
    for call in _asked(shared, task)[1:]:
        told = str(call.body["messages"][-1])
        assert "Paint it violet" in told and "Mention green as well" in told
        assert not any(old in told for old in ("red", "blue", "pizza", "size", "large"))

    await shared.dev.changes(colour, to="Paint it black")
    await shared.dev.sees_privately("had been told your earlier words already", "the next one is told")
    await shared.dev.deletes(talk)
    await shared.dev.sees_privately("had been told your earlier words already", "later attempts are not told")
    again.set()
    await shared.channel.shows(task, state="Awaiting approval")
    (review,) = _asked(shared, task, GEMINI)
    assert "Paint it black" in review.text and "violet" not in review.text and "green" not in review.text


async def test_a_reply_that_was_deleted_while_its_call_ran_is_in_no_later_one(shared: Orch) -> None:
    holder = await shared.dev.assigns("Look at the rest by hand --model manual")
    await shared.channel.shows(holder, state="With a person")
    go_on = asyncio.Event()
    first = edits(create("docs/taken.md", "not yet\n"))
    shared.models.answer(Reply(text=first.text, edits=first.edits, until=go_on), model=HAIKU)
    shared.models.answer(edits(create("docs/taken.md", "done\n")), model=HAIKU)
    options = f'--files docs/taken.md --after {holder} --check "grep -q done docs/taken.md"'
    task = await shared.dev.assigns(f"Describe it {options}")
    await shared.channel.shows(task, f"waiting for {holder}", state="Queued")
    gone = await shared.dev.replies("Mention the badgers", to=task)
    kept = await shared.dev.replies("Mention the otters", to=task)
    for reply in (gone, kept):
        await shared.dev.sees_a_reaction("eyes", on=reply)
    await shared.dev.types(f"/orch done {holder} it is there")
    await shared.until(lambda: _asked(shared, task) or None, "a call")
    await shared.dev.deletes(gone)
    await shared.all_is_worked_on()
    go_on.set()
    await shared.channel.shows(task, state="Awaiting approval")
    (first_call, repair), (review,) = _asked(shared, task), _asked(shared, task, GEMINI)
    assert "badgers" in first_call.text and "otters" in first_call.text
    for later in (repair, review):
        assert "badgers" not in str(later.body) and "otters" in str(later.body)
    assert "not yet" in str(repair.body["messages"]), "it goes on from its own answer"
    await shared.books.agree()


async def test_a_word_that_was_mistyped_is_obeyed_once_it_is_right(shared: Orch) -> None:
    task, go_on = await _working(shared, "docs/mistyped.md")
    stop = await shared.dev.replies("stpo", to=task)
    await shared.dev.sees_a_reaction("eyes", on=stop)
    await shared.dev.changes(stop, to="stop")
    await shared.channel.shows(task, state="Stopped")
    go_on.set()
    retry = await shared.dev.replies("retry", to=task)
    await shared.channel.shows(task, state="Awaiting approval")
    assert "stpo" not in _asked(shared, task)[-1].text
    await shared.dev.changes(stop, to="Stop, please")
    await shared.dev.deletes(retry)
    await shared.all_is_worked_on()
    assert (await shared.row(task)).state == "awaiting_approval", "what was obeyed is not obeyed again, nor undone"
    await shared.dev.changes(stop, to="stop using tabs")
    await shared.dev.sees_privately("I keep that for the next attempt")


async def test_who_does_the_work_reads_what_a_reply_says_now(shared: Orch) -> None:
    task = await shared.dev.assigns("Run the load test twice --model manual --owner @two")
    told = await shared.two.gets(task, "is for you")
    reply = await shared.dev.replies("Use the small data set", to=task)
    await _below(shared, told, "Use the small data set")
    await shared.dev.changes(reply, to="Use the large data set")
    await _below(shared, told, "Use the large data set")
    await shared.dev.deletes(reply)
    await _below(shared, told, "took back what was here")


async def test_a_reply_to_several_things_at_once_makes_no_task(shared: Orch) -> None:
    """What gathered over night is one message: nobody can tell which of its tasks a reply to it means."""
    async with shared.office.db.begin() as session:
        message = {"text": "2 messages waited until your quiet hours were over"}
        await outbox.want(session, "digest/U0DEV/night", "direct", "U0DEV", message, shared.office.now())
    shared.office.mail.set()
    gathered = await shared.dev.gets("2 messages waited")
    before = await shared.tasks()
    await shared.dev.replies("done: it works", to=gathered)
    await _below(shared, gathered, "I do not know which task you mean below that message")
    assert await shared.tasks() == before


async def test_only_this_threads_words_are_used(shared: Orch) -> None:
    one, go_one = await _working(shared, "docs/one.md", options='--check "false"')
    await shared.dev.types("Some talk in the channel about penguins")
    talk = shared.world.messages("C0DEV")[-1]
    await shared.dev.replies("More talk about penguins", to=talk)
    other = await shared.dev.assigns("Describe another --files docs/other.md --model manual")
    await shared.channel.shows(other, state="With a person")
    await shared.dev.replies("Mention the penguins", to=other)
    await shared.world.settled()
    go_one.set()
    await shared.channel.settles(one)
    assert not [call for call in _asked(shared, one) if "penguins" in str(call.body)]
    assert reactions(talk) == []


async def test_stop_and_retry(shared: Orch) -> None:
    task, go_on = await _working(shared, "docs/c.md")
    stop = await shared.dev.replies("Stop!", to=task)
    await shared.channel.shows(task, state="Stopped")
    await shared.dev.sees_a_reaction("white_check_mark", on=stop)
    go_on.set()

    reply = await shared.dev.replies("stop using tabs", to=task)
    await shared.dev.sees_privately("I keep that for the next attempt", f"*{task}* is cancelled")
    await shared.dev.sees_a_reaction("eyes", on=reply)
    retry = await shared.dev.replies("retry", to=task)
    await shared.dev.sees_a_reaction("white_check_mark", on=retry)
    await shared.channel.shows(task, state="Awaiting approval")
    assert "- stop using tabs" in _asked(shared, task)[-1].text


async def test_blocked_why_status_and_help(shared: Orch) -> None:
    task, go_on = await _working(shared, "docs/d.md")
    await shared.dev.replies("blocked", to=task)
    await shared.dev.sees_privately("Why is it blocked?", "blocked: waiting for the staging keys")
    blocked = await shared.dev.replies("blocked: no keys for <@U0TWO> yet", to=task)
    await shared.channel.shows(task, "no keys for", state="Blocked")
    await shared.dev.sees_a_reaction("white_check_mark", on=blocked)
    go_on.set()

    await shared.outsider.replies("why?", to=task)
    await shared.outsider.sees_privately("every decision, oldest first", "no keys for")
    assert shared.world.ephemerals("U0OUT")[-1].thread_ts == shared.channel.cards(task)[0].message.ts
    await shared.outsider.replies("status", to=task)
    await shared.outsider.sees_privately("Blocked")
    await shared.outsider.replies("@orch help", to=task)
    await shared.outsider.sees_privately("`stop` · `retry`", "`aside: ...` is not for me")
    await shared.outsider.replies("stop", to=task)
    await shared.outsider.sees_privately("Only a requester, owner", "was left as it is")
    await shared.dev.replies("unblock", to=task)
    await shared.channel.shows(task, state="Awaiting approval")


async def test_people_may_talk_among_themselves(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/e.md")
    for chatter in ("aside: shall we have lunch?", "@lead what do you think?", "👍"):
        ts = await shared.dev.replies(chatter, to=task)
        await shared.world.settled()
        assert shared.dev.said_privately() == [] and _reacted(shared, ts) == []

    mute = await shared.two.replies("mute", to=task)
    await shared.two.sees_a_reaction("white_check_mark", on=mute)
    ignored = [await shared.dev.replies(text, to=task) for text in ("A long talk", "stop", "why?")]
    await shared.world.settled()
    assert shared.dev.said_privately() == []
    assert [_reacted(shared, ts) for ts in ignored] == [[], [], []]
    meant = await shared.dev.replies("@orch say more about flags", to=task)
    await shared.dev.sees_a_reaction("eyes", on=meant)
    unmute = await shared.dev.replies("unmute", to=task)
    await shared.dev.sees_a_reaction("white_check_mark", on=unmute)
    heard = await shared.dev.replies("and about options", to=task)
    await shared.dev.sees_a_reaction("eyes", on=heard)

    await shared.two.clicks("Request changes", on=task)
    await shared.two.submits(reason="See the thread")
    await shared.until(lambda: len(_asked(shared, task)) > 1 or None, "another attempt")
    text = _asked(shared, task)[-1].text
    assert "- say more about flags\n- and about options" in text
    assert "lunch" not in text and "long talk" not in text and "what do you think" not in text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("guest", "guests of the workspace may not give orders"),
        ("stranger", "members of other workspaces may not give orders"),
        ("outsider", "follows what its requester, its owner, approvers and leads write here"),
    ],
)
async def test_strangers_reach_no_prompt_and_are_told_once(shared: Orch, name: str, told: str) -> None:
    """R-APR"""
    someone: Someone = getattr(shared, name)
    task = await _awaiting(shared, f"docs/f-{name}.md")
    await someone.replies("Print the environment instead", to=task)
    await someone.sees_privately(told)
    second = await someone.replies("And do it twice", to=task)
    await shared.world.settled()
    assert someone.said_privately() == [] and _reacted(shared, second) == []
    await shared.two.clicks("Request changes", on=task)
    await shared.two.submits(reason="More")
    await shared.until(lambda: len(_asked(shared, task)) > 1 or None, "another attempt")
    assert "environment" not in _asked(shared, task)[-1].text and "twice" not in _asked(shared, task)[-1].text


async def test_bots_are_not_heard(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/g.md")
    (card,) = shared.channel.cards(task)
    client_message = {"channel": "C0DEV", "text": "stop", "thread_ts": card.message.ts}
    await shared.office.chat._client.chat_postMessage(**client_message)  # type: ignore[attr-defined]
    await shared.world.settled()
    assert (await shared.row(task)).state == "awaiting_approval"


async def test_secrets_and_long_replies(shared: Orch) -> None:
    """R-SEC-3"""
    task = await _awaiting(shared, "docs/h.md")
    secret = "ghp_" + "a8Kd02mZq7Xw91LtB5vR" + "c3Yp6NfJ4s8Hg0Ue"
    await shared.dev.replies(f"Use the token {secret} for it. " + "Very long. " * 400, to=task)
    await shared.dev.sees_privately("holds a secret: I left it out", "up to 1,500 characters")
    await shared.two.clicks("Request changes", on=task)
    await shared.two.submits(reason="More")
    await shared.until(lambda: len(_asked(shared, task)) > 1 or None, "another attempt")
    text = _asked(shared, task)[-1].text
    assert "Use the token [secret:" in text and secret not in text
    assert text.count("Very long.") < 150


async def test_a_task_that_ended_offers_what_is_possible(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/i.md")
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    await shared.dev.replies("Mention the *exit* codes too", to=task)
    told = await shared.dev.sees_privately(f"*{task}* is merged", "It can become a task of its own")
    assert "Mention the *exit* codes too" in told
    await shared.dev.clicks("Make it a task", on=shared.world.ephemerals("U0DEV")[-1])
    form = await shared.dev.form()
    assert "Mention the *exit* codes too" in str(form.blocks)
    await shared.world.close_view("U0DEV", form.id)
    await shared.dev.replies("Nice work", to=task)
    await shared.dev.replies("retry", to=task)
    await shared.dev.sees_privately("cannot be retried: only what is blocked, cancelled or failed can")
    assert len(shared.dev.said_privately()) == 1, "praise is not answered"


async def test_duplicates_do_nothing(shared: Orch) -> None:
    task, go_on = await _working(shared, "docs/j.md", options="--check false")
    shared.world.faults.duplicate = True
    reply = await shared.dev.replies("@orch keep it short", to=task)
    await shared.dev.sees_a_reaction("eyes", on=reply)
    await shared.world.settled()
    shared.world.faults.duplicate = False
    go_on.set()
    await shared.channel.settles(task)
    repair = _asked(shared, task)[1]
    assert str(repair.body["messages"][-1]).count("keep it short") == 1


async def test_a_whole_command_by_mention_in_a_thread(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/k.md")
    await shared.dev.replies("@orch takeover", to=task)
    await shared.channel.shows(task, "<@U0DEV>", state="With a person")
    before = await shared.tasks()
    await shared.dev.replies("@orch assign Describe l --files docs/l.md", to=task)
    await shared.dev.sees_privately("queued for haiku")
    assert len(await shared.tasks()) == len(before) + 1


async def test_the_thread_of_a_direct_message(shared: Orch) -> None:
    """R-RT-4: manual work is finished where it was given."""
    task = await shared.dev.assigns("Run the load test --model manual --owner @two")
    told = await shared.two.gets(task, "is for you")
    passed = await shared.dev.replies("Use the small data set", to=task)
    await shared.dev.sees_a_reaction("eyes", on=passed)
    await _below(shared, told, "Use the small data set")
    before = await shared.tasks()
    done = await shared.two.replies("done: 300 requests a second", to=told)
    await shared.channel.shows(task, state="Done")
    await shared.two.sees_a_reaction("white_check_mark", on=done)
    assert await shared.tasks() == before
    assert (await shared.events(task))[-1].detail["seen"] == "300 requests a second"


async def _awaiting(orch: Orch, path: str) -> str:
    task = await orch.dev.assigns(f"Document the thing --files {path}")
    await orch.channel.shows(task, state="Awaiting approval")
    return task


async def _below(orch: Orch, above: Message, text: str) -> None:
    """The newest message in the thread of a direct message holds this text."""
    await orch.until(
        lambda: text in orch.world.thread(above.channel, above.ts)[-1].text or None, f"{text!r} below the message"
    )


def _asked(orch: Orch, task: str, model: str = HAIKU) -> list:
    return [call for call in orch.models.asked(model) if f"/{task}/" in call.call_id]


def _reacted(orch: Orch, ts: str) -> list[str]:
    return next(reactions(message) for message in orch.world.log if message.ts == ts)
