"""Values that travel to and from a model. Adapters translate them to the vendors' wire forms."""

from __future__ import annotations

from typing import Any, Literal

from bot.domain.task import Frozen

Stop = Literal["end", "tool_use", "max_tokens", "refusal", "other"]
Purpose = Literal["edit", "repair", "review", "report", "split", "triage"]


class Usage(Frozen):
    """Tokens of one call, as the provider counted them. Thinking is part of `output` as billed."""

    input: int = 0  # uncached input
    output: int = 0  # thinking included
    thinking: int = 0  # the part of output that was thinking, where the provider says
    cache_write: int = 0
    cache_read: int = 0

    @property
    def total(self) -> int:
        """All input (cached too) + all output (thinking too): what budgets count (R-BUD-4)."""
        return self.input + self.output + self.cache_write + self.cache_read


class ModelRequest(Frozen):
    """One call. `messages` are Anthropic-style role/content dicts (content: text or content blocks)."""

    model: str  # the vendor's model id, from configuration
    system: str
    cache_system: bool = False  # ask the provider to keep tools and system text for the next call
    messages: tuple[dict[str, Any], ...]
    max_output: int = 1024  # tokens
    edit_tools: bool = False  # offer the text-editor tool
    call_id: str = ""  # sent as X-Orch-Call


class EditCall(Frozen):
    """One text-editor tool call of a model."""

    id: str
    command: str  # view | create | str_replace | insert (anything else is refused when applied)
    path: str = ""
    file_text: str | None = None
    old_str: str | None = None
    new_str: str | None = None
    insert_line: int | None = None
    insert_text: str | None = None


class ModelReply(Frozen):
    """What came back. `content` is the raw list of content blocks, kept to continue the conversation."""

    model: str  # the model that answered, as the provider names it
    text: str
    edits: tuple[EditCall, ...] = ()
    content: tuple[dict[str, Any], ...] = ()
    stop: Stop = "end"
    usage: Usage


class NoResult(Frozen):
    """A call in a batch that ended without an answer; nothing is owed for it."""

    why: str


class Finding(Frozen):
    """One finding of a review."""

    severity: Literal["critical", "high", "medium", "low"]
    file: str = ""
    line: int | None = None
    message: str


class Verdict(Frozen):
    """A model's structured review of one exact diff."""

    verdict: Literal["approve", "request_changes"]
    quality_score: float  # 0..10
    findings: tuple[Finding, ...] = ()
    missing_cases: tuple[str, ...] = ()


class ReviewReply(Frozen):
    """A review call's outcome. `verdict` None = truncated or unparsable: no verdict, never an approval."""

    model: str
    verdict: Verdict | None
    why_none: str = ""
    usage: Usage
