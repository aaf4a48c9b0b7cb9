"""`python -m tests.benchmarks [NAME...] [--quick]`: measure, and print the table."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import sys
import time
from collections.abc import Awaitable, Callable

from tests.benchmarks import commands, memory, startup, task, throughput
from tests.benchmarks.measure import Line, table

Benchmark = Callable[[bool], Awaitable[list[Line]]]

BENCHMARKS: dict[str, Benchmark] = {
    "commands": commands.measure,
    "startup": startup.measure,
    "memory": memory.measure,
    "task": task.measure,
    "throughput": throughput.measure,
}


async def run(names: list[str], quick: bool) -> list[Line]:
    """Run these benchmarks, telling on standard error what each of them is."""
    lines: list[Line] = []
    for name in names:
        print(f"\n{name}: {inspect.cleandoc(BENCHMARKS[name].__doc__ or '')}", file=sys.stderr)
        began = time.monotonic()
        lines += await BENCHMARKS[name](quick)
        print(f"({time.monotonic() - began:.0f} s)", file=sys.stderr)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it runs, not how fast")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    print(table(asyncio.run(run(arguments.names or list(BENCHMARKS), arguments.quick))))


if __name__ == "__main__":
    main()
