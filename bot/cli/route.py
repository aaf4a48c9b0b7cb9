"""`orch route --jsonl`: tasks in, routes out; no model call, no state."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from bot.adapters.router_weights import text_model
from bot.domain.routing import RoutePolicy, RouteRequest, route
from bot.errors import OrchError
from bot.settings import load_settings


def route_lines(source: str) -> int:
    """Route each JSON line of a file (or "-") to one JSON line; a line that cannot be read says why.

    Raises OrchError for a file that cannot be read."""
    policy = load_settings().config.policy
    rules = RoutePolicy(security_paths=policy.security_paths, haiku_first=policy.haiku_first, model=text_model())
    if source == "-":
        return _route(sys.stdin, rules)
    try:
        with Path(source).open(encoding="utf-8", errors="replace") as lines:
            return _route(lines, rules)
    except OSError as error:
        raise OrchError(f"{source} cannot be read: {error.strerror}.") from error


def _route(lines: Iterable[str], rules: RoutePolicy) -> int:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            chosen = route(RouteRequest.model_validate_json(line), rules)
            print(json.dumps(chosen.model_dump(mode="json")))
        except (OrchError, ValueError) as error:
            print(json.dumps({"error": str(error), "line": number}))
    return 0
