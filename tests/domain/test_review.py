"""R-SEC-4, R-ESC-3: only a whole, exact answer is a verdict, and a critical finding outweighs an approval."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.calls import Finding, Verdict
from bot.domain.review import judge, parse_verdict

GOOD: dict[str, Any] = {
    "verdict": "approve",
    "quality_score": 8.5,
    "findings": [{"severity": "low", "file": "a.py", "line": 3, "message": "A name."}],
}

JUDGED = [  # the model's verdict, severities of its findings, what counts
    ("approve", (), "approve"),
    ("approve", ("low", "medium", "high"), "approve"),
    ("approve", ("critical",), "request_changes"),
    ("approve", ("low", "critical"), "request_changes"),
    ("request_changes", (), "request_changes"),
    ("request_changes", ("low",), "request_changes"),
    ("request_changes", ("critical",), "request_changes"),
]


@pytest.mark.parametrize(("said", "severities", "counts"), JUDGED)
def test_judge(said: Any, severities: tuple[Any, ...], counts: str) -> None:
    findings = tuple(Finding(severity=severity, message="m") for severity in severities)
    judged = judge(Verdict(verdict=said, quality_score=9, findings=findings))
    assert (judged.verdict, judged.quality_score, judged.findings) == (counts, 9, findings)


def test_a_whole_answer() -> None:
    verdict = parse_verdict(json.dumps(GOOD | {"missing_cases": ["empty list"], "extra": 1}), finished=True)
    assert verdict == Verdict(
        verdict="approve",
        quality_score=8.5,
        findings=(Finding(severity="low", file="a.py", line=3, message="A name."),),
        missing_cases=("empty list",),
    )


def test_half_an_answer_is_none_even_if_it_parses() -> None:
    assert parse_verdict(json.dumps(GOOD), finished=False) == "the review was cut off before its end"


def test_a_parsed_verdict_is_judged() -> None:
    critical = {"severity": "critical", "message": "Anyone may log in."}
    verdict = parse_verdict(json.dumps(GOOD | {"findings": [critical]}), finished=True)
    assert isinstance(verdict, Verdict)
    assert verdict.verdict == "request_changes"


@pytest.mark.parametrize("score", [0, 10, 7])
def test_scores_at_the_edges(score: int) -> None:
    assert isinstance(parse_verdict(json.dumps(GOOD | {"quality_score": score}), finished=True), Verdict)


@pytest.mark.parametrize(("line", "kept"), [(None, None), (0, None), (-1, None), (1, 1)])
def test_lines(line: int | None, kept: int | None) -> None:
    finding = {"severity": "low", "file": "a", "line": line, "message": "m"}
    verdict = parse_verdict(json.dumps(GOOD | {"findings": [finding]}), finished=True)
    assert isinstance(verdict, Verdict)
    assert verdict.findings[0].line == kept


@pytest.mark.parametrize("place", [{}, {"file": None}, {"file": None, "line": None}])
def test_a_finding_about_no_file(place: dict[str, Any]) -> None:
    finding = {"severity": "low", "message": "m", **place}
    verdict = parse_verdict(json.dumps(GOOD | {"findings": [finding]}), finished=True)
    assert isinstance(verdict, Verdict)
    assert (verdict.findings[0].file, verdict.findings[0].line) == ("", None)


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "\n```\n{}\n\n```\n", "```JSON\n{}\n```"])
def test_one_fence_around_the_whole_answer_is_no_matter(fence: str) -> None:
    said = json.dumps(GOOD)
    assert parse_verdict(fence.replace("{}", said), finished=True) == parse_verdict(said, finished=True)


NOT_JSON = [
    "",
    "LGTM",
    json.dumps(GOOD)[:-1],
    f"```json\n{json.dumps(GOOD)}",
    f"I approve:\n```json\n{json.dumps(GOOD)}\n```",
    f"```json\n{json.dumps(GOOD)}\n```\n```json\n{json.dumps(GOOD)}\n```",
    json.dumps(GOOD) + " approve",
    '{"verdict": "request_changes", "quality_score": 1, "findings": [], "verdict": "approve"}',
    '{"verdict": "approve", "quality_score": NaN, "findings": []}',
    '{"verdict": "approve", "quality_score": Infinity, "findings": []}',
    "[" * 100_000,
]


@pytest.mark.parametrize("text", NOT_JSON)
def test_not_json(text: str) -> None:
    assert parse_verdict(text, finished=True) == "the review is not valid JSON"


BAD_FORM = [  # what is wrong, and the field that the reason names
    ({"verdict": "Approve"}, "verdict"),
    ({"verdict": True}, "verdict"),
    ({"verdict": None}, "verdict"),
    ({"quality_score": -0.1}, "quality_score"),
    ({"quality_score": 10.1}, "quality_score"),
    ({"quality_score": "9"}, "quality_score"),
    ({"quality_score": True}, "quality_score"),
    ({"findings": None}, "findings"),
    ({"findings": {}}, "findings"),
    ({"findings": [{"severity": "blocker", "message": "m"}]}, "findings.0.severity"),
    ({"findings": [{"severity": "low"}]}, "findings.0.message"),
    ({"findings": [{"severity": "low", "message": "m", "line": "3"}]}, "findings.0.line"),
    ({"missing_cases": "none"}, "missing_cases"),
]


@pytest.mark.parametrize(("wrong", "field"), BAD_FORM)
def test_bad_form(wrong: dict[str, Any], field: str) -> None:
    reason = parse_verdict(json.dumps(GOOD | wrong), finished=True)
    assert isinstance(reason, str)
    assert f"agreed form: {field}" in reason


@pytest.mark.parametrize("missing", ["verdict", "quality_score", "findings"])
def test_a_missing_field(missing: str) -> None:
    answer = {name: value for name, value in GOOD.items() if name != missing}
    assert f"agreed form: {missing}" in str(parse_verdict(json.dumps(answer), finished=True))


@pytest.mark.parametrize("text", ["[]", "null", "3", '"approve"'])
def test_not_an_object(text: str) -> None:
    assert "agreed form: the whole" in str(parse_verdict(text, finished=True))
