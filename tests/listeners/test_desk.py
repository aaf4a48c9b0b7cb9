"""Which project is meant, where it is not clear from the channel (R-MSG-4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import UserMistake
from bot.listeners.desk import Desk, Payload
from bot.workflows.office import Office
from tests.store.samples import migrated
from tests.workflows.offices import an_office


def with_a_second(office: Office) -> Office:
    first = office.projects["GRANTER"]
    second = first.model_copy(update={"key": "SHOP", "channel": "C0SHOP"})
    return replace(office, projects={"GRANTER": first, "SHOP": second})


MEANT = [  # where it is typed, whether as a message, what; the project, and what it asks for
    ("C0DEV", False, "list", "GRANTER", "list"),
    ("C0DEV", False, "assign SHOP: is closed, say so", "GRANTER", "assign SHOP: is closed, say so"),
    ("C0SHOP", False, "list", "SHOP", "list"),
    ("D0DEV", False, "SHOP: list", "SHOP", "list"),
    ("D0DEV", False, "assign shop: Document a", "SHOP", "assign Document a"),
    ("D0DEV", True, "SHOP: Document a", "SHOP", "assign Document a"),
    ("C0ELSE", True, "<@U0ORCH> granter: status", "GRANTER", "status"),
]


@pytest.mark.parametrize(("channel", "message", "text", "key", "asked"), MEANT)
async def test_the_project_that_is_meant(channel: str, message: bool, text: str, key: str, asked: str) -> None:
    async with migrated("sqlite+aiosqlite://") as database:
        desk = Desk(with_a_second(an_office(database)))
        payload: Payload = {"channel": channel, "text": text} | ({"ts": "1.0"} if message else {})
        typed = desk.typed(payload)
        assert (desk.meant(typed).key, typed["text"]) == (key, asked)


@pytest.mark.parametrize("text", ["list", "SHOP is closed", "NOPE: list", "SHOP:S1-D1-1"])
async def test_it_is_asked_for_where_nothing_says_it(text: str) -> None:
    async with migrated("sqlite+aiosqlite://") as database:
        desk = Desk(with_a_second(an_office(database)))
        typed = desk.typed({"channel": "D0DEV", "text": text})
        assert typed["text"] == text
        with pytest.raises(UserMistake, match=r"Which project do you mean\? .*C0SHOP.* or begin with its key"):
            desk.meant(typed)
