"""ports.Charts on matplotlib, in a process of its own: it takes some 70 MB, which the bot then need not keep.

python -m bot.adapters.charts < chart.json > chart.png
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from bot.domain.chart import CHART, BarChart, LineChart, Series
from bot.domain.shortening import shortened
from bot.errors import OrchError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of a picture, in inches and dots: 1280 x 640. Few inches make large letters: it is read on phones too.
SIZE, DPI = (6.4, 3.2), 200
#: How long drawing may take, in seconds.
TIMEOUT = 60.0
MANY_LABELS = 7
#: Fewer bars than these are drawn as wide as if they were so many.
FEW_BARS = 4

#: Colours that keep apart for the colour-blind (Okabe and Ito), on a background of their own: the picture reads the
#: same in Slack's light and dark themes.
BACKGROUND, INK, FAINT = "#ffffff", "#1d1c1d", "#d9d9de"
TONES = {
    "main": "#0072b2", "light": "#8ec6e6", "second": "#e69f00", "third": "#009e73", "fourth": "#cc79a7",
    "quiet": "#8a8a93", "warning": "#c2410c",
}  # fmt: skip
BEHIND = {"facecolor": BACKGROUND, "edgecolor": "none", "pad": 1.0}  # of a number, so that no line runs through it
HEADROOM = 1.12


class ProcessCharts:
    """Draws each chart in a short-lived process."""

    async def draw(self, chart: LineChart | BarChart) -> bytes:
        """The chart as a PNG. Raises OrchError."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.adapters.charts",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(TIMEOUT):
                drawn, said = await process.communicate(chart.model_dump_json().encode())
        except TimeoutError:
            raise OrchError(f"the chart “{chart.title}” was not drawn within {TIMEOUT:.0f} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise OrchError(f"the chart “{chart.title}” could not be drawn: {said.decode(errors='replace')[-500:]}")
        return drawn


def draw_png(chart: LineChart | BarChart) -> bytes:
    """Draw it in this process."""
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12)
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor=BACKGROUND, layout=layout)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _dress(axes, chart)
    if isinstance(chart, LineChart):
        _lines(axes, chart)
    else:
        _bars(axes, chart)
    _finish(figure, axes, chart)
    picture = BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None, "Description": chart.alt})
    return picture.getvalue()


def _dress(axes: Axes, chart: LineChart | BarChart) -> None:
    axes.set_facecolor(BACKGROUND)
    axes.set_title(
        shortened(chart.title, 52), loc="left", color=INK, fontsize=13, fontweight="bold", pad=14, parse_math=False
    )
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FAINT)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=10, length=0)
    axes.set_ylabel(chart.unit, color=INK, fontsize=10)


def _lines(axes: Axes, chart: LineChart) -> None:
    places = range(len(chart.labels))
    for low, high in chart.bands:
        axes.fill_between(places, _values(low), _values(high), color=TONES[low.tone], alpha=0.18, linewidth=0,
                          label=high.name)  # fmt: skip
    for series in chart.series:
        few = len(chart.labels) <= 40
        axes.plot(
            places, _values(series), color=TONES[series.tone], label=series.name, linewidth=2.4,
            linestyle=(0, (4, 3)) if series.dashed else "solid", marker="o" if few and not series.dashed else None,
            markersize=6, solid_capstyle="round",
        )  # fmt: skip
        if not series.dashed:
            _label_last(axes, series)


def _label_last(axes: Axes, series: Series) -> None:
    known = [(place, value) for place, value in enumerate(series.values) if value is not None]
    if known:
        place, value = known[-1]
        axes.annotate(f"{value:,.4g}" if value < 1000 else f"{value:,.0f}", (place, value), xytext=(8, 8),
                      textcoords="offset points", color=TONES[series.tone], fontsize=11, fontweight="bold")  # fmt: skip


def _bars(axes: Axes, chart: BarChart) -> None:
    places = list(range(len(chart.labels)))
    bottom = [0.0] * len(places)
    for series in chart.series:
        values = [value or 0.0 for value in series.values]
        axes.bar(places, values, 0.6, bottom=bottom, color=TONES[series.tone], label=series.name)
        bottom = [below + value for below, value in zip(bottom, values, strict=True)]
    spare = max(0, FEW_BARS - len(places)) / 2
    axes.set_xlim(-0.5 - spare, len(places) - 0.5 + spare)
    framed = [(place, limit) for place, limit in zip(places, chart.limits, strict=False) if limit]
    if framed:
        axes.bar([p for p, _ in framed], [limit for _, limit in framed], 0.6, fill=False, edgecolor=TONES["quiet"],
                 linewidth=1.4, linestyle=(0, (4, 3)), label="limit")  # fmt: skip
    for ticks in chart.ticks:
        marked = [(place, value) for place, value in zip(places, ticks.values, strict=False) if value]
        axes.hlines(
            [value for _, value in marked], [place - 0.36 for place, _ in marked],
            [place + 0.36 for place, _ in marked], color=TONES[ticks.tone], linewidth=2.2, label=ticks.name,
        )  # fmt: skip
    tops = [max(height, dict(framed).get(place, 0.0)) for place, height in zip(places, bottom, strict=True)]
    for place, (height, top) in enumerate(zip(bottom, tops, strict=True)):  # above the frame, where it hides no mark
        axes.annotate(f"{height:,.0f}", (place, top), xytext=(0, 4), textcoords="offset points", ha="center",
                      color=INK, fontsize=10, fontweight="bold", bbox=BEHIND)  # fmt: skip


def _finish(figure: Figure, axes: Axes, chart: LineChart | BarChart) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for marker in chart.markers:
        axes.axhline(marker.value, color=TONES[marker.tone], linewidth=1.6, linestyle=(0, (2, 2)), label=marker.name)
    step = -(-len(chart.labels) // MANY_LABELS) or 1
    shown = range(0, len(chart.labels), step)
    axes.set_xticks(list(shown), [chart.labels[place] for place in shown], parse_math=False)
    low, high = axes.dataLim.intervaly if chart.labels else (0.0, 0.0)
    axes.set_ylim(min(0.0, low * HEADROOM), max(high * HEADROOM, 1.0 if high <= 0 else 0.0))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=chart.unit in ("tasks", "tokens")))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 10 else f"{value:g}"))
    handles, names = axes.get_legend_handles_labels()
    if len(handles) > 1:
        names = [shortened(name, 25) for name in names]
        figure.legend(handles, names, loc="outside lower center", ncols=5, frameon=False, labelcolor=INK, fontsize=10)


def _values(series: Series) -> list[Any]:
    return [float("nan") if value is None else value for value in series.values]


if __name__ == "__main__":
    sys.stdout.buffer.write(draw_png(CHART.validate_json(sys.stdin.buffer.read())))
