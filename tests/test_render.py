"""Words: escaped by default, within limits, and every template renders what it names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from bot.domain.shortening import first_line
from bot.render import Renderer, bar, clip, escape, money, slack_time, tokens
from bot.wiring import data_folder

NASTY = '<!channel> <@U1> & "quotes" \\ back\nline ``` `code` *bold*'


@pytest.mark.parametrize(
    "value, shown",
    [("a & b", "a &amp; b"), ("<!channel>", "&lt;!channel&gt;"), ("<@U1>", "&lt;@U1&gt;"), (7, "7")],
)
def test_escape(value: object, shown: str) -> None:
    assert escape(value) == shown
    assert escape(escape(value)) == shown  # never twice


@given(st.text(max_size=60), st.integers(2, 40))
def test_clip_fits_and_never_cuts_an_entity(text: str, limit: int) -> None:
    cut = clip(text, limit)
    assert len(cut) <= limit
    assert cut == escape(text) or cut.endswith("…")
    assert all(part.startswith(("amp;", "lt;", "gt;")) for part in cut.split("&")[1:])
    assert "<" not in cut and ">" not in cut


@pytest.mark.parametrize(
    "count, shown", [(0, "0"), (999, "999"), (1_850, "1.9k"), (20_000, "20k"), (1_500_000, "1.5M")]
)
def test_tokens(count: int, shown: str) -> None:
    assert tokens(count) == shown


@pytest.mark.parametrize("share, full", [(0, 0), (0.001, 1), (0.5, 5), (0.94, 9), (0.999, 9), (1, 10), (1.3, 10)])
def test_a_gauge_is_full_only_where_all_is_used_up(share: float, full: int) -> None:
    assert bar(share) == "▰" * full + "▱" * (10 - full)


@pytest.mark.parametrize(
    "micro, shown", [(0, "$0.00"), (49, "under $0.0001"), (50, "$0.0001"), (812, "$0.0008"), (1_350_000, "$1.35")]
)
def test_money(micro: int, shown: str) -> None:
    assert money(micro) == shown


def test_time_is_shown_in_each_readers_zone() -> None:
    assert slack_time(datetime(2026, 2, 3, 10, 30, tzinfo=UTC)).startswith("<!date^1770114600^")


def test_what_people_write_cannot_break_a_message(tmp_path: Path) -> None:
    (tmp_path / "a.json.j2").write_text(
        '{"text": "said: {{ text }}", "raw": {{ text|verbatim }}, "cut": "{{ text|clip(20) }}"}'
    )
    message = Renderer(tmp_path).message("a", {"text": NASTY})
    assert message["text"] == f"said: {escape(NASTY)}"
    assert message["raw"] == NASTY
    assert "<!channel>" not in message["cut"]


def test_undefined_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json.j2").write_text('{"text": "{{ missing }}"}')
    with pytest.raises(UndefinedError):
        Renderer(tmp_path).message("a", {})


def test_a_project_may_override_a_template(tmp_path: Path) -> None:
    (tmp_path / "thread").mkdir()
    (tmp_path / "thread" / "merged.json.j2").write_text('{"text": "ours: {{ commit }}"}')
    renderer = Renderer(data_folder("templates"), [tmp_path])
    assert renderer.message("thread/merged", {"commit": "abc"}) == {"text": "ours: abc"}


def test_no_template_changes_text_after_it_is_escaped() -> None:
    """What a filter makes of escaped text is plain again, and people would read `&amp;amp;`."""
    for path in data_folder("templates").rglob("*.j2"):
        assert not re.search(r"\|clip\(\d+\)\|(?!mrkdwn|raw)", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    ("text", "line"), [("", ""), ("One", "One"), ("\n First page \nWrite it", "First page"), ("A\r\nB", "A")]
)
def test_a_row_shows_the_first_line_alone(text: str, line: str) -> None:
    assert first_line(text).strip() == line
