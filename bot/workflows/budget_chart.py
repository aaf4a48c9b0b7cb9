"""The pictures of a budget, wanted in Slack once for each time they are asked for."""

from __future__ import annotations

from bot.domain.chart import BarChart, LineChart
from bot.domain.project import Project
from bot.domain.usage_charts import tokens_left, usage
from bot.errors import UserMistake
from bot.store import outbox, sprints
from bot.store.taken import used_by_day
from bot.workflows import reach
from bot.workflows.budget_levels import counters
from bot.workflows.office import Office


async def want(office: Office, project: Project, person: str, place: str, *, delivery_key: str) -> None:
    """Post who asked, and the pictures in the thread below. `place`: a channel, or a person for a direct message.
    Raises UserMistake where there is nothing to draw, or to draw with."""
    if office.charts is None:
        raise UserMistake("I have nothing here to draw with. The numbers are the same as words.", "/orch budget")
    key, now = f"budget-chart/{delivery_key}"[:240], office.now()
    async with office.db.begin() as session:
        standing = await counters(office, session, project)
        levels = {**{rung.value: level for rung, level in standing.rungs.items()}, "all": standing.today}
        going_on = await sprints.open_now(session, project.key)
        used = await used_by_day(session, project.key, standing.sprint.limit.scope)
        pictures: dict[str, BarChart | LineChart | None] = {
            "usage": usage(project.key, standing.day, levels, project.limits),
            "sprint": tokens_left(
                project.key, going_on, standing.sprint, used, standing.day, project.working_days, project.limits
            )
            if going_on
            else None,
        }
        drawn = {name: chart for name, chart in pictures.items() if chart is not None}
        if not drawn:
            raise UserMistake("There is nothing to draw yet: no limit is set, and nothing was used.", "/orch budget")
        facts = {"project": project.key, "day": standing.day, "person": person, "standing": standing}
        post = office.words_of(project.key).message("replies/budget_charts", facts)
        if place == person:
            new = await reach.write(office, session, project.key, person, key, post, at_once=True)
        else:
            new = await outbox.want(session, key, "channel", place, post, now)
        if not new:
            return
        for name, chart in drawn.items():
            file = {"name": f"{name}-{standing.day}.png", "chart": chart.model_dump(mode="json")}
            await outbox.want(session, f"{key}/{name}", "upload", place, file, now, thread_of=key)
    office.nudge()
