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
    """What holds for the project, the files, then the task, its text verbatim. `checks`: the task's own, beside
    the project's; None where none has to pass; `said`: what people wrote in the task's thread."""
    project = office.projects[row.project]
    model = project.models[rung]
    facts = {"row": row, "packed": packed, "learned": row.learned, "said": said}

    def part(name: str, checks: Sequence[str]) -> str:
        return office.redact(office.render.text(f"prompts/{name}", {**facts, "checks": checks})).strip()

    tried = caching.LATER_TRY if row.learned else caching.FIRST_TRY
    content = caching.content(
        [
            (part("repository", () if checks is None else project.checks), caching.SHARED),
            (part("files", ()), tried),
            (part("task", checks or ()), 0.0),
        ],
        before=estimate_tokens(system) + (caching.EDITOR_TOKENS if edit_tools else 0),
        minimum=cacheable_from(model),
        price=office.price(model, project.day(office.now())),
    )
    return ModelRequest(
        model=model, system=system, messages=({"role": "user", "content": content},), edit_tools=edit_tools
    )
