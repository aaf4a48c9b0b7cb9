"""Escalation where the tokens of the day decide (R-ESC-5, R-BUD-1): each with a setup of its own."""

from __future__ import annotations

from tests.acceptance.conftest import Starting
from tests.acceptance.models import OPUS, SONNET, Reply, create, edits


async def test_haikus_day_is_gone(starting: Starting) -> None:
    """R-ESC-5: queued for sonnet, next in its priority."""
    async with starting(budgets={"preset": "standard", "daily": {"haiku": 300}}, checks=()) as orch:
        task = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(task, "sonnet", state="Awaiting approval")
        row = await orch.row(task)
        assert (row.route["rung"], row.priority) == ("sonnet", "high")
        assert [call.rung for call in await orch.books.calls()] == ["sonnet", "gemini"]
        await orch.books.agree()


async def test_opus_has_only_what_was_approved(starting: Starting) -> None:
    """R-BUD-1, R-ESC-8: the click lets the attempt through although opus has 0 for the day; the day itself holds."""
    tight = {"preset": "lean", "daily": {"haiku": 2000, "sonnet": 9000, "gemini": 9000}}
    async with starting(budgets=tight, checks=(), token_budget_daily=2500) as orch:
        orch.models.answer(Reply(text="BEYOND: no"), model=SONNET)
        task = await orch.dev.assigns("Change the rules of instalments --files granter/x.py --model sonnet")
        await orch.channel.shows(task, "beyond it at sonnet", state="Blocked")
        await orch.two.clicks("Escalate to Opus", on=task)
        await orch.channel.shows(task, "waiting for the tokens for", state="Queued")
        assert orch.models.asked(OPUS) == [], "an approval is not above the day's own limit"
        await orch.books.agree()


async def test_opus_gets_its_own_budget_and_no_more(starting: Starting) -> None:
    """Two tasks approved on one day each get theirs; the counter of the day shows what both took."""
    async with starting(budgets={"preset": "standard"}, checks=()) as orch:
        for n in (1, 2):
            orch.models.answer(Reply(text="BEYOND: no"), model=SONNET)
            orch.models.answer(edits(create(f"granter/y{n}.py", "y = 1\n")), model=OPUS)
            task = await orch.dev.assigns(f"Change rule {n} of instalments --files granter/y{n}.py --model sonnet")
            await orch.channel.shows(task, state="Blocked")
            await orch.two.clicks("Escalate to Opus", on=task)
            await orch.channel.shows(task, "opus", state="Awaiting approval")
        calls = [call for call in await orch.books.calls() if call.rung == "opus"]
        assert len(calls) == 2
        for call in calls:
            assert any("/attempt/" in scope for scope in call.scopes)
            assert any(scope.endswith("/opus") for scope in call.scopes), "the day's counter of opus shows it"
        await orch.books.agree()
