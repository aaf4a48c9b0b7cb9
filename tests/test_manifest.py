"""manifest.yaml asks Slack for exactly what the code uses: commands, shortcuts, events and scopes."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners import messages, register
from bot.listeners.desk import Desk
from bot.local.slack.methods import METHODS
from bot.local.slack.records import Channel
from bot.store.tables import TaskRow
from bot.wiring import data_folder
from bot.workflows.office import Office
from tests.local.slack_bed import app_config, bolt_app, by_socket, workspace

ROOT = Path(__file__).parents[1]
NO_OFFICE = cast(Office, None)  # registering listeners needs none

#: Scopes that depend on the kind of channel, where Orch calls the method for channels of projects (and for direct
#: messages, whose history it looks through too).
BY_CHANNEL = {
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.history": {"channels:history", "groups:history", "im:history"},
    "conversations.replies": {"channels:history", "groups:history", "im:history"},
}
UPLOAD = ("files.getUploadURLExternal", "files.completeUploadExternal")
#: Scopes that Slack wants for events and for being called at all.
BY_EVENT = {
    "app_mention": {"app_mentions:read"},
    "app_home_opened": set[str](),
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(data_folder("manifest.yaml").read_text(encoding="utf-8"))
    return found


class Registry(AsyncApp):
    """A Bolt app that writes down what is registered with it."""

    def __init__(self) -> None:
        super().__init__(client=AsyncWebClient(token="xoxb-none"), signing_secret="none")
        self.names: dict[str, list[str]] = {"command": [], "shortcut": [], "event": []}

    def command(self, command: Any, *rest: Any, **more: Any) -> Any:
        self.names["command"].append(command)
        return super().command(command, *rest, **more)

    def shortcut(self, constraints: Any, *rest: Any, **more: Any) -> Any:
        self.names["shortcut"].append(constraints)
        return super().shortcut(constraints, *rest, **more)

    def event(self, event: Any, *rest: Any, **more: Any) -> Any:
        self.names["event"].append(event)
        return super().event(event, *rest, **more)


@pytest.fixture(scope="module")
def registered() -> dict[str, list[str]]:
    app = Registry()
    register(app, NO_OFFICE)
    return app.names


def events(manifest: dict[str, Any]) -> list[str]:
    found: list[str] = manifest["settings"]["event_subscriptions"]["bot_events"]
    return found


def test_commands_are_those_registered(manifest: dict[str, Any], registered: dict[str, list[str]]) -> None:
    commands = manifest["features"]["slash_commands"]
    assert [command["command"] for command in commands] == registered["command"]
    assert all(command["should_escape"] for command in commands)  # so that `--owner @u` arrives as an id


def test_shortcuts_are_those_registered(manifest: dict[str, Any], registered: dict[str, list[str]]) -> None:
    shortcuts = {(s["callback_id"], s["type"]) for s in manifest["features"]["shortcuts"]}
    assert shortcuts == {("make_task", "message"), ("new_task", "global")}
    assert sorted(callback for callback, _ in shortcuts) == sorted(registered["shortcut"])


def test_events_are_those_registered(manifest: dict[str, Any], registered: dict[str, list[str]]) -> None:
    assert {event.split(".")[0] for event in events(manifest)} == set(registered["event"])


class Listening(Desk):
    """A desk that only writes down what reaches it."""

    def __init__(self) -> None:
        super().__init__(NO_OFFICE)
        self.heard: list[str] = []

    async def thread_above(self, channel: str, thread_ts: str, person: str) -> tuple[TaskRow, bool]:
        return TaskRow(project="GRANTER", task_id="S0-D0-1"), False  # every thread is a task's

    async def receive(self, key: str, kind: str, payload: dict[str, Any], ack: Any) -> None:
        await ack()
        self.heard.append(payload["text"])


async def test_messages_are_subscribed_to_exactly_where_they_are_listened_to(manifest: dict[str, Any]) -> None:
    desk = Listening()
    kinds = ["app_mention", "message.channels", "message.groups", "message.im"]
    async with workspace(app_config(events=kinds)) as world:
        world.channels["C0SECRET"] = Channel("C0SECRET", "secret", kind="private", members=["U0DEV", "U0ORCH"])
        app = bolt_app(world)
        messages.register(app, desk)
        async with by_socket(world, app):
            for channel, text in (("C0DEV", "message.channels"), ("C0SECRET", "message.groups")):
                first = await world.post_message("U0DEV", channel, "a thread")
                await world.post_message("U0DEV", channel, text, thread_ts=first.ts)
            await world.post_message("U0DEV", "U0ORCH", "message.im")
            await world.post_message("U0DEV", "C0DEV", "@orch app_mention")
            await world.settled()
    heard = {text.split()[-1] for text in desk.heard if text != "a thread"}
    assert heard == {event for event in events(manifest) if event.startswith(("message", "app_mention"))}


def methods_called() -> set[str]:
    """Web API methods that the product calls: `client.chat_postMessage(...)` and the like."""
    known = {name.replace(".", "_"): name for name in METHODS}
    found: set[str] = set()
    for path in (ROOT / "bot").rglob("*.py"):
        if "local" in path.relative_to(ROOT / "bot").parts[:1]:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("client"):
                if node.attr == "files_upload_v2":
                    found.update(UPLOAD)
                elif hasattr(AsyncWebClient, node.attr) and "_" in node.attr:
                    found.add(known.get(node.attr, node.attr))
    return found


def test_scopes_are_those_that_the_calls_and_events_need(manifest: dict[str, Any]) -> None:
    called = methods_called()
    assert "chat.postMessage" in called and called <= METHODS.keys()
    needed = {"commands"}.union(*(BY_EVENT[event] for event in events(manifest)))
    for method in called:
        needed |= BY_CHANNEL.get(method, set(METHODS[method].scopes[:1]))
    assert sorted(needed) == sorted(manifest["oauth_config"]["scopes"]["bot"])
    assert list(manifest["oauth_config"]["scopes"]) == ["bot"]


def test_socket_mode_and_what_goes_with_it(manifest: dict[str, Any]) -> None:
    assert manifest["_metadata"]["major_version"] == 2
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["settings"]["interactivity"]["is_enabled"] is True
    home = manifest["features"]["app_home"]
    assert home["messages_tab_enabled"] and not home["messages_tab_read_only_enabled"]
    assert home["home_tab_enabled"] is ("app_home_opened" in events(manifest))


def test_slacks_limits_on_words(manifest: dict[str, Any]) -> None:
    about, features = manifest["display_information"], manifest["features"]
    assert len(about["name"]) <= 35 and len(about["description"]) <= 140
    assert len(features["bot_user"]["display_name"]) <= 80
    assert all(len(shortcut["name"]) <= 24 for shortcut in features["shortcuts"])
    assert all(len(shortcut["description"]) <= 150 for shortcut in features["shortcuts"])
    assert all(len(command["description"]) <= 2000 for command in features["slash_commands"])
