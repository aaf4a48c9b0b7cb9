"""What an attempt is told of the ones before it."""

from __future__ import annotations

from bot.domain.calls import Finding
from bot.domain.lessons import FROM_PERSON, LESSON_CHARS, LESSONS, of_findings, remember, shorten


def test_only_the_newest_are_kept() -> None:
    learned: list[str] = []
    for n in range(6):
        learned = remember(learned, f"lesson {n}")
    assert learned == ["lesson 3", "lesson 4", "lesson 5"]
    assert remember(learned, "") == learned
    assert remember(learned, "lesson 4") == ["lesson 3", "lesson 5", "lesson 4"], "the same one counts once"


def test_what_a_person_said_is_not_crowded_out() -> None:
    learned = remember([], f"{FROM_PERSON} said: Use tabs, please")
    for n in range(6):
        learned = remember(learned, f"$ make test  (ended with 1)\nfailure {n}")
    assert learned[0] == "A person said: Use tabs, please"
    assert len(learned) == 1 + LESSONS


def test_the_output_of_a_check_keeps_its_command_and_its_end() -> None:
    noise = "\n".join(f"\x1b[31mline {n}\x1b[0m   " for n in range(500))
    short = shorten(f"$ npm test  (ended with 1)\n{noise}\n\n\nError: it broke")
    assert short.startswith("$ npm test  (ended with 1)\n…\nline ")
    assert short.endswith("line 499\nError: it broke")
    assert len(short) <= LESSON_CHARS and "\x1b" not in short and "\n\n" not in short


def test_repeated_lines_are_said_once() -> None:
    assert shorten("$ make\nsame\nsame\nsame\nlast") == "$ make\nsame\nlast"


def test_anything_else_keeps_its_head() -> None:
    short = shorten("the worst first " + "and more " * 500)
    assert short.startswith("the worst first") and short.endswith("…") and len(short) <= LESSON_CHARS


def test_findings_stand_worst_first() -> None:
    findings = [
        Finding(severity="low", message="style"),
        Finding(severity="critical", file="a.py", line=3, message="it loses\ndata " + "x" * 500),
        Finding(severity="high", file="b.py", message="wrong"),
    ]
    lines = of_findings(findings, ("an empty list",)).splitlines()
    assert lines[0] == "The review asked for changes:"
    assert lines[1].startswith("- critical a.py:3 it loses data x") and len(lines[1]) < 300
    assert lines[2:] == ["- high b.py wrong", "- low style", "- untested: an empty list"]
