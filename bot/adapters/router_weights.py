"""The router's trained weights, from the file beside this one to a value; and back, for the training script.

The file: one line of JSON (calibrations, thresholds, in the order of the weights), then one signed byte for each
weight. `make train-router` makes it, the same bytes each time.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from bot.domain.text_features import BUCKETS
from bot.domain.text_model import QUESTIONS, VIEWS, Head, Question, TextModel, Thresholds, View
from bot.errors import ConfigError

PATH = Path(__file__).with_name("router_model.bin")
FORMAT = 1


@lru_cache(maxsize=1)
def text_model() -> TextModel:
    """The model that comes with Orch, read once. Raises ConfigError where the installation is damaged."""
    return load(PATH.read_bytes())


def load(content: bytes) -> TextModel:
    """The model in a file's content. Raises ConfigError where it is of another make, or cut short."""
    first, _, rest = content.partition(b"\n")
    try:
        told = json.loads(first)
    except ValueError:
        told = {}
    if told.get("format") != FORMAT or told.get("buckets") != BUCKETS or len(rest) != len(told["heads"]) * BUCKETS:
        raise ConfigError(f"{PATH.name} does not fit this version of Orch. Install Orch again.")
    signed = memoryview(rest).cast("b")
    heads: dict[View, dict[Question, Head]] = {view: {} for view in VIEWS}
    order: list[tuple[View, Question]] = [(view, question) for view in VIEWS for question in QUESTIONS]
    for place, ((view, question), head) in enumerate(zip(order, told["heads"], strict=True)):
        heads[view][question] = Head(signed[place * BUCKETS : (place + 1) * BUCKETS], **head)
    return TextModel(heads, {view: Thresholds(**told["thresholds"][view]) for view in VIEWS})


def dump(model: TextModel) -> bytes:
    """A model as a file's content."""
    heads = [model.heads[view][question] for view in VIEWS for question in QUESTIONS]
    told = {
        "format": FORMAT,
        "buckets": BUCKETS,
        "heads": [{"step": head.step, "slope": head.slope, "offset": head.offset} for head in heads],
        "thresholds": {
            view: {"haiku": lines.haiku, "writing": lines.writing} for view, lines in model.thresholds.items()
        },
    }
    signed = b"".join(bytes(weight & 0xFF for weight in head.weights) for head in heads)
    return json.dumps(told, sort_keys=True).encode() + b"\n" + signed
