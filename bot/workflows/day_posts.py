"""The day's posts (R-DAY): gather the facts, do what domain.day decides, and say what was done and what needs a person.

Each is called in one transaction (workflows.slot), with the project's lock held.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.day import Action, Day, DayFacts, Need, evening, midday, morning
from bot.domain.day_plan import Fit
from bot.domain.local_time import instant
from bot.domain.project import Project
from bot.store import outbox, project_events, tasks
from bot.workflows.day_effects import do_all
from bot.workflows.day_facts import Gathered, gather
from bot.workflows.office import ORCH, Office
from bot.workflows.people_standup import show_all
from bot.workflows.reporting import want_report

#: So many things that need a person have their buttons in the thread; the cards have them all.
BUTTONS_FOR = 12


@dataclass(frozen=True)
class Post:
    """One slot that is being kept. `key`: of its message; `late`: minutes, 0 = on time."""

    office: Office
    session: AsyncSession
    project: Project
    day: date
    key: str
    late: int

    async def act(self, decide: Callable[[DayFacts], Day]) -> tuple[Gathered, Day, tuple[Action, ...]]:
        """The facts, what is decided on them, and what was done of it."""
        gathered = await gather(self.office, self.session, self.project)
        day = decide(gathered.facts)
        done = await do_all(self.office, self.session, self.project.key, day.actions, self.key)
        return gathered, day, done

    def planned(self, plan: Fit, day: date) -> str:
        """Remember the plan of a day in the log; returns the sentence about it."""
        detail = {"day": day.isoformat(), "fits": [task.id for task in plan.fits], "tokens": plan.tokens,
                  "later": {task.id: why for task, why in plan.later}}  # fmt: skip
        said = self.text("reports/plan_line", plan=plan, when="today" if day == self.day else f"{day:%a %d %b}")
        project_events.note(self.session, self.project.key, at=self.office.now(), who=ORCH, kind="day_planned",
                            why=said, detail=detail)  # fmt: skip
        return said

    async def want(self, template: str, **facts: Any) -> None:
        """The post itself."""
        said = {"project": self.project.key, "day": self.day, "late_minutes": self.late, **facts}
        message = self.office.words_of(self.project.key).message(template, said)
        await outbox.want(self.session, self.key, "channel", self.project.channel, message, self.office.now())

    async def offer(self, needs: Sequence[Need]) -> None:
        """The buttons of what needs a person, in the post's thread."""
        offered = [need for need in needs if need.buttons]
        if not offered:
            return
        message = self.office.words_of(self.project.key).message(
            "reports/needs", {"needs": offered[:BUTTONS_FOR], "more": max(0, len(offered) - BUTTONS_FOR)}
        )
        await outbox.want(self.session, f"{self.key}/needs", "thread", self.project.channel, message,
                          self.office.now(), thread_of=self.key)  # fmt: skip

    def text(self, template: str, **facts: Any) -> str:
        return " ".join(self.office.words_of(self.project.key).text(template, facts).split())

    def since(self, clock: time) -> datetime:
        return instant(self.day, clock, self.project.timezone)

    async def finished_today(self) -> Sequence[Any]:
        begun = self.since(time(0))
        return await tasks.finished(self.session, self.project.key, begun, begun + timedelta(hours=36))


async def post_morning(post: Post) -> None:
    """R-DAY-1: the stand-up."""
    _, day, done = await post.act(morning)
    plan = post.planned(day.plan, post.day)
    said = await show_all(post.office, post.session, post.project, post.day)
    answers = (post.text("reports/people_line", answers=said),) if said else ()
    await want_report(
        post.office, post.session, post.project, "daily", post.day, key=post.key,
        did=(*map(sentence, done), plan, *answers),
        needs=[sentence(need) for need in day.needs], late_minutes=post.late,
    )  # fmt: skip
    await post.offer(day.needs)


async def post_midday(post: Post) -> None:
    """R-DAY-2: the checkpoint."""
    gathered, day, done = await post.act(midday)
    planned = await _plan_of(post)
    over = {row.task_id for row in await post.finished_today()}
    levels = gathered.levels
    await post.want(
        "reports/checkpoint", levels=list(levels.items()), limits=post.project.limits, planned=planned,
        planned_done=[task for task in planned.get("fits", ()) if task in over] if planned else [],
        cost=levels["day"].used_microusd, cost_limit=levels["day"].limit.microusd,
        reviews=gathered.facts.reviews, sla=post.project.review_sla,
        now=gathered.facts.now, behind=day.behind, plan=day.plan,
        did=[sentence(action) for action in done], needs=[sentence(need) for need in day.needs],
    )  # fmt: skip
    await post.offer(day.needs)


async def post_evening(post: Post) -> None:
    """R-DAY-3: the consolidation."""
    gathered, day, done = await post.act(evening)
    tomorrow = post.project.working_days.from_(post.day + timedelta(days=1))
    post.planned(day.plan, tomorrow)
    levels = gathered.levels
    await post.want(
        "reports/consolidation", finished=await post.finished_today(), tomorrow=tomorrow, plan=day.plan,
        still_open=len(gathered.facts.tasks),
        used=levels["day"].used_tokens, limit=levels["day"].limit.tokens, cost=levels["day"].used_microusd,
        did=[sentence(action) for action in done], needs=[sentence(need) for need in day.needs],
    )  # fmt: skip
    await post.offer(day.needs)


async def post_weekly(post: Post) -> None:
    """R-DAY-5."""
    await want_report(post.office, post.session, post.project, "weekly", post.day, key=post.key, late_minutes=post.late)


POSTS: Mapping[str, Callable[[Post], Awaitable[None]]] = {
    "morning": post_morning,
    "midday": post_midday,
    "evening": post_evening,
    "weekly": post_weekly,
}


def sentence(about: Action | Need) -> str:
    """`S1-D1-2 is blocked ...`, as plain text."""
    return f"{about.task.id} {about.said if isinstance(about, Action) else about.why}"


async def _plan_of(post: Post) -> dict[str, Any]:
    """What was planned for the day, last; empty where nothing was."""
    now = post.office.now()
    start = post.since(time(0)) - timedelta(days=14)  # the evening before may be before days off
    plans = await project_events.between(post.session, post.project.key, start, now, ["day_planned"])
    return next((each.detail for each in reversed(plans) if each.detail.get("day") == post.day.isoformat()), {})
