"""What the channel shows: a task's card, and its thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.local.slack import Message

if TYPE_CHECKING:
    from tests.acceptance.conversation import Orch

CHANNEL = "C0DEV"
UNDER_WAY = ("*Queued*", "*Working*", "*Checking*", "*In review*", "*Merging*")


@dataclass(frozen=True)
class Card:
    """One message as it is at this moment, read as a person reads it."""

    message: Message

    @property
    def text(self) -> str:
        return words(self.message)

    @property
    def buttons(self) -> list[str]:
        return [label for label, _ in buttons(self.message)]

    def part(self, block_id: str) -> str:
        """The text of one block: head, state, facts, why."""
        return "\n".join(t for b in self.message.blocks if b.get("block_id") == block_id for t in texts(b))

    @property
    def state(self) -> str:
        return self.part("state")

    def __contains__(self, text: str) -> bool:
        return text in self.text


class ChannelView:
    """The project's channel, as its members see it."""

    def __init__(self, orch: Orch) -> None:
        self._orch = orch

    def cards(self, task: str) -> list[Card]:
        """Every card of the task; there should be one."""
        shown = (Card(replace(m)) for m in self._orch.world.messages(CHANNEL))
        return [card for card in shown if f"*{task}*" in card.part("head")]

    async def shows(self, task: str, *texts: str, state: str = "", new_since: Card | None = None) -> Card:
        """The task's only card, once it shows this state and these texts. `new_since`: and another commit."""

        def card() -> Card | None:
            found = self.cards(task)
            assert len(found) < 2, f"{task} has {len(found)} cards"
            fits = found and f"*{state}" in found[0].state and all(text in found[0].text for text in texts)
            stale = new_since and found and found[0].state == new_since.state
            return found[0] if fits and not stale else None

        return await self._orch.until(card, f"a card of {task} with {state} {texts}")

    async def settles(self, task: str) -> Card:
        """The task's card, once a person has to do something or nothing more happens."""

        def card() -> Card | None:
            return next((c for c in self.cards(task) if c.state and not c.state.startswith(UNDER_WAY)), None)

        return await self._orch.until(card, f"{task} to come to rest")

    async def thread_shows(self, task: str, text: str) -> Message:
        """The message in the task's thread that holds this text."""

        def reply() -> Message | None:
            return next((m for m in self.thread(task) if text in words(m)), None)

        return await self._orch.until(reply, f"{text!r} in the thread of {task}")

    def thread(self, task: str) -> list[Message]:
        cards = self.cards(task)
        return self._orch.world.thread(CHANNEL, cards[0].message.ts)[1:] if cards else []

    def threads_files(self, task: str) -> dict[str, str]:
        """Name -> content of the files that were uploaded in the task's thread."""
        files = [self._orch.world.files[f] for message in self.thread(task) for f in message.files]
        return {file.name: (file.content or b"").decode() for file in files}


def words(message: Message) -> str:
    """All text of a message, blocks included."""
    return "\n".join([message.text, *(text for block in message.blocks for text in texts(block))])


def texts(block: Any) -> Iterator[str]:
    """Every text in a block, in its order; values that only the app sees left out."""
    if isinstance(block, dict):
        if isinstance(block.get("text"), str):
            yield block["text"]
        for key, value in block.items():
            if key not in ("confirm", "value"):
                yield from texts(value)
    elif isinstance(block, list):
        for item in block:
            yield from texts(item)


def buttons(message: Message) -> list[tuple[str, str]]:
    """(label, action id) of a message's buttons."""
    return [
        (element["text"]["text"], element["action_id"])
        for block in message.blocks
        for element in block.get("elements", ())
        if element.get("type") == "button"
    ]
