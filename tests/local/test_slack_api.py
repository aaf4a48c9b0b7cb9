"""The Web API as the real SDK sees it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.local.slack import Channel, Message, Seed, World, responding
from bot.local.slack.seed import default_channels
from tests.local.slack_bed import QUIET, app_config, web_client, workspace

MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []}


async def refusal(call: Any) -> Any:
    """The answer to a call that must fail."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value.response


async def error(call: Any) -> Any:
    return (await refusal(call))["error"]


async def test_tokens() -> None:
    async with workspace() as world:
        answer = await web_client(world).auth_test()
        assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("U0ORCH", "B0ORCH", "T0ORCH")
        assert "chat:write" in answer.headers["x-oauth-scopes"]
        assert await error(web_client(world, "xoxb-wrong").auth_test()) == "invalid_auth"
        assert await error(web_client(world, "").auth_test()) == "not_authed"
        client = web_client(world)
        assert await error(client.apps_connections_open(app_token="xoxb-local-orch")) == "not_allowed_token_type"
        assert await error(client.api_call("chat.shout")) == "unknown_method"
        assert (await client.api_test(foo="bar"))["args"]["foo"] == "bar"


async def test_posting_updating_and_deleting() -> None:
    async with workspace() as world:
        client = web_client(world)
        block = {"type": "section", "text": {"type": "plain_text", "text": "b"}}
        metadata = {"event_type": "orch", "event_payload": {"key": "1"}}
        posted = await client.chat_postMessage(channel="#granter-dev", text="a", blocks=[block], metadata=metadata)
        channel, ts = posted["channel"], posted["ts"]
        assert channel == "C0DEV" and posted["message"]["bot_id"] == "B0ORCH"
        reply = await client.chat_postMessage(channel=channel, thread_ts=ts, text="reply")
        assert float(reply["ts"]) > float(ts)
        message = world.message("C0DEV", ts)
        await client.api_call("chat.update", json={"channel": channel, "ts": ts, "attachments": []})
        assert (message.text, len(message.blocks), message.edited) == ("a", 1, None)
        await client.chat_update(channel=channel, ts=ts, text="c")
        assert (message.text, len(message.blocks), message.metadata) == ("c", 0, metadata)
        assert message.edited["user"] == "U0ORCH"

        history = await client.conversations_history(channel=channel, include_all_metadata=True)
        assert [(m["ts"], m["metadata"]) for m in history["messages"]] == [(ts, metadata)]
        assert "metadata" not in (await client.conversations_history(channel=channel))["messages"][0]
        thread = await client.conversations_replies(channel=channel, ts=ts)
        assert [m["text"] for m in thread["messages"]] == ["c", "reply"]
        assert thread["messages"][0]["reply_count"] == 1
        link = await client.chat_getPermalink(channel=channel, message_ts=reply["ts"])
        assert f"thread_ts={ts}" in link["permalink"]
        await client.chat_delete(channel=channel, ts=reply["ts"])
        assert await error(client.chat_delete(channel=channel, ts=reply["ts"])) == "message_not_found"
        assert world.message("C0DEV", ts).reply_count == 0


async def test_refusals_of_chat() -> None:
    archived = Channel("C0OLD", "old", members=["U0ORCH"], is_archived=True)
    secret = Channel("C0PRIV", "secret", "private", ["U0DEV"])
    async with workspace(seed=Seed(channels=[*default_channels(), archived, secret])) as world:
        client = web_client(world)
        other = await world.post_message("U0DEV", "C0DEV", "hi")
        assert await error(client.chat_postMessage(channel="C0NONE", text="a")) == "channel_not_found"
        assert await error(client.chat_postMessage(channel="C0PRIV", text="a")) == "channel_not_found"
        assert await error(client.chat_postMessage(channel="C0RANDOM", text="a")) == "not_in_channel"
        assert await error(client.chat_postMessage(channel="C0OLD", text="a")) == "is_archived"
        assert await error(client.chat_update(channel="C0DEV", ts=other.ts, text="a")) == "cant_update_message"
        assert await error(client.chat_delete(channel="C0DEV", ts=other.ts)) == "cant_delete_message"
        assert await error(client.chat_update(channel="C0DEV", ts="1.0", text="a")) == "message_not_found"
        assert await error(client.chat_postEphemeral(channel="C0DEV", user="U0NONE", text="a")) == "user_not_found"
        assert await error(client.conversations_history(channel="C0RANDOM")) == "not_in_channel"
        assert await error(client.conversations_replies(channel="C0DEV", ts="1.0")) == "thread_not_found"
        answer = await refusal(client.api_call("chat.postMessage", json={"text": "a"}))
        assert answer["error"] == "invalid_arguments"
        assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


