"""A model's review: from its raw text to a verdict that may be trusted (R-ESC-3, R-SEC-4).

Only a complete, exact answer is a verdict. Anything else is the reason why there is none, and no verdict is
never an approval."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.calls import Finding, Verdict
from bot.domain.model_text import first_problem, read_json


class WireFinding(BaseModel):
    """One finding, as the reviewer is asked to write it."""

    model_config = ConfigDict(strict=True)

    severity: Literal["critical", "high", "medium", "low"]
    file: str | None = None
    line: int | None = None
    message: str


class WireVerdict(BaseModel):
    """The reviewer's whole answer (DESIGN, "Model wire"); sent to it as the schema to fill, in this order:
    first what it found, then what it concludes."""

    model_config = ConfigDict(strict=True)

    findings: list[WireFinding]
    missing_cases: list[str] = []
    quality_score: float = Field(ge=0.0, le=10.0)
    verdict: Literal["approve", "request_changes"]


def parse_verdict(text: str, finished: bool) -> Verdict | str:
    """The verdict in a reviewer's text, judged; or why there is none, in words for a person.

    `finished`: the provider said that the answer is whole. Half an answer is no verdict even if its JSON
    happens to parse."""
    if not finished:
        return "the review was cut off before its end"
    try:
        raw = read_json(text)
    except (ValueError, RecursionError):
        return "the review is not valid JSON"
    try:
        wire = WireVerdict.model_validate(raw)
    except ValidationError as error:
        return f"the review does not have the agreed form: {first_problem(error)}"
    findings = tuple(
        Finding(severity=f.severity, file=f.file or "", line=_line(f.line), message=f.message) for f in wire.findings
    )
    return judge(
        Verdict(
            verdict=wire.verdict,
            quality_score=wire.quality_score,
            findings=findings,
            missing_cases=tuple(wire.missing_cases),
        )
    )


def judge(verdict: Verdict) -> Verdict:
    """The verdict that counts: a critical finding means request_changes, whatever the model concluded
    (R-ESC-3)."""
    if verdict.verdict == "approve" and any(f.severity == "critical" for f in verdict.findings):
        return verdict.model_copy(update={"verdict": "request_changes"})
    return verdict


def _line(line: int | None) -> int | None:
    """Models write 0 or -1 for "no line"."""
    return line if line is not None and line >= 1 else None
