"""Whether a project learns from its history at all, and what a rung usually costs where nothing is known."""

from __future__ import annotations

import pytest

from bot.adapters.prices import PriceBook
from bot.domain.task import Rung
from bot.settings import parse_config
from bot.wiring import project_rules
from bot.workflows.learning import learned
from tests.store.samples import NOW, migrated


@pytest.mark.parametrize(
    ("policy", "learns"),
    [({}, True), ({"learn_from_history": False}, False), ({"haiku_first": False}, False)],
)
async def test_one_setting_switches_it_off(database_url: str, policy: dict[str, bool], learns: bool) -> None:
    told = {"policy": policy, "projects": [{"key": "GRANTER", "repo": "/srv/app", "channel": "C0DEV"}]}
    config = parse_config(told)
    project = project_rules(config, config.projects[0])
    async with migrated(database_url) as database, database.read() as session:
        found = await learned(session, project, PriceBook().price, NOW)
    assert (found is not None) is learns
    if found is not None:
        assert found.records == {}
        assert 0 < found.usual[Rung.HAIKU] < found.usual[Rung.SONNET]
