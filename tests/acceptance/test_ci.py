"""CI reports what it found, signed, over HTTP: a pass finishes manual work, a failure blocks it (R-RT-4)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from bot.__main__ import main
from bot.domain.ci import MAX_BODY, signature
from bot.listeners.ci import add_ci
from bot.workflows.office import utc_now
from tests.acceptance.card import buttons, words
from tests.acceptance.conversation import Orch, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "what-orch-and-ci-know"
TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Orch, str]]:
    env = {"PORT": "0", "ORCH_CI_SECRET": SECRET}
    async with conversation(
        tmp_path_factory.mktemp("ci"), checks=(), env=env, now=utc_now
    ) as talk:  # CI signs the hour
        talk.world.rates.enabled = False
        yield talk, f"http://127.0.0.1:{talk.port}"


async def post(address: str, body: bytes, *, secret: str = SECRET, at: float | None = None) -> tuple[int, str]:
    """(status, what it said) of one signed delivery."""
    stamp = str(int(at or time.time()))
    headers = {"X-Orch-Timestamp": stamp, "X-Orch-Signature": signature(secret, stamp, body)}
    async with aiohttp.ClientSession() as session, session.post(f"{address}/ci", data=body, headers=headers) as answer:
        return answer.status, await answer.text()


def told(task: str, result: str, delivery: str, **more: Any) -> bytes:
    return json.dumps({"project": "GRANTER", "task": task, "result": result, "delivery": delivery, **more}).encode()


async def _given(orch: Orch, what: str) -> str:
    task = await orch.dev.assigns(f"{what} --model manual --owner @two")
    await orch.channel.shows(task, "<@U0TWO>", state="With a person")
    return task


async def test_it_fails_is_mended_and_passes(place: tuple[Orch, str]) -> None:
    orch, address = place
    task = await _given(orch, "Run the load test on staging")
    asked = await orch.two.gets(task, "is for you")

    log = f"collected 24 items\n\x1b[31mFAILED tests/test_load.py\x1b[0m\ntoken={TOKEN} <!channel>\n1 failed, 23 passed"
    failure = told(task, "fail", "run-1", log=log, url="https://ci.example/runs/1")
    assert await post(address, failure) == (200, f'{{"task": "{task}", "status": "blocked"}}')
    card = await orch.channel.shows(task, "1 failed, 23 passed", "https://ci.example/runs/1", state="Blocked")
    assert TOKEN not in card.text and "&lt;!channel&gt;" in card.text
    alert = await orch.two.gets(task, "needs a person", "let CI run again")
    assert (
        TOKEN not in words(alert) and "&lt;@" not in words(alert) and "Retry" in [label for label, _ in buttons(alert)]
    )
    await orch.until(lambda: "is blocked, says CI" in words(asked) or None, "the old message to say so")
    thread = await orch.channel.thread_shows(task, "FAILED tests/test_load.py")
    assert "CI says that" in words(thread) and TOKEN not in words(thread) and "[31m" not in words(thread)

    # It comes again, as when the answer was lost: nothing happens twice. And its id is for this result only.
    assert (await post(address, failure))[0] == 200
    status, why = await post(address, told(task, "pass", "run-1"))
    assert (status, "an id of its own" in why) == (409, True)
    assert [event.kind for event in await orch.events(task) if event.who == "ci"] == ["blocked"]

    # CI runs again.
    assert await post(address, told(task, "pass", "run-2", log="24 passed in 3 s\n")) == (
        200,
        f'{{"task": "{task}", "status": "done"}}',
    )
    await orch.channel.shows(task, "24 passed in 3 s", state="Done")
    event = next(e for e in await orch.events(task) if e.kind == "done")
    assert (event.who, event.detail["seen"]) == ("ci", "passed · 24 passed in 3 s")
    await orch.until(lambda: "is done, says CI" in words(asked) or None, "the old message to say that it is done")
    await orch.dev.types(f"/orch why {task}")
    why = await orch.dev.sees_privately("done by CI", "· CI", "told <@U0TWO> · Orch")
    assert "<@ci>" not in why and "&lt;@" not in why


async def test_who_is_not_believed(place: tuple[Orch, str]) -> None:
    orch, address = place
    task = await _given(orch, "Run the smoke test on staging")
    good = told(task, "pass", "run-9")
    for status, body in (
        await post(address, good, secret="somebody else's secret"),
        await post(address, good, at=time.time() - 400),
        await post(address, good, at=time.time() + 400),
    ):
        assert (status, body) == (401, '{"error": "unauthorized"}')
    async with aiohttp.ClientSession() as session, session.post(f"{address}/ci", data=good) as answer:
        assert answer.status == 401
    status, _ = await post(address, told(task, "pass", "run-9", log="x" * MAX_BODY))
    assert status == 413
    assert (await orch.row(task)).state == "with_human"


@pytest.mark.parametrize("what", ["Go through the release checklist", "Configure the DNS of the new domain"])
async def test_manual_work_that_sounds_like_a_change_takes_a_result_too(place: tuple[Orch, str], what: str) -> None:
    """R-RT-4: a person, or CI. Its type is only what its words sound like."""
    orch, address = place
    task = await _given(orch, what)
    assert (await orch.row(task)).route["type"] in ("config", "logic")
    assert (await post(address, told(task, "fail", f"{task}-1", log="step 3 failed")))[0] == 200
    await orch.channel.shows(task, "step 3 failed", state="Blocked")
    assert (await post(address, told(task, "pass", f"{task}-2")))[0] == 200
    await orch.channel.shows(task, state="Done")


async def test_what_cannot_take_a_result(place: tuple[Orch, str]) -> None:
    orch, address = place
    code = await orch.dev.assigns("Document the load test --files docs/load.md")
    hand = await orch.dev.assigns(
        "Implement the login by hand --type logic --files src/login.py --model manual --owner @two"
    )
    ended = await _given(orch, "Run the tests of the page")
    await orch.two.types(f"/orch done {ended}")
    await orch.channel.shows(ended, state="Done")
    for body, status, why in (
        (told("S9-D9-9", "pass", "a"), 404, "There is no task S9-D9-9 in GRANTER."),
        (told("nonsense", "pass", "b"), 404, "is not a task id"),
        (told(ended, "pass", "c", project="OTHER"), 404, "There is no task"),
        (told(ended, "pass", "d"), 409, f"{ended} is done already."),
        (told(code, "pass", "e"), 409, "'s work: its own checks"),
        (told(hand, "pass", "f"), 409, f"whoever makes it says so, `/orch done {hand}`"),
        (told(ended, "maybe", "g"), 400, "result: "),
        (b"not json", 400, "body: "),
    ):
        assert (answer := await post(address, body))[0] == status and why in answer[1], (body, answer)


async def test_from_the_command_line(
    place: tuple[Orch, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    orch, address = place
    task = await _given(orch, "Validate the deployment by the checklist")
    log = tmp_path / "ci.log"
    log.write_text("step 1\n" * 5_000 + "the last line\n")

    async def run(*words: str, secret: str = SECRET) -> tuple[int, str]:
        monkeypatch.setenv("ORCH_CI_SECRET", secret)
        code = await asyncio.to_thread(main, ["ci", *words, "--to", address])
        said = capsys.readouterr()
        return code, said.out + said.err

    assert await run(task, "fail", "--log", str(log)) == (0, f"{task} is blocked.\n")
    await orch.channel.shows(task, "the last line", state="Blocked")
    assert await run(f"GRANTER:{task}", "pass", "--url", "https://ci.example/runs/2") == (0, f"{task} is done.\n")
    await orch.channel.shows(task, "https://ci.example/runs/2", state="Done")
    code, said = await run(task, "pass")
    assert code == 1 and f"answered 409: {task} is done already." in said
    code, said = await run(task, "pass", secret="somebody else's secret")
    assert code == 1 and "401" in said
    code, said = await run(task, "pass", "--log", str(tmp_path / "none"))
    assert code == 1 and "The log cannot be read" in said and "Nothing was sent" in said


async def test_without_a_secret_there_is_no_such_page(place: tuple[Orch, str]) -> None:
    server = web.Application()
    add_ci(server, place[0].office, None)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        status, said = await post(f"http://127.0.0.1:{runner.addresses[0][1]}", told("S0-D0-1", "pass", "z"))
        assert (status, "not configured" in said) == (404, True)
    finally:
        await runner.cleanup()
