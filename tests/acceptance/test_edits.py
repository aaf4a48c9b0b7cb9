"""When a model's edits are no good: repair, another attempt, the next rung (R-ESC, the gate)."""

from __future__ import annotations

import pytest

from tests.acceptance.conversation import Orch
from tests.acceptance.models import HAIKU, SONNET, Edit, Reply, approves, create, edits, replace

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "AKIA" + "Z7QJ4XW2M5PNK3RT"


async def test_an_edit_that_does_not_match_is_repaired(shared: Orch) -> None:
    shared.models.answer(
        edits(replace("README.md", "no such words", "x")), edits(create("docs/a.md", "good\n")), model=HAIKU
    )
    task = await shared.dev.assigns("Document a --files docs/a.md,README.md")
    card = await shared.channel.shows(task, state="Awaiting approval")

    first, second = [call for call in shared.models.asked(HAIKU) if task in call.call_id]
    assert "Document a" in first.text and "Change only: docs/a.md, README.md" in first.text
    answered = second.body["messages"][-1]["content"][0]
    assert answered["is_error"] and "old_str was found 0 times" in answered["content"]
    assert "attempt 1" not in card.state
    assert (await shared.row(task)).attempt == 1
    await shared.books.agree()


async def test_failing_checks_are_repaired_with_their_output(shared: Orch) -> None:
    """R-ESC-4; and nobody pays for a review of what its checks refuse (R-PAR-4)."""
    shared.models.answer(edits(create("docs/b.md", "bad\n")), edits(create("docs/b.md", "good\n")), model=HAIKU)
    check = "cat docs/b.md; grep -q good docs/b.md"
    task = await shared.dev.assigns(f'Document b --files docs/b.md --check "{check}"')
    card = await shared.channel.shows(task, state="Awaiting approval")

    _, repair = [call for call in shared.models.asked(HAIKU) if task in call.call_id]
    told = repair.body["messages"][-1]["content"][-1]["text"]
    assert "cat docs/b.md" in told and "bad" in told and "ended with 1" in told
    assert len([call for call in shared.models.asked("gemini") if task in call.call_id]) == 1
    assert ":white_check_mark: cat docs/b.md" in card


async def test_three_failed_attempts_at_haiku_go_to_sonnet(shared: Orch) -> None:
    shared.models.answer(*(edits(create("docs/c.md", f"bad {n}\n")) for n in range(6)), model=HAIKU)
    shared.models.answer(edits(create("docs/c.md", "good\n")), model=SONNET)
    check = "cat docs/c.md; grep -q good docs/c.md"
    task = await shared.dev.assigns(f'Document c --files docs/c.md --check "{check}"')
    card = await shared.channel.shows(task, state="Awaiting approval")

    assert "sonnet" in card.part("facts")
    mine = [call.model for call in shared.models.asked() if f"/{task}/" in call.call_id]
    assert [m for m in mine if HAIKU in m] == ["claude-haiku-5-5"] * 6
    assert len([m for m in mine if SONNET in m]) == 1
    row = await shared.row(task)
    assert (row.attempt, row.token_budget) == (4, 50_000), "sonnet's own budget (R-ESC-8)"
    await shared.channel.thread_shows(task, "Attempt 3 at haiku did not make it")
    assert any(e.detail.get("rule") == "R-ESC-1" for e in await shared.events(task))
    await shared.books.agree()


async def test_two_attempts_that_fail_the_same_way_are_enough(shared: Orch) -> None:
    shared.models.answer(*[edits(create("docs/d.md", "bad\n"))] * 4, model=HAIKU)
    shared.models.answer(edits(create("docs/d.md", "good\n")), model=SONNET)
    task = await shared.dev.assigns('Document d --files docs/d.md --check "grep -q good docs/d.md"')
    await shared.channel.shows(task, state="Awaiting approval")
    assert (await shared.row(task)).attempt == 3
    assert any("the same way" in e.why for e in await shared.events(task))