async def test_bodies_may_be_json_form_or_query() -> None:
    async with workspace() as world, aiohttp.ClientSession() as session:
        url = f"{world.base_url}/api/chat.postMessage"
        bearer = {"Authorization": f"Bearer {world.app.bot_token}"}
        blocks = [{"type": "divider"}]
        as_form = {"channel": "C0DEV", "text": "form", "blocks": json.dumps(blocks), "token": world.app.bot_token}
        for request in (
            session.post(url, json={"channel": "C0DEV", "text": "json", "blocks": blocks}, headers=bearer),
            session.post(url, data=as_form),
            session.post(url, params=as_form | {"text": "query"}),
        ):
            async with request as answer:
                assert (await answer.json())["ok"]
        async with session.post(url, data=b"{", headers=bearer | {"Content-Type": "application/json"}) as answer:
            assert (await answer.json())["error"] == "invalid_json"
    assert [(m.text, len(m.blocks)) for m in world.messages("C0DEV")] == [("json", 1), ("form", 1), ("query", 1)]


async def test_conversations_and_users() -> None:
    async with workspace(app_config(scopes=["channels:read", "im:write", "users:read", "channels:join"])) as world:
        client = web_client(world)
        first = await client.conversations_list(limit=1)
        cursor = first["response_metadata"]["next_cursor"]
        second = await client.conversations_list(limit=1, cursor=cursor)
        assert [c["name"] for c in [*first["channels"], *second["channels"]]] == ["granter-dev", "random"]
        assert second["response_metadata"]["next_cursor"] == ""
        assert (await client.conversations_info(channel="C0RANDOM"))["channel"]["is_member"] is False
        await client.conversations_join(channel="C0RANDOM")
        assert "U0ORCH" in (await client.conversations_members(channel="C0RANDOM"))["members"]
        opened = await client.conversations_open(users="U0DEV", return_im=True)
        assert opened["channel"]["user"] == "U0DEV"
        assert [c["id"] for c in (await client.users_conversations())["channels"]] == ["C0DEV", "C0RANDOM"]
        assert (await client.users_info(user="U0GUEST"))["user"]["is_restricted"] is True
        assert len((await client.users_list())["members"]) == 6
        assert (await client.bots_info(bot="B0ORCH"))["bot"]["user_id"] == "U0ORCH"
        answer = await refusal(client.conversations_info(channel=opened["channel"]["id"]))
        assert (answer["error"], answer["needed"]) == ("missing_scope", "im:read")
        answer = await refusal(client.chat_postMessage(channel="C0DEV", text="a"))
        assert (answer["needed"], "channels:read" in answer["provided"]) == ("chat:write", True)


async def test_a_person_as_channel_means_their_direct_messages() -> None:
    async with workspace() as world:
        posted = await web_client(world).chat_postMessage(channel="U0DEV", text="psst")
        assert posted["channel"] == world.dm("U0DEV").id
    assert [m.text for m in world.messages(world.dm("U0DEV").id, "U0DEV")] == ["psst"]
    assert world.messages(world.dm("U0DEV").id, "U0LEAD") == []


