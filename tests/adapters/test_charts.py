"""Pictures: real PNGs of the size that was asked for, drawn apart from the bot, with their words inside."""

from __future__ import annotations

import struct
import sys

import pytest

from bot.adapters.charts import ProcessCharts, draw_png
from bot.domain.chart import BarChart, LineChart, Marker, Series
from bot.errors import OrchError

LINES = LineChart(
    title="Cost of $x_1^2$ & <others>", alt="Three points, rising", unit="$", labels=("a", "b", "c"),
    series=(Series(name="left", values=(1.0, None, 3.0)), Series(name="even", values=(3, 2, 1), dashed=True)),
    bands=((Series(name="low", values=(1, 1, 1)), Series(name="range", values=(2, 2, 2))),),
    markers=(Marker(name="goal", value=2.5),),
)  # fmt: skip
BARS = BarChart(
    title="Tokens", alt="One bar", unit="tokens", labels=("haiku", "opus"),
    series=(Series(name="used", values=(10, 0)), Series(name="reserved", values=(5, None), tone="second")),
    limits=(20, None),
)  # fmt: skip
EMPTY = BarChart(title="", alt="", labels=(), series=())
MANY = LineChart(title="x" * 200, alt="", labels=tuple(map(str, range(900))),
                 series=(Series(name="y" * 90, values=tuple(range(-400, 500))),))  # fmt: skip


@pytest.mark.parametrize("chart", [LINES, BARS, EMPTY, MANY], ids=["lines", "bars", "empty", "many"])
def test_a_picture_has_the_size_it_should_have(chart: LineChart | BarChart) -> None:
    png = draw_png(chart)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (1280, 640)
    assert 5_000 < len(png) < 300_000
    assert draw_png(chart) == png, "the same chart is the same picture"


async def test_it_is_drawn_in_a_process_of_its_own() -> None:
    before = "matplotlib.pyplot" in sys.modules
    png = await ProcessCharts().draw(LINES)
    assert struct.unpack(">II", png[16:24]) == (1280, 640)
    assert ("matplotlib.pyplot" in sys.modules) == before


async def test_what_cannot_be_drawn_is_said() -> None:
    odd = LineChart(title="odd", alt="", labels=("a",), series=(Series(name="s", values=(1, 2, 3)),))
    with pytest.raises(OrchError, match="“odd” could not be drawn"):
        await ProcessCharts().draw(odd)
