"""How long a simulation of a large plan takes: `python -m tests.benchmarks.simulation [--tasks 5000] [--sprints 50]`.

The plan is made up: tasks of every kind, on files of their own and shared ones, each third waiting for an earlier one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bot.__main__ import main as orch

KINDS = ("docs", "config", "setup", "logic", "schema", "tests", "debug", "review", "ops")


def plan_of(tasks: int, sprints: int, seed: int = 1) -> str:
    """A plan in YAML."""
    return "\n".join(_lines(tasks, sprints, Random(seed))) + "\n"


def _lines(tasks: int, sprints: int, chance: Random) -> Iterator[str]:
    yield "name: large\ntitle: A large plan\nsprints:"
    for sprint in range(sprints):
        yield f"  - {{number: {sprint}, days: 5}}"
    yield "tasks:"
    each = -(-tasks // sprints)
    for number in range(tasks):
        sprint, place = divmod(number, each)
        day, nth = place * 5 // each + 1, place + 1
        after = f"S{sprint}-D{(place - 7) * 5 // each + 1}-{place - 6}" if place >= 7 and number % 3 == 0 else ""
        module = chance.randrange(max(1, tasks // 10))
        files = f"src/m{module}/f{number}.ts" + (f", src/m{module}/index.ts" if number % 5 == 0 else "")
        priority = chance.choice(("low", "normal", "normal", "high"))
        yield f"  - {{id: S{sprint}-D{day}-{nth}, prompt: Work on part {number} of module {module}, " \
              f"type: {chance.choice(KINDS)}, files: [{files}], after: [{after}], priority: {priority}}}"  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=5_000)
    parser.add_argument("--sprints", type=int, default=50)
    parser.add_argument("--policy")
    parser.add_argument("--runs", type=int)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "large.yaml"
        path.write_text(plan_of(given.tasks, given.sprints), encoding="utf-8")
        more = [
            *(["--policy", given.policy] if given.policy else []),
            *(["--runs", str(given.runs)] if given.runs else []),
        ]
        begun = time.perf_counter()
        code = orch(["simulate", str(path), *more])
        print(f"\n{given.tasks:,} tasks in {given.sprints} sprints: {time.perf_counter() - begun:.1f} s (exit {code})")


if __name__ == "__main__":
    main()