async def test_reactions() -> None:
    async with workspace(app_config(scopes=["reactions:write", "reactions:read"])) as world:
        client = web_client(world)
        posted = await world.post_message("U0DEV", "C0DEV", "hi")
        where = {"channel": "C0DEV", "timestamp": posted.ts}
        await client.reactions_add(name="eyes", **where)
        assert await error(client.reactions_add(name="eyes", **where)) == "already_reacted"
        await world.add_reaction("U0LEAD", "C0DEV", posted.ts, "eyes")
        reactions = (await client.reactions_get(**where))["message"]["reactions"]
        assert reactions == [{"name": "eyes", "users": ["U0ORCH", "U0LEAD"], "count": 2}]
        await client.reactions_remove(name="eyes", **where)
        assert await error(client.reactions_remove(name="eyes", **where)) == "no_reaction"


async def test_triggers_are_for_one_use_and_three_seconds() -> None:
    async with workspace() as world:
        client = web_client(world)
        trigger = world.triggers.issue("U0DEV")
        view = (await client.views_open(trigger_id=trigger, view=MODAL))["view"]
        assert await error(client.views_open(trigger_id=trigger, view=MODAL)) == "exchanged_trigger_id"
        assert await error(client.views_open(trigger_id="1.2.3", view=MODAL)) == "invalid_trigger_id"
        late = world.triggers.issue("U0DEV")
        now = world.clock()
        world.clock = lambda: now + 3.1
        assert await error(client.views_open(trigger_id=late, view=MODAL)) == "expired_trigger_id"

        updated = (await client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL))["view"]
        assert updated["hash"] != view["hash"]
        stale = client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
        assert await error(stale) == "hash_conflict"
        assert await error(client.views_update(view_id="V0", view=MODAL)) == "not_found"
        home = {"type": "home", "blocks": []}
        assert await error(client.views_publish(user_id="U0NONE", view=home)) == "user_not_found"
        assert await error(client.views_publish(user_id="U0DEV", view=MODAL)) == "invalid_arguments"
        named = MODAL | {"external_id": "one"}
        await client.views_push(trigger_id=world.triggers.issue("U0DEV"), view=named)
        again = client.views_push(trigger_id=world.triggers.issue("U0DEV"), view=named)
        assert await error(again) == "duplicate_external_id"
        assert (await client.views_update(external_id="one", view=MODAL))["ok"]


async def test_a_response_url_works_five_times_in_half_an_hour() -> None:
    async with workspace() as world:
        hook = AsyncWebhookClient(responding.issue(world, "U0DEV", "C0DEV"), logger=QUIET)
        hook.proxy = None
        assert (await hook.send(text="")).status_code == 400
        for n in range(4):
            assert (await hook.send(text=f"answer {n}")).body == "ok"
        used = await hook.send(text="once more")
        assert (used.status_code, json.loads(used.body)["error"]) == (404, "used_url")
        assert [m.text for m in world.ephemerals("U0DEV")] == [f"answer {n}" for n in range(4)]
        late = AsyncWebhookClient(responding.issue(world, "U0DEV", "C0DEV"), logger=QUIET)
        late.proxy = None
        now = world.clock()
        world.clock = lambda: now + 1801
        assert "expired_url" in (await late.send(text="late")).body


async def test_a_file_is_uploaded_shared_and_downloaded() -> None:
    async with workspace() as world, aiohttp.ClientSession() as session:
        client = web_client(world)
        parent = await client.chat_postMessage(channel="C0DEV", text="report")
        uploaded = await client.files_upload_v2(
            channel="C0DEV",
            thread_ts=parent["ts"],
            initial_comment="the log",
            filename="run.log",
            title="Run",
            content="all is well",
        )
        [_, reply] = world.thread("C0DEV", parent["ts"])
        assert (reply.text, reply.files) == ("the log", [uploaded["file"]["id"]])
        assert world.files[reply.files[0]].content == b"all is well"
        told = (await client.conversations_replies(channel="C0DEV", ts=parent["ts"]))["messages"][1]["files"][0]
        assert (told["name"], told["title"], told["size"]) == ("run.log", "Run", 11)
        bearer = {"Authorization": f"Bearer {world.app.bot_token}"}
        async with session.get(told["url_private"], headers=bearer) as answer:
            assert await answer.read() == b"all is well"
        async with session.get(told["url_private"]) as answer:
            assert answer.status == 403
        ticket = await client.files_getUploadURLExternal(filename="a.txt", length=3)
        files = [{"id": ticket["file_id"]}]
        assert await error(client.files_completeUploadExternal(files=files)) == "file_not_found"
        async with session.post(ticket["upload_url"], data=b"four") as answer:
            assert answer.status == 400


