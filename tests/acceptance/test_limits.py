"""Budgets run out, and people decide (R-BUD-3, R-APR): alerts, raises, deferrals, downgrades, corrections."""

from __future__ import annotations

from bot.local.slack import Message
from bot.render import money, tokens
from tests.acceptance.card import CHANNEL, buttons, words
from tests.acceptance.conftest import Starting
from tests.acceptance.conversation import Orch
from tests.acceptance.models import SONNET, Reply, create, edits, replace


def alerts(orch: Orch, text: str) -> list[Message]:
    """The alerts in the channel that hold this text."""
    return [m for m in orch.world.messages(CHANNEL) if m.text.startswith(("Yellow:", "Red:")) and text in words(m)]


async def alert(orch: Orch, *texts: str) -> Message:
    """The one alert in the channel that holds these texts."""
    found = await orch.until(
        lambda: [m for m in alerts(orch, texts[0]) if all(t in words(m) for t in texts)], f"an alert with {texts}"
    )
    assert len(found) == 1, [words(m) for m in found]
    return found[0]


def dear(path: str, output: int) -> Reply:
    """An edit whose answer takes so many tokens."""
    made = edits(create(path, "x = 1\n"))
    return Reply(text=made.text, edits=made.edits, usage={"output_tokens": output})


async def test_a_budget_fills_and_is_raised(starting: Starting) -> None:
    """Yellow once, red once, the next task waits and says for what; a lead raises the limit, and it goes on."""
    budgets = {"preset": "standard", "daily": {"sonnet": 10_000}, "yellow": 0.45}
    async with starting(budgets=budgets, checks=(), models={"sonnet": {"task_budget": 5_000}}) as orch:
        for n in (1, 2):
            orch.models.answer(dear(f"granter/x{n}.py", 3_500), model=SONNET)
            task = await orch.dev.assigns(f"Change rule {n} of instalments --files granter/x{n}.py --model sonnet")
            await orch.channel.shows(task, state="Awaiting approval")
        waiting = await orch.dev.assigns("Change rule 3 of instalments --files granter/x3.py --model sonnet")
        await orch.channel.shows(waiting, "waiting for sonnet's tokens for", state="Queued")
        await alert(orch, "Yellow: sonnet's tokens for")
        red = await alert(orch, "Red: sonnet's tokens for", "Raise", "Defer", "Downgrade")
        await orch.lead.gets("Red: sonnet's tokens for", "Raise")

        await orch.dev.clicks("Raise", on=red)
        await orch.dev.sees_privately("Only a lead may do that. Nothing was changed.")
        assert orch.world.open_view("U0DEV") is None, "no form is opened for nothing"
        await orch.lead.clicks("Raise", on=red)
        assert "out of range" in (await orch.lead.submits(tokens="0")).errors["tokens"]
        assert "is over already" in (await orch.lead.submits(tokens="10k", until="2020-01-01")).errors["until"]
        await orch.lead.submits(until=None)
        await orch.lead.sees_privately("Raised: sonnet's tokens for", "are 20k now (10k more)")
        await orch.channel.shows(waiting, state="Awaiting approval")

        done = await alert(orch, "Red: sonnet's tokens for", "<@U0LEAD> raised it by 10k tokens")
        assert buttons(done) == [] and done.ts == red.ts, "the same message tells who did what"
        await orch.lead.gets("Red: sonnet's tokens for", "<@U0LEAD> raised it by 10k tokens")
        assert len(alerts(orch, "sonnet's tokens")) == 2
        await orch.books.agree()


