"""How Slack says no."""

from __future__ import annotations

from collections.abc import Sequence

from bot.local.slack.block_check import Problem
from bot.local.slack.records import Json


class Refusal(Exception):
    """An answer with ok: false. `code` is Slack's error; `extra` goes into the answer beside it."""

    def __init__(self, code: str, extra: Json | None = None, *, status: int = 200) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra or {}
        self.status = status
        self.headers: dict[str, str] = {}

    @property
    def body(self) -> Json:
        return {"ok": False, "error": self.code, **self.extra}


def invalid(code: str, problems: Sequence[Problem | str]) -> Refusal:
    """A refusal that names each problem and where it is."""
    texts = [str(problem) for problem in problems]
    marked = [f"[ERROR] {text}" for text in texts]
    return Refusal(code, {"errors": texts, "response_metadata": {"messages": marked}})


def ratelimited(seconds: int) -> Refusal:
    refusal = Refusal("ratelimited", status=429)
    refusal.headers["Retry-After"] = str(seconds)
    return refusal
