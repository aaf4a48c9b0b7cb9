"""Training in plain Python: logistic regression over hashed features, by stochastic gradient descent.

No library, so that the same data and seed give the same bytes on every machine. Features count the more the better
they tell the classes apart (the log-count ratio of Wang and Manning's NBSVM), which helps on unseen repositories.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

from bot.domain.text_features import BUCKETS, Features
from bot.domain.text_model import logistic

EPOCHS = 6
RATE = 0.2
LAMBDA = 2e-4  # L2, per step


class Example(NamedTuple):
    features: Features
    label: bool
    weight: float = 1.0


class Linear(NamedTuple):
    """A trained judgement before quantising: `bias` + the sum of the places' weights."""

    weights: list[float]
    bias: float

    def score(self, seen: Features) -> float:
        at = self.weights.__getitem__
        return self.bias + sum(block.scale * sum(map(at, block.places)) for block in seen)


def fit(examples: Sequence[Example], seed: int = 7) -> Linear:
    """Minimise the logistic loss with an L2 penalty, in a fixed random order."""
    gain = _gains(examples)
    weights, shrink, bias = [0.0] * BUCKETS, 1.0, 0.0  # the true weights are `shrink * weights`
    order, rng, step = list(range(len(examples))), random.Random(seed), 0
    for _ in range(EPOCHS):
        rng.shuffle(order)
        for index in order:
            seen, label, weight = examples[index]
            rate = RATE / (1 + RATE * LAMBDA * step)
            step += 1
            at = weights.__getitem__
            total = bias + shrink * sum([block.scale * sum(map(at, block.places)) for block in seen])
            wrong = (label - logistic(total)) * weight
            shrink *= 1 - rate * LAMBDA
            bias += 0.1 * rate * wrong
            if abs(wrong) < 1e-3:
                continue
            for block in seen:
                push = rate * wrong * block.scale / shrink
                for place in block.places:
                    weights[place] += push * gain[place]
    return Linear([shrink * weight for weight in weights], bias)


def platt(scores: Sequence[float], labels: Sequence[bool]) -> tuple[float, float]:
    """Slope and offset that turn scores into probabilities (Platt), by Newton's method."""
    slope, offset = 1.0, 0.0
    for _ in range(30):
        g1 = g0 = h11 = h10 = h00 = 0.0
        for x, y in zip(scores, labels, strict=True):
            p = logistic(slope * x + offset)
            e, v = p - y, p * (1 - p)
            g1, g0, h11, h10, h00 = g1 + e * x, g0 + e, h11 + v * x * x, h10 + v * x, h00 + v
        det = (h11 + 1e-9) * (h00 + 1e-9) - h10 * h10
        slope, offset = slope - (h00 * g1 - h10 * g0) / det, offset - (h11 * g0 - h10 * g1) / det
    return slope, offset


def _gains(examples: Sequence[Example]) -> list[float]:
    """How much a step moves each place: more for features that are far from even between the classes."""
    yes, no = [1.0] * BUCKETS, [1.0] * BUCKETS
    for seen, label, weight in examples:
        counts = yes if label else no
        for block in seen:
            for place in block.places:
                counts[place] += weight
    all_yes, all_no = sum(yes), sum(no)
    return [abs(math.log(y / all_yes) - math.log(n / all_no)) for y, n in zip(yes, no, strict=True)]
