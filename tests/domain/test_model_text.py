"""What models write is made fit to keep, on PostgreSQL too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.calls import Verdict
from bot.domain.model_text import read_json, storable
from bot.domain.review import parse_verdict
from bot.domain.splitting import parse_proposal

ODD = [
    ("a\x00b", "a\ufffdb"),
    ("half a pair \ud83d", "half a pair \ufffd"),
    ("😀 ünd \t\n", "😀 ünd \t\n"),
    ([{"a\x00": ["\udc00", 1, None, True, 1.5]}], [{"a\ufffd": ["\ufffd", 1, None, True, 1.5]}]),
]


@pytest.mark.parametrize(("said", "kept"), ODD)
def test_texts_that_no_database_keeps(said: Any, kept: Any) -> None:
    assert storable(said) == kept
    assert read_json(json.dumps(said)) == kept
    json.dumps(kept, ensure_ascii=False).encode()


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "NaN", "[Infinity]", "{", ""])
def test_json_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"twice|not JSON|Expecting"):
        read_json(text)


def test_a_review_and_a_proposal_with_them() -> None:
    finding = {"severity": "low", "file": "a.py", "message": "the \x00 of \ud83d"}
    told = {"findings": [finding], "quality_score": 8, "verdict": "approve"}
    verdict = parse_verdict(json.dumps(told), True)
    assert isinstance(verdict, Verdict) and verdict.findings[0].message == "the \ufffd of \ufffd"
    parts = parse_proposal(json.dumps({"parts": [{"text": "one \x00"}, {"text": "two \ud83d"}]}), True)
    assert [part.text for part in parts if not isinstance(part, str)] == ["one \ufffd", "two \ufffd"]