async def test_what_waits_is_downgraded_or_deferred(starting: Starting) -> None:
    """R-SEC-1: security work stays at sonnet. A deferral stays in force when something else is raised."""
    budgets = {"preset": "standard", "daily": {"sonnet": 4_000}}
    async with starting(budgets=budgets, checks=()) as orch:
        orch.models.answer(dear("granter/x.py", 2_500), model=SONNET)
        first = await orch.dev.assigns("Change the rules of instalments --files granter/x.py --model sonnet")
        await orch.channel.shows(first, state="Awaiting approval")
        ordinary = await orch.dev.assigns("Change how refunds work --files granter/y.py --type logic --model sonnet")
        secure = await orch.dev.assigns("Check the JWT of each request --files granter/auth/jwt.py")
        for task in (ordinary, secure):
            await orch.channel.shows(task, "waiting for sonnet's tokens for", state="Queued")
        red = await alert(orch, "Red: sonnet's tokens for")

        await orch.dev.clicks("Downgrade", on=red)
        await orch.dev.sees_privately("Only a lead may do that. Nothing was changed.")
        await orch.lead.clicks("Downgrade", on=red)
        await orch.lead.sees_privately(f"{ordinary}* goes to haiku.", f"{secure}* stays where it is: it is security")
        await orch.channel.shows(ordinary, "haiku", state="Awaiting approval")
        left = await alert(orch, "Red: sonnet's tokens for", f"{ordinary} to haiku", f"{secure} stays")
        assert [label for label, _ in buttons(left)] == ["Raise", "Defer"]

        await orch.lead.clicks("Defer", on=left)
        await orch.channel.shows(secure, "deferred to", "by a lead", state="Queued")
        await alert(orch, "Red: sonnet's tokens for", "deferred what waits for it")
        await orch.lead.types("/orch budget raise day 5k")
        await orch.lead.sees_privately("Raised: the tokens for")
        await orch.channel.shows(secure, "deferred to", state="Queued")
        await orch.lead.types("/orch budget reset")
        await orch.lead.sees_privately("sonnet: deferred until", "day: 5k more tokens")
        await orch.channel.shows(secure, "waiting for sonnet's tokens for", state="Queued")
        assert (await orch.row(secure)).route["rung"] == "sonnet"
        await orch.books.agree()


async def test_a_call_with_an_unknown_outcome_is_corrected(starting: Starting) -> None:
    """Charged in full, shown as such, corrected by a lead, once; a task's own budget is raised and put back."""
    async with starting(checks=()) as orch:
        orch.models.answer(Reply(text="lost", cut="before"), model="haiku")
        task = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(task, state="Awaiting approval")
        call = next(call for call in await orch.books.calls() if call.state == "unknown")
        await orch.dev.types(f"/orch why {task}")
        await orch.dev.sees_privately("charged in full", f"/orch budget correct {call.id} TOKENS")
        await orch.dev.types(f"/orch budget correct {call.id} 0")
        await orch.dev.sees_privately("Only a lead may do that. Nothing was changed.")
        await orch.lead.types("/orch budget")
        await orch.lead.sees_privately("whose outcome is unknown", call.id)
        await orch.lead.types(f"/orch budget correct {call.id} 700")
        await orch.lead.sees_privately(f"{call.id} counts 700 tokens now")
        await orch.lead.types(f"/orch budget correct {call.id} 800")
        await orch.lead.sees_privately("corrected already")
        await orch.lead.types("/orch budget correct GRANTER/S9-D9-9/1/1 5")
        await orch.lead.sees_privately("There is no call GRANTER/S9-D9-9/1/1")
        corrected = next(each for each in await orch.books.calls() if each.id == call.id)
        assert (corrected.state, corrected.used_tokens) == ("corrected", 700)
        assert "call_corrected" in [event.kind for event in await orch.events(task)]
        await orch.books.agree()

        before = (await orch.row(task)).token_budget
        await orch.lead.types(f"/orch budget raise {task} 2k")
        await orch.lead.sees_privately("2k more")
        assert (await orch.row(task)).token_budget == before + 2_000
        await orch.lead.types(f"/orch budget reset {task}")
        await orch.lead.sees_privately("I took 2k tokens back")
        assert (await orch.row(task)).token_budget == before


async def test_a_day_that_calls_of_unknown_outcome_hold_is_given_free(starting: Starting) -> None:
    """The alert says what they hold and what to type; what waited for it goes on by itself."""
    budgets = {"preset": "standard", "daily": {"gemini": 9_000}}
    async with starting(budgets=budgets, checks=()) as orch:
        orch.models.answer(Reply(cut="before"), model="gemini")
        task = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(task, "waiting for gemini's tokens for", state="In review")
        await alert(orch, "Red: gemini's tokens for", "1 call of unknown outcome holds", "correct gemini TOKENS`")
        await orch.lead.gets("Red: gemini's tokens for", "1 call of unknown outcome holds")
        await orch.lead.types("/orch budget")
        await orch.lead.sees_privately("1 call whose outcome is unknown", "charged in full")
        await orch.dev.types("/orch budget correct gemini 1000")
        await orch.dev.sees_privately("Only a lead may do that. Nothing was changed.")
        await orch.lead.types("/orch budget correct gemini 1000")
        await orch.lead.sees_privately("1 call of unknown outcome counts at most 1k tokens now", "gemini's tokens for")
        await orch.channel.shows(task, state="Awaiting approval")
        await orch.until(lambda: not alerts(orch, "of unknown outcome") or None, "the alert to say so no more")
        await orch.books.agree()


