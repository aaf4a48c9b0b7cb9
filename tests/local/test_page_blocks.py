"""Block Kit as HTML, block by block."""

# ruff: noqa: E501 - a table with one block a line

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.local.page.actions import control_value, view_values
from bot.local.page.mrkdwn import Reader
from bot.local.page.panes import Panes
from bot.local.page.present import WorldNames
from bot.local.page.templating import environment
from bot.local.page.unread import Unread
from bot.local.slack import Message, World

Json = dict[str, Any]
TEMPLATES = Path(__file__).parents[2] / "templates"
EVIL = '<img src=x onerror="alert(1)">'
SAFE = "&lt;img src=x onerror="


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrk(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def element(kind: str, **more: Any) -> Json:
    return {"type": "actions", "block_id": "b", "elements": [{"type": kind, "action_id": "a", **more}]}


def field(kind: str, **more: Any) -> Json:
    return {
        "type": "input",
        "block_id": "b",
        "label": plain("Label"),
        "element": {"type": kind, "action_id": "a", **more},
    }


OPTIONS = [{"text": plain("One"), "value": "1", "description": plain("first")}, {"text": plain("Two"), "value": "2"}]
RICH = [
    {"type": "rich_text_section", "elements": [{"type": "text", "text": "bold", "style": {"bold": True}}, {"type": "user", "user_id": "U0DEV"}, {"type": "emoji", "name": "tada"}, {"type": "link", "url": "https://e.com", "text": "here"}]},
    {"type": "rich_text_list", "style": "ordered", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "first"}]}]},
    {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a < b"}]},
    {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
]  # fmt: skip


@pytest.fixture(scope="module")
def render() -> Any:
    world = World()
    env = environment(TEMPLATES, Reader(WorldNames(world), ZoneInfo("Europe/Lisbon"), lambda: datetime.now(UTC)))
    source = "{% from 'blocks.html.j2' import blocks with context %}{{ blocks(them, 'm-1') }}"
    template = env.from_string(source)
    return lambda *them: template.render(them=them)


CASES: list[tuple[Json, list[str]]] = [
    ({"type": "section", "text": mrk("*hi*"), "fields": [plain("f1"), mrk("_f2_")]}, ["<strong>hi</strong>", 'class="fields"', "<em>f2</em>"]),
    ({"type": "section", "text": plain("*as is*")}, ["*as is*"]),
    ({"type": "section", "block_id": "b", "text": plain("x"), "accessory": {"type": "image", "image_url": "https://e.com/a.png", "alt_text": "alt"}}, ['src="https://e.com/a.png" alt="alt"']),
    ({"type": "header", "text": plain(":lock: Title")}, ['role="heading"', "🔒 Title"]),
    ({"type": "context", "elements": [mrk("`c`"), plain("p")]}, ["<code>c</code>", "<span class=\"text\">p</span>"]),
    ({"type": "divider"}, ['<hr class="blk divider">']),
    ({"type": "image", "image_url": "https://e.com/i.png", "alt_text": "a", "title": plain("T")}, ["<figcaption>T</figcaption>"]),
    ({"type": "image", "image_url": "javascript:alert(1)", "alt_text": "a"}, ['src=""']),
    ({"type": "markdown", "text": "**b**"}, ["<strong>b</strong>"]),
    ({"type": "rich_text", "elements": RICH}, ["<strong>bold</strong>", "@Dana Developer", "🎉", 'href="https://e.com"', "<span>1.</span>", "<pre>a &lt; b</pre>", "<blockquote>said</blockquote>"]),
    ({"type": "table", "column_settings": [{"align": "right"}], "rows": [[{"type": "raw_text", "text": "H"}], [{"type": "rich_text", "elements": RICH[2:3]}], [{"type": "raw_number", "value": 3}]]}, ["<thead>", 'class="align-right">H', "a &lt; b", ">3<"]),
    ({"type": "alert", "level": "warning", "text": mrk("*careful*")}, ["alert-warning", "<strong>careful</strong>"]),
    ({"type": "task_card", "task_id": "t", "title": "Read", "status": "in_progress", "details": {"type": "rich_text", "elements": RICH[3:]}, "sources": [{"type": "url", "url": "https://e.com", "text": "src"}]}, ["task-in_progress", "open", "said", "src"]),
    ({"type": "plan", "title": "Plan", "tasks": [{"task_id": "t", "title": "Do", "status": "complete"}]}, ["Plan", "task-complete", "✓"]),
    ({"type": "card", "title": mrk("*C*"), "body": plain("body"), "actions": [{"type": "button", "action_id": "a", "text": plain("Go")}]}, ["<strong>C</strong>", "body", "Go</button>"]),
    ({"type": "context"}, ["cannot draw this block “context”"]),
    ({"type": "hologram"}, ["does not draw the block “hologram”"]),
    (element("button", text=plain("Go"), style="primary", value="v"), ['class="btn btn-primary"', 'data-block="b"', 'data-action="a"', "Go</button>"]),
    (element("button", text=plain("Go"), url="https://e.com"), ['<a class="btn', 'href="https://e.com"']),
    (element("button", text=plain("Go"), confirm={"title": plain("T"), "text": mrk("*x*"), "confirm": plain("Y"), "deny": plain("N")}), ["data-confirm=", "&lt;strong&gt;x&lt;/strong&gt;"]),
    (element("overflow", options=OPTIONS), ['data-value="1"', 'aria-label="More actions"', "first"]),
    (element("static_select", options=OPTIONS, initial_option=OPTIONS[1], placeholder=plain("Pick")), ['data-dispatch="1"', '<option value="2" selected>Two</option>', ">Pick</option>"]),
    (element("static_select", option_groups=[{"label": plain("G"), "options": OPTIONS}]), ['<optgroup label="G">']),
    (element("users_select", initial_user="U0LEAD"), ['<option value="U0LEAD" selected>@Lee Lead</option>']),
    (element("channels_select"), ['<option value="C0DEV">#granter-dev</option>']),
    (element("conversations_select"), ["#granter-dev", "@Lee Lead"]),
    (element("multi_static_select", options=OPTIONS, initial_options=OPTIONS[:1], max_selected_items=1), ['value="1" checked', 'data-max="1"']),
    (element("checkboxes", options=OPTIONS, initial_options=OPTIONS[1:]), ['type="checkbox"', 'value="2" checked']),
    (element("radio_buttons", options=OPTIONS, initial_option=OPTIONS[0]), ['type="radio"', 'value="1" checked']),
    (element("datepicker", initial_date="2026-02-03"), ['type="date" value="2026-02-03"']),
    (element("timepicker", initial_time="10:30"), ['type="time" value="10:30"']),
    (element("datetimepicker", initial_date_time=1770114600), ['type="datetime-local" value="2026-02-03T10:30"']),
    (element("holo_input"), ["does not draw “holo_input”"]),
    (field("plain_text_input", multiline=True, initial_value="a\nb", max_length=9, placeholder=plain("P")), ["a\nb</textarea>", 'maxlength="9"', 'placeholder="P"', '<label class="label" for="m-1-b-a"']),
    (field("plain_text_input", initial_value='"q"'), ['value="&#34;q&#34;"']),
    (field("number_input", is_decimal_allowed=False, min_value="0", max_value="9"), ['type="number" step="1" min="0" max="9"']),
    (field("email_text_input"), ['type="email"']),
    (field("static_select", options=OPTIONS) | {"optional": True, "hint": plain("H")}, ["(optional)", ">H<"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("block", "expected"), CASES, ids=lambda value: value.get("type") if isinstance(value, dict) else ""
)
def test_blocks(render: Any, block: Json, expected: list[str]) -> None:
    html = render(block)
    for part in expected:
        assert part in html


def test_only_dispatching_inputs_tell_the_app(render: Any) -> None:
    assert "data-dispatch" not in render(field("static_select", options=OPTIONS))
    assert "data-dispatch" in render(field("static_select", options=OPTIONS) | {"dispatch_action": True})


def _poisoned(value: Any) -> Any:
    """Every text of a block replaced by an attack; ids and types too, where they are free text."""
    if isinstance(value, dict):
        free = {"text", "title", "alt_text", "value", "initial_value", "url", "image_url", "action_id", "block_id"}
        free |= {"task_id", "name", "user_id"}
        return {k: EVIL if k in free and isinstance(v, str) else _poisoned(v) for k, v in value.items()}
    return [_poisoned(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("block", [block for block, _ in CASES], ids=lambda block: block["type"])
def test_no_block_lets_markup_through(render: Any, block: Json) -> None:
    html = render(_poisoned(block))
    assert "<img src=x" not in html
    assert 'onerror="alert' not in html


def test_values_of_controls() -> None:
    when = control_value("2026-02-03T10:30", "datetimepicker", "Europe/Lisbon")
    assert when == 1770114600
    assert control_value("", "plain_text_input", "UTC") is None
    assert control_value(["a"], "checkboxes", "UTC") == ["a"]
    controls = [
        {"block": "one", "action": "v", "kind": "plain_text_input", "value": "x"},
        {"block": "two", "action": "a", "kind": "datepicker", "value": ""},
        {"block": "two", "action": "b", "kind": "static_select", "value": "1"},
    ]
    assert view_values(controls, "UTC") == {"one": "x", "a": None, "b": "1"}


def panes() -> tuple[World, Unread, Panes]:
    world = World()
    unread = Unread(world)
    return world, unread, Panes(world, unread, TEMPLATES)


def test_attachments_and_ephemerals_and_days_are_shown() -> None:
    world, _, them = panes()
    say = lambda **more: world.add(Message("C0DEV", world.next_ts(), **more))  # noqa: E731
    say(text="one", user="U0DEV")
    say(text="two", user="U0DEV")
    say(text="", bot_id="B0ORCH", attachments=[{"color": "danger", "title": "T", "text": f"*x* {EVIL}"}])
    say(text="psst", bot_id="B0ORCH", ephemeral_to="U0LEAD")
    html = them.render(them.place("U0LEAD", "C0DEV", ""), ["main"])["main"]
    assert html.count('class="message compact"') == 1
    assert "--bar: #e01e5a" in html
    assert "<strong>x</strong> " + SAFE in html
    assert "Only visible to you" in html
    assert "<span>Today</span>" in html
    assert "psst" not in them.render(them.place("U0DEV", "C0DEV", ""), ["main"])["main"]


def test_unread_is_counted_until_looked_at() -> None:
    world, unread, them = panes()
    channel = world.channels["C0DEV"]
    world.add(Message("C0DEV", world.next_ts(), "hello", user="U0DEV"))
    world.add(Message("C0DEV", world.next_ts(), "<@U0LEAD> look", user="U0DEV"))
    assert len(unread.unread("U0LEAD", channel)) == 2
    assert unread.count("U0LEAD", channel) == 1
    assert unread.unread("U0DEV", channel) == []
    assert 'aria-label="1 unread"' in them.render(them.place("U0LEAD", "C0RANDOM", ""), ["sidebar"])["sidebar"]
    them.render(them.place("U0LEAD", "C0DEV", ""))
    assert unread.unread("U0LEAD", channel) == []


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (("U0DEV", "C0RANDOM", ""), ("U0DEV", "C0RANDOM")),
        (("U0DEV", "dm", ""), ("U0DEV", "D0DEV")),
        (("U0DEV", "home", ""), ("U0DEV", None)),
        (("nobody", "nowhere", ""), ("U0DEV", "C0DEV")),
    ],
)
def test_an_address_always_leads_somewhere(asked: tuple[str, str, str], got: tuple[str, str | None]) -> None:
    _, _, them = panes()
    place = them.place(*asked)
    assert (place.user.id, place.channel and place.channel.id) == got
    assert "Emulated Slack" in them.page(place)


def test_who_may_not_see_a_channel_is_shown_another() -> None:
    world, _, them = panes()
    world.channels["C0DEV"].members.remove("U0GUEST")
    place = them.place("U0GUEST", "C0DEV", "")
    assert place.channel is not None
    assert place.channel.id == "C0RANDOM"
