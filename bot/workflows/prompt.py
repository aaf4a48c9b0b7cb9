"""The first request of an attempt: what stays the same comes first, so that the provider can cache it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import caching
from bot.domain.calls import ModelRequest
from bot.domain.context import Packed, estimate_tokens
from bot.domain.models import cacheable_from
from bot.domain.task import Rung
from bot.store.tables import TaskRow
from bot.workflows.office import Office


def first_request(
    office: Office,
    row: TaskRow,
    rung: Rung,
    system: str,
    packed: Packed,
    *,
    checks: Sequence[str] | None = None,
    said: Sequence[str] = (),
    edit_tools: bool = False,
) -> ModelRequest:
    """The system text ends with what holds for the project; the message has the files, then the task, its text
    verbatim. `checks`: the task's own, beside the project's; None where none has to pass; `said`: what people wrote in
    the task's thread."""
    project = office.projects[row.project]
    model = project.reviewer(security=row.route["security"]) if rung is Rung.GEMINI else project.models[rung]
    facts = {"row": row, "packed": packed, "learned": row.learned, "said": said}

    def part(name: str, checks: Sequence[str]) -> str:
        return office.redact(office.render.text(f"prompts/{name}", {**facts, "checks": checks})).strip()

    shared = _joined(system.strip(), part("repository", () if checks is None else project.checks))
    length = estimate_tokens(shared) + (caching.EDITOR_TOKENS if edit_tools else 0)
    price = office.price(model, project.day(office.now()))
    return ModelRequest(
        model=model,
        system=shared,
        cache_system=caching.worth_caching(length, cacheable_from(model), price),
        messages=({"role": "user", "content": _joined(part("files", ()), part("task", checks or ()))},),
        edit_tools=edit_tools,
    )


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