async def test_a_task_that_escalated_keeps_the_rungs_own_budget(starting: Starting) -> None:
    """R-ESC-8: what a lead added at haiku is taken back, and nothing of what sonnet has by itself."""
    models = {"haiku": {"max_attempts": 1, "task_budget": 20_000}, "sonnet": {"task_budget": 50_000}}
    async with starting(checks=(), models=models) as orch:
        orch.models.answer(edits(replace("README.md", "no such text", "x")), edits(replace("README.md", "nor", "x")))
        before = await orch.dev.assigns("Validate the staging environment by hand")
        task = await orch.dev.assigns(f"Document a --files docs/a.md --after {before}")
        await orch.lead.types(f"/orch budget raise {task} 1k")
        await orch.lead.sees_privately("has 21k tokens for each attempt now (1k more)")
        await orch.lead.types(f"/orch done {before} looks fine")
        await orch.channel.shows(task, state="Awaiting approval")
        assert (await orch.row(task)).route["rung"] == "sonnet"
        assert (await orch.row(task)).token_budget == 50_000
        await orch.lead.types(f"/orch budget raise {task} 2k")
        await orch.lead.sees_privately("has 52k tokens for each attempt now")
        await orch.lead.types(f"/orch budget reset {task}")
        await orch.lead.sees_privately(f"I took 2k tokens back: *{task}* has 50k for each attempt now.")
        await orch.books.agree()


async def test_dollars_run_out_and_are_raised(starting: Starting) -> None:
    budgets = {"preset": "standard", "daily_usd": 0.035}
    async with starting(budgets=budgets, checks=(), models={"sonnet": {"task_budget": 5_000}}) as orch:
        for n in (1, 2):
            orch.models.answer(dear(f"granter/x{n}.py", 3_000), model=SONNET, text=f"rule {n}")
        first = await orch.dev.assigns("Change rule 1 of instalments --files granter/x1.py --model sonnet")
        await orch.channel.shows(first, state="Awaiting approval")
        second = await orch.dev.assigns("Change rule 2 of instalments --files granter/x2.py --model sonnet")
        red = await alert(orch, "Red: the tokens for", "of $0.0350")
        await orch.dev.types("/orch budget raise day $5")
        await orch.dev.sees_privately("Only a lead may do that. Nothing was changed.")
        await orch.lead.types("/orch budget raise sprint $5")
        await orch.lead.sees_privately("Dollars are not limited here; `budgets.sprint_usd` in the configuration would")
        await orch.lead.clicks("Raise", on=red)
        assert "is not an amount" in (await orch.lead.submits(dollars="five")).errors["dollars"]
        assert "One at a time" in (await orch.lead.submits(dollars="5", tokens="5k")).errors["dollars"]
        assert "Say how much" in (await orch.lead.submits(dollars=None, tokens=None)).errors["tokens"]
        await orch.lead.submits(dollars="$1", tokens=None)
        await orch.lead.sees_privately("Raised: the tokens for", "may cost $1.03 now ($1.00 more)")
        await alert(orch, "Red: the tokens for", "<@U0LEAD> raised it by $1.00")
        await orch.channel.shows(second, state="Awaiting approval")
        await orch.lead.types("/orch budget")
        await orch.lead.sees_privately("day: $1.00 more until")
        await orch.lead.types("/orch budget reset day")
        await orch.lead.sees_privately("day: $1.00 more")
        await orch.books.agree()


async def test_a_tasks_own_spending_call_by_call(starting: Starting) -> None:
    async with starting(checks=()) as orch:
        await orch.dev.types("/orch budget task S0-D0-1")
        await orch.dev.sees_privately("There is no task S0-D0-1")
        orch.models.answer(Reply(text="lost", cut="before"), model="haiku")
        task = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(task, state="Awaiting approval")
        unknown, edit, review = await orch.books.calls()
        await orch.dev.types(f"/orch budget task {task}")
        said = await orch.dev.sees_privately(f"Attempt 2 at haiku: {tokens(edit.used_tokens)} of 20k tokens", "left.")
        assert f"*1/1 edit* · {unknown.model} · {tokens(unknown.used_tokens)} tokens, charged in full" in said
        assert f"*2/1 edit* · {edit.answered_by} · in {tokens(edit.input_tokens)}, out {edit.output_tokens}" in said
        assert f"({review.thinking_tokens} thinking) · {money(review.cost_microusd)}" in said
        total = sum(call.used_tokens for call in (unknown, edit, review))
        assert f"In all {tokens(total)} tokens · {money(sum(c.cost_microusd for c in (unknown, edit, review)))}" in said
