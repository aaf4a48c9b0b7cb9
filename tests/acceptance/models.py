"""What the emulated models answer, said shortly. What is not scripted is a rehearsal, which succeeds."""

from __future__ import annotations

from typing import Any

from bot.local.models import Call, Faults, Reply, rehearsal_script
from bot.local.sample import Edit, create, replace

__all__ = ["Edit", "Models", "Reply", "approves", "asks_for_changes", "create", "edits", "finding", "replace"]

HAIKU, SONNET, GEMINI, OPUS = "haiku", "sonnet", "gemini", "opus"


class Models:
    """Both emulated providers, and their books."""

    def __init__(self) -> None:
        self.script = rehearsal_script()
        self.faults = Faults()

    def answer(self, *replies: Reply, model: str = "", text: str = "") -> None:
        """The next paid calls (of a model whose name holds `model`) are answered so, one reply each."""
        for reply in replies:
            self.script.on(reply, model=model, text=text)

    def always(self, reply: Reply, model: str = "", text: str = "") -> None:
        self.script.on(reply, model=model, text=text, times=None)

    def asked(self, model: str = "") -> list[Call]:
        """The paid calls that reached a model, oldest first."""
        return [call for call in self.script.book if call.kind == "answer" and model in call.model]

    def asked_for(self, task: str) -> list[Call]:
        """Those about a task."""
        return [call for call in self.asked() if f"/{task}/" in call.call_id]


def edits(*made: Edit, text: str = "Done.") -> Reply:
    """An answer with edits."""
    return Reply(text=text, edits=made)


def approves(score: float = 9, **fields: Any) -> Reply:
    """A review that lets the change pass."""
    return Reply(review={"verdict": "approve", "quality_score": score, "findings": [], **fields})


def asks_for_changes(*findings: dict[str, Any], score: float = 4) -> Reply:
    return Reply(review={"verdict": "request_changes", "quality_score": score, "findings": list(findings)})


def finding(severity: str, message: str, file: str = "docs/usage.md", line: int | None = 1) -> dict[str, Any]:
    return {"severity": severity, "file": file, "line": line, "message": message}
