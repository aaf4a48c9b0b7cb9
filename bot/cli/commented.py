"""A config file as TOML in which every key stands with its meaning; what is not set shows its default, commented out.

The words come from the fields themselves (bot/config), so that they are said once.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo

from bot.config import DEFAULT_MODELS, Budgets, Config, ModelSettings, Policy, Project, Sandbox, Schedule, Section

WIDTH = 110
HEAD = """\
# Orch's configuration. Point ORCH_CONFIG at this file; `orch doctor` checks it.
# A line that starts with "#" and a key shows that key's default, or an example: take the # away to change it.
"""
SECTIONS: Mapping[str, type[Section]] = {
    "budgets": Budgets,
    "schedule": Schedule,
    "policy": Policy,
    "sandbox": Sandbox,
}
#: Keys that load because the source plan wrote them, and that nobody needs to write.
ONLY_OF_THE_PLAN = frozenset({"model", "mcp", "escalation_to", "review_mcp", "status"})


def commented_toml(answers: Mapping[str, Any]) -> str:
    """The file for these answers; they have the form of the config file itself."""
    return "\n".join([HEAD, *_lines(answers)]) + "\n"


def _lines(answers: Mapping[str, Any]) -> Iterator[str]:
    tables = {*SECTIONS, "models", "projects", *ONLY_OF_THE_PLAN}
    yield from _keys(Config, answers, leave_out=tables)
    models = answers.get("models", {})
    for at, (rung, default) in enumerate(DEFAULT_MODELS.items()):
        yield from ("", *([_comment(_first_line(ModelSettings))] if at == 0 else []), f"[models.{rung}]")
        stated = models.get(rung, {})
        others = set(ModelSettings.model_fields) - {"id", *stated} if at else set()
        yield from _keys(ModelSettings, stated, default, leave_out=others, explain=at == 0)
    for name, section in SECTIONS.items():
        yield from ("", _comment(_first_line(section)), f"[{name}]")
        yield from _keys(section, answers.get(name, {}))
    for at, project in enumerate(answers.get("projects", ())):
        yield from ("", *([_comment(_first_line(Project))] if at == 0 else []), "[[projects]]")
        yield from _keys(Project, project, explain=at == 0)


def _keys(
    section: type[Section],
    given: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
    *,
    leave_out: set[str] | None = None,
    explain: bool = True,
) -> Iterator[str]:
    for name, field in section.model_fields.items():
        if name in (leave_out or ()):
            continue
        if explain and field.description:
            yield _comment(field.description)
        if name in given:
            yield f"{name} = {toml(given[name])}"
        else:
            yield f"#{name} = {toml((defaults or {}).get(name, _shown(field)))}"


def _shown(field: FieldInfo) -> Any:
    """The default; where that is nothing, an example."""
    return field.examples[0] if field.examples else field.default


def _first_line(section: type[Section]) -> str:
    return (section.__doc__ or "").splitlines()[0]


def _comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in textwrap.wrap(text, WIDTH))


def toml(value: Any) -> str:
    """A value as TOML, tables inline."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(toml(inner) for inner in value) + "]"
    # Of JSON's strings TOML only refuses a bare DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
