"""Reports: made from the database alone (R-REP-3), and wanted in Slack once by their key, with a thread for detail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.daily_report import Daily, Line, daily_report
from bot.domain.project import Project
from bot.domain.report_charts import charts
from bot.domain.report_facts import Facts
from bot.domain.weekly_report import Weekly, weekly_report
from bot.errors import UserMistake
from bot.render import Renderer
from bot.store import outbox, sprints
from bot.workflows.measuring import measured
from bot.workflows.office import Office
from bot.workflows.report_facts import PriceOf, gather

Kind = Literal["daily", "weekly"]
#: Lines of one message in a report's thread, so that it stays within Slack's limits whatever they say.
LINES_A_MESSAGE = 100
#: Lines of each list in the post itself; a longer list stands in the thread, in full.
SHOWN = 8
#: The days of the weekly report's metrics.
WEEK = 7


async def report(
    session: AsyncSession, project: Project, kind: Kind, day: date, *, now: datetime, price: PriceOf,
    sprint: int | None = None,
) -> Daily | Weekly:  # fmt: skip
    """The report of that day, or of the week that it is in; about the open sprint, or the one that is named. Raises
    UserMistake where there is no such sprint, and for days to come."""
    return made_of(await facts_of(session, project, kind, day, now, price, sprint), kind)


async def facts_of(
    session: AsyncSession, project: Project, kind: Kind, day: date, now: datetime, price: PriceOf, sprint: int | None,
    ack_seconds: Sequence[float] = (),
) -> Facts:  # fmt: skip
    """What the report is made from. Raises UserMistake."""
    if day > project.day(now):
        raise UserMistake(f"{day} is still to come. Reports are of today or of a day that is over.")
    if sprint and await sprints.row_of(session, project.key, sprint) is None:  # 0 is there without a plan too
        raise UserMistake(f"There is no sprint {sprint} in {project.key}.", "/orch plan show")
    facts = await gather(session, project, day, now=now, price=price, sprint=sprint)
    if kind == "daily":
        return facts
    found = await measured(session, project, facts.at, price, days=WEEK, ack_seconds=ack_seconds)
    return facts.model_copy(update={"metrics": found})


def made_of(facts: Facts, kind: Kind) -> Daily | Weekly:
    return daily_report(facts) if kind == "daily" else weekly_report(facts)


async def want_report(
    office: Office,
    session: AsyncSession,
    project: Project,
    kind: Kind,
    day: date,
    *,
    key: str,
    did: Sequence[str] = (),
    needs: Sequence[str] = (),
    late_minutes: int = 0,
    sprint: int | None = None,
) -> bool:
    """Want the report in the project's channel, in the caller's transaction; the same key again is a no-op, and False.

    `did`: what the clock just did, a sentence each; `needs`: what waits for a person; both are plain text. The thread
    has the key `<key>/...`: the lists that the post has no room for, and the pictures."""
    words, now = office.words_of(project.key), office.now()
    facts = await facts_of(session, project, kind, day, now, office.price, sprint, office.acks.seconds)
    made = made_of(facts, kind)
    message = post(words, made, did, needs, late_minutes)
    if not await outbox.want(session, key, "channel", project.channel, message, now):
        return False
    for number, detail in enumerate(thread(words, made, did, needs)):
        await outbox.want(session, f"{key}/{number}", "thread", project.channel, detail, now, thread_of=key)
    for name, chart in charts(facts, kind) if office.charts else ():
        file = {"name": f"{name}-{day}.png", "chart": chart.model_dump(mode="json")}
        await outbox.want(session, f"{key}/{name}", "upload", project.channel, file, now, thread_of=key)
    return True


def post(
    words: Renderer, made: Daily | Weekly, did: Sequence[str] = (), needs: Sequence[str] = (), late_minutes: int = 0
) -> dict[str, Any]:
    """The report as one Slack message, within its limits however much there is."""
    said = {"report": made, "did": tuple(did), "needs": tuple(needs), "late_minutes": late_minutes, "shown": SHOWN}
    return words.message("reports/daily" if isinstance(made, Daily) else "reports/weekly", said)


def thread(
    words: Renderer, made: Daily | Weekly, did: Sequence[str] = (), needs: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The messages of its thread."""
    return [words.message("reports/detail", detail) for detail in _details(made, did, needs)]


def _details(made: Daily | Weekly, did: Sequence[str], needs: Sequence[str]) -> list[dict[str, Any]]:
    """The facts of each message of the thread: the lists in full, so many lines each."""
    lists: list[tuple[str, Sequence[Line | str]]]
    counted: Sequence[str] = ()  # lists that the post only counts
    if isinstance(made, Daily):
        lists = [("completed", made.completed), ("overnight", made.overnight),
                 ("in_progress", (*made.in_progress, *made.queued)),
                 ("blocked", made.blocked), ("failed", made.failed)]  # fmt: skip
    else:
        lists = [("completed", made.completed), ("completed_since", made.completed_since),
                 ("blocked", made.blockers)]  # fmt: skip
        counted = ("completed", "completed_since")
    lists += [("did", did), ("needs", needs)]
    return [
        {"name": name, "lines": lines[start : start + LINES_A_MESSAGE], "total": len(lines)}
        for name, lines in lists
        if len(lines) > (0 if name in counted else SHOWN)
        for start in range(0, len(lines), LINES_A_MESSAGE)
    ]
