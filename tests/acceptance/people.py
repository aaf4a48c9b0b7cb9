"""A person in the conversation: what they type and click, and what only they are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bot.local.slack import Delivery, Message, View
from tests.acceptance.card import CHANNEL, buttons, words

if TYPE_CHECKING:
    from tests.acceptance.conversation import Orch


class Someone:
    """One person. `sees_privately` and `gets` look at what came since the person last did something."""

    def __init__(self, orch: Orch, id: str) -> None:
        self._orch = orch
        self.id = id
        self._seen = 0
        self._read = 0

    async def types(self, text: str, channel: str = CHANNEL) -> Delivery:
        """Type into a channel: a slash command, or a message (`@orch ...` mentions the bot)."""
        await self._leaves_forms()
        self._turn()
        if text.startswith("/orch"):
            return await self._orch.world.run_command(self.id, channel, "/orch", text.removeprefix("/orch").strip())
        return await self._orch.world.post_message(self.id, channel, text)

    async def assigns(self, what: str) -> str:
        """`/orch assign <what>`; the id of the task that the private answer names."""
        await self.types(f"/orch assign {what}")
        answer = await self.sees_privately("queued for")
        found = re.search(r"\*(S0-D0-\d+)\*", answer)
        assert found, answer
        return found[1]

    async def replies(self, text: str, to: str | Message) -> str:
        """Reply in the thread of a task's card, or of another message; the ts of the reply."""
        if isinstance(to, str):
            (card,) = self._orch.channel.cards(to)
            to = card.message
        await self._orch.remembers(to)
        self._turn()
        return (await self._orch.world.post_message(self.id, to.channel, text, thread_ts=to.ts)).ts or ""

    async def changes(self, reply: str, to: str, channel: str = CHANNEL) -> None:
        """Edit one's own message of this ts."""
        self._turn()
        await self._orch.world.edit_message(self.id, channel, reply, to)

    async def deletes(self, reply: str, channel: str = CHANNEL) -> None:
        """Delete one's own message of this ts."""
        self._turn()
        await self._orch.world.delete_message(self.id, channel, reply)

    async def writes_to_orch(self, text: str) -> Delivery:
        """Write a direct message to the bot."""
        self._turn()
        return await self._orch.world.post_message(self.id, "U0ORCH", text)

    async def clicks(self, label: str, on: str | Message, **how: Any) -> Delivery:
        """Click a button on a task's card, or on another message."""
        if isinstance(on, str):
            (card,) = self._orch.channel.cards(on)
            on = card.message
        actions = dict(buttons(on))
        assert label in actions, f"there is no button {label!r}, but {list(actions)}"
        await self._leaves_forms()
        self._turn()
        return await self._orch.world.click(self.id, on.channel, on.ts, actions[label], **how)

    async def makes_a_task_of(self, message_ts: str) -> Delivery:
        """The message shortcut."""
        await self._leaves_forms()
        self._turn()
        return await self._orch.world.message_shortcut(self.id, "make_task", CHANNEL, message_ts)

    async def form(self) -> View:
        """The modal that this person looks at."""
        return await self._orch.until(lambda: self._orch.world.open_view(self.id), f"a form for {self.id}")

    async def submits(self, **values: Any) -> Delivery:
        """Fill in the open form and submit it."""
        view = await self.form()
        self._turn()
        return await self._orch.world.submit_view(self.id, view.id, values)

    async def sees_privately(self, *texts: str) -> str:
        """The answer that nobody else sees, once one holds these texts."""
        return await self._orch.until(lambda: _holding(self._ephemerals(), texts), f"{texts} privately to {self.id}")

    async def gets(self, *texts: str) -> Message:
        """The direct message of the bot that holds these texts."""
        return await self._orch.until(
            lambda: next((m for m in self._direct() if all(t in words(m) for t in texts)), None),
            f"a direct message with {texts} to {self.id}",
        )

    async def sees_a_reaction(self, name: str, on: str) -> None:
        """Orch's emoji on the message of this ts."""

        def there() -> bool:
            message = next((m for m in self._orch.world.log if m.ts == on), None)
            return message is not None and name in reactions(message)

        await self._orch.until(lambda: there() or None, f":{name}: on the message of {self.id}")

    def said_privately(self) -> list[str]:
        """Everything that came privately since the person last did something."""
        return [words(message) for message in self._ephemerals()]

    async def _leaves_forms(self) -> None:
        """Whoever does something else has closed what was open, so that the next form is the one that it opens."""
        open_one = self._orch.world.open_view(self.id)
        if open_one is not None:
            await self._orch.world.close_view(self.id, open_one.id, clear=True)

    def _turn(self) -> None:
        self._seen = len(self._orch.world.ephemerals(self.id))
        self._read = len(self._orch.world.messages(self._orch.world.dm(self.id).id))

    def _ephemerals(self) -> list[Message]:
        return self._orch.world.ephemerals(self.id)[self._seen :]

    def _direct(self) -> list[Message]:
        place = self._orch.world.dm(self.id).id
        return [m for m in self._orch.world.messages(place) if m.user == "U0ORCH"]


def reactions(message: Message) -> list[str]:
    """What Orch reacted with."""
    return [each["name"] for each in message.reactions if "U0ORCH" in each["users"]]


def _holding(messages: Iterable[Message], texts: Iterable[str]) -> str | None:
    return next((words(m) for m in messages if all(text in words(m) for text in texts)), None)
