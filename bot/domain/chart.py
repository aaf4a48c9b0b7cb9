"""Charts as values: what is to be seen, not how. adapters/charts.py draws them; `alt` says the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.domain.task import Frozen

#: What a series means, so that one colour means one thing in every chart.
Tone = Literal["main", "light", "second", "third", "fourth", "quiet", "warning"]


class Series(Frozen):
    """One row of values, one for each label; None = no value there."""

    name: str
    values: tuple[float | None, ...]
    tone: Tone = "main"
    dashed: bool = False  # of a line


class Marker(Frozen):
    """A straight line across the chart at a value: a goal or a limit."""

    name: str
    value: float
    tone: Tone = "warning"


class LineChart(Frozen):
    """Lines over the same labels, say days. `bands`: a lower and an upper series, the space between them shaded."""

    kind: Literal["line"] = "line"
    title: str
    alt: str
    unit: str = ""  # of the values: tokens, tasks, $
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    bands: tuple[tuple[Series, Series], ...] = ()
    markers: tuple[Marker, ...] = ()


class BarChart(Frozen):
    """Bars, the series stacked on each other. `limits`: for each label how high its bar may be, drawn as a frame;
    `ticks`: marks of each bar's own, drawn across it."""

    kind: Literal["bar"] = "bar"
    title: str
    alt: str
    unit: str = ""
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    limits: tuple[float | None, ...] = ()
    ticks: tuple[Series, ...] = ()
    markers: tuple[Marker, ...] = ()


Chart = Annotated[LineChart | BarChart, Field(discriminator="kind")]

CHART: TypeAdapter[LineChart | BarChart] = TypeAdapter(Chart)


def beside_even_pace(
    title: str, alt: str, unit: str, days: Sequence[date], even: Sequence[float], left: Sequence[float],
    markers: tuple[Marker, ...] = (),
) -> LineChart:  # fmt: skip
    """What is left of a sprint, beside an even pace: both from its start on, `left` as far as it is known."""
    unknown = [None] * (len(days) + 1 - len(left))
    return LineChart(
        title=title, alt=alt, unit=unit, labels=("start", *(f"{day:%a %d %b}" for day in days)), markers=markers,
        series=(
            Series(name="even pace", values=tuple(even), tone="quiet", dashed=True),
            Series(name="left", values=(*left, *unknown)),
        ),
    )  # fmt: skip
