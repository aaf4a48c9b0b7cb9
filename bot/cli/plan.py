"""`orch plan check`: what is wrong with a plan's file, or what it will take. `orch plan load`: into a project."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.plan_file import PlanFolders, read_plan_text, read_text
from bot.adapters.prices import PriceBook
from bot.cli.project_choice import project_of
from bot.config import Config
from bot.domain import prices
from bot.domain.command_text import nearest
from bot.domain.plan import Plan, unknown_owners
from bot.domain.plan_budget import Forecast, Planned, by_rung, forecast, review_tokens
from bot.domain.plan_errors import Problem, errors_of
from bot.domain.plan_graph import critical_path
from bot.domain.routing import RoutePolicy
from bot.domain.task import PAID, Rung
from bot.errors import ConfigError, OrchError
from bot.settings import load_settings
from bot.store import sprints, tasks
from bot.store.database import hold_alone, opened
from bot.store.migrate import migrate
from bot.wiring import data_folder, plan_folders

#: How long `load` waits for a bot that is stopping, in seconds.
PATIENCE = 1.0


def check(file: str) -> int:
    """Print what is wrong with the plan, or what it will take. Returns the exit code: 1 where it has errors."""
    found = _examine(file, load_settings().config)
    return 1 if found is None else 0


async def load(file: str, key: str | None = None) -> int:
    """Check the plan, and put it into a project; nothing is started. Returns the exit code. Raises OrchError."""
    settings = load_settings()
    plan = _examine(file, settings.config)
    if plan is None:
        return 1
    project = project_of(settings.config, key).key
    try:
        release = await hold_alone(settings.database_url, PATIENCE)
    except ConfigError:
        own = settings.home / "plans" / f"{plan.name}.yaml"
        raise OrchError(
            "Orch is at work on this database, which on SQLite is for one process. Nothing was loaded. Either copy "
            f"the file to {own} and type `/orch plan load {plan.name}` in the project's channel, or stop the bot first."
        ) from None
    try:
        async with opened(settings.database_url) as database:
            await migrate(database, data_folder("migrations"))
            async with database.begin() as session:
                await tasks.lock_project(session, project)
                done = await sprints.put(session, project, plan)
    finally:
        await release()
    counts = f"{done.added} new, {done.changed} changed, {done.same} the same, {done.removed} removed"
    queued = f"; {done.queued} queued already and left alone" if done.queued else ""
    print(f"\nLoaded into {project}: {counts}{queued}. `/orch sprint start {plan.sprints[0].number}` starts it.")
    return 0


def _examine(file: str, config: Config) -> Plan | None:
    path = find_plan(file)
    plan, problems = read_plan_text(read_text(path))
    expected = None
    if plan is not None:
        policy = RoutePolicy(security_paths=config.policy.security_paths, haiku_first=config.policy.haiku_first)
        expected = forecast(plan, policy, config.limits)
        problems = (*problems, *expected.problems, *_strangers(plan, config))
    errors = errors_of(problems)
    if errors or plan is None or expected is None:
        for problem in errors:
            print(f"{path}:{problem.line or 1}: {problem.placed}", file=sys.stderr)
        print(f"{path}: {counted(len(errors), 'error')}. Nothing was loaded.", file=sys.stderr)
        return None
    warnings = sorted((p for p in problems if p.level == "warning"), key=lambda problem: problem.line)
    print("\n".join(_summary(plan, expected, config, warnings)))
    return plan


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def find_plan(file: str) -> Path:
    """The file, or the plan of that name among the team's own and Orch's."""
    path = Path(file).expanduser()
    if path.exists() or "/" in file:
        return path
    folders = PlanFolders(plan_folders(load_settings()))
    found = folders.find(file)
    if found is None and not path.suffix:
        raise OrchError(f"{file} is no file, and no plan is called so. There are: {', '.join(folders.names)}.")
    return found or path


def _strangers(plan: Plan, config: Config) -> Iterator[Problem]:
    """Owners that no project's aliases name; without projects nobody can tell."""
    aliases = {name: person for project in config.projects for name, person in project.aliases.items()}
    for task, owner in unknown_owners(plan, aliases) if config.projects else ():
        near = nearest(owner, aliases)
        hint = f"did you mean `{near}`?" if near else "add them to the project's `aliases`"
        text = f"no project knows an owner called `{owner}`; {hint}"
        yield Problem(line=task.line, where=task.id, text=text, level="warning")


