"""That the benchmarks run and what they compute is right; never how fast anything is."""

from __future__ import annotations

import pytest

from tests.benchmarks import commands
from tests.benchmarks.__main__ import BENCHMARKS
from tests.benchmarks.measure import Line, beside, milliseconds, quantile, table
from tests.benchmarks.spans import Span, shape, split


def test_quantiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1.0)) == (50, 99, 100)
    assert quantile([7.0], 0.0) == quantile([7.0], 0.99) == 7


def test_a_line_compares_medians() -> None:
    line = beside("it", [0.02, 0.03, 0.9], [0.02, 0.02, 0.02], milliseconds, most=1.5)
    assert line == Line("it", "30.0 ms (20.0 ms-900 ms)", "20.0 ms (20.0 ms-20.0 ms)", "1.50x", "<= 1.5x", True)
    head, rule, row = table([line]).splitlines()
    assert len(head) == len(rule) == len(row)
    assert row.endswith("| yes |")


def test_each_moment_of_a_task_counts_once() -> None:
    spans = [
        Span("stage", "running", 1.0, 5.0),
        Span("step", "prepare_edit", 1.5, 3.0),
        Span("git", "refresh", 2.0, 2.5),
        Span("program", "git fetch", 2.0, 2.4),
        Span("tx", "finish_edit", 4.0, 4.5),
        Span("stage", "checking", 6.0, 7.0),
    ]
    parts = split(spans, 0.0, 7.0)
    expected = {"step": 1.0, "git": 0.5, "tx": 0.5, "stage": 3.0, "between": 2.0, "checks": 0.0, "model": 0.0}
    assert parts == pytest.approx(expected)
    assert sum(parts.values()) == pytest.approx(7.0)
    assert shape(spans) == [["step", "tx"], []]


def test_each_benchmark_says_what_it_measures() -> None:
    for benchmark in BENCHMARKS.values():
        assert len(benchmark.__doc__ or "") > 200


async def test_a_quick_run_of_the_first() -> None:
    """The bot and the floor are started, asked and compared."""
    lines = await commands.measure(quick=True)
    assert len(lines) == 9
    assert all(line.ratio for line in lines)
