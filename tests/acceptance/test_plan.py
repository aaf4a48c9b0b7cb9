"""Load a sprint plan, look at it, load it again (R-APR, R-MSG-4, R-PAR-3)."""

from __future__ import annotations

from tests.acceptance.conftest import Starting
from tests.acceptance.sprints import DEMO, TEAM, keep_plan, load, start


async def test_a_plan_is_loaded_shown_and_loaded_again(starting: Starting) -> None:
    async with starting(project=TEAM) as orch:
        await orch.lead.types("/orch plan show")
        await orch.lead.sees_privately("GRANTER has no plan yet", "/orch plan load NAME")
        keep_plan(orch)
        said = await load(orch)
        assert "4 tasks in 2 sprints. 4 new, 0 changed, 0 the same, 0 removed" in said
        assert await orch.tasks() == [], "nothing is queued before a sprint starts"

        for line in ("why s0-d1-2", "cancel S0-D1-2", "budget raise S0-D1-2 4000"):
            who = orch.lead if line.startswith("budget") else orch.dev
            await who.types(f"/orch {line}")
            await who.sees_privately("S0-D1-2 is planned for sprint 0 and not queued yet", "/orch sprint start 0")

        await orch.dev.types("/orch plan show")
        shown = await orch.dev.sees_privately("*Sprint 0* Set-up · planned · 0 of 3 done (3 planned)")
        assert "*Sprint 1* Pages · planned · 0 of 1 done (1 planned) · 0 tokens used" in shown
        assert "60k allowed" in shown, "40,000 for haiku and 20,000 for gemini"

        assert "0 new, 0 changed, 4 the same, 0 removed" in await load(orch)
        keep_plan(orch, DEMO.replace("docs/third.md", "docs/3.md").replace("id: S0-D1-2", "id: S0-D1-3")
                  .replace("[S0-D1-2]", "[S0-D1-3]"))  # fmt: skip
        assert "1 new, 2 changed, 1 the same, 1 removed" in await load(orch)
        await orch.dev.types("/orch sprint show 1")
        assert "Write docs/" not in await orch.dev.sees_privately("planned · haiku · "), "a row is its title alone"
        await start(orch, 0)
        assert await orch.tasks() == ["S0-D1-1", "S0-D1-3", "S0-D2-1"]
        keep_plan(orch, DEMO.replace("id: S0-D1-2", "id: S0-D1-3").replace("[S0-D1-2]", "[S0-D1-3]"))
        assert "0 new, 1 changed, 0 the same, 0 removed; 3 queued already" in await load(orch)


async def test_what_is_wrong_with_a_plan_is_said_privately_with_its_lines(starting: Starting) -> None:
    async with starting(project=TEAM) as orch:
        keep_plan(orch, DEMO.replace("type: docs", "typ: docs", 1).replace("after: [S0-D1-2]", "after: [S0-D1-9]"))
        await orch.lead.types("/orch plan load demo")
        said = await orch.lead.sees_privately("The plan has 2 errors")
        assert "line 10: S0-D1-1: `typ` is not a key that I know; did you mean `type`?" in said
        assert "line 34: S1-D1-1, after: `S0-D1-9` is no task of this plan" in said
        await orch.lead.types("/orch plan load demmo")
        await orch.lead.sees_privately("There is no plan called `demmo`. Did you mean `demo`?", "plans")
        keep_plan(orch, DEMO.replace("haiku: 40000, sonnet: 20000", "haiku: 1000"))
        await orch.lead.types("/orch plan load demo")
        await orch.lead.sees_privately("line 4: sprint 0: 2 haiku tasks are expected to take")
        await orch.lead.types("/orch plan show")
        await orch.lead.sees_privately("has no plan yet")


async def test_the_id_of_another_task_is_not_taken(starting: Starting) -> None:
    async with starting(project=TEAM) as orch:
        await orch.dev.types("/orch assign Write docs/x.md --sprint 0 --day 1 --files docs/x.md")
        await orch.dev.sees_privately("*S0-D1-1* is queued")
        keep_plan(orch)
        await orch.lead.types("/orch plan load demo")
        await orch.lead.sees_privately("S0-D1-1 is a task already that no plan made. Nothing was loaded")


async def test_the_example_product_loads(starting: Starting) -> None:
    """R-BUD-2: the sprints' own budgets are what is allowed."""
    async with starting(project=TEAM) as orch:
        said = await load(orch, "granter-v2")
        assert "GRANTER v2" in said and "38 tasks in 5 sprints. 38 new" in said and "nobody is called" not in said
        await orch.lead.types("/orch plan show")
        shown = await orch.lead.sees_privately("*Sprint 1* Auth and security", "47.5k allowed", "24k allowed")
        assert "*Sprint 4* Go-live" in shown


async def test_only_a_lead_loads_plans_and_starts_sprints(starting: Starting) -> None:
    async with starting(project=TEAM) as orch:
        keep_plan(orch)
        for typed in ("plan load demo", "sprint start 0", "sprint close 0"):
            await orch.two.types(f"/orch {typed}")
            await orch.two.sees_privately("Only a lead may do that. Nothing was changed.")
        await orch.two.types("/orch plan show")
        await orch.two.sees_privately("has no plan yet")
