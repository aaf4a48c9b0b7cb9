"""`orch export events|ledger`: what happened, and what was paid, as JSON lines (R-MSG) or a table for a spreadsheet.

Only reads, row by row; on SQLite too, while the bot is at work."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url

from bot.cli.project_choice import project_of
from bot.config import Config
from bot.errors import ConfigError, UserMistake
from bot.settings import load_settings
from bot.store import exports
from bot.store.database import opened
from bot.store.exports import Wanted

Lines = AsyncIterator[dict[str, Any]]
#: What can be exported: its reader, and its columns.
EXPORTS = {"events": (exports.events, exports.EVENTS), "ledger": (exports.ledger, exports.LEDGER)}
#: A cell that begins so would be taken for a formula by a spreadsheet; a quote before it makes it text.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


async def export(arguments: argparse.Namespace) -> int:
    """Print one line for each event, message or call, oldest first. Raises OrchError."""
    if arguments.columns:
        print(described(arguments.what))
        return 0
    as_csv = arguments.format == "csv"
    if arguments.messages and (as_csv or arguments.what == "ledger"):
        raise UserMistake("`--messages` writes the plan's messages, which are JSON: `orch export events --messages`.")
    settings = load_settings()
    wanted = _wanted(arguments, settings.config)
    need_database(settings.database_url)
    read, columns = EXPORTS[arguments.what]
    async with opened(settings.database_url) as database, aclosing(read(database, wanted)) as lines:
        told = _messages(lines) if arguments.messages else lines
        await write(told, sys.stdout, columns=columns if as_csv else None)
    return 0


async def write(lines: Lines, to: TextIO, *, columns: Iterable[str] | None = None) -> None:
    """JSON lines; or with `columns` CSV (RFC 4180) with a header, nested values as JSON, and no formulas."""
    if columns is None:
        async for line in lines:
            to.write(json.dumps(line, ensure_ascii=False) + "\n")
    else:
        names = list(columns)
        table = csv.writer(to)
        table.writerow(names)
        async for line in lines:
            table.writerow([_cell(line[name]) for name in names])
    to.flush()


def described(what: str) -> str:
    """The columns of an export, one a line."""
    _, columns = EXPORTS[what]
    width = max(map(len, columns))
    return "\n".join(f"{name:<{width}}  {meaning}" for name, meaning in columns.items())


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


async def _messages(lines: Lines) -> Lines:
    """The plan's own messages, alone."""
    async for line in lines:
        for told in (line["message"], line["alert"]):
            if told:
                yield told


def _wanted(arguments: argparse.Namespace, config: Config) -> Wanted:
    """What is asked for. Raises UserMistake."""
    project: str | None = arguments.project
    if project and config.projects:  # without any, the database's own names hold
        project_of(config, project)
    first, last = _moment("--from", arguments.first), _moment("--to", arguments.last)
    if arguments.what == "events":  # which have no day of their own
        first = _start(first, project, config)
        last = _start(last + timedelta(days=1) if last and not isinstance(last, datetime) else last, project, config)
    wanted = Wanted(project, _aware(first, project, config), _aware(last, project, config))
    early, late = wanted.first, wanted.last
    if early and late and isinstance(early, datetime) == isinstance(late, datetime) and early > late:
        raise UserMistake(f"--from {arguments.first} is after --to {arguments.last}; nothing lies between.")
    return wanted


def _moment(option: str, text: str | None) -> date | datetime | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise UserMistake(f"{option} {text}: write a date, 2026-02-03, or a time, 2026-02-03T10:30.") from None


def _start(when: date | datetime | None, project: str | None, config: Config) -> datetime | None:
    """The moment itself, or the date's first one."""
    return (
        when if when is None or isinstance(when, datetime) else datetime.combine(when, time(), _zone(project, config))
    )


def _aware(when: date | datetime | None, project: str | None, config: Config) -> date | datetime | None:
    if not isinstance(when, datetime):
        return when
    return (when if when.tzinfo else when.replace(tzinfo=_zone(project, config))).astimezone(UTC)


def _zone(project: str | None, config: Config) -> ZoneInfo:
    """The project's zone, or the one that all projects lie in. Raises UserMistake."""
    zones = {each.timezone for each in config.projects if project in (None, each.key)}
    if len(zones) > 1:
        raise UserMistake(
            "The projects lie in several time zones. Say which one you mean with `--project`, or give a time with its "
            "zone: 2026-02-03T10:30+00:00."
        )
    return ZoneInfo(next(iter(zones), "UTC"))


def need_database(url: str) -> None:
    """Raises ConfigError where SQLite would make an empty file of it."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        raise ConfigError(f"There is no database at {parsed.database} yet. `orch serve` makes it; or set ORCH_HOME.")
