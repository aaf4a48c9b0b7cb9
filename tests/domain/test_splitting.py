"""R-ESC-2: what a model proposes as smaller tasks, and what a person makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.splitting import MAX_PART_TEXT, Part, as_form, parse_form, parse_proposal, read_part
from bot.errors import UserMistake

TWO = [{"text": "Write a", "files": ["a.py"], "criteria": ["a works"]}, {"text": "Write b", "after": [1]}]


def proposal(parts: list[dict[str, Any]]) -> str:
    return json.dumps({"parts": parts})


@pytest.mark.parametrize("wrap", ["{}", "```json\n{}\n```", "```\n{}\n```\n"])
def test_a_proposal_is_read(wrap: str) -> None:
    parts = parse_proposal(wrap.replace("{}", proposal(TWO)), True)
    assert parts == (Part(text="Write a", files=("a.py",), criteria=("a works",)), Part(text="Write b", after=(1,)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("I would split it in two.", "not valid JSON"),
        (f"Here it is: {proposal(TWO)}", "not valid JSON"),
        ("", "not valid JSON"),
        ("[" * 5000, "not valid JSON"),
        ('{"parts": [], "parts": []}', "not valid JSON"),
        ("[]", "agreed form"),
        (proposal(TWO[:1]), "agreed form: parts"),
        (proposal(TWO * 3), "agreed form: parts"),
        (proposal([*TWO, {"text": ""}]), "agreed form: parts.2.text"),
        (proposal([*TWO, {"title": "x", "text": "y"}]), "agreed form: parts.2.title"),
        (proposal([*TWO, {"text": "   "}]), "Part 3 does not say"),
        (proposal([*TWO, {"text": "x", "files": ["../../etc/passwd"]}]), "I cannot take the file"),
        (proposal([*TWO, {"text": "x", "files": ["src/*.py"]}]), "patterns are not supported"),
        (proposal([{"text": "x", "after": [2]}, {"text": "y"}]), "only come after an earlier part"),
        (proposal([{"text": "x", "after": [1]}, {"text": "y"}]), "only come after an earlier part"),
        (proposal([{"text": "x"}, {"text": "y", "after": ["1"]}]), "agreed form: parts.1.after"),
    ],
)
def test_what_is_not_a_proposal_says_why(text: str, why: str) -> None:
    said = parse_proposal(text, True)
    assert isinstance(said, str) and why in said


def test_half_an_answer_is_no_proposal() -> None:
    assert parse_proposal(proposal(TWO), False) == "the proposal was cut off before its end"


def test_a_part_is_written_in_a_simple_form() -> None:
    field = "Add the model\nand its table\nFiles: src/a.py, ./src/b.py\nfiles: c.py\n"
    field += "criteria: it works; it is fast\nafter: #1 2"
    assert read_part(3, field) == Part(
        text="Add the model\nand its table",
        files=("src/a.py", "src/b.py", "c.py"),
        criteria=("it works", "it is fast"),
        after=(1, 2),
    )


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("files: a.py", "does not say what"),
        ("x\nafter: the first", "numbers of parts"),
        ("x\nafter: 2", "earlier part"),
        ("x\nfiles: /etc/passwd", "absolute"),
        ("x" * (MAX_PART_TEXT + 1), "at most 2,000 fit"),
    ],
)
def test_a_mistake_in_a_part(field: str, why: str) -> None:
    with pytest.raises(UserMistake, match=why):
        read_part(2, field)


def test_a_field_left_empty_is_a_part_left_out() -> None:
    parts, wrong = parse_form(["First", "", "Third\nafter: 1, 2", "Fourth\nafter: 3", " "])
    assert wrong == {}
    assert [(part.text, part.after) for part in parts] == [("First", ()), ("Third", (1,)), ("Fourth", (2,))]


def test_mistakes_stand_beside_their_fields() -> None:
    _, wrong = parse_form(["First", "files: a.py", "Third\nafter: 9"])
    assert set(wrong) == {2, 3}
    assert "2 to 5 parts" in parse_form(["", "Only one", ""])[1][2]
    assert "2 to 5 parts" in parse_form(["", ""])[1][1]


WORDS = st.text("abc xyz", min_size=1, max_size=20).filter(str.strip).map(lambda s: " ".join(s.split()))


@given(WORDS, st.lists(WORDS, max_size=3), st.sets(st.integers(1, 3)), st.lists(st.sampled_from(["a.py", "b/c.ts"])))
def test_the_form_is_read_back_as_it_was(text: str, criteria: list[str], after: set[int], files: list[str]) -> None:
    part = Part(text=text, files=tuple(dict.fromkeys(files)), criteria=tuple(criteria), after=tuple(sorted(after)))
    assert read_part(4, as_form(part)) == part
