"""mrkdwn, plain text and Markdown as HTML: what is styled, and that nothing anybody writes becomes markup."""

# ruff: noqa: E501 - tables with one case a line

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from bot.local.page.emoji import EMOJI, REACTIONS, replace_shortcodes
from bot.local.page.markdown import markdown
from bot.local.page.mrkdwn import Reader, format_date, mrkdwn, plain
from bot.local.page.uploads import preview
from bot.wiring import data_folder

NOW = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)


class SomeNames:
    def user_name(self, user: str) -> str | None:
        return {"U1": "Ann", "UX": "<img src=x onerror=alert(1)>"}.get(user)

    def channel_name(self, channel: str) -> str | None:
        return {"C1": "dev"}.get(channel)

    def user_ids(self) -> list[str]:
        return ["U1"]

    def channel_ids(self) -> list[str]:
        return ["C1"]


READER = Reader(SomeNames(), UTC, lambda: NOW)
LINK = 'target="_blank" rel="noopener noreferrer"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _italic_ ~gone~", "<strong>bold</strong> <em>italic</em> <s>gone</s>"),
        ("*_both_*", "<strong><em>both</em></strong>"),
        ("snake_case_name 2*3*4 a * b", "snake_case_name 2*3*4 a * b"),
        ("`*not bold*`", "<code>*not bold*</code>"),
        ("a\nb", "a<br>b"),
        ("x\n```\n*a*\n b\n```\ny", "x<pre>*a*\n b</pre>y"),
        ("> one\n> two\nthree", "<blockquote>one<br>two</blockquote>three"),
        ("&gt; typed by a person", "<blockquote>typed by a person</blockquote>"),
        (">>> all\nof it", "<blockquote>all<br>of it</blockquote>"),
        ("• one", '<span class="item item-0"><span>•</span><span>one</span></span>'),
        ("2. two", '<span class="item item-0"><span>2.</span><span>two</span></span>'),
        ("&lt;b&gt; &amp;amp;", "&lt;b&gt; &amp;amp;"),
        ("<@U1>", '<span class="mention" data-user="U1">@Ann</span>'),
        ("<@U9|x>", '<span class="mention" data-user="U9">@U9</span>'),
        ("<#C1|old>", '<a class="mention" href="?c=C1" data-channel="C1">#dev</a>'),
        ("<!here>", '<span class="mention mention-all">@here</span>'),
        ("<https://e.com/?a=1&amp;b=2|the *page*>", f'<a href="https://e.com/?a=1&amp;b=2" {LINK}>the *page*</a>'),
        ("see https://e.com/a_b_c.", f'see <a href="https://e.com/a_b_c" {LINK}>https://e.com/a_b_c</a>.'),
        (":nope: 10:30:45", ":nope: 10:30:45"),
        ("`<@U1>`", "<code>@Ann</code>"),
        ("<!date^0^{date_num}|then>", '<time datetime="1970-01-01T00:00:00+00:00" title="Thursday 01 January 1970, 00:00 UTC">1970-01-01</time>'),
        ("<!date^soon^{time}|then>", "then"),
    ],
)  # fmt: skip
def test_mrkdwn(text: str, html: str) -> None:
    assert mrkdwn(text, READER) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("## Title ##", '<div class="md-h md-h2">Title</div>'),
        ("**b** *i* _i_ ~~s~~ `c*d*`", "<p><strong>b</strong> <em>i</em> <em>i</em> <s>s</s> <code>c*d*</code></p>"),
        ("one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"),
        ("[a](https://e.com)", f'<p><a href="https://e.com" {LINK}>a</a></p>'),
        ("```py\nx < 1\n```", '<pre data-lang="py">x &lt; 1</pre>'),
        ("> q", "<blockquote><p>q</p></blockquote>"),
        ("---", "<hr>"),
        ("\\*plain\\*", "<p>*plain*</p>"),
    ],
)
def test_markdown(text: str, html: str) -> None:
    assert markdown(text, READER) == html


