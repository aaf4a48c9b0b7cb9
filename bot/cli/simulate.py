"""`orch simulate PLAN`: what a plan is likely to take, by the product's own rules and stated assumptions.

No model call, no state; the same seed gives the same answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from pydantic import ValidationError

from bot.adapters.charts import ProcessCharts
from bot.adapters.plan_file import read_plan_text, read_text
from bot.adapters.prices import PriceBook
from bot.adapters.router_weights import text_model
from bot.cli.plan import counted, find_plan
from bot.cli.policy_file import PolicyFile
from bot.config import Config
from bot.config import Project as ProjectSettings
from bot.config.file import mistakes
from bot.domain.local_time import DAY, instant
from bot.domain.plan import Plan
from bot.domain.plan_budget import forecast
from bot.domain.plan_errors import errors_of
from bot.domain.project import Project
from bot.domain.routing import RoutePolicy
from bot.domain.simulation import simulate
from bot.domain.simulation_model import Setup, assumed_history
from bot.domain.simulation_summary import Spread, Summary, budget_chart, progress_chart, summarise
from bot.errors import ConfigError, OrchError
from bot.settings import load_settings
from bot.wiring import project_rules

RUNS, FEW_RUNS, MANY_TASKS = 20, 5, 1_000
MOST_RUNS = 10_000
SHOWN_LEFT = 8
#: Stands in where no project is configured.
NO_PROJECT = ProjectSettings(key="PLAN", repo=".", channel="C00")
#: A plan that is only simulated may be larger than one that a bot at work loads.
MOST_BYTES, MOST_TASKS = 8_000_000, 20_000


class Named(NamedTuple):
    name: str
    policy: PolicyFile


def run(arguments: argparse.Namespace) -> int:
    """Simulate and print. Raises OrchError."""
    config = load_settings().config
    policies = [_read(Path(file)) for file in arguments.policy or ()] or [Named("as configured", PolicyFile())]
    if len(policies) > 2:
        raise OrchError("At most two policies are compared: `--policy A --policy B`.")
    path = find_plan(arguments.plan)
    plan, problems = read_plan_text(read_text(path, MOST_BYTES), most_tasks=MOST_TASKS)
    setups = [setup_of(plan, named.policy, config) for named in policies] if plan else []
    for setup in setups:
        problems = (*problems, *setup[1])
    if plan is None or errors_of(problems):
        for problem in dict.fromkeys(errors_of(problems)):
            print(f"{path}:{problem.line or 1}: {problem.placed}", file=sys.stderr)
        print(f"{path}: nothing was simulated. `orch plan check` says more.", file=sys.stderr)
        return 1
    runs = _runs(arguments.runs, plan)
    summaries = [
        summarise(named.name, [simulate(setup, arguments.seed + number) for number in range(runs)])
        for named, (setup, _) in zip(policies, setups, strict=True)
    ]
    print("\n".join(_report(plan, setups[0][0], summaries, arguments.seed)))
    if arguments.chart:
        asyncio.run(_draw(Path(arguments.chart), plan.title or plan.name, summaries))
    return 0


def _runs(asked: int | None, plan: Plan) -> int:
    if asked is None:
        return RUNS if len(plan.tasks) <= MANY_TASKS else FEW_RUNS
    if not 1 <= asked <= MOST_RUNS:
        raise OrchError(f"--runs must be between 1 and {MOST_RUNS:,} (it is {asked:,}).")
    return asked


def _read(path: Path) -> Named:
    """A policy's file. Raises ConfigError that names each wrong key and the nearest right one."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise ConfigError(f"--policy: cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid {'TOML' if path.suffix == '.toml' else 'JSON'}: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold one object with keys such as {', '.join(PolicyFile.model_fields)}.")
    try:
        return Named(path.stem, PolicyFile.model_validate(data))
    except ValidationError as error:
        said = "\n".join(f"  {line}" for line in mistakes(error, PolicyFile))
        raise ConfigError(f"{path}:\n{said}") from error


def setup_of(plan: Plan, policy: PolicyFile, config: Config) -> tuple[Setup, Sequence[Any]]:
    """What a run needs, and what is to be said of the plan under this policy."""
    config = policy.over(config)
    assumed = policy.assumptions
    limits = config.limits
    sprints = {each.number: each.tokens for each in plan.sprints if each.tokens} | dict(limits.sprints)
    project = _project(config).model_copy(update={"limits": limits.model_copy(update={"sprints": sprints})})
    start = _start(policy.start, project)
    book = PriceBook(config.own_prices)
    models = {*project.models.values(), *project.lighter}
    prices = {model: book.price(model, project.day(start)) for model in models}
    rules = RoutePolicy(
        security_paths=project.security_paths, haiku_first=config.policy.haiku_first, model=text_model(),
        history=assumed_history(project, prices) if assumed.learned else None,
    )  # fmt: skip
    expected = forecast(plan, rules, project.limits)
    planned = {each.task.id: each for each in expected.planned}
    return Setup(plan, planned, project, prices, assumed, start, Random), expected.problems