async def test_bursts_pass_and_floods_do_not() -> None:
    async with workspace() as world:
        client = web_client(world)
        now = world.clock()
        world.clock = lambda: now
        world.rates.post_burst = 3
        for _ in range(3):
            await client.chat_postMessage(channel="C0DEV", text="a")
        answer = await refusal(client.chat_postMessage(channel="C0DEV", text="a"))
        assert (answer["error"], answer.status_code, answer.headers["Retry-After"]) == ("ratelimited", 429, "1")
        await client.chat_postMessage(channel="U0DEV", text="another channel")
        world.clock = lambda: now + 1
        await client.chat_postMessage(channel="C0DEV", text="a")
        for _ in range(20):
            await client.conversations_list()
        assert await error(client.conversations_list()) == "ratelimited"
        world.rates.enabled = False
        await client.conversations_list()


async def test_planned_failures() -> None:
    async with workspace() as world:
        client = web_client(world)
        world.faults.fail("chat.postMessage", "fatal_error", times=2)
        for _ in range(2):
            assert await error(client.chat_postMessage(channel="C0DEV", text="a")) == "fatal_error"
        world.faults.fail("*", status=429, retry_after=7)
        assert (await refusal(client.auth_test())).headers["Retry-After"] == "7"
        world.faults.fail("chat.postMessage", status=500, after_effect=True)
        assert (await refusal(client.chat_postMessage(channel="C0DEV", text="lost answer"))).status_code == 500
        assert [m.text for m in world.messages("C0DEV")] == ["lost answer"]
        world.faults.api_delay = 0.2
        impatient = AsyncWebClient(token=world.app.bot_token, base_url=client.base_url, logger=QUIET, timeout=0.05)
        impatient.proxy = None
        with pytest.raises(TimeoutError):
            await impatient.auth_test()


async def test_changes_are_saved_together_soon_after(tmp_path: Path) -> None:
    path = tmp_path / "slack.json"
    async with workspace(path=path) as world:
        world.saver.interval = 0.0
        for text in ("one", "two", "three"):
            world.say(Message("C0DEV", world.next_ts(), text, "U0DEV"))
        assert not path.exists()
        await asyncio.sleep(0.01)
        assert [message["text"] for message in json.loads(path.read_text())["messages"]] == ["one", "two", "three"]


async def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "slack.json"
    async with workspace(path=path) as world:
        client = web_client(world)
        posted = await client.chat_postMessage(channel="C0DEV", text="kept")
        await client.views_publish(user_id="U0DEV", view={"type": "home", "blocks": [{"type": "divider"}]})
        await client.views_open(trigger_id=world.triggers.issue("U0DEV"), view=MODAL)
        await client.files_upload_v2(channel="C0DEV", filename="a.bin", content=b"\x00\xff")
        url = responding.issue(world, "U0DEV", "C0DEV")
    async with workspace(path=path) as again:
        assert again.messages("C0DEV") == world.messages("C0DEV")
        assert again.home("U0DEV") == world.home("U0DEV")
        assert again.view_stack("U0DEV") == world.view_stack("U0DEV")
        assert [file.content for file in again.files.values()] == [b"\x00\xff"]
        assert url.rsplit("/", 1)[1] in again.response_urls
        more = await web_client(again).chat_postMessage(channel="C0DEV", text="more")
        assert float(more["ts"]) > float(posted["ts"])
    path.write_text('{"version": 0}')
    with pytest.raises(ValueError, match="delete the file"):
        World(path=path)
