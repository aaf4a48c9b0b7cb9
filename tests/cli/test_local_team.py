"""The team of `orch local`: enough people for every approval, and the example plan as a rehearsal can play it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.plan_file import PlanFolders
from bot.cli.local_team import DEVELOPER, LEAD, PLAN, ROLES, SECOND, SECURITY, people, put_plan
from bot.domain.approvals import Team, shortage, who_could_approve
from bot.store.tasks import as_task
from bot.wiring import data_folder
from tests.store.samples import ROUTE, a_task


@pytest.mark.parametrize("requester", [DEVELOPER, LEAD, SECOND, SECURITY])
def test_two_people_can_approve_whatever_anybody_asks_for(requester: str) -> None:
    """R-APR: two people for a security task, of whom one approves security; neither asked for it nor owns it."""
    team = Team(**{key: tuple(who) for key, who in ROLES.items() if key != "aliases"})
    for owner in (requester, DEVELOPER):
        row = a_task(requester=requester, owner=owner, route={**ROUTE, "security": True}, touched=[])
        assert shortage(team, as_task(row)) is None and len(who_could_approve(team, as_task(row))) >= 2
    assert {*ROLES["leads"], *ROLES["approvers"], *ROLES["aliases"].values()} <= {user.id for user in people().users}


def test_the_plan_of_a_rehearsal_is_the_example_without_its_checks(tmp_path: Path) -> None:
    put_plan(tmp_path, rehearsed=True)
    original = PlanFolders((data_folder("templates") / "plans",))(PLAN, frozenset())
    found = PlanFolders((tmp_path / "plans",))(PLAN, frozenset())
    assert any(task.checks for task in original.tasks) and not any(task.checks for task in found.tasks)
    without = [task.model_copy(update={"checks": (), "line": 0}) for task in original.tasks]
    assert [task.model_copy(update={"line": 0}) for task in found.tasks] == without
    assert [s.model_copy(update={"line": 0}) for s in found.sprints] == [
        s.model_copy(update={"line": 0}) for s in original.sprints
    ]


def test_a_real_model_gets_the_plan_as_it_is_and_a_teams_own_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "plans" / f"{PLAN}.yaml"
    put_plan(tmp_path, rehearsed=False)
    assert not kept.exists()
    put_plan(tmp_path, rehearsed=True)
    put_plan(tmp_path, rehearsed=False)
    assert not kept.exists(), "taken away again"
    kept.write_text("name: mine\n", encoding="utf-8")
    for rehearsed in (True, False):
        put_plan(tmp_path, rehearsed=rehearsed)
        assert kept.read_text(encoding="utf-8") == "name: mine\n"
