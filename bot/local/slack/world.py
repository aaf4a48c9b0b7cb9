"""The emulated Slack workspace: what people can do in it, and what they see.

Everything a page or a test needs is here and in state.State, from which World inherits its memory, its
queries (`messages`, `thread`, `ephemerals`, `dm`, `view_stack`, `home`, ...) and its change stream (`subscribe`,
`wait_for`). The app under test never touches this class: it talks to SlackServer over HTTP and WebSocket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.local.slack.records import AppConfig, Delivery, Json, Message
from bot.local.slack.seed import Seed
from bot.local.slack.state import State

Selected = str | Sequence[str] | None


class World(State):
    """A workspace with one app in it. Needs no server to be inspected; SlackServer connects it to the app.

    `path`: where the state is kept between runs (None: nowhere); a file that exists wins over `seed`.
    """

    def __init__(
        self, app: AppConfig | None = None, seed: Seed | None = None, path: Path | None = None
    ) -> None:
        super().__init__(app or AppConfig(), seed or Seed(), path)

    async def post_message(
        self, user: str, channel: str, text: str, thread_ts: str | None = None
    ) -> Delivery:
        """A person writes. `@name` and `#name` become mentions, as the composer does. `ts`: the new message.

        `channel` may be the bot's user id: the person's direct messages with the bot. Raises LookupError or
        PermissionError when Slack would not offer this (unknown or archived channel, not a member).
        """
        raise NotImplementedError

    async def run_command(self, user: str, channel: str, command: str, text: str = "") -> Delivery:
        """A person runs a slash command; its answer, or Slack's failure text, is shown as an ephemeral."""
        raise NotImplementedError

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
        """A person uses a button, select, overflow, checkbox or picker of a message (also an ephemeral one).

        The action is taken from the stored block. `value` picks among elements that share an action_id;
        `selected` is the chosen option's value, id or date (a list for multi selects and checkboxes). `forge`
        overwrites keys of the action, as no honest Slack client can: a fault for tests.
        """
        raise NotImplementedError

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
        forge: Json | None = None,
    ) -> Delivery:
        """The same in an open modal or the Home tab; `values` as in submit_view: what inputs hold by now."""
        raise NotImplementedError

    async def submit_view(
        self, user: str, view_id: str, values: Mapping[str, object] | None = None
    ) -> Delivery:
        """Fill the inputs and press submit. The modal stack then follows the app's answer.

        `values`: by block_id or action_id, the text, the chosen option's value, an id or a date; a list for
        multi selects and checkboxes; None empties. What is not named keeps its initial value. On a missing
        required input, or when the app answers with errors, `errors` tells so and the modal stays.
        """
        raise NotImplementedError

    async def close_view(self, user: str, view_id: str, *, clear: bool = False) -> Delivery:
        """Press cancel, or with `clear` the X that closes the whole stack."""
        raise NotImplementedError

    async def message_shortcut(self, user: str, callback_id: str, channel: str, message_ts: str) -> Delivery:
        """Choose a shortcut in the menu of a message."""
        raise NotImplementedError

    async def global_shortcut(self, user: str, callback_id: str) -> Delivery:
        """Choose a shortcut in the lightning menu or in search."""
        raise NotImplementedError

    async def open_home(self, user: str, tab: str = "home") -> Delivery:
        """Open the app's Home tab (or its `messages` tab)."""
        raise NotImplementedError

    async def add_reaction(self, user: str, channel: str, message_ts: str, name: str) -> Delivery:
        """Add an emoji (name without colons) to a message; adding it twice is one reaction."""
        raise NotImplementedError

    async def settled(self) -> None:
        """Wait until nothing is on its way to the app any more, redeliveries included."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop what is on its way and save. The world can be read afterwards, but delivers no more."""
        raise NotImplementedError

    def say(self, message: Message) -> Message:
        """Add a message (of whomever) and let the app know, as Slack does even for the app's own messages."""
        raise NotImplementedError
