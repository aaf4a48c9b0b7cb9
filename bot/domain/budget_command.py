"""What follows `/orch budget`, as a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

from bot.domain import command_values as values
from bot.domain.budget import LimitName
from bot.domain.command_kinds import Budget
from bot.domain.command_text import Word, split
from bot.domain.command_values import TaskRef
from bot.domain.help import BY_NAME
from bot.domain.limit_orders import MOST_DOLLARS, MOST_RAISED
from bot.errors import UserMistake


def read_budget(rest: str) -> Budget:
    """A thing to do with budgets. Raises UserMistake with that thing's own form."""
    words = split(rest)
    also = {"increase": "raise", "add": "raise", "more": "raise", "undo": "reset", "fix": "correct", "today": "show",
            "day": "show", "graph": "chart", "picture": "chart"}  # fmt: skip
    action = values.one_of(words[0].value, _BUDGET, "a thing to do with budgets", also) if words else "show"
    try:
        return Budget.model_validate({"action": action, **_BUDGET[action](words[1:])})
    except UserMistake as mistake:
        form = BY_NAME.get(f"budget {action}", BY_NAME["budget"]).form
        raise UserMistake(str(mistake), form) from None


def _nothing_more(words: list[Word]) -> dict[str, object]:
    values.at_most(words, 0)
    return {}


def _raise(words: list[Word]) -> dict[str, object]:
    if len(words) < 2:
        raise UserMistake("Which limit, and by how many tokens?")
    limit = _limit(words[0])
    if words[1].value.startswith("-"):
        raise UserMistake("A limit can only be raised here; `/orch budget reset` puts it back to what is configured.")
    amount = _amount(words[1].value.lstrip("+"), limit)
    rest = [word for word in words[2:] if word.value.lower() not in ("tokens", "dollars", "until")]
    values.at_most(rest, 1)
    if len(words) > 2 and words[-1].value.lower() == "until":
        raise UserMistake("Until when? Give the last day that it holds, `2026-02-03`.")
    if rest and isinstance(limit, TaskRef):
        raise UserMistake(f"What {limit} gets, it keeps: leave the date away.")
    return {"limit": limit, **amount, "until": values.day(rest[0].value) if rest else None}


def _amount(word: str, limit: str | TaskRef) -> dict[str, object]:
    """Tokens, or dollars where the limit may have some."""
    if not word.startswith("$"):
        return {"tokens": values.tokens(word, most=MOST_RAISED)}
    if limit not in ("day", "sprint"):
        raise UserMistake("Only the day and the sprint have limits in dollars.")
    return {"microusd": values.dollars(word, MOST_DOLLARS)}


def _task(words: list[Word]) -> dict[str, object]:
    if not words:
        raise UserMistake("Which task?")
    values.at_most(words, 1)
    return {"limit": values.task_ref(words[0].value)}


def _reset(words: list[Word]) -> dict[str, object]:
    values.at_most(words, 1)
    return {"limit": _limit(words[0]) if words else None}


def _correct(words: list[Word]) -> dict[str, object]:
    if len(words) < 2:
        raise UserMistake("Which call, and how many tokens did it take? `/orch why ID` shows the calls of a task.")
    values.at_most([word for word in words if word.value.lower() != "tokens"], 2)
    named = re.search(r"[\d/]", words[0].value)
    which = {"call": values.call_id(words[0].value)} if named else {"limit": _limit(words[0])}
    return {**which, "tokens": values.tokens(words[1].value, least=0)}


_BUDGET: dict[str, Callable[[list[Word]], dict[str, object]]] = {
    "show": _nothing_more,
    "sprint": _nothing_more,
    "task": _task,
    "chart": _nothing_more,
    "raise": _raise,
    "reset": _reset,
    "correct": _correct,
}


def _limit(word: Word) -> str | TaskRef:
    if re.search(r"\d", word.value):
        return values.task_ref(word.value)
    return values.one_of(word.value, get_args(LimitName), "a limit", {"daily": "day", "today": "day", "week": "sprint"})
