"""What a reply in a task's thread means (DESIGN: people steer by replying in the thread)."""

from __future__ import annotations

import pytest

from bot.domain.thread_words import REPLY_CHARS, Aside, Order, Reply, Steer, change_of, newest_that_fit, read_reply
from bot.errors import UserMistake

BOT = "U0ORCH"

#: what a person writes -> what it means
MEANINGS: list[tuple[str, Reply]] = [
    ("stop", Order(verb="stop")),
    ("Stop!", Order(verb="stop")),
    ("STOP.", Order(verb="stop")),
    ("please stop", Order(verb="stop")),
    ("stop please", Order(verb="stop")),
    ("stop now", Order(verb="stop")),
    ("cancel", Order(verb="stop")),
    ("<@U0ORCH> stop", Order(verb="stop")),
    ("<@U0ORCH|orch>: stop", Order(verb="stop")),
    ("orch stop", Order(verb="stop")),
    ("/orch stop", Order(verb="stop")),
    ("`stop`", Order(verb="stop")),
    ("retry", Order(verb="retry")),
    ("Try again, please", Order(verb="retry")),
    ("unblock", Order(verb="unblock")),
    ("why?", Order(verb="why")),
    ("Why", Order(verb="why")),
    ("status?", Order(verb="status")),
    ("help", Order(verb="help")),
    ("?", Order(verb="help")),
    ("mute", Order(verb="mute")),
    ("unmute", Order(verb="unmute")),
    ("done", Order(verb="done")),
    ("done!", Order(verb="done")),
    ("Done: all 40 tests pass\non staging", Order(verb="done", said="all 40 tests pass\non staging")),
    ("blocked: no staging keys", Order(verb="blocked", said="no staging keys")),
    ("Blocked - no keys", Order(verb="blocked", said="no keys")),
    ("blocked by the API team", Order(verb="blocked", said="by the API team")),
    ("block: no keys", Order(verb="blocked", said="no keys")),
    # the same words inside a sentence are wishes, and do nothing by themselves
    ("stop using tabs", Steer(text="stop using tabs")),
    ("Please stop the server in the test", Steer(text="Please stop the server in the test")),
    ("retry failed payments three times", Steer(text="retry failed payments three times")),
    ("why not use a dict?", Steer(text="why not use a dict?")),
    ("done, but it looks wrong", Steer(text="done, but it looks wrong")),
    ("blocked users must see a message", Steer(text="blocked users must see a message")),
    ("help texts in Portuguese", Steer(text="help texts in Portuguese")),
    ("<@U0ORCH> use spaces", Steer(text="use spaces")),
    ("see <http://a.example|a.example> &amp; co", Steer(text="see a.example & co")),
    ("ask <@U0LEAD> about the name", Steer(text="ask <@U0LEAD> about the name")),
    ("orchestrate it differently", Steer(text="orchestrate it differently")),
    # not for Orch
    ("aside: lunch?", Aside()),
    ("Aside lunch?", Aside()),
    ("(aside) lunch?", Aside()),
    ("<@U0LEAD> stop", Aside()),
    ("<@U0LEAD> what do you think?", Aside()),
    ("", Aside()),
    ("   ", Aside()),
    ("<@U0ORCH>", Aside()),
    (":", Aside()),
    ("👍", Aside()),
]


@pytest.mark.parametrize(("text", "meaning"), MEANINGS, ids=lambda value: value[:30] if isinstance(value, str) else "")
def test_meanings(text: str, meaning: Reply) -> None:
    assert read_reply(text, BOT) == meaning


@pytest.mark.parametrize("text", ["blocked", "Blocked!", "blocked:", "blocked: ", "stuck"])
def test_blocked_wants_a_reason(text: str) -> None:
    with pytest.raises(UserMistake) as caught:
        read_reply(text, BOT)
    assert "Why is it blocked?" in str(caught.value) and caught.value.form == "blocked: waiting for the staging keys"


def test_a_long_reply_is_cut_and_says_so() -> None:
    found = read_reply("x" * 20_000, BOT)
    assert isinstance(found, Steer) and found.cut and len(found.text) == REPLY_CHARS and found.text.endswith("…")


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (Steer(text="in red"), Steer(text="in blue"), Steer(text="in blue")),
        (Steer(text="in red"), Steer(text="in red"), None),
        (Steer(text="in red"), Aside(), Aside()),
        (Aside(), Steer(text="in red"), Steer(text="in red")),
        (Steer(text="stpo"), Order(verb="stop"), Order(verb="stop")),
        (Order(verb="stop"), Order(verb="stop"), None),  # "stop" -> "Stop, please": it was obeyed
        (Order(verb="stop"), Order(verb="retry"), Order(verb="retry")),
        (Order(verb="stop"), Steer(text="stop using tabs"), Steer(text="stop using tabs")),
        (Order(verb="done", said="30 a second"), Order(verb="done", said="300 a second"), None),
        (Order(verb="blocked", said="a"), Order(verb="blocked", said="b"), Order(verb="blocked", said="b")),
        (None, Order(verb="blocked", said="no keys"), Order(verb="blocked", said="no keys")),
    ],
)  # fmt: skip
def test_a_reply_that_was_changed(before: Reply | None, now: Reply, change: Reply | None) -> None:
    """What was obeyed once is not obeyed again."""
    assert change_of(before, now) == change


@pytest.mark.parametrize(
    ("lengths", "kept"),
    [([], 0), ([10], 1), ([5_000], 1), ([1_500, 1_500], 2), ([1, 1_500, 1_500], 2), ([10] * 8, 8), ([10, 5_000], 1)],
)
def test_the_newest_replies_fit(lengths: list[int], kept: int) -> None:
    assert newest_that_fit(["x" * length for length in lengths]) == kept
