"""The grammar: right commands with their values. The wrong ones are in test_command_mistakes.py."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.domain.assign import AssignRequest
from bot.domain.command_kinds import (
    Assign,
    Away,
    Block,
    Budget,
    Cancel,
    Command,
    Done,
    Help,
    Incident,
    List,
    Metrics,
    Plan,
    Reassign,
    Report,
    Retry,
    Schedule,
    Sprint,
    Standup,
    Status,
    Takeover,
    Unblock,
    Why,
)
from bot.domain.command_values import TaskRef
from bot.domain.commands import parse, typed
from bot.domain.help import ENTRIES, NAMES, Entry
from bot.domain.task import Rung, TaskType
from bot.errors import UserMistake

ID = TaskRef(id="S1-D1-2")
KEYED = TaskRef(id="S1-D1-2", project="SHOP")

COMMANDS: list[tuple[str, Command]] = [
    ("", Help()),
    ("   ", Help()),
    ("help", Help()),
    ("?", Help()),
    ("--help", Help()),
    ("help assign", Help(topic="assign")),
    ("assign --help", Help(topic="assign")),
    ("help budget raise", Help(topic="budget raise")),
    ("help Budget Correct please", Help(topic="budget correct")),
    ("help sprint start", Help(topic="sprint")),
    ("budget raise --help", Help(topic="budget raise")),
    ("list", List()),
    ("LIST Mine", List(view="mine")),
    ("list all", List(view="all")),
    ("list billing", List(view="all", words="billing")),
    ("list mine billing page", List(view="mine", words="billing page")),
    ('list "blocked"', List(view="all", words="blocked")),
    ("list <@U0ANN>", List(view="all", owner="U0ANN")),
    ("list running --owner <@U0ANN>", List(view="running", owner="U0ANN")),
    ("list —owner=<@U0ANN> billing", List(view="all", words="billing", owner="U0ANN")),
    ("status", Status()),
    ("status S1-D1-2", Status(task=ID)),
    ("status s1-d1-2", Status(task=ID)),
    ("status S01-D1-02", Status(task=ID)),
    ("status shop:s1-d1-2", Status(task=KEYED)),
    ("status S1‑D1‑2", Status(task=ID)),  # hyphens that no line breaks at
    ("status S1–D1–2", Status(task=ID)),
    ("status `S1-D1-2`", Status(task=ID)),
    ("why S1-D1-2.", Why(task=ID)),
    ("cancel S1-D1-2", Cancel(task=ID)),
    ("retry SHOP:S1-D1-2", Retry(task=KEYED)),
    ("unblock S1-D1-2", Unblock(task=ID)),
    ("done S1-D1-2", Done(task=ID)),
    ("takeover S1-D1-2", Takeover(task=ID)),
    ("block S1-D1-2 waiting for Ann's keys", Block(task=ID, reason="waiting for Ann's keys")),
    ('block S1-D1-2 "no keys"', Block(task=ID, reason="no keys")),
    ("reassign S1-D1-2 Sonnet", Reassign(task=ID, rung=Rung.SONNET)),
    ("reassign S1-D1-2 to <@U12|ann>", Reassign(task=ID, user="U12")),
    ("away", Away()),
    ("away until 2026-02-10", Away(until=date(2026, 2, 10))),
    ("schedule", Schedule()),
    ("schedule set morning 8:30", Schedule(action="set", slot="morning", at=time(8, 30))),
    ("schedule set weekly fri 16:00", Schedule(action="set", slot="weekly", weekday="fri", at=time(16))),
    ("schedule skip evening", Schedule(action="skip", slot="evening")),
    ("schedule skip evening 2026-02-03", Schedule(action="skip", slot="evening", on=date(2026, 2, 3))),
    ("budget", Budget()),
    ("budget show", Budget()),
    ("budget raise sonnet 5k", Budget(action="raise", limit="sonnet", tokens=5000)),
    ("budget raise S1-D1-2 +2,000", Budget(action="raise", limit=ID, tokens=2000)),
    (
        "budget raise day 20M until 2026-02-06",
        Budget(action="raise", limit="day", tokens=20_000_000, until=date(2026, 2, 6)),
    ),
    ("budget raise day $5", Budget(action="raise", limit="day", microusd=5_000_000)),
    (
        "budget raise sprint +$1,000.50 until 2026-02-06",
        Budget(action="raise", limit="sprint", microusd=1_000_500_000, until=date(2026, 2, 6)),
    ),
    ("budget task S1-D1-2", Budget(action="task", limit=ID)),
    ("budget reset", Budget(action="reset")),
    ("budget reset haiku", Budget(action="reset", limit="haiku")),
    ("budget correct gemini 2.5k tokens", Budget(action="correct", limit="gemini", tokens=2_500)),
    ("budget correct day 0", Budget(action="correct", limit="day", tokens=0)),
    ("budget correct shop/s1-d1-2/1/2 0", Budget(action="correct", call="SHOP/S1-D1-2/1/2", tokens=0)),
    ("sprint", Sprint()),
    ("sprint start 1", Sprint(action="start", number=1)),
    ("plan load granter-v2", Plan(action="load", name="granter-v2")),
    ("plan show", Plan()),
    ("standup", Standup()),
    ("report weekly", Report(period="weekly")),
    ("report daily --date 2026-02-03 —sprint 2", Report(period="daily", on=date(2026, 2, 3), sprint=2)),
    ("metrics", Metrics()),
    ("metrics 7", Metrics(days=7)),
    ("metrics 90d", Metrics(days=90)),
    ("incident Checkout is down — since 10:05", Incident(what="Checkout is down — since 10:05")),
    ("<@U0BOT> list", List()),
    ("<@U0BOT|orch>: /orch list", List()),
    ("/orch list", List()),
]


@pytest.mark.parametrize(("typed", "command"), COMMANDS)
def test_a_command_is_understood(typed: str, command: Command) -> None:
    assert parse(typed) == command


#: What is typed after `assign`, and what differs from an empty request.
ASSIGNS: list[tuple[str, dict[str, object]]] = [
    ("", {}),
    ("--priority high", {"priority": "high"}),
    ("Fix the cart", {"text": "Fix the cart"}),
    ("Fix the cart --files a.py,b/c.ts", {"text": "Fix the cart", "files": ("a.py", "b/c.ts")}),
    ("--files=a.py Fix --type=docs the cart", {"text": "Fix the cart", "files": ("a.py",), "type": TaskType.DOCS}),
    ("x --files a.py, b.py ,c.py,a.py,", {"text": "x", "files": ("a.py", "b.py", "c.py")}),
    ('x --files "a b.py","c.py"', {"text": "x", "files": ("a b.py", "c.py")}),
    ("x --files ./a.py", {"text": "x", "files": ("a.py",)}),
    ("x --files app/(shop)/[id]/page.tsx", {"text": "x", "files": ("app/(shop)/[id]/page.tsx",)}),
    ("x —type docs –model haiku", {"text": "x", "type": TaskType.DOCS, "model": Rung.HAIKU}),
    ("x --TYPE Docs", {"text": "x", "type": TaskType.DOCS}),
    ("x --dry‑run", {"text": "x", "dry_run": True}),
    ("x ‑‑dry‑run", {"text": "x", "dry_run": True}),
    ("fix this — quickly – and well", {"text": "fix this — quickly – and well"}),
    ("x --check 'npm test' --check “npm run lint”", {"text": "x", "checks": ("npm test", "npm run lint")}),
    ("x --check „npm test“ --check «make check»", {"text": "x", "checks": ("npm test", "make check")}),
    ("x --check `npm test`", {"text": "x", "checks": ("npm test",)}),
    ("x --check ‘npm test’", {"text": "x", "checks": ("npm test",)}),
    ('x --check "npm test”', {"text": "x", "checks": ("npm test",)}),
    (r'x --check "echo \"hi\""', {"text": "x", "checks": ('echo "hi"',)}),
    ("x --check 'echo don't'", {"text": "x", "checks": ("echo don't",)}),
    ("x --check='make' more", {"text": "x more", "checks": ("make",)}),
    ("x --check pytest", {"text": "x", "checks": ("pytest",)}),
    ("don't break Ann's cart", {"text": "don't break Ann's cart"}),
    ("'tis done --files a.py", {"text": "'tis done", "files": ("a.py",)}),
    ('"Fix the --files option"', {"text": "Fix the --files option"}),
    ('rename "a" to "b"', {"text": 'rename "a" to "b"'}),
    ("fix the `--files` option", {"text": "fix the `--files` option"}),
    ('a 5" display', {"text": 'a 5" display'}),
    (r"say \"hi\" in C:\temp", {"text": r'say "hi" in C:\temp'}),
    ("--sprint 2 -- add --files to the CLI", {"text": "add --files to the CLI", "sprint": 2}),
    ("line one\n\nline two --day 3", {"text": "line one\n\nline two", "day": 3}),
    ("a &lt;b&gt; &amp;amp; c", {"text": "a <b> &amp; c"}),
    ("see <https://x.io/y>", {"text": "see https://x.io/y"}),
    ("see <https://x.io/y|the issue>", {"text": "see the issue (https://x.io/y)"}),
    ("ask <#C12|dev> and <!here> or <mailto:a@b.io|a@b.io>", {"text": "ask #dev and @here or a@b.io"}),
    (
        "<http://README.md|README.md> --files <http://README.md|README.md>,a.py",
        {"text": "README.md", "files": ("README.md", "a.py")},
    ),
    ("x --owner <@U12|ann>", {"text": "x", "owner": "U12"}),
    ("tell <@U12|ann> --owner <@W34>", {"text": "tell <@U12>", "owner": "W34"}),
    ("x --deadline 2026-02-03T10:30", {"text": "x", "deadline": datetime(2026, 2, 3, 10, 30)}),
    ('x --deadline "2026-02-03 10:30"', {"text": "x", "deadline": datetime(2026, 2, 3, 10, 30)}),
    ("x --deadline 2026-02-03 9:30 y", {"text": "x y", "deadline": datetime(2026, 2, 3, 9, 30)}),
    ("x --deadline 2026-02-03", {"text": "x", "deadline": datetime(2026, 2, 3, 23, 59)}),
    ("x --budget 3000", {"text": "x", "token_budget": 3000}),
    ("x --budget 3,000", {"text": "x", "token_budget": 3000}),
    ("x --budget 2.5K", {"text": "x", "token_budget": 2500}),
    ("x --budget 1m", {"text": "x", "token_budget": 1_000_000}),
    ("x --after s1-d1-2, shop:S1-D1-2,S1-D1-2", {"text": "x", "after": (ID, KEYED)}),
    ("x --security --dry-run", {"text": "x", "security": True, "dry_run": True}),
    ("x\x00y\u200b\ud800", {"text": "xy"}),
    ("é" * 4000, {"text": "é" * 4000}),
]


@pytest.mark.parametrize(("typed", "fields"), ASSIGNS, ids=[typed[:40] or "empty" for typed, _ in ASSIGNS])
def test_assign_is_understood(typed: str, fields: dict[str, object]) -> None:
    assert parse(f"assign {typed}") == Assign(request=AssignRequest.model_validate(fields))


def test_a_command_survives_the_inbox() -> None:
    adapter: TypeAdapter[Command] = TypeAdapter(Command)
    for _, command in COMMANDS:
        assert adapter.validate_json(adapter.dump_json(command)) == command


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_the_examples_of_help_are_right(entry: Entry) -> None:
    for example in entry.examples:
        command = parse(example.removeprefix("@orch ").replace("@ann", "<@U1>"))
        assert command.command == entry.name.split()[0]


def test_help_knows_every_command() -> None:
    assert {command.command for _, command in COMMANDS} | {"assign"} == set(NAMES)


PIECES = st.sampled_from(
    [
        *(*NAMES, "--files", "--check", "—type", "--budget 3k", "--deadline", "--after", "raise", "set", "--", "="),
        *(
            '"',
            "'",
            "“",
            "”",
            "`",
            "\\",
            ",",
            "\n",
            "&lt;",
            "<http://a.b|a.b>",
            "<@U1>",
            "a.py",
            "S1-D1-1",
            "2026-02-03",
        ),
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=10).map(" ".join)))
def test_any_text_is_a_command_or_a_mistake_with_an_answer(typed: str) -> None:
    for raw in (typed, f"assign {typed}"):
        try:
            command = parse(raw)
        except UserMistake as mistake:
            assert str(mistake) and mistake.form
        else:
            assert command.command in NAMES


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        alphabet=st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="<>&\\-‐‑–—−\"'`“”„«»‘’")
    )
)
def test_a_text_without_options_stays_as_typed(text: str) -> None:
    command = parse(f"assign x{text}x")
    assert isinstance(command, Assign) and command.request.text == f"x{text}x"


MESSAGES = [  # what a mention or a direct message says, and what it asks for
    ("<@U0ORCH> Document a", "assign Document a"),
    ("<@U0ORCH|orch>, status S1-D1-1", "status S1-D1-1"),
    ("Document a\n--dry-run", "assign Document a\n--dry-run"),
    ("assign Document a", "assign Document a"),
    ("/orch list", "/orch list"),
    ("<@U0ORCH> hi", "help"),
    ("Hello", "help"),
    ("", "help"),
    ("hi there, document a", "assign hi there, document a"),
    ('{"task_id": "S1-D1-1", "prompt": "Document a"}', '{"task_id": "S1-D1-1", "prompt": "Document a"}'),
]


@pytest.mark.parametrize(("said", "asked"), MESSAGES)
def test_a_message_is_a_command_or_a_task(said: str, asked: str) -> None:
    assert typed(said, message=True, keys=()) == (None, asked)
    assert typed(asked, message=True, keys=()) == (None, asked), "and is not read otherwise the second time"


ADDRESSED = [  # R-MSG-4: what is typed outside the projects' channels, the project that it names, and the rest
    ("SHOP: list", "SHOP", "list"),
    ("shop:  list", "SHOP", "list"),
    ("assign SHOP: Document a", "SHOP", "assign Document a"),
    ("incident Shop: it is down", "SHOP", "incident it is down"),
    ("status SHOP:S1-D1-1", None, "status SHOP:S1-D1-1"),
    ("SHOP:S1-D1-1", None, "SHOP:S1-D1-1"),
    ("SHOP", None, "SHOP"),
    ("NOPE: list", None, "NOPE: list"),
    ("Note: SHOP: list", None, "Note: SHOP: list"),
]


@pytest.mark.parametrize(("said", "key", "asked"), ADDRESSED)
def test_a_command_may_name_its_project(said: str, key: str | None, asked: str) -> None:
    assert typed(said, message=False, keys=("GRANTER", "SHOP")) == (key, asked)