def _project(config: Config) -> Project:
    """The first project's rules; without one, a project in UTC."""
    return project_rules(config, config.projects[0] if config.projects else NO_PROJECT)


def _start(said: str | None, project: Project) -> datetime:
    """The stand-up of that day, or of the next working day from tomorrow on."""
    day = date.fromisoformat(said) if said else project.day(datetime.now(UTC)) + DAY
    return instant(project.working_days.from_(day), project.times.morning, project.timezone)


async def _draw(file: Path, title: str, summaries: Sequence[Summary]) -> None:
    charts = ProcessCharts()
    for kind, chart in (("budget", budget_chart(title, summaries)), ("progress", progress_chart(title, summaries))):
        target = file.with_name(f"{file.stem}-{kind}.png")
        try:
            target.write_bytes(await charts.draw(chart))
        except OSError as error:
            raise OrchError(f"--chart: cannot write {target}: {error.strerror}.") from error
        print(f"Drawn: {target}. {chart.alt}")


def _report(plan: Plan, setup: Setup, summaries: Sequence[Summary], seed: int) -> Iterator[str]:
    start = setup.start.astimezone(setup.project.zone)
    size = f"{counted(len(plan.tasks), 'task')} in {counted(len(plan.sprints), 'sprint')}"
    when = f"{start:%Y-%m-%d %H:%M} ({setup.project.timezone})"
    yield f"{plan.title or plan.name}: {size}, from {when}. {counted(summaries[0].runs, 'run')} from seed {seed}."
    yield ""
    yield from _table(summaries)
    for summary in summaries:
        yield from _waits(summary, several=len(summaries) > 1)
        yield from _ends(summary, len(plan.tasks), several=len(summaries) > 1)
    yield ""
    yield 'Decided by Orch\'s own rules; how models and people behave is assumed (README, "Simulate").'


def _table(summaries: Sequence[Summary]) -> Iterator[str]:
    head = "".join(f"  {summary.name[:30]:>32}" for summary in summaries) if len(summaries) > 1 else ""
    if head:
        yield f"{'':30}{head}"
    yield f"{'':30}" + "".join(f"  {'p10':>10} {'p50':>10} {'p90':>10}" for _ in summaries)
    rows: list[tuple[str, str, str]] = [
        ("working days", "working_days", "{:,.0f}"), ("hours, day and night", "hours", "{:,.1f}"),
        ("cost", "dollars", "${:,.4f}"), ("tokens", "tokens", "{:,.0f}"),
        ("saving against all-sonnet", "saving", "{:.1%}"), ("tasks done", "done", "{:,.0f}"),
        ("  of these by hand, after all", "by_hand", "{:,.0f}"), ("  after their deadline", "late", "{:,.0f}"),
        ("tokens leads add to sprints", "raised", "{:,.0f}"),
    ]  # fmt: skip
    for words, name, form in rows:
        yield _row(words, [getattr(summary, name) for summary in summaries], form)
    kinds = dict.fromkeys(kind for summary in summaries for kind in summary.waits)
    for kind in kinds:
        words = f"hours waited: {kind}"
        yield _row(words, [summary.waits.get(kind, Spread(0, 0, 0)) for summary in summaries], "{:,.1f}")


def _row(words: str, spreads: Sequence[Spread], form: str) -> str:
    cells = "".join("  " + " ".join(f"{form.format(value):>10}" for value in each) for each in spreads)
    return f"{words:30}{cells}"


#: What a wait is for, before who.
FOR = {
    "dependency": "{who} to end", "file": "files that {who} holds", "budget": "{who}'s tokens",
    "slot": "a slot of {who}",
    "review": "its review by {who}", "approval": "an approval", "decision": "a person's decision",
}  # fmt: skip


def _waits(summary: Summary, *, several: bool) -> Iterator[str]:
    yield ""
    yield f"Longest waits{f', {summary.name}' if several else ''} (hours: p10, p50, p90; in how many of the runs):"
    for wait, hours, runs in summary.longest:
        who = {"day": "the day", "sprint": "the sprint"}.get(wait.who, wait.who)
        told = FOR[wait.kind].format(who=who)
        numbers = " ".join(f"{value:8.1f}" for value in hours)
        yield f"  {wait.task:12} for {told:32} {numbers}   {runs} of {summary.runs}"


def _ends(summary: Summary, tasks: int, *, several: bool) -> Iterator[str]:
    yield ""
    name = f"{summary.name}: " if several else ""
    if not summary.left:
        yield f"{name}Every task ended in every run." if not several else f"{name}every task ended in every run."
        return
    yield f"{name}{len(summary.left)} of {tasks:,} tasks did not end in some runs:"
    for task, (runs, why) in list(summary.left.items())[:SHOWN_LEFT]:
        yield f"  {task:12} in {runs} of {summary.runs}: {why}"
    if len(summary.left) > SHOWN_LEFT:
        yield f"  and {len(summary.left) - SHOWN_LEFT} more"
