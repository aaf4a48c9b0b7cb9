"""Whatever people and models write, and however much of it: Slack takes the message, and nobody is pinged (issue 5,
item 7). The facts are gathered as the bot gathers them, from a real store; the limits are the emulated Slack's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.approvals import Person
from bot.domain.assign import AssignRequest
from bot.domain.calls import Finding, Verdict
from bot.domain.command_kinds import List
from bot.domain.nudges import Told
from bot.domain.task import TaskState
from bot.listeners import forms, home_sights, sights
from bot.local.slack import limits
from bot.local.slack.block_check import check_message_blocks, check_view
from bot.render import Renderer
from bot.store.tables import BlockerRow, EventRow, ReviewRow, TaskRow
from bot.wiring import data_folder
from bot.workflows.blocker_messages import message_of
from bot.workflows.card import card_facts
from bot.workflows.office import Office
from tests.store.samples import NOW, ROUTE, a_call, a_task, migrated
from tests.workflows.offices import an_office

PING = "<!channel> <!here> <@U0EVE> <!subteam^S1> <https://evil.example|ok> &lt;!channel&gt;"
NASTY = f'{PING} `code` ```*b* _i_ ~s~ "quoted" \\ \\n {{{{ 7 * 7 }}}} 😀 :tada: \u202e\u0627\u0644\u0639 \x07 a\nb\r\n'
WORDS = Renderer(data_folder("templates"))
HEAD = "f" * 40
LONG = (NASTY * 200)[:10_000]
FILE = "src/" + "very_long_" * 30 + "<!here>&name`.py"


def accepted(message: dict[str, Any]) -> None:
    """Slack takes it, it has words for a notification, and nobody is pinged by what was written."""
    if "type" in message:
        assert [str(p) for p in check_view(message)] == []
        assert len(json.dumps(message)) <= limits.VIEW_BYTES
    else:
        assert message["text"].strip(), "notifications and screen readers show `text`"
        assert len(message["text"]) <= 4_000, "Slack cuts longer ones"
        assert [str(p) for p in check_message_blocks(message.get("blocks", []))] == []
    for text in marked_up(message):
        for ping in ("<!channel", "<!here", "<!subteam", "<@U0EVE", "<https://evil"):
            assert ping not in text, text


def marked_up(value: Any) -> Iterator[str]:
    """Every text that Slack reads as mrkdwn."""
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn" or ("text" in value and "type" not in value):
            yield value["text"] if isinstance(value["text"], str) else ""
        for inner in value.values():
            yield from marked_up(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from marked_up(inner)


def nasty_task(number: int, state: TaskState, **more: Any) -> TaskRow:
    """Too long in everything."""
    known: dict[str, Any] = {
        "state": state.value, "text": LONG, "files": [FILE] * 200, "criteria": [NASTY * 5] * 200,
        "checks": [NASTY.replace("\n", " ") * 3] * 50, "route": {**ROUTE, "reason": LONG, "security": True},
        "security_reasons": [LONG] * 20, "waits_for": LONG, "head_commit": HEAD, "merge_commit": HEAD, "attempt": 4,
        "deadline": NOW, "priority": "critical", "after": [FILE] * 50,
    }  # fmt: skip
    return a_task(number, **known | more)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """500 open tasks, one in each state that has everything too long."""
    async with migrated(f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}") as database:
        async with database.begin() as session:
            rows = [nasty_task(n, state) for n, state in enumerate(TaskState, 1)]
            rows += [nasty_task(n, (TaskState.BLOCKED, TaskState.AWAITING_APPROVAL, TaskState.WITH_HUMAN)[n % 3],
                                criteria=[], checks=[], security_reasons=[]) for n in range(20, 520)]  # fmt: skip
            session.add_all(rows)
            await session.flush()
            findings = tuple(Finding(severity="high", file=FILE, line=7, message=LONG) for _ in range(200))
            verdict = Verdict(verdict="request_changes", quality_score=1, findings=findings,
                              missing_cases=(LONG,) * 50)  # fmt: skip
            for row in rows[:13]:
                for _ in range(90):
                    session.add(EventRow(task_pk=row.pk, at=NOW, who="U0DEV", kind="next_attempt", why=LONG,
                                         state=row.state, detail={"rule": "R-ESC-1"}))  # fmt: skip
                session.add_all(a_call(row, n, error=LONG) for n in range(1, 20))
                session.add(ReviewRow(task_pk=row.pk, head_commit=HEAD, rung="gemini", model=NASTY, why_none=LONG,
                                      verdict=verdict.model_dump(mode="json"), at=NOW))  # fmt: skip
            for row in rows[13:]:
                session.add(EventRow(task_pk=row.pk, at=NOW, who="U0DEV", kind="created", why=LONG, state=row.state,
                                     detail={}))  # fmt: skip
            for row in rows[:60]:
                session.add(BlockerRow(key=f"b/{row.task_id}", project="GRANTER", task_pk=row.pk, kind="person",
                                       critical=False, owner="U0DEV", reason=LONG, since=NOW, detected_at=NOW,
                                       level="owner", told=[{"who": "U0LEAD", "step": "owner", "at": NOW.isoformat(),
                                                             "message": "m"}]))  # fmt: skip
        yield an_office(database)


async def test_five_hundred_tasks_too_long_in_everything(office: Office) -> None:
    project = office.projects["GRANTER"]
    async with office.db.read() as session:
        rows = list(await session.scalars(TaskRow.__table__.select().with_only_columns(TaskRow.pk).limit(13)))
        for pk in rows:
            accepted(WORDS.message("cards/task", await card_facts(office, session, pk)))
            row = await session.get_one(TaskRow, pk)
            lines = ("read it", *row.criteria)[:200]
            payload = {"value": f"GRANTER|{row.task_id}|{HEAD}", "channel": "C0DEV"}
            accepted(forms.checklist_form(office, payload, row, lines))
            for name in ("views/done", "views/blocked", "views/hand_over"):
                accepted(WORDS.message(name, {**payload, "row": row}))
            accepted(
                WORDS.message("alerts/manual", {"row": row, "checks": row.checks, "by": "U0TWO", "instead_of": "U0DEV"})
            )
            for what in ("handed", "done", "blocked", "stopped"):
                accepted(WORDS.message("alerts/manual_over", {"row": row, "what": what, "by": "U0TWO", "why": LONG}))
            accepted(WORDS.message("alerts/behind", {"row": row, "why": LONG}))
            accepted(WORDS.message("thread/raised", {"route": {"code_critical": True, "rung": "haiku"},
                                                     "reasons": [LONG] * 30}))  # fmt: skip
        blocked = list((await home_sights.blockers.open_ones(session, "GRANTER")).values())
        told = Told(who="U0LEAD", step="lead", at=NOW, message="m")
        accepted(await message_of(office, session, blocked, told))
        accepted(await message_of(office, session, blocked[:1], told))
    for number in (0, 3, 99):
        facts = await sights.task_list(office, project, "U0DEV", List(view="all"), number)
        accepted(WORDS.message("replies/list", {**facts, "question": "GRANTER|all", "near": None}))
    accepted(WORDS.message("replies/overview", await sights.overview(office, project)))
    accepted(WORDS.message("replies/why", await sights.why(office, "GRANTER", "S0-D0-1")))
    accepted(WORDS.message("replies/status", await sights.status(office, "GRANTER", "S0-D0-5")))
    request = AssignRequest(text=LONG[:3_900], files=(FILE,) * 50)
    facts = await sights.quote(office, project, request)
    accepted(WORDS.message("replies/quote", {**facts, "key": "k" * 250, "rungs": ["haiku", "sonnet"]}))
    accepted(forms.assign_form(office, "C0DEV", request))


async def test_the_pages_of_a_home_with_five_hundred_tasks(office: Office) -> None:
    for person, least in (("U0LEAD", 10), ("U0DEV", 25), ("U0OUT", 1)):
        first = await home_sights.home(office, Person(id=person))
        assert first["pages"] >= least
        seen: list[str] = []
        for number in sorted({0, 1, first["pages"] - 1, 99}):
            facts = await home_sights.home(office, Person(id=person), number)
            seen += [entry.row.task_id for entry, _ in facts["items"]] if number < first["pages"] else []
            accepted(WORDS.message("views/home", facts))
        assert len(seen) == len(set(seen)), "each once"


ANY = st.text(max_size=6_000) | st.sampled_from(
    [LONG, NASTY, "&" * 5_000, "<" * 5_000, "\u202e" * 4_000, '"\\' * 2_000]
)
SOME = st.text(min_size=1, max_size=200) | st.sampled_from([NASTY, "&" * 500])


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(text=ANY, word=SOME, many=st.lists(SOME, max_size=40))
def test_any_text_in_what_is_said(text: str, word: str, many: list[str]) -> None:
    row = a_task(text=text, waits_for=text, criteria=many, security_reasons=many, head_commit=HEAD)
    verdict = Verdict(verdict="approve", quality_score=8.5, missing_cases=tuple(many),
                      findings=tuple(Finding(severity="low", file=each, message=text) for each in many))  # fmt: skip
    said: dict[str, dict[str, Any]] = {
        "replies/mistake": {"text": text or "x", "form": word, "ask": ("U0LEAD", "U0TWO")},
        "replies/did": {"task_id": row.task_id, "done": "done", "whose": ""},
        "thread/review": {"model": word, "verdict": verdict},
        "thread/report": {"row": row, "answer": text or "x", "model": word, "cut": True},
        "thread/attempt_failed": {"attempt": 1, "rung": "haiku", "why": text or "x", "lesson": text or "y"},
        "thread/not_merged": {"row": row, "why": text},
        "thread/not_split": {"row": row, "why": text, "who": "U0DEV"},
        "thread/rejected": {"who": "U0DEV", "reason": text},
        "thread/changes_requested": {"who": "U0DEV", "reason": text},
        "thread/chased": {"people": ["U0DEV"], "row": row, "why": text},
        "thread/passed_on": {"who": "U0DEV", "row": row, "text": text},
        "thread/ci_failed": {"row": row, "url": "", "log": text},
        "alerts/manual": {"row": row, "checks": many, "by": "U0TWO", "instead_of": ""},
        "alerts/behind": {"row": row, "why": text},
        "alerts/incident": {"what": text, "who": "U0DEV", "fix": row, "by_hand": row, "people": ["U0LEAD"]},
        "replies/thread_ended": {"row": row, "state": "done", "text": text or "x"},
        "views/done": {"row": row, "value": "v", "channel": "C"},
        "views/checklist": {"row": row, "value": "v", "channel": "C", "lines": many or ["x"]},
    }
    for name, facts in said.items():
        accepted(WORDS.message(name, facts))
