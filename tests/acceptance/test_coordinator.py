"""What the rules leave unsure, the coordinator reads in one small call: at most 500 tokens a day (R-BUD-6)."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.assign import AssignRequest
from bot.domain.coordinator import is_unsure
from bot.workflows.intake import route_request
from tests.acceptance.conftest import Starting
from tests.acceptance.conversation import Orch
from tests.acceptance.models import HAIKU, Reply

SETUP: dict[str, Any] = {"checks": (), "policy": {"provider_backoff_seconds": 0.1}}
#: Which of these are unsure depends on the rules and the text model.
TEXTS = (
    "Shorter names in the list", "Smaller margins", "Polish the start page", "Clean up the list", "Mondays only",
    "The list on one page",
)  # fmt: skip

#: Unsure, and of some length, so that a few such are a day's tokens.
LONG = f"Clean up the list {'and again ' * 30}"


def _unsure(orch: Orch) -> list[str]:
    project = orch.office.projects["GRANTER"]
    found = [text for text in TEXTS if is_unsure(route_request(orch.office, project, AssignRequest(text=text)))]
    assert len(found) > 3, "too few of the texts are unsure"
    return found


async def _asked(orch: Orch) -> list[Any]:
    return [call for call in await orch.books.calls() if call.purpose == "triage"]


async def _events(orch: Orch, task: str) -> list[str]:
    return [event.why for event in await orch.events(task) if event.kind == "triage"]


async def test_one_small_call_decides_what_is_unsure_while_the_day_lasts(starting: Starting) -> None:
    async with starting(**SETUP) as orch:
        texts = _unsure(orch)
        task = await orch.dev.assigns("Write the changelog --files docs/sure.md")
        await orch.channel.shows(task, state="Awaiting approval")
        assert await _asked(orch) == [], "what is clear costs nothing"
        task = await orch.dev.assigns(f"{texts[3]} --model sonnet")
        await orch.channel.shows(task, state="Awaiting approval")
        assert await _asked(orch) == [], "nor what a person decided"

        await orch.dev.types(f"/orch assign {texts[0]} --dry-run")
        await orch.dev.sees_privately("*Unclear*", "the coordinator reads it first", "at most 500 tokens, $0.000")
        await orch.dev.types("/orch assign Write the changelog --dry-run")
        assert "*Unclear*" not in await orch.dev.sees_privately("*Quote*")

        orch.models.answer(Reply(text="docs low no"), model=HAIKU)
        task = await orch.dev.assigns(texts[0])
        card = await orch.channel.shows(task, "The coordinator read it as documentation", state="Awaiting approval")
        assert "*Why haiku*" in card
        (call,) = await _asked(orch)
        assert call.reserved_tokens <= 500 and any("/coordinator/" in scope for scope in call.scopes)
        assert any(scope.endswith("/haiku") for scope in call.scopes), "it counts against haiku's day too"
        assert (await orch.row(task)).attempt == 1

        for _ in range(3):  # the rest of the 500 is soon gone
            orch.models.answer(Reply(text="logic high no", usage={"output_tokens": 24}), model=HAIKU)
            task = await orch.dev.assigns(LONG)
            await orch.channel.shows(task, "The coordinator")
        orch.models.script.clear()
        task = await orch.dev.assigns(LONG)
        card = await orch.channel.shows(task, "The coordinator could not tell", state="Queued")  # its file is held
        assert "*Why sonnet*" in card and "tokens left" in card
        spent = [c.used_tokens for c in await _asked(orch)]
        assert sum(spent) <= 500 and f"/{task}/" not in str([c.id for c in await _asked(orch)])
        await orch.books.agree()


@pytest.mark.parametrize(
    ("answer", "says", "rung"),
    [
        (Reply(text="docs low yes"), "sees it as security-critical", "sonnet"),
        (Reply(text="I think that this is documentation."), "its answer could not be read", "sonnet"),
        (Reply(status=529), "overloaded", "sonnet"),
        (Reply(status=500), "HTTP 500", "sonnet"),
        (Reply(text="search low no"), "read it as search", "gemini"),
    ],
    ids=["security", "unreadable", "refused", "unknown", "a question"],
)
async def test_it_only_refines(starting: Starting, answer: Reply, says: str, rung: str) -> None:
    async with starting(**SETUP) as orch:
        orch.models.answer(answer, model=HAIKU)
        task = await orch.dev.assigns(_unsure(orch)[0])
        card = await orch.channel.shows(task, says, state="Done" if rung == "gemini" else "Awaiting approval")
        assert f"*Why {rung}*" in card
        row = await orch.row(task)
        assert row.route["security"] is ("security" in says)
        assert row.attempt == 1 and len(await _asked(orch)) == 1 and len(await _events(orch, task)) == 1
        await orch.books.agree()


async def test_what_is_a_persons_work_goes_to_the_person(starting: Starting) -> None:
    async with starting(**SETUP) as orch:
        orch.models.answer(Reply(text="ops medium no"), model=HAIKU)
        task = await orch.dev.assigns(_unsure(orch)[0])
        await orch.channel.shows(task, "The coordinator read it as operations", state="With a person")
        await orch.dev.gets(task)
        await orch.books.agree()
