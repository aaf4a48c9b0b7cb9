"""The trained text model (R-RT): four linear judgements over hashed features; pure, and in micro-seconds.

`bot.adapters.router_weights` loads the weights, `tests/benchmarks/router` trains and measures them. There is one set
for texts alone and one for texts with files, each with its own calibration and its own thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from bot.domain.security import Assessment
from bot.domain.task_kinds import Guess
from bot.domain.text_features import Features, features

View = Literal["text", "files"]
Question = Literal["strong", "docs", "tests", "code"]
QUESTIONS: tuple[Question, ...] = get_args(Question)
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True)
class Head:
    """One linear judgement. `weights` are whole numbers from -127 to 127, in units of `step`; the calibrated
    probability is the logistic function of `slope * sum + offset`."""

    weights: Sequence[int]
    step: float
    slope: float
    offset: float

    def probability(self, seen: Features) -> float:
        """How likely the answer is yes, 0..1."""
        weights = self.weights
        total = sum(block.scale * sum([weights[place] for place in block.places]) for block in seen)
        return logistic(self.slope * self.step * total + self.offset)


@dataclass(frozen=True)
class Thresholds:
    """Where to draw the lines, chosen on repositories that the model had not seen.

    `haiku`: at least so likely to be routine work, and haiku does it. `writing`: at most so likely to change code,
    and words of security alone do not make the task security-critical.
    """

    haiku: float
    writing: float


class Opinion(NamedTuple):
    """What the model thinks of a task; probabilities, 0..1."""

    strong: float  # it needs sonnet: a change of behaviour, not docs, configuration or chores
    docs: float  # if it is routine work: it is documentation, not configuration
    tests: float  # if it is not strong: it writes tests, and does not only configure or describe them
    code: float  # it changes code, and does not only write about it or test it
    thresholds: Thresholds

    @property
    def routine(self) -> bool:
        return 1 - self.strong >= self.thresholds.haiku

    @property
    def unsure(self) -> bool:
        """More likely routine than not, and not enough so for haiku: the coordinator's call belongs here."""
        return self.strong < 0.5 and not self.routine

    @property
    def writes(self) -> bool:
        """Whether it only writes about code, or tests it."""
        return self.code <= self.thresholds.writing


@dataclass(frozen=True)
class TextModel:
    """The heads and thresholds by view; made once, never changed."""

    heads: Mapping[View, Mapping[Question, Head]]
    thresholds: Mapping[View, Thresholds]

    def judge(self, text: str, files: Iterable[str], guess: Guess | None, safety: Assessment) -> Opinion:
        """What the model thinks, given what the rules made of the task."""
        paths = tuple(files)
        view: View = "files" if paths else "text"
        seen = features(text, paths, guess, safety)
        heads = self.heads[view]
        strong, docs, tests, code = (heads[question].probability(seen) for question in QUESTIONS)
        return Opinion(strong, docs, tests, code, self.thresholds[view])


def logistic(x: float) -> float:
    """The logistic function, without overflow."""
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
