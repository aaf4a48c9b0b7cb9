"""The emulated Slack workspace: what people can do in it, and what they see.

Everything a page or a test needs is here, in messaging.Messaging and in state.State, from which World inherits
its memory, its queries (`messages`, `thread`, `ephemerals`, `dm`, `view_stack`, `home`, ...) and its change
stream (`subscribe`, `wait_for`). The app under test never touches this class: it talks to SlackServer over HTTP
and WebSocket.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path

from bot.local.slack import elements, events, payloads, responding, views
from bot.local.slack.composer import formatted
from bot.local.slack.delivery import Envelope
from bot.local.slack.elements import Selected, Values
from bot.local.slack.messaging import Messaging
from bot.local.slack.records import AppConfig, Channel, Delivery, Json, Message, ResponseUrl, User, View
from bot.local.slack.refusal import Refusal
from bot.local.slack.seed import Seed

# why a delivery failed -> the error that Slack shows to the person
SHOWN = {
    "http_timeout": "operation_timeout",
    "connection_failed": "dispatch_failed",
    "http_error": "http_service_error",
}
TROUBLE = "We had some trouble connecting. Try again?"
NO_ANSWER = "This didn't work: the app did not respond."


class World(Messaging):
    """A workspace with one app in it. Needs no server to be inspected; SlackServer connects it to the app.

    `path`: where the state is kept between runs (None: nowhere); a file that exists wins over `seed`. What people
    do raises LookupError or PermissionError when Slack's client would not offer it.
    """

    def __init__(self, app: AppConfig | None = None, seed: Seed | None = None, path: Path | None = None) -> None:
        super().__init__(app or AppConfig(), seed or Seed(), path)
        self._message_state: dict[tuple[str, str], Values] = {}  # (user, message ts) -> what is selected there

    async def post_message(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Delivery:
        """A person writes. `@name` and `#name` become mentions, as the composer does. `ts`: the new message.

        `channel` may be the bot's user id: the person's direct messages with the bot.
        """
        person, place = self._person(user), self._place(user, channel)
        text = formatted(self, text, labels=False)
        message = Message(place.id, self.next_ts(), text, person.id, thread_ts=thread_ts)
        message.client_msg_id = str(uuid.uuid4())
        self.add(message)
        delivery = await self.tell(events.posted(self, message))
        delivery.ts = message.ts
        return delivery

    async def edit_message(self, user: str, channel: str, message_ts: str, text: str) -> Delivery:
        """A person changes what they wrote. Raises PermissionError for what another wrote."""
        message = self._own(user, channel, message_ts)
        before = payloads.message_json(self, message)
        message.text, message.edited = formatted(self, text, labels=False), {"user": user, "ts": self.next_ts()}
        self.changed("message_changed", channel=message.channel, user=None, message=message)
        return await self.tell(events.changed(self, message, before))

    async def delete_message(self, user: str, channel: str, message_ts: str) -> Delivery:
        """A person deletes what they wrote. Raises PermissionError for what another wrote."""
        message = self._own(user, channel, message_ts)
        told = events.deleted(self, message)
        self.take_out(message)
        return await self.tell(told)

    async def run_command(self, user: str, channel: str, command: str, text: str = "") -> Delivery:
        """A person runs a slash command; its answer, or Slack's failure text, is shown as an ephemeral."""
        person, place = self._person(user), self._place(user, channel)
        known = next((c for c in self.app.commands if c.name == command), None)
        if known is None:
            shown = f"`{command}` is not a valid command."
            self.notice(user, place.id, shown)
            return Delivery(acked=False, error="unknown_command", shown=shown)
        if known.should_escape:
            text = formatted(self, text, labels=True)
        payload = payloads.command(self, person, place, command, text)
        payload["response_url"] = responding.issue(self, user, place.id)
        payload["trigger_id"] = self.triggers.issue(user)
        delivery = await self.delivery.interact(Envelope("slash_commands", payload, accepts_response=True))
        try:
            if delivery.payload:
                responding.answer(self, ResponseUrl("", user, place.id, 0), delivery.payload)
        except Refusal:
            delivery.error = "invalid_command_response"
        if delivery.error:
            delivery.error = SHOWN.get(delivery.error, delivery.error)
            delivery.shown = f'{command} failed with the error "{delivery.error}"'
            self.notice(user, place.id, delivery.shown)
        return delivery

    async def click(
        self,
        user: str,
        channel: str,
        message_ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str | None = None,
        selected: Selected = None,
        forge: Json | None = None,
    ) -> Delivery:
        """A person uses a button, select, overflow, checkbox or picker of a message (also of an ephemeral).

        The action is taken from the stored block. `value` picks among elements that share an action_id;
        `selected` is the chosen option's value, id or date (a list for multi selects and checkboxes). `forge`
        overwrites keys of the action, as no honest Slack client can: a fault for tests.
        """
        person, message = self._person(user), self._message_seen(user, channel, message_ts)
        block, element = elements.find(message.blocks, action_id, block_id, value)
        action = elements.action(block, element, selected, self.next_ts()) | (forge or {})
        kept = self._message_state.get((user, message.ts), {})
        state = elements.overlaid(elements.initial_state(message.blocks), kept)
        self._message_state[user, message.ts] = state = elements.after(state, action)
        place = self.channels[message.channel]
        payload = payloads.interaction(self, "block_actions", person)
        payload |= payloads.message_container(self, place, message)
        payload |= {"state": {"values": state}, "actions": [action], "trigger_id": self.triggers.issue(user)}
        payload["response_url"] = responding.issue(self, user, place.id, message.ts)
        return await self._interact(payload)

    async def click_in_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str | None = None,
        selected: Selected = None,
        values: Mapping[str, object] | None = None,
    ) -> Delivery:
        """The same in an open modal or the Home tab; `values` as in submit_view: what inputs hold by now."""
        person, view = self._person(user), self._view_seen(user, view_id)
        block, element = elements.find(view.blocks, action_id, block_id, value)
        action = elements.action(block, element, selected, self.next_ts())
        view.state = elements.after(elements.filled(view.blocks, view.state, values or {}), action)
        payload = payloads.interaction(self, "block_actions", person)
        payload["container"] = {"type": "view", "view_id": view.id}
        payload["trigger_id"] = self.triggers.issue(user)
        payload |= {"view": payloads.view_json(self, view), "actions": [action]}
        return await self._interact(payload)

    async def submit_view(self, user: str, view_id: str, values: Mapping[str, object] | None = None) -> Delivery:
        """Fill the inputs and press submit. The modal stack then follows the app's answer.

        `values`: by block_id or action_id, the text, the chosen option's value, an id or a date; a list for
        multi selects and checkboxes; None empties. What is not named keeps what it holds. On a missing required
        input, or when the app answers with errors, `errors` tells so and the modal stays.
        """
        person, view = self._person(user), self._modal_seen(user, view_id)
        view.state = elements.filled(view.blocks, view.state, values or {})
        missing = elements.missing(view.blocks, view.state)
        if missing:
            return Delivery(errors=missing)
        payload = payloads.interaction(self, "view_submission", person)
        payload["trigger_id"] = self.triggers.issue(user)
        payload |= {"view": payloads.view_json(self, view), "response_urls": []}
        delivery = await self._interact(payload, accepts_response=True)
        if delivery.acked and view.id in self.views:
            try:
                delivery.errors = views.follow(self, view, delivery.payload)
            except Refusal as refusal:
                delivery.error = refusal.code
        if delivery.error:
            delivery.shown = TROUBLE
        return delivery

    async def close_view(self, user: str, view_id: str, *, clear: bool = False) -> Delivery:
        """Press cancel, or with `clear` the X that closes the whole stack."""
        person, view = self._person(user), self._modal_seen(user, view_id)
        delivery = Delivery()
        for closed in views.close(self, view, clear=clear):
            if closed.body.get("notify_on_close"):
                payload = payloads.interaction(self, "view_closed", person)
                payload |= {"view": payloads.view_json(self, closed), "is_cleared": clear}
                delivery = await self._interact(payload)
        return delivery

    async def message_shortcut(self, user: str, callback_id: str, channel: str, message_ts: str) -> Delivery:
        """Choose a shortcut in the menu of a message."""
        person, message = self._person(user), self._message_seen(user, channel, message_ts)
        if callback_id not in {shortcut.callback_id for shortcut in self.app.message_shortcuts}:
            raise LookupError(f"the app has no message shortcut {callback_id!r}")
        place = self.channels[message.channel]
        payload = payloads.interaction(self, "message_action", person)
        payload |= payloads.message_container(self, place, message)
        del payload["container"]
        payload |= {"callback_id": callback_id, "message_ts": message.ts, "action_ts": self.next_ts()}
        payload["trigger_id"] = self.triggers.issue(user)
        payload["response_url"] = responding.issue(self, user, place.id, message.ts)
        return await self._interact(payload)

    async def global_shortcut(self, user: str, callback_id: str) -> Delivery:
        """Choose a shortcut in the lightning menu or in search."""
        person = self._person(user)
        if callback_id not in {shortcut.callback_id for shortcut in self.app.global_shortcuts}:
            raise LookupError(f"the app has no global shortcut {callback_id!r}")
        payload = payloads.interaction(self, "shortcut", person)
        payload |= {"callback_id": callback_id, "action_ts": self.next_ts()}
        payload["trigger_id"] = self.triggers.issue(user)
        return await self._interact(payload)

    async def open_home(self, user: str, tab: str = "home") -> Delivery:
        """Open the app's Home tab (or its `messages` tab)."""
        self._person(user)
        return await self.tell(events.home_opened(self, user, tab))

    async def add_reaction(self, user: str, channel: str, message_ts: str, name: str) -> Delivery:
        """Add an emoji (name without colons) to a message; adding it twice is one reaction."""
        self._person(user)
        message = self._message_seen(user, channel, message_ts)
        if not self.react(user, message, name, add=True):
            return Delivery()
        return await self.tell(events.reaction_added(user, message, name, self.next_ts()))

    async def _interact(self, payload: Json, *, accepts_response: bool = False) -> Delivery:
        delivery = await self.delivery.interact(Envelope("interactive", payload, accepts_response))
        if delivery.error:
            delivery.error, delivery.shown = SHOWN.get(delivery.error, delivery.error), NO_ANSWER
        return delivery

    def _person(self, user: str) -> User:
        person = self.users[user]
        if person.deleted or person.is_bot:
            raise PermissionError(f"{person.name} is no active person")
        return person

    def _place(self, user: str, channel: str) -> Channel:
        """Where a person writes."""
        place = self.dm(user) if channel == self.app.bot_user else self.channels[channel]
        if user not in place.members:
            raise PermissionError(f"{user} is not in {place.name or place.id}")
        if place.is_archived:
            raise PermissionError(f"{place.name} is archived")
        return place

    def _message_seen(self, user: str, channel: str, ts: str) -> Message:
        place = self.dm(user) if channel == self.app.bot_user else self.channels[channel]
        message = self.message(place.id, ts)
        if message is None or message.ephemeral_to not in (None, user) or not self.may_see(user, place):
            raise LookupError(f"{user} sees no message {ts} in {place.id}")
        return message

    def _own(self, user: str, channel: str, ts: str) -> Message:
        message = self._message_seen(user, channel, ts)
        if message.user != user:
            raise PermissionError(f"{user} did not write {ts}")
        return message

    def _view_seen(self, user: str, view_id: str) -> View:
        view = self.views.get(view_id)
        if view is None or view.user != user:
            raise LookupError(f"{user} sees no view {view_id}")
        if view.kind == "modal" and self.open_view(user) is not view:
            raise LookupError(f"the modal {view_id} lies under another")
        return view

    def _modal_seen(self, user: str, view_id: str) -> View:
        view = self._view_seen(user, view_id)
        if view.kind != "modal":
            raise LookupError(f"{view_id} is no modal")
        return view
