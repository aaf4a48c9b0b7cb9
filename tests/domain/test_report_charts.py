"""What the reports' pictures show (R-REP-1, R-REP-2)."""

from __future__ import annotations

import pytest

from bot.domain.chart import CHART
from bot.domain.report_charts import budget, burn_down, charts, throughput
from bot.domain.task import Rung
from tests.domain.report_samples import a_sprint, level, some_facts, the_plans_week


def test_burn_down_counts_what_is_left_at_the_end_of_each_day() -> None:
    chart = burn_down(the_plans_week())
    assert chart is not None
    assert chart.labels == ("start", "Mon 26 Jan", "Tue 27 Jan", "Wed 28 Jan", "Thu 29 Jan", "Fri 30 Jan")
    assert chart.series[0].values == pytest.approx((20, 16, 12, 8, 4, 0))
    assert chart.series[1].values == (20, 16, 12, 8, 4, 1)
    assert "1 of 20 tasks are left on 2026-01-30" in chart.alt


def test_budget_stacks_used_and_reserved_in_the_limit() -> None:
    rungs = {Rung.HAIKU: level(900, 15_000, reserved=100), Rung.OPUS: level(0, 0)}
    chart = budget(some_facts(rungs=rungs))
    assert chart is not None
    assert (chart.labels, chart.limits) == (("haiku", "all"), (15_000, 30_000))
    assert [series.values for series in chart.series] == [(900, 0), (100, 0)]
    assert "haiku 900 and 100 reserved of 15,000" in chart.alt


def test_throughput_has_a_bar_for_each_working_day() -> None:
    chart = throughput(the_plans_week())
    assert chart is not None
    assert chart.series[0].values == (4, 4, 4, 4, 3)
    assert chart.labels[0] == "Mon 26 Jan" and chart.labels[-1] == "Fri 30 Jan"


def test_there_is_no_picture_of_nothing() -> None:
    assert charts(some_facts(sprints=(a_sprint(),)), "daily") == ()
    assert charts(some_facts(sprints=()), "weekly") == ()


def test_a_chart_survives_the_outbox() -> None:
    for _name, chart in charts(the_plans_week(), "weekly"):
        assert CHART.validate_python(chart.model_dump(mode="json")) == chart
