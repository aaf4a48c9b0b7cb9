"""What Slack accepts: Block Kit as tables of shapes and lengths. block_check.py reads them.

Source: the reference pages of docs.slack.dev and the constants of slack_sdk.models (November 2026).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

PLAIN = ("plain_text",)
ANY_TEXT = ("plain_text", "mrkdwn")

MESSAGE_TEXT = 40_000
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_ATTACHMENTS = 100
MARKDOWN_PER_MESSAGE = 12_000
METADATA_BYTES = 8_000
VIEW_BYTES = 250_000
VIEW_STACK = 3
TRIGGER_SECONDS = 3.0
RESPONSE_URL_USES = 5
RESPONSE_URL_SECONDS = 30 * 60
SOCKETS = 10

Surface = Literal["message", "modal", "home"]


@dataclass(frozen=True)
class Str:
    """A string of `least` to `most` characters, or one of `choices`."""

    most: int = 0
    least: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flag:
    """A boolean."""


@dataclass(frozen=True)
class Whole:
    """An integer from `least` to `most`."""

    least: int = 0
    most: int = 2**63


@dataclass(frozen=True)
class Anything:
    """Accepted unread."""


@dataclass(frozen=True)
class Text:
    """A text object of 1 to `most` characters."""

    most: int
    kinds: tuple[str, ...] = ANY_TEXT


@dataclass(frozen=True)
class Many:
    """A list of `least` to `most` items."""

    of: Spec
    most: int
    least: int = 1


@dataclass(frozen=True)
class Shape:
    """An object: its fields, and of which fields at least one must be there."""

    required: dict[str, Spec] = field(default_factory=dict)
    optional: dict[str, Spec] = field(default_factory=dict)
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Element:
    """A block element of one of these types."""

    types: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Any block that the surface has."""


Spec = Str | Flag | Whole | Anything | Text | Many | Shape | Element | Block

ID = Str(255, least=1)
URL = Str(3000, least=1)
CONFIRM = Shape(
    {
        "title": Text(100, PLAIN),
        "text": Text(300),
        "confirm": Text(30, PLAIN),
        "deny": Text(30, PLAIN),
    },
    {"style": Str(choices=("primary", "danger"))},
)
OPTION = Shape({"text": Text(75, PLAIN), "value": Str(150)}, {"description": Text(75, PLAIN), "url": Str(3000)})
RICH_OPTION = Shape({"text": Text(75), "value": Str(150)}, {"description": Text(75)})
GROUP = Shape({"label": Text(75, PLAIN), "options": Many(OPTION, 100)})
DISPATCH = Shape({}, {"trigger_actions_on": Many(Str(choices=("on_enter_pressed", "on_character_entered")), 2)})
FILTER = Shape(
    {},
    {
        "include": Many(Str(choices=("im", "mpim", "private", "public")), 4),
        "exclude_external_shared_channels": Flag(),
        "exclude_bot_users": Flag(),
    },
)

_OPTIONS: dict[str, Spec] = {"options": Many(OPTION, 100), "option_groups": Many(GROUP, 100)}


def _element(required: dict[str, Spec] | None = None, one_of: tuple[str, ...] = (), /, **optional: Spec) -> Shape:
    common: dict[str, Spec] = {"action_id": ID, "confirm": CONFIRM}
    return Shape(required or {}, common | optional, one_of)


def _input(required: dict[str, Spec] | None = None, one_of: tuple[str, ...] = (), /, **optional: Spec) -> Shape:
    common: dict[str, Spec] = {"placeholder": Text(150, PLAIN), "focus_on_load": Flag()}
    return _element(required, one_of, **(common | optional))


def _text_input(**optional: Spec) -> Shape:
    return _input(initial_value=Str(3000), dispatch_action_config=DISPATCH, **optional)


_MULTI: dict[str, Spec] = {"max_selected_items": Whole(1)}
_EITHER = ("options", "option_groups")
_RESPOND: dict[str, Spec] = {"response_url_enabled": Flag()}

