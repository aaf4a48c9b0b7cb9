"""The README names every command that works and every setting there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Budgets, Config, Holidays, ModelSettings, Policy, Price, Project, Sandbox, Schedule
from bot.domain.assign import OPTIONS
from bot.domain.help import ENTRIES

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [entry.name for entry in ENTRIES])
def test_every_command_is_named(name: str) -> None:
    assert f"/orch {name}" in README


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_named(name: str) -> None:
    assert f"--{name}" in README


@pytest.mark.parametrize(
    "section", [Config, Project, Holidays, ModelSettings, Price, Budgets, Policy, Sandbox, Schedule]
)
def test_every_setting_is_named(section: type[Config]) -> None:
    missing = [field for field in section.model_fields if f"{field}`" not in README and f"`{field}" not in README]
    assert not missing
