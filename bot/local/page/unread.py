"""What each person has read, for the dots and numbers in the sidebar; kept while the page runs."""

from bot.local.slack import Channel, Message, World
from bot.local.slack.state import ts_of


class Unread:
    """Everything that was there at the start counts as read."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._start = ts_of(world.last_ts)
        self._read: dict[tuple[str, str], str] = {}
        self._dismissed: set[tuple[str, str]] = set()

    def visit(self, user: str, channel: str) -> None:
        """This person has the channel before their eyes: all in it is read."""
        messages = self.world.messages(channel, user)
        if messages:
            self._read[user, channel] = messages[-1].ts

    def unread(self, user: str, channel: Channel) -> list[Message]:
        """What others posted there since this person last looked."""
        since = self._read.get((user, channel.id), self._start)
        found = self.world.messages(channel.id, user)
        return [m for m in found if m.ts > since and m.user != user and not self.is_dismissed(user, m)]

    def count(self, user: str, channel: Channel) -> int:
        """The number on the badge: direct messages, mentions and what only this person sees."""
        return sum(
            channel.kind == "im" or m.ephemeral_to == user or f"<@{user}>" in m.text for m in self.unread(user, channel)
        )

    def dismiss(self, user: str, ts: str) -> None:
        """Hide an ephemeral message from the person it was shown to."""
        self._dismissed.add((user, ts))

    def is_dismissed(self, user: str, message: Message) -> bool:
        return message.ephemeral_to is not None and (user, message.ts) in self._dismissed
