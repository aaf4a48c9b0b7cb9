"""Keeps a State in a JSON file: written at most once a second, atomically; read at the start."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.local.slack.records import Channel, File, Json, Message, ResponseUrl, Team, User, View

if TYPE_CHECKING:
    from bot.local.slack.state import State

VERSION = 1


class Saver:
    """Saves `state` to `path` (None: never)."""

    def __init__(self, state: State, path: Path | None) -> None:
        self.state = state
        self.path = path
        self.interval = 1.0  # seconds
        self._timer: asyncio.TimerHandle | None = None
        if path is not None and path.exists():
            restore(state, json.loads(path.read_text("utf-8")))

    def soon(self) -> None:
        """Save within `interval`; calls in between are one. Outside a running loop: only `now` saves."""
        if self.path is None or self._timer is not None:
            return
        try:
            self._timer = asyncio.get_running_loop().call_later(self.interval, self.now)
        except RuntimeError:
            return

    def now(self) -> None:
        """Save at once, so that a crash leaves the old file or the new one, never half of one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".saving")
        draft.write_text(json.dumps(snapshot(self.state)), "utf-8")
        os.replace(draft, self.path)  # noqa: PTH105 - the one atomic way


def snapshot(state: State) -> Json:
    return {
        "version": VERSION,
        "last_ts": state.last_ts,
        "team": vars(state.team),
        "users": [vars(user) for user in state.users.values()],
        "channels": [vars(channel) for channel in state.channels.values()],
        "messages": [vars(message) for message in state.log],
        "views": [vars(view) for view in state.views.values()],
        "stacks": state.stacks,
        "homes": state.homes,
        "files": [_file_to_json(file) for file in state.files.values()],
        "response_urls": [vars(url) for url in state.response_urls.values()],
    }


def restore(state: State, saved: Json) -> None:
    """Raises ValueError for a file of another version."""
    if saved.get("version") != VERSION:
        raise ValueError(f"the saved Slack state has version {saved.get('version')}, not {VERSION}: delete the file")
    state.last_ts = saved["last_ts"]
    state.team = Team(**saved["team"])
    state.users |= _by_id(User, saved["users"])  # who came with a newer version stays
    for channel in _by_id(Channel, saved["channels"]).values():
        known = state.channels.get(channel.id)
        channel.members = list(dict.fromkeys([*channel.members, *(known.members if known else ())]))
        state.channels[channel.id] = channel
    state.log = [Message(**message) for message in saved["messages"]]
    state.views = _by_id(View, saved["views"])
    state.stacks = saved["stacks"]
    state.homes = saved["homes"]
    state.files = {file["id"]: _file_from_json(file) for file in saved["files"]}
    state.response_urls = _by_id(ResponseUrl, saved["response_urls"])


def _by_id(record: Any, rows: list[Json]) -> dict[str, Any]:
    return {row["id"]: record(**row) for row in rows}


def _file_to_json(file: File) -> Json:
    row = {name: value for name, value in vars(file).items() if name != "content"}
    return row | {"content": None if file.content is None else base64.b64encode(file.content).decode()}


def _file_from_json(row: Json) -> File:
    content = row["content"]
    return File(**row | {"content": None if content is None else base64.b64decode(content)})
