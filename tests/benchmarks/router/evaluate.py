"""The router on repositories that its model was not trained on: `make bench-router`.

Repositories are held out in six folds. Each fold's model, calibration and thresholds come from the other folds. The
figures are the router's own answers (`route`), with the range that a bootstrap over repositories gives (95 %).
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from bot.domain.routing import MATRIX, RoutePolicy, RouteRequest, route
from bot.domain.task import Rung, TaskType
from bot.domain.text_model import VIEWS, TextModel, View
from bot.errors import UserMistake
from tests.benchmarks.router.build import Material, assemble, processes, read, train
from tests.benchmarks.router.data import CHEAP, FOLDS, STRONG, Commit

#: What the matrix gives to no haiku, or only where it is simple (R-RT-2 to R-RT-5).
KEPT = frozenset(row.type for row in MATRIX if row.haiku == "no") | {TaskType.TESTS}


class Answer(NamedTuple):
    """What the router said of a commit. `rung` "none": it asked what is meant. `kept`: not haiku's by a rule, whatever
    the model thinks of it."""

    commit: Commit
    rung: str
    security: bool
    kept: bool = False


class Figure(NamedTuple):
    """A share of some answers, and the goal for it by view."""

    name: str
    of: Callable[[Commit], bool]
    hit: Callable[[Answer], bool]
    at_least: dict[View, float] | None = None
    at_most: dict[View, float] | None = None


def _is(group: str, types: Iterable[str] | None = None) -> Callable[[Commit], bool]:
    wanted = None if types is None else frozenset(types)
    return lambda commit: commit.group == group and (wanted is None or commit.type in wanted)


def _haiku(answer: Answer) -> bool:
    return answer.rung == Rung.HAIKU


FIGURES = (
    Figure(
        "cheap or strong, right",
        _is("task", CHEAP | STRONG),
        lambda answer: _haiku(answer) == (answer.commit.type in CHEAP),
        at_least={"text": 0.80, "files": 0.88},
    ),
    Figure("strong work sent to haiku", _is("task", STRONG), _haiku, at_most={"text": 0.08, "files": 0.08}),
    Figure(
        "security-critical, recognised",
        _is("security"),
        lambda answer: answer.security,
        at_least={"text": 0.95, "files": 0.95},
    ),
    Figure(
        "lookalikes, false alarms",
        _is("lookalike"),
        lambda answer: answer.security,
        at_most={"text": 0.25, "files": 0.05},
    ),
    Figure("security-critical sent to haiku", _is("security"), _haiku),
    Figure("routine work sent to haiku", _is("task", CHEAP), _haiku),
    Figure("routine work kept by a rule", _is("task", CHEAP), lambda answer: answer.kept),
    Figure("routine work called security", _is("task", CHEAP), lambda answer: answer.security),
    Figure("writing tests sent to haiku", _is("task", ["test"]), _haiku),
)
_work: list[tuple[list[Commit], RoutePolicy, View]] = []


def answers(material: Material, models: dict[int, TextModel] | None, view: View) -> list[Answer]:
    """Every commit routed by the model that has not seen its repository, or by the rules alone."""
    by_fold: dict[int, list[Commit]] = defaultdict(list)
    for commit in material.commits:
        by_fold[material.fold[commit.repo]].append(commit)
    _work[:] = [
        (commits, RoutePolicy(model=models[fold] if models else None), view) for fold, commits in by_fold.items()
    ]
    with multiprocessing.get_context("fork").Pool(processes()) as pool:
        return [answer for part in pool.map(_route_part, range(len(_work)), chunksize=1) for answer in part]


def _route_part(place: int) -> list[Answer]:
    commits, policy, view = _work[place]
    return [_routed(commit, policy, view) for commit in commits]


def _routed(commit: Commit, policy: RoutePolicy, view: View) -> Answer:
    try:
        found = route(RouteRequest(text=commit.text, files=commit.files if view == "files" else ()), policy)
    except UserMistake:
        return Answer(commit, "none", False)
    kept = found.rung is not Rung.HAIKU and (found.rule == "R-SEC-1" or found.type in KEPT)
    return Answer(commit, str(found.rung), found.security, kept)


def measured(figure: Figure, found: list[Answer]) -> tuple[float, float, float]:
    """The share, and its 95 % range over draws of repositories."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for answer in found:
        if figure.of(answer.commit):
            counts[answer.commit.repo][0] += figure.hit(answer)
            counts[answer.commit.repo][1] += 1
    rng, repos, shares = random.Random(1), sorted(counts), []
    for _ in range(1000):
        drawn = [counts[repo] for repo in rng.choices(repos, k=len(repos))]
        shares.append(sum(hits for hits, _ in drawn) / sum(size for _, size in drawn))
    shares.sort()
    return sum(hits for hits, _ in counts.values()) / sum(size for _, size in counts.values()), shares[25], shares[974]


def held_out_models(material: Material) -> dict[int, TextModel]:
    """Fold -> the model that has not seen it, nor drawn a line by it."""
    trained = train(material, range(FOLDS))
    return {
        fold: assemble(material, trained[fold], [other for at, other in trained.items() if at != fold])
        for fold in trained
    }


def verdict(figure: Figure, view: View, share: float) -> str:
    for goal, met in ((figure.at_least, lambda g: share >= g), (figure.at_most, lambda g: share <= g)):
        if goal:
            sign = ">=" if goal is figure.at_least else "<="
            return f"goal {sign} {goal[view]:.0%}: {'met' if met(goal[view]) else 'NOT met'}"
    return ""


def main() -> int:
    material = read()
    models = held_out_models(material)
    print(f"{len(material.commits)} commits of {len(material.fold)} repositories, held out in {FOLDS} folds of whole")
    print("repositories; 95 % ranges by bootstrap over repositories. Labels are weak: data/README says how.")
    table: dict[str, dict[str, tuple[float, float, float]]] = {}
    for view in VIEWS:
        for name, chosen in (("rules only", None), ("rules + model", models)):
            title = f"{'subjects alone' if view == 'text' else 'with paths'}, {name}"
            found = answers(material, chosen, view)
            print(f"\n{title}")
            for figure in FIGURES:
                share, low, high = table.setdefault(title, {})[figure.name] = measured(figure, found)
                line = f"  {figure.name:<32} {share:6.1%}  ({low:.1%} to {high:.1%})  {verdict(figure, view, share)}"
                print(line.rstrip(), flush=True)
    if "--json" in sys.argv:
        print(json.dumps(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