def _summary(plan: Plan, expected: Forecast, config: Config, warnings: Sequence[Problem]) -> Iterator[str]:
    size = f"{counted(len(plan.tasks), 'task')} in {counted(len(plan.sprints), 'sprint')}"
    yield f"{plan.title or plan.name}: {size}. No errors."
    yield ""
    yield from _table([_HEAD, *_rows(plan, expected, config)])
    yield ""
    yield "Tokens are those expected of one attempt at each task, beside what the sprint gives the rung, if it says so."
    yield "Reviews follow every change. The cost is the one expected for these tokens, at today's prices."
    path = critical_path(plan.graph, expected.expected)
    tokens = sum(expected.expected.get(name, 0) for name in path)
    yield ""
    yield f"Critical path: {counted(len(path), 'task')}, {tokens:,} tokens: {' -> '.join(path)}"
    yield ""
    yield f"Warnings: {len(warnings) or 'none'}"
    yield from (f"  {problem}" for problem in warnings)


_HEAD = ("sprint", "days", "tasks", *(str(rung) for rung in PAID), "manual", "reviews", "tokens", "cost")


def _rows(plan: Plan, expected: Forecast, config: Config) -> Iterator[tuple[str, ...]]:
    for sprint in plan.sprints:
        name = f"{sprint.number} {sprint.title}".strip()
        yield _row(name, str(sprint.days), expected.of_sprint(sprint.number), sprint.budget, config)
    whole: dict[Rung, int] = {rung: sum(sprint.budget.get(rung, 0) for sprint in plan.sprints) for rung in PAID}
    days = str(sum(sprint.days for sprint in plan.sprints))
    complete = all(sprint.budget for sprint in plan.sprints)
    yield _row("all", days, expected.planned, whole if complete else {}, config)


def _row(
    name: str, days: str, planned: Sequence[Planned], budget: Mapping[Rung, int], config: Config
) -> tuple[str, ...]:
    found, reviews = by_rung(planned), review_tokens(planned)
    tokens = sum(each.expected for each in planned) + reviews
    cells = (_cell(*found[rung][:2], budget.get(rung, 0) if budget else None) for rung in PAID)
    total = _of(tokens, sum(budget.values()) if budget else None)
    cost = sum(_cost(rung, found[rung][1], config) for rung in PAID) + _cost(Rung.GEMINI, reviews, config)
    manual = str(found[Rung.MANUAL][0] or "-")
    return (name, days, str(len(planned)), *cells, manual, f"{reviews:,}", total, f"${cost / prices.MTOK:.2f}")


def _cell(count: int, tokens: int, allowed: int | None) -> str:
    return f"{count}: {_of(tokens, allowed)}" if count or allowed else "-"


def _of(tokens: int, allowed: int | None) -> str:
    return f"{tokens:,}" if allowed is None else f"{tokens:,}/{allowed:,}"


def _cost(rung: Rung, tokens: int, config: Config) -> int:
    """Micro-dollars that so many tokens are likely to cost."""
    if not tokens:
        return 0
    price = PriceBook(config.own_prices).price(config.model_id(rung), datetime.now(UTC).date())
    return prices.expected_cost(tokens, price)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with aligned columns; a column without anything in it is left away."""
    used = [at for at in range(len(rows[0])) if any(row[at] != "-" for row in rows[1:])]
    rows = [[row[at] for at in used] for row in rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