async def test_sonnet_failing_too_blocks_and_offers_opus(shared: Orch) -> None:
    shared.models.always(Reply(text="BEYOND: this needs an architect"), model=SONNET)
    task = await shared.dev.assigns("Change the business logic of instalments --files granter/e.py --model sonnet")
    card = await shared.channel.shows(task, state="Blocked")
    assert "Escalate to Opus" in card.buttons and "Approve merge" not in card.buttons
    alert = await shared.dev.gets(task, "needs a person")

    await shared.outsider.clicks("Escalate to Opus", on=task)
    await shared.outsider.sees_privately("Only an approver")
    await shared.dev.clicks("Escalate to Opus", on=alert)
    await shared.dev.sees_privately("Only an approver", "was left as it is")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Reply(text="BEYOND: I cannot do that"), "I cannot do that"),
        (Reply(text="I will not.", stop="refusal"), "I will not."),
    ],
    ids=["beyond", "refusal"],
)
async def test_what_is_beyond_haiku_goes_to_sonnet_at_once(shared: Orch, answer: Reply, why: str) -> None:
    path = f"docs/{'f' if 'BEYOND' in answer.text else 'g'}.md"
    shared.models.answer(answer, model=HAIKU)
    shared.models.answer(edits(create(path, "good\n")), model=SONNET)
    task = await shared.dev.assigns(f"Document the thing --files {path}")
    await shared.channel.shows(task, "sonnet", state="Awaiting approval")
    assert (await shared.row(task)).attempt == 2
    await shared.channel.thread_shows(task, why)
    assert any("beyond it" in e.why for e in await shared.events(task))


@pytest.mark.parametrize(
    ("answer", "repairs"),
    [
        (Reply(text="Here is a poem about documentation."), True),
        (Reply(content=()), True),
        (edits(Edit("delete", "README.md")), True),
        (Reply(edits=(create("docs/h.md", "half\n"),), stop="max_tokens"), False),
    ],
    ids=["no edits", "nothing at all", "an unknown command", "max_tokens"],
)
async def test_nonsense_changes_nothing(
    shared: Orch, request: pytest.FixtureRequest, answer: Reply, repairs: bool
) -> None:
    path = f"docs/h-{request.node.callspec.id.replace(' ', '-')}.md"
    shared.models.answer(answer, model=HAIKU)
    shared.models.answer(edits(create(path, "good\n")), model=HAIKU if repairs else SONNET)  # R-ESC-1: out of tokens
    task = await shared.dev.assigns(f"Document the thing --files {path}")
    await shared.channel.shows(task, state="Awaiting approval")
    assert (await shared.row(task)).attempt == (1 if repairs else 2)
    assert "+good" in await _diff(shared, task)
    await shared.books.agree()


@pytest.mark.parametrize("path", ["../x.md", ".git/config", "outside/orch-x.md", "/etc/x.md", ".env", "a/../../x"])
async def test_edits_outside_the_worktree_are_refused(shared: Orch, path: str) -> None:
    bad = edits(create(path, "mine now\n"))
    good = f"docs/i{sum(path.encode())}.md"
    shared.models.answer(bad, edits(create(good, "good\n")), model=HAIKU)
    task = await shared.dev.assigns("Document the thing in a new page of the docs folder")
    await shared.channel.shows(task, state="Awaiting approval")

    _, repair = [call for call in shared.models.asked(HAIKU) if f"/{task}/" in call.call_id]
    assert repair.body["messages"][-1]["content"][0]["is_error"]
    diff = await _diff(shared, task)
    assert "mine now" not in diff and good in diff
    assert not [found for name in ("x.md", "orch-x.md") for found in shared.home.parent.rglob(name)]


async def test_a_symbolic_link_cannot_be_replaced(shared: Orch) -> None:
    shared.models.answer(
        edits(create("outside", "no longer a link\n")), edits(create("docs/j.md", "good\n")), model=HAIKU
    )
    task = await shared.dev.assigns("Document the link in a page of the docs folder")
    card = await shared.channel.settles(task)
    assert "Awaiting approval" in card.state
    diff = await _diff(shared, task)
    assert "docs/j.md" in diff and "outside" not in diff


async def test_a_secret_is_never_committed_nor_shown(shared: Orch) -> None:
    shared.models.answer(
        edits(create("docs/k.md", f"aws_access_key_id = {KEY}\n")), edits(create("docs/k.md", "good\n")), model=HAIKU
    )
    task = await shared.dev.assigns("Document the keys --files docs/k.md")
    await shared.channel.shows(task, state="Awaiting approval")
    assert any("looks like a secret" in e.why for e in await shared.events(task))
    assert KEY not in await _diff(shared, task)
    assert KEY not in "".join(str(m.blocks) + m.text for m in shared.world.log)


async def test_an_undeclared_file_is_refused(shared: Orch) -> None:
    both = edits(create("docs/l.md", "good\n"), create("docs/other.md", "more\n"))
    shared.models.always(both, model=HAIKU)
    shared.models.answer(edits(create("docs/l.md", "good\n")), model=SONNET)
    task = await shared.dev.assigns("Document l --files docs/l.md")
    await shared.channel.shows(task, state="Awaiting approval")
    assert any("docs/other.md is not among the task's files" in e.why for e in await shared.events(task))
    assert "other.md" not in await _diff(shared, task)


