"""`/orch list`, page by page: the private answer is turned over in place.

A page's buttons carry the whole question, so that nothing has to be remembered; it is read by the same reader."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.domain.approvals import Person
from bot.domain.command_kinds import List
from bot.domain.command_readers import VIEW_WORDS
from bot.domain.command_text import nearest
from bot.domain.commands import parse
from bot.errors import UserMistake
from bot.listeners import sights
from bot.listeners.deliveries import on_click
from bot.listeners.desk import Desk, Payload

SEPARATOR = "|"
NOT_UNDERSTOOD = "That button is from a list I no longer understand. Please ask again."


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("list_page", _turn)
    for action_id in ("list_next", "list_previous"):
        app.action(action_id)(on_click(desk, "list_page"))


async def show(
    desk: Desk, payload: Payload, person: Person, project: str, asked: List, number: int = 0, *, replace: bool = False
) -> None:
    """Answer with a page of the tasks that are asked for; pages count from 0. Raises UserMistake."""
    facts = await sights.task_list(desk.office, desk.office.projects[project], person.id, asked, number)
    near = nearest(asked.words, VIEW_WORDS) if asked.words and not facts["total"] else None
    question = SEPARATOR.join((facts["project"], _typed(asked)))
    await desk.answer(payload, "replies/list", replace=replace, **facts, question=question, near=near)


async def _turn(desk: Desk, payload: Payload) -> None:
    person = await desk.person(payload)
    number, _, question = payload["value"].partition(SEPARATOR)
    project, _, typed = question.partition(SEPARATOR)
    asked = parse(f"list {typed}")
    if not number.isdigit() or not isinstance(asked, List):
        raise UserMistake(NOT_UNDERSTOOD)
    await show(desk, payload, person, project, asked, int(number), replace=True)


def _typed(asked: List) -> str:
    """The question as somebody would type it: every word quoted, lest one of them is a view's name."""
    said = [f'"{word}"' for word in asked.words.replace('"', "").split()]
    return " ".join([asked.view, *([f"<@{asked.owner}>"] if asked.owner else []), *said])