def test_markdown_lists_and_tables() -> None:
    html = markdown("- a\n  - b\n- [x] c\n\n| h | i |\n|---|--:|\n| 1 | 2 |", READER)
    assert html.count('class="item item-0"') == 2
    assert '<span class="item item-1"><span>•</span><span>b</span></span>' in html
    assert "<span>☑</span><span>c</span>" in html
    assert "<th>h</th><th>i</th>" in html
    assert "<tr><td>1</td><td>2</td></tr>" in html


ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<javascript:alert(1)|click>",
    "<https://e.com/\"onmouseover=alert(1)|x>",
    "<https://e.com|<b>x</b>>",
    "<@UX> <#CX|<i>>",
    "`<img src=x>` ```<img src=x>```",
    "<!date^0^{date}^javascript:alert(1)|<b>>",
    "<!date^0^<b>{date}</b>|x>",
    "<!subteam^S1|<b>x</b>>",
    ":</span><b>:",
    "\ue0000\ue001 \ue000b7\ue001",
    "[x](javascript:alert(1)) ![x](data:text/html,x) [\"><b>](https://e.com/\"><b>)",
    "<https://e.com/`code`|x> [x](https://e.com/`\"><b>`)",
    "| <b> | <i> |\n|--|--|\n| <u> | \"' |",
]  # fmt: skip


class Tags(HTMLParser):
    """Collects what a browser would make elements of."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


OURS = {"a", "br", "code", "pre", "blockquote", "span", "strong", "em", "s", "time", "p", "div", "hr"}
TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"class", "href", "target", "rel", "data-user", "data-channel", "datetime", "title", "data-lang", "role", "aria-label"}  # fmt: skip


@pytest.mark.parametrize("text", ATTACKS)
@pytest.mark.parametrize("render", [mrkdwn, markdown])
def test_nothing_written_becomes_markup(text: str, render: object) -> None:
    assert callable(render)
    tags = Tags()
    tags.feed(str(render(text, READER)))
    for tag, attributes in tags.found:
        assert tag in OURS | TABLE
        assert set(attributes) <= ATTRIBUTES
        assert (attributes.get("href") or "?c=").startswith(("https://e.com", "?c="))


def test_plain_text_shows_emoji_unless_told_not_to() -> None:
    assert plain(":tada: <b>\nx") == "🎉 &lt;b&gt;<br>x"
    assert plain(":tada:", with_emoji=False) == ":tada:"


def test_emoji_table_has_the_common_ones() -> None:
    wanted = "white_check_mark x warning hourglass rocket mag lock eyes tada no_entry robot_face large_green_circle red_circle"
    assert {*wanted.split(), *REACTIONS} <= EMOJI.keys()
    assert replace_shortcodes(":wave::skin-tone-3: :unheard_of:") == "👋 :unheard_of:"


def test_the_page_knows_every_emoji_that_orch_uses() -> None:
    """Whatever its templates name."""
    templates = data_folder("templates")
    folders = [each for each in templates.iterdir() if each.name not in ("local", "plans", "prompts")]
    texts = {path: path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.j2")}
    used = {
        (name, path.name)
        for path, text in texts.items()
        for name in re.findall(r":([a-z0-9_+-]*[a-z][a-z0-9_+-]*):", text)
    }
    assert len(used) > 60
    assert sorted((name, where) for name, where in used if name not in EMOJI) == []


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("{date_short_pretty} at {time}", "yesterday at 11:05 PM"),
        ("{date}", "February 2nd, 2026"),
        ("{date_long}", "Monday, February 2nd, 2026"),
        ("{day_divider_pretty}", "Yesterday"),
        ("{ago}", "11 hours ago"),
        ("{unknown}", "{unknown}"),
    ],
)
def test_dates(pattern: str, words: str) -> None:
    assert format_date(datetime(2026, 2, 2, 23, 5, tzinfo=UTC), pattern, NOW) == words


@pytest.mark.parametrize(
    ("name", "content", "kind", "label"),
    [
        ("a.diff", b"--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z\n", "text", "Diff"),
        ("a.png", b"\x89PNG", "image", "PNG"),
        ("a.svg", b"<svg onload='alert(1)'/>", "text", "SVG"),
        ("a.bin", b"\xff\xfe\x00\x01aaaaaaaaaa", "none", "BIN"),
    ],
)
def test_file_previews(name: str, content: bytes, kind: str, label: str) -> None:
    shown = preview(name, content)
    assert (shown.kind, shown.label) == (kind, label)
    if label == "Diff":
        assert [css for css, _ in shown.lines] == ["diff-file", "diff-file", "diff-hunk", "diff-del", "diff-add", ""]
