"""The message of the commit that a merge makes (DESIGN, "Merge"; R-APR-3)."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence

from bot.domain.secrets import Redactor
from bot.domain.task import Task

MAX_SUBJECT = 72  # characters
MAX_BODY = 1_500  # characters of the task's text that are quoted
_WIDTH = 72
_hide = Redactor()


def merge_message(
    task: Task, model: str, requested_by: str, approved_by: Sequence[str], reviewed_by: str | None
) -> str:
    """Subject, the task's text, and the trailers `Task`, `Requested-by`, `Approved-by` (one each), `Reviewed-by`.

    Whatever the task's text or a name holds, there are no other trailers, and CI is not told to skip: names
    become one line, and the text stands indented, where git and the code hosts read no trailers.
    """
    text = _hide(task.text)
    subject = _line(task.model_copy(update={"text": text}).title)
    subject = subject if len(subject) <= MAX_SUBJECT else subject[: MAX_SUBJECT - 3].rstrip() + "..."
    trailers = [("Task", task.id), ("Requested-by", requested_by)]
    trailers += [("Approved-by", name) for name in approved_by]
    trailers += [("Reviewed-by", reviewed_by)] if reviewed_by else []
    paragraphs = (
        subject or f"Task {_line(task.id)}",
        _quoted(text),
        f"Written by {_line(model)}, merged by Orch.",
        "\n".join(f"{name}: {_line(value)}" for name, value in trailers if _line(value)),
    )
    return "\n\n".join(paragraphs) + "\n"


def _quoted(text: str) -> str:
    cut = text if len(text) <= MAX_BODY else text[:MAX_BODY].rstrip() + " ..."
    lines = [textwrap.fill(_line(line), _WIDTH, break_long_words=True) for line in re.split(r"[\r\n]+", cut)]
    return textwrap.indent("\n".join(line for line in lines if line) or "(no text)", "    ")


def _line(text: str) -> str:
    """One line without control or invisible characters, and without the marks that make CI skip a commit."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)
    plain = re.sub(r"\[(?=[^\]]*\b(?:skip|no)\b[^\]]*\]|ci skip)", "(", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\*\*\*\s*no_ci\s*\*\*\*|skip-checks\s*:", "", plain, flags=re.IGNORECASE)
    return " ".join(plain.split())