ELEMENTS: dict[str, Shape] = {
    "button": _element(
        {"text": Text(75, PLAIN)},
        value=Str(2000),
        url=Str(3000),
        style=Str(choices=("primary", "danger")),
        accessibility_label=Str(75),
    ),
    "overflow": _element({"options": Many(OPTION, 5)}),
    "static_select": _input(None, _EITHER, **_OPTIONS, initial_option=OPTION),
    "multi_static_select": _input(None, _EITHER, **_OPTIONS, **_MULTI, initial_options=Many(OPTION, 100)),
    "external_select": _input(min_query_length=Whole(), initial_option=OPTION),
    "multi_external_select": _input(
        min_query_length=Whole(), initial_options=Many(OPTION, 100), max_selected_items=Whole(1)
    ),
    "users_select": _input(initial_user=Str(255)),
    "multi_users_select": _input(initial_users=Many(Str(255), 100), max_selected_items=Whole(1)),
    "channels_select": _input(initial_channel=Str(255), **_RESPOND),
    "multi_channels_select": _input(initial_channels=Many(Str(255), 100), max_selected_items=Whole(1)),
    "conversations_select": _input(
        initial_conversation=Str(255), default_to_current_conversation=Flag(), filter=FILTER, **_RESPOND
    ),
    "multi_conversations_select": _input(
        initial_conversations=Many(Str(255), 100),
        default_to_current_conversation=Flag(),
        filter=FILTER,
        **_MULTI,
    ),
    "checkboxes": _element(
        {"options": Many(RICH_OPTION, 10)}, initial_options=Many(RICH_OPTION, 10), focus_on_load=Flag()
    ),
    "radio_buttons": _element({"options": Many(RICH_OPTION, 10)}, initial_option=RICH_OPTION, focus_on_load=Flag()),
    "plain_text_input": _text_input(multiline=Flag(), min_length=Whole(0, 3000), max_length=Whole(1, 3000)),
    "email_text_input": _text_input(),
    "url_text_input": _text_input(),
    "number_input": _input(
        {"is_decimal_allowed": Flag()},
        initial_value=Str(3000),
        min_value=Str(3000),
        max_value=Str(3000),
        dispatch_action_config=DISPATCH,
    ),
    "datepicker": _input(initial_date=Str(10)),
    "timepicker": _input(initial_time=Str(5), timezone=Str(100)),
    "datetimepicker": _element(initial_date_time=Whole(), focus_on_load=Flag()),
    "file_input": _element(filetypes=Many(Str(50), 100), max_files=Whole(1, 10)),
    "rich_text_input": _input(initial_value=Anything(), dispatch_action_config=DISPATCH),
    "image": Shape({"alt_text": Str(2000)}, {"image_url": URL, "slack_file": Anything()}, ("image_url", "slack_file")),
    "plain_text": Shape({"text": Str(2000, least=1)}, {"emoji": Flag()}),
    "mrkdwn": Shape({"text": Str(2000, least=1)}, {"verbatim": Flag()}),
}

SELECTS = tuple(name for name in ELEMENTS if name.endswith("_select"))
CLICKED = ("button", "overflow", *SELECTS, "checkboxes", "radio_buttons")
SIMPLE = tuple(name for name in CLICKED if not name.startswith("multi_"))
PICKERS = ("datepicker", "timepicker", "datetimepicker")
TYPED_IN = tuple(name for name in ELEMENTS if name.endswith("_input"))
CHOSEN = (*SELECTS, "checkboxes", "radio_buttons")

BLOCKS: dict[str, Shape] = {
    "section": Shape(
        {},
        {
            "text": Text(3000),
            "fields": Many(Text(2000), 10),
            "accessory": Element((*CLICKED, *PICKERS, "image")),
            "expand": Flag(),
        },
        ("text", "fields"),
    ),
    "divider": Shape(),
    "header": Shape({"text": Text(150, PLAIN)}, {"level": Whole(1, 4)}),
    "context": Shape({"elements": Many(Element(("image", "plain_text", "mrkdwn")), 10)}),
    "actions": Shape({"elements": Many(Element((*SIMPLE, *PICKERS)), 25)}),
    "image": Shape(
        {"alt_text": Str(2000)},
        {"image_url": URL, "slack_file": Anything(), "title": Text(2000, PLAIN)},
        ("image_url", "slack_file"),
    ),
    "input": Shape(
        {"label": Text(2000, PLAIN), "element": Element((*TYPED_IN, *CHOSEN, *PICKERS))},
        {"hint": Text(2000, PLAIN), "optional": Flag(), "dispatch_action": Flag()},
    ),
    "rich_text": Shape({"elements": Many(Anything(), 1000)}),
    "markdown": Shape({"text": Str(12_000, least=1)}),
    "table": Shape({"rows": Many(Many(Anything(), 20), 100)}, {"column_settings": Many(Anything(), 20, 0)}),
    "file": Shape({"external_id": ID, "source": Str(choices=("remote",))}),
    "video": Shape(
        {"alt_text": Str(2000), "title": Text(199, PLAIN), "thumbnail_url": URL, "video_url": URL},
        {
            "title_url": URL,
            "description": Text(200, PLAIN),
            "provider_name": Str(50),
            "provider_icon_url": URL,
            "author_name": Str(49),
        },
    ),
    "alert": Shape({"text": Text(3000)}, {"level": Str(choices=("default", "info", "warning", "error", "success"))}),
    "task_card": Shape(
        {
            "task_id": ID,
            "title": Str(3000, least=1),
            "status": Str(choices=("pending", "in_progress", "complete", "error")),
        },
        {"details": Anything(), "output": Anything(), "sources": Many(Anything(), 100, 0)},
    ),
    "plan": Shape({"title": Str(3000, least=1)}, {"tasks": Many(Anything(), 100, 0)}),
}
MESSAGE_ONLY = ("file", "markdown", "table", "task_card", "plan")

_VIEW: dict[str, Spec] = {"private_metadata": Str(3000), "callback_id": Str(255), "external_id": Str(255)}
VIEWS: dict[str, Shape] = {
    "modal": Shape(
        {"title": Text(24, PLAIN), "blocks": Many(Block(), VIEW_BLOCKS, 0)},
        _VIEW
        | {
            "submit": Text(24, PLAIN),
            "close": Text(24, PLAIN),
            "clear_on_close": Flag(),
            "notify_on_close": Flag(),
            "submit_disabled": Flag(),
        },
    ),
    "home": Shape({"blocks": Many(Block(), VIEW_BLOCKS, 0)}, _VIEW),
}
