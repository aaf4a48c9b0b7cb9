"""The trainer of the router's text model: to the one optimum, and the same each time."""

from __future__ import annotations

import math
import random

import pytest

from bot.domain.text_features import BUCKETS, Block
from bot.domain.text_model import logistic
from tests.benchmarks.router.fit import Example, fit, platt


def example(label: bool, *places: int, weight: float = 1.0) -> Example:
    return Example((Block(1.0, places),), label, weight)


#: Place 1 speaks for yes, place 2 for no, place 3 for neither.
TOLD = [example(True, 1, 3), example(True, 1), example(False, 2, 3), example(False, 2)] * 25


def test_places_get_the_weight_of_what_they_tell() -> None:
    found = fit(TOLD)
    assert len(found.weights) == BUCKETS
    assert found.weights[1] > 1 > -1 > found.weights[2]
    assert abs(found.weights[3]) < 0.1 and found.weights[4] == 0
    assert found.score(TOLD[0].features) > 1 > -1 > found.score(TOLD[2].features)


def test_the_same_examples_give_the_same_weights_in_any_order() -> None:
    first, again, turned = fit(TOLD), fit(TOLD), fit(TOLD[::-1])
    assert (first.weights == again.weights).all() and first.bias == again.bias
    assert turned.weights[1] == pytest.approx(first.weights[1], rel=1e-2)


def test_an_example_counts_by_its_weight() -> None:
    assert fit([*TOLD, example(False, 1, weight=100.0)]).weights[1] < fit([*TOLD, example(False, 1)]).weights[1]


def test_two_judgements_make_one() -> None:
    one, other = fit(TOLD), fit([Example(told.features, not told.label) for told in TOLD])
    both = one.plus(other, 0.5)
    seen = TOLD[0].features
    assert both.score(seen) == pytest.approx(one.score(seen) + 0.5 * other.score(seen))


@pytest.mark.parametrize(("slope", "offset"), [(0.7, -1.0), (1.3, 0.2), (0.05, 0.0)])
def test_calibration_finds_how_scores_became_labels(slope: float, offset: float) -> None:
    rng = random.Random(3)
    scores = [rng.gauss(0, 1 / slope) for _ in range(8000)]
    found = platt(scores, [rng.random() < logistic(slope * score + offset) for score in scores])
    assert math.isclose(found[0], slope, rel_tol=0.1) and math.isclose(found[1], offset, abs_tol=0.1)
