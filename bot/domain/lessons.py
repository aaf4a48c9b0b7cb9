"""What the next attempt is told of the ones before: the newest few lessons, each cut to what helps, since every token
of them is paid again (R-ESC-1, "with more context")."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.calls import Finding
from bot.domain.shortening import shortened
from bot.domain.terminal_text import plain_text

#: The newest so many lessons of models and checks, and as many words of people.
LESSONS = 3
LESSON_CHARS = 900
FINDING_CHARS = 240
#: How a lesson begins that a person gave: machines' lessons never crowd it out.
FROM_PERSON = "A person"
SEVERITIES = ("critical", "high", "medium", "low")

_BLANK = re.compile(r"\n\s*\n+")


def remember(learned: Sequence[str], lesson: str) -> list[str]:
    """The lessons after this one, oldest first. The same one again counts once, as the newest."""
    short = shorten(lesson)
    if not short:
        return list(learned)
    kept = [*(each for each in learned if each != short), short]
    people = [each for each in kept if each.startswith(FROM_PERSON)][-LESSONS:]
    others = [each for each in kept if not each.startswith(FROM_PERSON)][-LESSONS:]
    return [each for each in kept if each in people or each in others]


def shorten(lesson: str) -> str:
    """At most LESSON_CHARS characters: of a command's output its first line (which command, how it ended) and its tail,
    where errors stand; of anything else its head."""
    text = _squeezed(lesson)
    if len(text) <= LESSON_CHARS:
        return text
    first, _, rest = text.partition("\n")
    if not first.startswith("$ ") or not rest:
        return shortened(text, LESSON_CHARS)
    first = first[: LESSON_CHARS // 3]
    tail = rest[-(LESSON_CHARS - len(first) - 3) :]
    _, newline, whole_lines = tail.partition("\n")
    return f"{first}\n…\n{whole_lines if newline and len(whole_lines) > LESSON_CHARS // 2 else tail}"


def of_findings(findings: Sequence[Finding], missing_cases: Sequence[str] = ()) -> str:
    """A review's lesson: the worst first, one line each."""
    worst_first = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    lines = [f"- {f.severity} {_place(f)}{' '.join(f.message.split())[:FINDING_CHARS]}" for f in worst_first]
    missing = [f"- untested: {'; '.join(missing_cases)[:FINDING_CHARS]}"] if missing_cases else []
    return "\n".join(["The review asked for changes:", *lines, *missing])


def _place(finding: Finding) -> str:
    line = f":{finding.line}" if finding.line else ""
    return f"{finding.file}{line} " if finding.file else ""


def _squeezed(text: str) -> str:
    """Plain text without blank lines, trailing blanks, and lines that repeat the one before."""
    plain = _BLANK.sub("\n", plain_text(text)).strip()
    lines: list[str] = []
    for line in (each.rstrip() for each in plain.splitlines()):
        if not lines or line != lines[-1]:
            lines.append(line)
    return "\n".join(lines)
