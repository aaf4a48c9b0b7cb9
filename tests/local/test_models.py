"""The emulated providers themselves: what they refuse, what they book, and what a rehearsal answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bot.local.models import Call, Faults, Reply, build_models_app, rehearsal_script
from bot.local.models.rehearsal import edits_for
from bot.local.sample import CHECKS, EXAMPLES, Edit, create, create_sample
from tests.adapters.emulated_models import KEY, World, serving

HAIKU = "claude-haiku-5-5"
FLASH = "gemini-3.8-flash"
HEADERS = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "x-goog-api-key": KEY, "X-Orch-Call": "c1"}


class Wire:
    """Plain HTTP to the emulated providers."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self.world = world
        self._session = session

    async def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        sent = HEADERS if headers is None else headers
        async with self._session.post(self.world.address + path, json=body, headers=sent) as response:
            return response.status, await response.json()

    async def messages(self, **changes: Any) -> tuple[int, Any]:
        known = {"model": HAIKU, "max_tokens": 500, "messages": [{"role": "user", "content": "Hello"}]}
        body = {name: value for name, value in (known | changes).items() if value is not None}
        return await self.post("/anthropic/v1/messages", body)

    async def generate(self, model: str = FLASH, **changes: Any) -> tuple[int, Any]:
        body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]} | changes
        return await self.post(f"/gemini/v1beta/models/{model}:generateContent", body)


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    world = World()
    app = build_models_app(world.script, world.faults, keys=frozenset({KEY}))
    async with serving(app) as address, aiohttp.ClientSession() as session:
        world.address = address
        yield Wire(world, session)


