"""`orch export events|ledger`: what happened, and what was paid, as JSON lines (R-MSG) or a table for a spreadsheet.

Only reads; on SQLite too, while the bot is at work."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url

from bot.config import Config
from bot.domain.command_text import nearest
from bot.errors import ConfigError, UserMistake
from bot.settings import load_settings
from bot.store import exports
from bot.store.database import Database


async def export(arguments: argparse.Namespace) -> int:
    """Print one line for each event, message or call, oldest first. Raises OrchError."""
    settings = load_settings()
    project = _known(arguments.project, settings.config)
    since = _since(arguments.since, project, settings.config)
    need_database(settings.database_url)
    database = Database(settings.database_url)
    try:
        lines = exports.ledger if arguments.what == "ledger" else exports.events
        found = [line async for line in lines(database, project, since)]
    finally:
        await database.close()
    if arguments.messages:
        found = [told for line in found for told in (line.get("message"), line.get("alert")) if told]
    write(found, sys.stdout, as_csv=arguments.format == "csv")
    return 0


def write(lines: Iterable[dict[str, Any]], to: TextIO, *, as_csv: bool = False) -> None:
    """JSON lines; or CSV whose columns are the keys of the first line, nested values as JSON."""
    if not as_csv:
        to.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        return
    rows = list(lines)
    table = csv.DictWriter(to, list(dict.fromkeys(key for row in rows for key in row)), restval="")
    table.writeheader()
    for row in rows:
        table.writerow({key: json.dumps(v) if isinstance(v, dict | list) else v for key, v in row.items()})


def _known(key: str | None, config: Config) -> str | None:
    """The project that is asked for; where the config names some, one of them."""
    names = [project.key for project in config.projects]
    if key is None or key in names or not names:
        return key
    near = nearest(key, names)
    hint = f"Did you mean {near}?" if near else f"Known: {', '.join(names)}."
    raise UserMistake(f"There is no project {key}. {hint}")


def _since(text: str | None, project: str | None, config: Config) -> datetime | None:
    """The start of a day, in the project's zone, or a time; None = from the beginning. Raises UserMistake."""
    if text is None:
        return None
    zones = {each.key: each.timezone for each in config.projects}
    zone = ZoneInfo(zones.get(project or next(iter(zones), ""), "UTC"))
    try:
        moment = datetime.combine(date.fromisoformat(text), time()) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise UserMistake(f"--since {text}: write a date, 2026-02-03, or a time, 2026-02-03T10:30.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def need_database(url: str) -> None:
    """Raises ConfigError where SQLite would make an empty file of it."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        raise ConfigError(f"There is no database at {parsed.database} yet. `orch serve` makes it; or set ORCH_HOME.")