async def test_haiku_on_security_paths_is_rerouted(shared: Orch) -> None:
    shared.models.answer(edits(create("granter/login_page.py", "x = 1\n")), model=HAIKU)
    shared.models.answer(edits(create("granter/login_page.py", "x = 2\n")), model=SONNET)
    shared.models.answer(approves())
    task = await shared.dev.assigns("Write a README comment for the welcome page --type docs")
    card = await shared.channel.shows(task, ":lock: security task", state="Awaiting approval")
    assert "sonnet" in card.part("facts")
    assert "granter/login_page.py is about login" in card.part("why")
    assert "*Why sonnet* · It touches security-critical code, which haiku may not. (R-ESC-5)" in card.part("why")
    await shared.channel.thread_shows(task, "This is a security task now: granter/login_page.py is about login")
    assert any(e.detail.get("rule") == "R-ESC-5" for e in await shared.events(task))

    await shared.lead.clicks("Approve merge", on=task)
    await shared.lead.form()
    await shared.lead.submits(checklist=["1", "2", "3", "4"])
    await shared.channel.thread_shows(task, "A security task needs two people's approval; it has 1")


async def test_haikus_change_of_dependencies_stays_and_two_people_approve_it(shared: Orch) -> None:
    """R-APR: what is not security-critical code is not done again, and its failures stay on haiku's rung (R-SEC-1)."""
    bad, good = (edits(create("requirements-docs.txt", f"{pin}\n")) for pin in ("sphinx", "sphinx==9.0"))
    shared.models.answer(bad, bad, good, model=HAIKU)
    shared.models.answer(approves())
    check = '--check "grep == requirements-docs.txt"'
    task = await shared.dev.assigns(f"Document what the docs need --type docs --files requirements-docs.txt {check}")
    card = await shared.channel.shows(task, "two people approve it", state="Awaiting approval")
    assert "haiku" in card.part("facts")
    assert "requirements-docs.txt changes dependencies" in card.part("why")
    await shared.channel.thread_shows(task, "Who wrote it makes no difference, so haiku's change stays.")

    await shared.two.clicks("Approve merge", on=task)
    assert "changes what two people have to look at" in str((await shared.two.form()).blocks)
    await shared.two.submits(checklist=["1", "2", "3", "4"])
    await shared.channel.thread_shows(task, "A security task needs two people's approval; it has 1")
    await shared.lead.clicks("Approve merge", on=task)
    await shared.lead.submits(checklist=["1", "2", "3", "4"])
    await shared.channel.shows(task, state="Merged")


async def test_what_nobody_asked_haiku_for_is_done_again_by_sonnet(shared: Orch) -> None:
    """R-SEC-1: the text looked harmless, and the change reaches what runs in CI."""
    shared.models.answer(edits(create(".github/workflows/docs.yml", "on: push\n")), model=HAIKU)
    shared.models.answer(edits(create("docs/ci.md", "How it is built.\n")), model=SONNET)
    task = await shared.dev.assigns("Document how the site is built --type docs")
    card = await shared.channel.shows(
        task, "docs.yml changes what CI runs, which nobody asked", state="Awaiting approval"
    )
    assert "sonnet" in card.part("facts")


async def test_haiku_gets_no_repair_on_security_critical_code(shared: Orch) -> None:
    """R-SEC-1: also where an edit of the same answer did not apply."""
    made = edits(create("granter/charts.py", "import hmac\n"), replace("README.md", "no such text", "x"))
    shared.models.answer(made, model=HAIKU)
    shared.models.answer(edits(create("granter/charts.py", "import hmac  # by sonnet\n")), model=SONNET)
    task = await shared.dev.assigns("Write a README comment for the chart page --type docs")
    await shared.channel.shows(task, "granter/charts.py uses hmac", state="Awaiting approval")
    assert len([c for c in shared.models.asked(HAIKU) if f"/{task}/" in c.call_id]) == 1


async def test_a_check_that_never_ends_is_ended(shared: Orch) -> None:
    shared.models.answer(edits(create("docs/m.md", "bad\n")), edits(create("docs/m.md", "good\n")), model=HAIKU)
    task = await shared.dev.assigns('Document m --files docs/m.md --check "grep -q good docs/m.md || sleep 60"')
    await shared.channel.shows(task, state="Awaiting approval")
    assert any("took too long" in e.why for e in await shared.events(task))


async def _diff(orch: Orch, task: str) -> str:
    await orch.until(lambda: orch.channel.threads_files(task), f"the diff of {task}")
    return orch.channel.threads_files(task)[f"{task}.diff"]
