"""Training with numpy: logistic regression over hashed features, by L-BFGS, to its one optimum.

There is no chance in it, so the same data give the same weights. Features count the more the better they tell the
classes apart (the log-count ratio of Wang and Manning's NBSVM), which helps on unseen repositories.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.domain.text_features import BUCKETS, Features

Floats = NDArray[np.float64]
PENALTY = 1.0  # L2, against the sum of the examples' losses
STEPS = 100  # at most
MEMORY = 8  # steps that L-BFGS learns the curvature from


class Example(NamedTuple):
    features: Features
    label: bool
    weight: float = 1.0


class Linear(NamedTuple):
    """A trained judgement before quantising: `bias` + the sum of the places' weights."""

    weights: Floats
    bias: float

    def score(self, seen: Features) -> float:
        return self.bias + sum(block.scale * float(self.weights[list(block.places)].sum()) for block in seen)

    def plus(self, other: Linear, share: float) -> Linear:
        """Both judgements as one."""
        return Linear(self.weights + share * other.weights, self.bias + share * other.bias)


def fit(examples: Sequence[Example]) -> Linear:
    """Minimise the weighted logistic loss with an L2 penalty; the bias is one more feature."""
    blocks = [(row, block) for row, example in enumerate(examples) for block in example.features]
    lengths = [len(block.places) for _, block in blocks]
    rows = np.repeat([row for row, _ in blocks], lengths)
    places = np.concatenate([np.asarray(block.places, np.int64) for _, block in blocks])
    used, columns = np.unique(places, return_inverse=True)
    labels = np.array([example.label for example in examples], np.float64)
    weights = np.array([example.weight for example in examples], np.float64)
    gain = _gain(columns, labels[rows], weights[rows])
    values = np.repeat([block.scale for _, block in blocks], lengths) * gain[columns]
    size, count = len(used), len(examples)

    def loss(at: Floats) -> tuple[float, Floats]:
        scores = np.bincount(rows, values * at[columns], count) + at[size]
        signed = np.where(labels > 0, scores, -scores)
        wrong = (1 / (1 + np.exp(-np.clip(scores, -500, 500))) - labels) * weights
        slope = np.append(np.bincount(columns, values * wrong[rows], size), wrong.sum()) + PENALTY * at
        return float((weights * np.logaddexp(0, -signed)).sum() + PENALTY / 2 * (at * at).sum()), slope

    found = _minimised(loss, np.zeros(size + 1))
    whole = np.zeros(BUCKETS)
    whole[used] = found[:size] * gain
    return Linear(whole, float(found[size]))


def _gain(columns: NDArray[np.int64], labels: Floats, weights: Floats) -> Floats:
    """How much each place counts: more for features that are far from even between the classes."""
    yes, no = (1 + np.bincount(columns, weights * share) for share in (labels, 1 - labels))
    return np.sqrt(np.abs(np.log(yes / yes.sum()) - np.log(no / no.sum())))


def _minimised(loss: Callable[[Floats], tuple[float, Floats]], start: Floats) -> Floats:
    """The lowest point of a convex function, by L-BFGS with a backtracking line search."""
    at, (value, slope) = start, loss(start)
    past: deque[tuple[Floats, Floats]] = deque(maxlen=MEMORY)
    first = math.sqrt((slope * slope).sum())
    for _ in range(STEPS):
        if math.sqrt((slope * slope).sum()) < 1e-3 * first:
            break
        way = _direction(slope, past)
        fall = float((way * slope).sum())
        step = 1.0 if past else 1 / first
        while True:
            new = at + step * way
            new_value, new_slope = loss(new)
            if new_value <= value + 1e-4 * step * fall or step < 1e-9:
                break
            step /= 2
        if ((new - at) * (new_slope - slope)).sum() > 0:
            past.append((new - at, new_slope - slope))
        at, value, slope = new, new_value, new_slope
    return at


def _direction(slope: Floats, past: deque[tuple[Floats, Floats]]) -> Floats:
    """Downhill, by the curvature of the last steps (the two loops of Nocedal)."""
    way, taken = -slope, []
    for moved, turned in reversed(past):
        share = (moved * way).sum() / (moved * turned).sum()
        way = way - share * turned
        taken.append(share)
    if past:
        moved, turned = past[-1]
        way = way * ((moved * turned).sum() / (turned * turned).sum())
    for (moved, turned), share in zip(past, reversed(taken), strict=True):
        way = way + (share - (turned * way).sum() / (moved * turned).sum()) * moved
    return way


def platt(scores: Sequence[float], labels: Sequence[bool]) -> tuple[float, float]:
    """Slope and offset that turn scores into probabilities (Platt): the likeliest ones."""
    x, y = np.array(scores, np.float64), np.array(labels, np.float64)

    def loss(at: Floats) -> tuple[float, Floats]:
        told = at[0] * x + at[1]
        wrong = 1 / (1 + np.exp(-np.clip(told, -500, 500))) - y
        return float(np.logaddexp(0, np.where(y > 0, -told, told)).sum()), np.array([(wrong * x).sum(), wrong.sum()])

    slope, offset = _minimised(loss, np.array([1.0, 0.0]))
    return float(slope), float(offset)