def use(number: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": number, "name": "str_replace_based_edit_tool", "input": {}}


def result(number: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": number, "content": "done"}


def turns(*contents: Any) -> list[dict[str, Any]]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": content} for n, content in enumerate(contents)]


REFUSED = [  # what is wrong with the request, status, what the refusal speaks of
    ({"max_tokens": None}, 400, "max_tokens"),
    ({"max_tokens": 0}, 400, "max_tokens"),
    ({"messages": []}, 400, "at least one"),
    ({"messages": turns("Hello", "Prefill:")}, 400, "the last"),
    ({"messages": turns("")}, 400, "non-empty"),
    ({"messages": turns("Do", [use("t1")], "Go on")}, 400, "tool_use without tool_result"),
    ({"messages": turns("Do", [use("t1"), use("t2")], [result("t1")])}, 400, "t2"),
    ({"messages": turns("Do", "Done", [result("t1")])}, 400, "tool_result without tool_use"),
    ({"model": "claude-3-5-sonnet-20241022"}, 404, "claude-3-5-sonnet-20241022"),
    ({"temperature": 0.2}, 400, "temperature"),
    ({"tools": [{"type": "text_editor_20250728", "name": "editor"}]}, 400, "text editor"),
]


@pytest.mark.parametrize(("wrong", "status", "words"), REFUSED)
async def test_anthropic_refuses(wire: Wire, wrong: dict[str, Any], status: int, words: str) -> None:
    answered, body = await wire.messages(**wrong)
    assert (answered, body["type"]) == (status, "error")
    assert words in body["error"]["message"]
    (call,) = wire.world.script.book
    assert (call.outcome, call.billed_tokens) == (f"refused {status}", 0)


async def test_a_whole_conversation_is_taken(wire: Wire) -> None:
    status, body = await wire.messages(messages=turns("Do", [use("t1")], [result("t1")]))
    assert (status, body["stop_reason"]) == (200, "end_turn")


async def test_keys(wire: Wire) -> None:
    assert (await wire.post("/anthropic/v1/messages", {}, {"x-api-key": "other"}))[0] == 401
    status, body = await wire.post(f"/gemini/v1beta/models/{FLASH}:generateContent", {}, {})
    assert (status, body["error"]["status"]) == (403, "PERMISSION_DENIED")
    status, body = await wire.post(f"/gemini/v1beta/models/{FLASH}:countTokens", {}, {"x-goog-api-key": "other"})
    assert (status, body["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")
    assert wire.world.script.book == []


async def test_everything_is_labelled_as_rehearsal(wire: Wire) -> None:
    _, answer = await wire.messages()
    assert answer["model"] == f"{HAIKU}-rehearsal"
    assert answer["content"][0]["text"].startswith("Rehearsal:")
    _, answer = await wire.generate()
    assert answer["candidates"][0]["content"]["parts"][0]["text"].startswith("Rehearsal:")
    _, answer = await wire.generate(generationConfig={"responseSchema": {"type": "OBJECT"}})
    assert answer["modelVersion"] == f"{FLASH}-rehearsal"
    review = json.loads(answer["candidates"][0]["content"]["parts"][0]["text"])
    assert review["findings"][0]["message"].startswith("Rehearsal:")
    assert (review["verdict"], review["findings"][0]["severity"]) == ("approve", "low")


async def test_gemini_refuses(wire: Wire) -> None:
    assert (await wire.generate(model="gemini-1.5-pro"))[0] == 404
    assert (await wire.generate(contents=[]))[0] == 400
    assert wire.world.script.billed_tokens == 0


async def test_rules_apply_in_order_by_model_and_text(wire: Wire) -> None:
    script = wire.world.script
    script.on(Reply(text="sonnet's"), model="sonnet")
    script.on(Reply(text="about cats"), text="cats", times=2)
    script.on(lambda call: Reply(text=f"any {call.model}"), times=None)

    async def said(text: str, model: str = HAIKU) -> str:
        _, body = await wire.messages(model=model, messages=turns(text))
        answer: str = body["content"][0]["text"]
        return answer

    assert await said("Cats") == "about cats"
    assert await said("Dogs") == f"any {HAIKU}"
    assert await said("cats", model="claude-sonnet-5-5") == "sonnet's"
    assert await said("many\ncats") == "about cats"
    assert await said("cats") == f"any {HAIKU}"
    script.clear()
    assert (await said("cats")).startswith("Rehearsal:")


async def test_the_book_bills_what_was_done_even_if_the_answer_was_lost(wire: Wire) -> None:
    script = wire.world.script
    script.on(Reply(text="Hello", cut="before"))
    with pytest.raises(aiohttp.ClientError):
        await wire.messages()
    script.on(Reply(status=529))
    await wire.messages()
    _, body = await wire.messages()
    lost, refused, answered = script.book
    assert (lost.outcome, refused.outcome, answered.outcome) == ("cut", "refused 529", "answered")
    assert (lost.billed_tokens > 0, refused.billed_tokens) == (True, 0)
    assert answered.billed_tokens == sum(v for k, v in body["usage"].items() if k.endswith("put_tokens"))
    assert script.paid("c1") == [lost, answered]


async def test_faults_hold_until_they_are_mended(wire: Wire) -> None:
    faults = wire.world.faults
    faults.status["anthropic"] = 503
    assert [(await wire.messages())[0], (await wire.messages())[0]] == [503, 503]
    assert (await wire.generate())[0] == 200
    faults.status.clear()
    faults.cut.add("anthropic")
    with pytest.raises(aiohttp.ClientError):
        await wire.messages()
    faults.cut.clear()
    assert (await wire.messages())[0] == 200


async def test_any_key_is_good_where_none_is_given() -> None:
    app = build_models_app(rehearsal_script(), Faults())
    async with serving(app) as address, aiohttp.ClientSession() as session:
        async with session.get(f"{address}/anthropic/v1/models", headers=HEADERS) as response:
            assert HAIKU in [model["id"] for model in (await response.json())["data"]]
        async with session.get(f"{address}/gemini/v1beta/models", headers=HEADERS) as response:
            assert f"models/{FLASH}" in [model["name"] for model in (await response.json())["models"]]


# -- rehearsal -----------------------------------------------------------------------------------------------

TARGETS = [  # first user message, command and path of the rehearsed edit
    ("Write notes/plan.md with the plan", "create", "notes/plan.md"),
    ("Explain how it all works", "create", "docs/explain-how-it-all-works.md"),
    ("Add a helper to `src/tax.py`.\n\nPaths:\nsrc/tax.py\nsrc/app.py", "insert", "src/tax.py"),
    ("Add a helper to src/new.py\n\nPaths:\nsrc/tax.py", "create", "src/new.py"),
    ("Set up package.json\n\nPaths:\npackage.json", "create", "docs/set-up-package-json.md"),
    ("Read https://example.com/a.html and ../../etc/x.md first", "create", "docs/read-https-example-com-a-html.md"),
    ('<task>Fix app.ts</task>\n<file path="app.ts">let a;\n</file>', "insert", "app.ts"),
    ("Tidy up\n\nChange only: src/a.py, src/b.py\n\nPaths:\nsrc/a.py", "insert", "src/a.py"),
    ("Tidy up src/b.py\n\nChange only: src/a.py, src/b.py\nPaths:\nsrc/b.py", "insert", "src/b.py"),
    ("Write it down\n\nChange only: docs/new.md\nPaths:\nsrc/b.py", "create", "docs/new.md"),
    ("Tidy up\n\nIn src/b.py, that is.\n\nPaths:\nsrc/a.py\nsrc/b.py", "insert", "src/b.py"),
    ('Fix a.py\n\n<file path="a.py" from_line="90">\nx = 1\n</file>', "insert", "a.py"),
    ('Set up\n\nChange only: package.json\n<file path="package.json">{"a": 1}</file>', "create", "package.json"),
    ("Set up\n\nChange only: package.json\n\nPaths:\npackage.json", "create", "package.json"),
    ("", "create", "docs/the-task.md"),
]


@pytest.mark.parametrize(("message", "command", "path"), TARGETS)
def test_a_rehearsed_edit_of_any_task(message: str, command: str, path: str) -> None:
    (edit,) = edits_for(message)
    assert (edit.command, edit.path) == (command, path)
    assert "rehearsal" in str(edit.input).lower()


def test_files_that_are_all_new_are_all_begun() -> None:
    made = edits_for(
        'Set up\n\nChange only: package.json, turbo.json, a/b.py\n\nPaths:\nREADME.md\n<file path="README.md">x</file>'
    )
    assert [(each.command, each.path) for each in made] == [
        ("create", "package.json"), ("create", "turbo.json"), ("create", "a/b.py")
    ]  # fmt: skip
    assert json.loads(str(made[1].inputs["file_text"])) == {"rehearsal": "Set up"}


def test_a_rehearsed_edit_of_json_keeps_what_is_there() -> None:
    (edit,) = edits_for('Set up\n\nChange only: a.json\n<file path="a.json">{"name": "x"}</file>')
    assert json.loads(str(edit.inputs["file_text"])) == {"name": "x", "rehearsal": "Set up"}


def test_notes_keep_a_file_working() -> None:
    (edit,) = edits_for('Fix run.sh\n\n<file path="run.sh">#!/bin/sh\necho\n</file>')
    assert edit.inputs == {"insert_line": 1, "insert_text": "# Rehearsal: Fix run.sh\n"}
    (edit,) = edits_for('Extend README.md\n\n<file path="README.md"># A\n\nB\n</file>')
    assert edit.inputs["insert_line"] == 3


def apply(root: Path, edit: Edit) -> None:
    """As the product would: exact match, exactly once."""
    target = root / edit.path
    if edit.command == "create":
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(str(edit.inputs["file_text"]))
        return
    old, text = str(edit.inputs["old_str"]), target.read_text()
    assert text.count(old) == 1
    target.write_text(text.replace(old, str(edit.inputs["new_str"])))


def checks_pass(root: Path) -> bool:
    ran = [subprocess.run(command.split(), cwd=root, capture_output=True) for command in CHECKS]
    return all(run.returncode == 0 for run in ran)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "granter-sample"
    create_sample(path)
    return path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
def test_example_tasks_are_really_solved(sample: Path, tmp_path: Path, example: Any) -> None:
    root = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(sample), str(root)], check=True)
    assert checks_pass(root)
    files = "".join(
        f'<file path="{path}">\n{(root / path).read_text()}</file>\n'
        for path in example.files
        if (root / path).exists()
    )
    edits = edits_for(f"Task:\n\n{example.text}\n\n{files}")
    assert edits == example.edits
    assert {edit.path for edit in edits} == set(example.files)
    for edit in edits:
        apply(root, edit)
    assert checks_pass(root)
    if example.type != "docs":  # and its new tests fail without the change to the code
        code = next(path for path in example.files if path.startswith("granter/"))
        (root / code).write_text((sample / code).read_text())
        assert not checks_pass(root)


def test_an_example_that_is_done_already_gets_another_edit() -> None:
    example = EXAMPLES[1]
    (edit,) = edits_for(f'{example.text}\n\n<file path="{example.files[0]}">else\n</file>')
    assert edit.command == "create"


def test_the_sample_is_made_once_and_the_same_everywhere(sample: Path, tmp_path: Path) -> None:
    def head(path: Path) -> str:
        command = ["git", "-C", str(path), "rev-parse", "HEAD"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    (sample / "draft").write_text("mine")
    create_sample(sample)
    assert (sample / "draft").read_text() == "mine"
    (sample / "draft").unlink()
    create_sample(tmp_path / "other")
    assert head(tmp_path / "other") == head(sample)
    with pytest.raises(FileExistsError):
        create_sample(Path(__file__).parent)


def test_the_emulated_world_imports_nothing_of_the_product() -> None:
    code = "import sys, bot.local.models; print(*[m for m in sys.modules if m.startswith('bot.')])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert all(name.startswith("bot.local") for name in found.split())


def test_a_call_that_edits_nothing() -> None:
    script = rehearsal_script()
    call = Call("anthropic", "answer", HAIKU, "c", {}, {"messages": turns("Classify this")}, "Classify this")
    assert script.reply(call) == Reply(text="Rehearsal: no model was asked.")
    script.on(Reply(edits=(create("a", "b"),)))
    assert script.reply(call).edits[0].input == {"command": "create", "path": "a", "file_text": "b"}
