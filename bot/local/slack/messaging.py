"""The life of messages, whoever posts them, and how the app hears of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

from bot.local.slack import events, payloads
from bot.local.slack.delivery import Dispatcher, Transport
from bot.local.slack.events import Event
from bot.local.slack.faults import Faults
from bot.local.slack.http_delivery import HttpDelivery
from bot.local.slack.rates import Rates
from bot.local.slack.records import AppConfig, ChangeKind, Delivery, Json, Message
from bot.local.slack.seed import Seed
from bot.local.slack.socket_mode import Sockets
from bot.local.slack.state import State, new_id
from bot.local.slack.views import Triggers


class Messaging(State):
    """A State that tells the app what happens. The people's side is in World."""

    def __init__(self, app: AppConfig, seed: Seed, path: Path | None) -> None:
        super().__init__(app, seed, path)
        self.rates = Rates(lambda: self.clock())
        self.triggers = Triggers(self)
        self.sockets = Sockets(app)
        self.http = HttpDelivery(app)
        self.faults = Faults(self.sockets, self.http)
        self.delivery = Dispatcher(self._transport, self.faults)

    def _transport(self) -> Transport:
        return self.http if self.app.request_url else self.sockets

    async def app_connected(self) -> None:
        """Wait until the app can be reached; with a request_url that is taken for granted."""
        if self.app.request_url is None:
            await self.sockets.connected()

    async def settled(self) -> None:
        """Wait until nothing is on its way to the app any more, redeliveries included.

        An app that leaves events unacknowledged makes this as long as `delivery.retry_delays`.
        """
        await self.delivery.settled()

    async def close(self) -> None:
        """Stop what is on its way, hang up and save. The world can still be read, but delivers no more."""
        await self.delivery.close()
        await self.sockets.close()
        await self.http.close()
        self.saver.now()

    def say(self, message: Message) -> Message:
        """Add a message (of whomever) and let the app know, as Slack does even for the app's own messages."""
        self.add(message)
        self._tell_later(events.posted(self, message))
        return message

    def add(self, message: Message) -> None:
        """Put a message in its channel, and in its thread's count, without telling the app."""
        self.log.append(message)
        parent = self._parent(message)
        if parent is not None and message.ephemeral_to is None:
            author = message.user or ""
            parent.thread_ts = parent.ts
            parent.reply_count += 1
            parent.latest_reply = message.ts
            parent.reply_users = [*dict.fromkeys([*parent.reply_users, author])]
        kind = "message" if message.ephemeral_to is None else "ephemeral"
        self._message_changed(kind, "posted", message)

    def reword(self, message: Message, **fields: object) -> None:
        """Change fields of a message; the app hears of it too."""
        before = payloads.message_json(self, message)
        for name, value in fields.items():
            setattr(message, name, value)
        if message.ephemeral_to is not None:
            self._message_changed("ephemeral", "changed", message)
            return
        if not message.blocks:
            message.edited = {"user": message.user, "ts": self.next_ts()}
        self._message_changed("message", "changed", message)
        self._tell_later(events.changed(self, message, before))

    def remove(self, message: Message) -> None:
        """Delete a message, and let the app know; its replies stay."""
        self.take_out(message)
        self._tell_later(events.deleted(self, message))

    def take_out(self, message: Message) -> None:
        """Delete a message without telling the app."""
        self.log.remove(message)
        parent = self._parent(message)
        if parent is not None and message.ephemeral_to is None:
            parent.reply_count -= 1
        kind = "message" if message.ephemeral_to is None else "ephemeral"
        self._message_changed(kind, "deleted", message)

    def react(self, user: str, message: Message, name: str, *, add: bool) -> bool:
        """Add or take back an emoji; False when it was (or was not) there already."""
        reaction = next((r for r in message.reactions if r["name"] == name), None)
        users = list(reaction["users"]) if reaction else []
        if (user in users) == add:
            return False
        users = [*users, user] if add else [u for u in users if u != user]
        kept = [r for r in message.reactions if r["name"] != name]
        changed = [{"name": name, "users": users, "count": len(users)}] if users else []
        message.reactions = kept + changed
        self.changed("reaction_changed", channel=message.channel, user=message.ephemeral_to, message=message)
        return True

    def notice(self, user: str, channel: str, text: str) -> Json:
        """Show a person an ephemeral of Slack's own."""
        message = Message(channel, self.next_ts(), text, user="USLACKBOT", ephemeral_to=user)
        self.add(message)
        return payloads.message_json(self, message)

    async def tell(self, happened: list[Event]) -> Delivery:
        """Tell the app what it subscribed to. Returns the delivery that failed, else the last."""
        told = [event.content for event in happened if events.heard(self, event)]
        deliveries = await asyncio.gather(
            *(self.delivery.tell(payloads.event(self, content, new_id("Ev"))) for content in told)
        )
        failed = [delivery for delivery in deliveries if not delivery.acked]
        return (failed or deliveries or [Delivery()])[-1]

    def _tell_later(self, happened: list[Event]) -> None:
        if any(events.heard(self, event) for event in happened):
            self.delivery.background(self.tell(happened))

    def _parent(self, message: Message) -> Message | None:
        return self.message(message.channel, message.thread_ts or "") if message.is_reply else None

    def _message_changed(self, what: str, how: str, message: Message) -> None:
        kind = cast(ChangeKind, f"{what}_{how}")
        self.changed(kind, channel=message.channel, user=message.ephemeral_to, message=message)
