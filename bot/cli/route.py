"""`orch route --jsonl`: tasks in, routes out; no model call, no state."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError, field_validator

from bot.adapters.prices import PriceBook
from bot.adapters.router_weights import text_model
from bot.config import Config
from bot.domain.prices import priced
from bot.domain.routing import RoutePolicy, RouteRequest, route
from bot.domain.task import Rung
from bot.errors import OrchError
from bot.settings import load_settings


class Line(RouteRequest):
    """One task as other programs write it: what else they note beside it (an id, a label) is not ours to refuse."""

    model_config = ConfigDict(extra="ignore")

    @field_validator("files", mode="before")
    @classmethod
    def _none(cls, files: Any) -> Any:
        return () if files is None else files


def route_lines(source: str) -> int:
    """Route each JSON line of a file (or "-") to one JSON line; a line that cannot be read says why.

    Raises OrchError for a file that cannot be read."""
    config = load_settings().config
    if source == "-":
        return _route(sys.stdin, config)
    try:
        with Path(source).open(encoding="utf-8", errors="replace") as lines:
            return _route(lines, config)
    except OSError as error:
        raise OrchError(f"{source} cannot be read: {error.strerror}.") from error


def _route(lines: Iterable[str], config: Config) -> int:
    policy = config.policy
    rules = RoutePolicy(security_paths=policy.security_paths, haiku_first=policy.haiku_first, model=text_model())
    book, today = PriceBook(config.own_prices), datetime.now(UTC).date()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            chosen = route(Line.model_validate_json(line), rules)
            if chosen.rung is not Rung.MANUAL:
                price = book.price(config.model_id(chosen.rung), today)
                chosen = priced(chosen, config.limits.task[chosen.rung], price)
            print(json.dumps(chosen.model_dump(mode="json")))
        except ValidationError as error:
            print(json.dumps({"error": _plain(error), "line": number}))
        except (OrchError, ValueError) as error:
            print(json.dumps({"error": str(error), "line": number}))
    return 0


def _plain(error: ValidationError) -> str:
    """What is wrong with a line, in a sentence, and the right form."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where + ': ' if where else ''}{first['msg']}; write " + '{"text": "...", "files": ["a.py"]}'
