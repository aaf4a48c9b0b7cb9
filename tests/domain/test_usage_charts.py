"""What the pictures of `/orch budget chart` show (R-BUD-3)."""

from __future__ import annotations

from datetime import date

import pytest

from bot.domain.budget import LEAN
from bot.domain.chart import CHART, LineChart
from bot.domain.sprint import Sprint
from bot.domain.usage_charts import tokens_left, usage
from bot.domain.working_days import WorkingDays
from tests.domain.report_samples import level

MONDAY, SATURDAY = date(2026, 1, 26), date(2026, 1, 31)
DAYS = WorkingDays()


def left(used: dict[date, int], day: date, **fields: object) -> LineChart | None:
    sprint = Sprint.model_validate({"number": 3, "state": "open", "first_day": MONDAY, **fields})
    return tokens_left("GRANTER", sprint, level(sum(used.values()), 150_000), used, day, DAYS, LEAN)


def test_each_bar_has_its_own_limit_and_marks() -> None:
    chart = usage("GRANTER", MONDAY, {"haiku": level(900, 15_000, reserved=100), "opus": level(0, 0)}, LEAN)
    assert chart is not None and CHART.validate_python(chart.model_dump(mode="json")) == chart
    assert (chart.labels, chart.limits) == (("haiku",), (15_000,))
    assert [series.values for series in chart.series] == [(900,), (100,)]
    assert [(ticks.name, ticks.values) for ticks in chart.ticks] == [
        ("yellow, 80%", (12_000,)), ("red, 95%", (14_250,)),
    ]  # fmt: skip
    assert chart.alt == "Tokens used and reserved on 2026-01-26: haiku 900 and 100 reserved of 15,000."


def test_what_was_taken_without_a_limit_is_shown_without_marks() -> None:
    chart = usage("GRANTER", MONDAY, {"opus": level(700, 0)}, LEAN)
    assert chart is not None and [ticks.values for ticks in chart.ticks] == [(None,), (None,)]
    assert usage("GRANTER", MONDAY, {"opus": level(0, 0)}, LEAN) is None


def test_tokens_left_at_the_end_of_each_day() -> None:
    chart = left({MONDAY: 20_000, date(2026, 1, 28): 10_000}, date(2026, 1, 28))
    assert chart is not None
    assert chart.labels == ("start", "Mon 26 Jan", "Tue 27 Jan", "Wed 28 Jan", "Thu 29 Jan", "Fri 30 Jan")
    even, own = chart.series
    assert even.values == pytest.approx((150_000, 120_000, 90_000, 60_000, 30_000, 0))
    assert own.values == (150_000, 130_000, 130_000, 120_000, None, None)
    assert [round(marker.value) for marker in chart.markers] == [30_000, 7_500]
    assert "120,000 of 150,000 tokens are left on 2026-01-28; at an even pace it would be 60,000" in chart.alt


def test_work_on_a_day_off_has_its_day() -> None:
    chart = left({MONDAY: 20_000, SATURDAY: 5_000}, SATURDAY, days=6)
    assert chart is not None and "Sat 31 Jan" in chart.labels and "Sun 01 Feb" not in chart.labels
    even, own = chart.series
    place = chart.labels.index("Sat 31 Jan")
    assert own.values[place] == 125_000 and even.values[place] == even.values[place - 1] == pytest.approx(25_000)


def test_without_an_open_sprint_there_is_nothing_to_burn_down() -> None:
    assert left({}, MONDAY, state="closed") is None
    assert left({}, MONDAY, first_day=None) is None
