"""From the training data to a model: held-out scores first, then calibration and thresholds, then all the data."""

from __future__ import annotations

import multiprocessing
import os
from array import array
from collections.abc import Iterable
from typing import NamedTuple

from bot.domain.security import assess
from bot.domain.text_features import Features
from bot.domain.text_model import QUESTIONS, VIEWS, Head, Question, TextModel, Thresholds, View, logistic
from tests.benchmarks.router import data
from tests.benchmarks.router.data import STRONG, Commit
from tests.benchmarks.router.fit import Linear, fit, platt

#: At most this share of strong work may look like routine to the model and have nothing security-critical in it. The
#: rules send a little more to haiku; the goal is 8 % altogether.
LEAK: dict[View, float] = {"text": 0.080, "files": 0.075}
#: At least this share of security-critical work must stay so by the model alone; the rules keep a little more of it.
RECALL: dict[View, float] = {"text": 0.962, "files": 0.98}
#: How much "is it security work?" says beside "does it change code?".
CRITICAL_SHARE = 0.45
ALL = -1  # the "fold" that holds nothing out


class Material(NamedTuple):
    """The data, read once; processes that are forked share it."""

    commits: list[Commit]
    features: dict[View, list[Features]]
    fold: dict[str, int]
    by_words: dict[View, list[bool]]  # whether nothing but words makes it security-critical
    critical: dict[View, list[bool]]


class Trained(NamedTuple):
    """The judgements trained without one fold, and their scores on what it holds: by the commit's place."""

    heads: dict[View, dict[Question, Linear]]
    scores: dict[View, dict[Question, dict[int, float]]]


_shared: list[Material] = []


def processes() -> int:
    return min(4, len(os.sched_getaffinity(0)))


def read() -> Material:
    commits = data.commits()
    with multiprocessing.get_context("fork").Pool(processes()) as pool:
        features = {view: pool.starmap(data.seen, [(c, view) for c in commits], chunksize=200) for view in VIEWS}
    found = {v: [assess(c.text, c.files if v == "files" else ()) for c in commits] for v in VIEWS}
    by_words = {view: [one.by_words for one in found[view]] for view in VIEWS}
    critical = {view: [one.critical for one in found[view]] for view in VIEWS}
    return Material(commits, features, data.folds(commits), by_words, critical)


def train(material: Material, folds: Iterable[int]) -> dict[int, Trained]:
    """Train once for each fold, without its repositories; side by side where there are several processors."""
    _shared[:] = [material]
    wanted = [(fold, view, question) for fold in folds for view in VIEWS for question in QUESTIONS]
    with multiprocessing.get_context("fork").Pool(processes()) as pool:
        made = dict(zip(wanted, pool.starmap(_train_one, wanted, chunksize=1), strict=True))
    found: dict[int, Trained] = {}
    for fold, view, question in wanted:
        trained = found.setdefault(fold, Trained({view: {} for view in VIEWS}, {view: {} for view in VIEWS}))
        trained.heads[view][question], trained.scores[view][question] = made[fold, view, question]
    return found


def _train_one(fold: int, view: View, question: Question) -> tuple[Linear, dict[int, float]]:
    material = _shared[0]
    held = [material.fold[commit.repo] == fold for commit in material.commits]
    rest = [
        (commit, features)
        for commit, features, out in zip(material.commits, material.features[view], held, strict=True)
        if not out
    ]
    commits, features = [commit for commit, _ in rest], [seen for _, seen in rest]
    linear = fit(data.examples(question, commits, features))
    if question == "code":
        linear = linear.plus(fit(data.examples("critical", commits, features)), CRITICAL_SHARE)
    scores = {place: linear.score(material.features[view][place]) for place, out in enumerate(held) if out}
    return linear, scores


def assemble(material: Material, trained: Trained, others: list[Trained]) -> TextModel:
    """A model from trained judgements; calibration and thresholds come from `others`' held-out scores alone."""
    heads: dict[View, dict[Question, Head]] = {view: {} for view in VIEWS}
    thresholds: dict[View, Thresholds] = {}
    for view in VIEWS:
        held: dict[Question, dict[int, float]] = {}
        for question in QUESTIONS:
            scores = {place: score for other in others for place, score in other.scores[view][question].items()}
            told = [(score, data.label(question, material.commits[place])) for place, score in scores.items()]
            pairs = [(score, answer[0]) for score, answer in told if answer]
            slope, offset = (round(x, 6) for x in platt([score for score, _ in pairs], [yes for _, yes in pairs]))
            held[question] = {place: logistic(slope * score + offset) for place, score in scores.items()}
            heads[view][question] = quantised(trained.heads[view][question], slope, offset)
        thresholds[view] = Thresholds(_haiku(material, view, held["strong"]), _writing(material, view, held["code"]))
    return TextModel(heads, thresholds)


def quantised(linear: Linear, slope: float, offset: float) -> Head:
    """Weights as whole numbers of at most 127; the few largest are cut, since the small ones matter more."""
    told = linear.weights.tolist()
    sizes = sorted(abs(weight) for weight in told if weight)
    step = round(sizes[int(len(sizes) * 0.9995)] / 127, 9)
    weights = array("b", (max(-127, min(127, round(weight / step))) for weight in told))
    return Head(weights, step, slope, round(slope * linear.bias + offset, 6))


def _haiku(material: Material, view: View, strong: dict[int, float]) -> float:
    """How sure of routine work haiku needs it: so that few changes of behaviour are taken for it, and 0.5 at least."""
    places = [
        place for place in strong if material.commits[place].type in STRONG and material.commits[place].group == "task"
    ]
    routine = sorted((1 - strong[place] for place in places if not material.critical[view][place]), reverse=True)
    return round(max(0.5, routine[int(len(places) * LEAK[view])]), 4)


def _writing(material: Material, view: View, code: dict[int, float]) -> float:
    """Below which a text with words of security only writes about it: so that enough critical work stays critical."""
    critical = [place for place in code if material.commits[place].group == "security"]
    missed = sum(not material.critical[view][place] for place in critical)
    spare = int(len(critical) * (1 - RECALL[view])) - missed
    worded = sorted(code[place] for place in critical if material.by_words[view][place])
    return round(worded[spare] - 1e-4, 4) if 0 <= spare < len(worded) else 0.0
