"""Conversations that need a setup of their own: keys, budgets, time-outs, repositories."""

from __future__ import annotations

from tests.acceptance.conftest import Starting
from tests.acceptance.models import HAIKU, Reply


async def test_a_key_that_is_refused_blocks_and_says_which(starting: Starting) -> None:
    async with starting(keys=frozenset({"another"})) as orch:
        task = await orch.dev.assigns("Document a --files docs/a.md")
        card = await orch.channel.shows(task, "refused the key in ANTHROPIC_API_KEY", state="Blocked")
        assert "sk-ant" not in card.text
        assert await orch.books.calls() == []


async def test_a_silent_provider_is_given_up_on(starting: Starting) -> None:
    quick = {rung: {"timeout_seconds": 4} for rung in ("haiku", "sonnet", "gemini", "opus")}
    async with starting(models=quick, checks=()) as orch:
        orch.models.answer(Reply(delay_seconds=600), model=HAIKU)
        task = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(task, state="Awaiting approval")
        states = [(call.purpose, call.state) for call in await orch.books.calls()]
        assert states == [("edit", "unknown"), ("edit", "settled"), ("review", "settled")]


async def test_a_day_without_tokens_lets_work_wait(starting: Starting) -> None:
    async with starting(budgets={"preset": "standard", "daily": {"haiku": 900, "sonnet": 900}}, checks=()) as orch:
        first = await orch.dev.assigns("Document a --files docs/a.md")
        card = await orch.channel.shows(
            first, "waiting for sonnet's tokens for", state="Queued"
        )  # after haiku's (R-ESC-5)
        assert "its next call needs at least" in card
        await orch.dev.types("/orch budget")
        await orch.dev.sees_privately("haiku", "of 900")
        await orch.books.agree()


async def test_a_red_day_starts_no_new_attempt(starting: Starting) -> None:
    async with starting(budgets={"preset": "standard", "red": 0.001, "yellow": 0.001}, checks=()) as orch:
        first = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(first, state="Awaiting approval")
        second = await orch.dev.assigns("Document b --files docs/b.md")
        await orch.channel.shows(second, "on nothing new starts", state="Queued")
        await orch.dev.types("/orch budget")
        await orch.dev.sees_privately(":red_circle:")
        await orch.books.agree()


async def test_a_repository_that_does_not_exist(starting: Starting) -> None:
    async with starting(project={"repo": "/nowhere/at/all.git"}) as orch:
        task = await orch.dev.assigns("Document a --files docs/a.md")
        card = await orch.channel.shows(task, "/nowhere/at/all.git", state="Blocked")
        assert "a defect in Orch" not in card
        await orch.dev.gets(task, "is blocked and needs a person")
        assert await orch.books.calls() == []


async def test_a_branch_that_does_not_exist_then_does(starting: Starting) -> None:
    async with starting(project={"branch": "release"}, checks=()) as orch:
        task = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(task, "release", state="Blocked")
        orch.repo.git("branch", "release")
        await orch.dev.clicks("Retry", on=task)
        await orch.channel.shows(task, state="Awaiting approval")
        await orch.lead.clicks("Approve merge", on=task)
        await orch.channel.shows(task, "on `release`", state="Merged")
        assert orch.repo.file("docs/a.md") is None and orch.repo.file("docs/a.md", "release")


async def test_checks_that_cannot_run_are_a_persons_decision(starting: Starting) -> None:
    async with starting(sandbox={"enabled": False}) as orch:
        task = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(task, "sh check.sh not run", state="Awaiting approval")
        before = orch.repo.head
        await orch.lead.clicks("Approve merge", on=task)
        assert (await orch.lead.submits(checklist=["1", "2"])).errors == {
            "checklist": "Tick every line, or close this form and request changes."
        }
        assert orch.repo.head == before
        await orch.lead.submits(checklist=["1", "2", "3", "4"])
        await orch.channel.shows(task, state="Merged")
