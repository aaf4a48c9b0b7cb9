"""`orch report daily|weekly|metrics`: from the database, as text, Markdown, HTML or JSON.

Only reads; on SQLite too, while the bot is at work."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from bot.adapters.prices import PriceBook
from bot.cli.export import need_database
from bot.cli.project_choice import project_of
from bot.domain.command_values import day as read_day
from bot.domain.command_values import window
from bot.domain.local_time import end_of
from bot.domain.project import Project
from bot.render import Renderer
from bot.settings import Config, Settings, load_settings
from bot.store.database import opened
from bot.wiring import data_folder, project_rules
from bot.workflows.measuring import DAYS, measured
from bot.workflows.reporting import Kind
from bot.workflows.reporting import report as make_report


async def report(arguments: argparse.Namespace) -> int:
    """Print the report. Raises OrchError."""
    settings = load_settings()
    project = project_rules(settings.config, project_of(settings.config, arguments.project))
    now = datetime.now(UTC)
    day = read_day(arguments.date) if arguments.date else project.day(now)
    days = window(arguments.days) if arguments.days else DAYS
    form: str = arguments.format
    if arguments.what == "metrics":
        print(await metrics(settings, project, day, now, days, form))
    else:
        print(await written(settings, project, arguments.what, day, now, arguments.sprint, form))
    return 0


async def written(
    settings: Settings, project: Project, kind: Kind, day: date, now: datetime, sprint: int | None, form: str
) -> str:
    """The report in one of the forms. Raises OrchError."""
    price = PriceBook(settings.config.own_prices).price
    async with _reading(settings) as session:
        made = await make_report(session, project, kind, day, now=now, price=price, sprint=sprint)
    if form == "json":
        return json.dumps(made.model_dump(mode="json"), ensure_ascii=False, indent=2)
    return words_of(settings.config, project).text(f"reports/{kind}", {"report": made, "format": form})


async def metrics(settings: Settings, project: Project, day: date, now: datetime, days: int, form: str) -> str:
    """The metrics of the days until this one, in one of the forms. Raises OrchError."""
    price = PriceBook(settings.config.own_prices).price
    end = min(now, end_of(day, project.timezone))
    async with _reading(settings) as session:
        found = await measured(session, project, end, price, days=days)
    if form == "json":
        told = [{**metric.model_dump(mode="json"), "met": metric.met} for metric in found]
        return json.dumps({"project": project.key, "days": days, "until": str(day), "metrics": told}, indent=2)
    facts = {"project": project.key, "days": days, "day": day, "metrics": found, "format": form}
    return words_of(settings.config, project).text("reports/metrics", facts)


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[AsyncSession]:
    """Raises ConfigError where there is no database yet."""
    need_database(settings.database_url)
    async with opened(settings.database_url) as database, database.read() as session:
        yield session


def words_of(config: Config, project: Project) -> Renderer:
    """Orch's templates, and the project's own before them (`templates_dir`)."""
    folders = [each.templates_dir for each in config.projects if each.key == project.key]
    return Renderer(data_folder("templates"), [Path(folder) for folder in folders if folder])
