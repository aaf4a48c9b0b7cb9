"""The text model as a pure value: features, scores, and what the router makes of its opinion. Weights by hand."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.routing import RoutePolicy, RouteRequest, route
from bot.domain.security import Assessment, assess
from bot.domain.task import Route, Rung, TaskType
from bot.domain.text_features import BUCKETS, WEIGHTS, features
from bot.domain.text_model import QUESTIONS, VIEWS, Head, Question, TextModel, Thresholds, logistic
from bot.errors import UserMistake

PLAIN = Assessment(False, "", False)


def place(name: str) -> int:
    return zlib.crc32(name.encode()) % BUCKETS


def head(offset: float = 0.0, **words: int) -> Head:
    """A judgement from a few words' weights."""
    weights = [0] * BUCKETS
    for word, weight in words.items():
        weights[place(f"w:{word}")] = weight
    return Head(weights, 1.0, 1.0, offset)


def model(writing: float = 0.5, **offsets: float) -> TextModel:
    """A model that always answers the same: offset 4 is a firm yes, -4 a firm no, 0 is 50 %."""
    heads: dict[Question, Head] = {question: head(offsets.get(question, 0.0)) for question in QUESTIONS}
    return TextModel(dict.fromkeys(VIEWS, heads), {view: Thresholds(0.6, writing) for view in VIEWS})


ROUTINE, CHANGE, UNSURE = model(strong=-4), model(strong=4), model(strong=-0.2)
WRITING = model(strong=-4, docs=4, code=-4)


def routed(text: str, *files: str, model: TextModel | None, **wishes: object) -> Route:
    return route(RouteRequest.model_validate({"text": text, "files": files, **wishes}), RoutePolicy(model=model))


def test_a_word_moves_the_score_by_its_weight() -> None:
    seen = features("polish the zebra", (), None, PLAIN)
    assert head().probability(seen) == 0.5
    assert head(zebra=3).probability(seen) == pytest.approx(logistic(3 * seen[0].scale))
    assert head(zebra=-3).probability(seen) < 0.5 == head(lion=3).probability(seen)


def test_each_block_of_features_says_as_much_however_long_it_is() -> None:
    for text in ("polish the zebra", "polish the zebra " * 12):
        for block, weight in zip(features(text, ["src/a.ts"], None, PLAIN), WEIGHTS, strict=True):
            assert len(block.places) * block.scale**2 == pytest.approx(weight**2)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=60), max_size=4))
def test_any_text_has_features_always_the_same(text: str, files: list[str]) -> None:
    seen = features(text, files, None, assess(text))
    assert seen == features(text, files, None, assess(text))
    assert all(0 <= spot < BUCKETS for block in seen for spot in block.places)
    assert 0 <= head(fix=9).probability(seen) <= 1


def test_no_overflow_in_the_logistic_function() -> None:
    assert (logistic(-1e6), logistic(0), logistic(1e6)) == (0.0, 0.5, 1.0)


# What the model is asked about: text, files, model, rung, type, a part of the reason.
ASKED = [
    ("Dark mode for the charts", (), None, Rung.SONNET, "logic", "safer"),
    ("Dark mode for the charts", (), ROUTINE, Rung.HAIKU, "docs", "(98% sure)"),
    ("Dark mode for the charts", (), CHANGE, Rung.SONNET, "logic", "like a change of the code's behaviour (98% sure)"),
    ("Dark mode for the charts", (), UNSURE, Rung.SONNET, "logic", "may be routine work, or not: sonnet is the safer"),
    ("Polish the start", ("src/start.ts",), ROUTINE, Rung.HAIKU, "docs", "Its words and files look like routine"),
    ("Bump the node version", (), CHANGE, Rung.SONNET, "logic", "change of the code's behaviour"),
    ("Bump the node version", (), ROUTINE, Rung.HAIKU, "config", "routine configuration work"),
    ("Add an example", (), ROUTINE, Rung.HAIKU, "docs", "routine documentation work"),
    ("Change the label", (), None, Rung.HAIKU, "logic", "looks small"),  # R-RT-6
    ("Change the label", (), UNSURE, Rung.SONNET, "logic", "may be routine work, or not"),  # it has seen the word
    ("Initialize the queue", (), None, Rung.HAIKU, "setup", "“Initialize”"),
    ("Initialize the queue", (), ROUTINE, Rung.HAIKU, "setup", "“Initialize”"),
    ("Initialize the queue", (), UNSURE, Rung.SONNET, "logic", "may be routine work, or not"),
    ("Initialize the queue", (), CHANGE, Rung.SONNET, "logic", "change of the code's behaviour"),
    ("Change the label", (), CHANGE, Rung.SONNET, "logic", "behaviour"),
    ("Use node 22 for all tests", (), model(strong=-4, docs=-4, tests=-4), Rung.HAIKU, "config", "configuration work"),
]


@pytest.mark.parametrize(("text", "files", "chosen", "rung", "kind", "part"), ASKED)
def test_the_model_answers_what_the_rules_leave_open(
    text: str, files: tuple[str, ...], chosen: TextModel | None, rung: Rung, kind: str, part: str
) -> None:
    found = routed(text, *files, model=chosen)
    assert (found.rung, found.type) == (rung, kind)
    assert part in found.reason and found.reason.endswith(".") and found.rule.startswith("R-RT-")  # R-RT-7


# What it is not asked about, whatever it would say.
SETTLED = [
    ("Write a README for the billing service", (), CHANGE, Rung.HAIKU),  # R-RT-1
    ("Polish it", ("docs/start.md",), CHANGE, Rung.HAIKU),
    *(("Setup Turbo monorepo", (), CHANGE, Rung.HAIKU), ("Turbo set-up", (), CHANGE, Rung.HAIKU)),
    ("Begin the TypeORM schema", (), ROUTINE, Rung.SONNET),  # R-RT-2
    ("Debug the crash in the worker", (), ROUTINE, Rung.SONNET),
    ("Write unit tests for the cart", (), model(strong=-4, tests=4), Rung.SONNET),  # R-RT-5
    ("Review the checkout flow", (), ROUTINE, Rung.GEMINI),  # R-RT-3
    ("Run the test suite", (), ROUTINE, Rung.MANUAL),  # R-RT-4
]


@pytest.mark.parametrize(("text", "files", "chosen", "rung"), SETTLED)
def test_the_model_leaves_alone_what_a_rule_settles(
    text: str, files: tuple[str, ...], chosen: TextModel, rung: Rung
) -> None:
    assert routed(text, *files, model=chosen).rung is rung
    assert routed("The orders page", model=chosen, type="schema").rung is Rung.SONNET


# Upkeep of tests is simple where the model finds it routine; new tests are sonnet's (R-RT-5).
UPKEEP = model(strong=-4, tests=0.5)


@pytest.mark.parametrize(
    ("text", "chosen", "rung"),
    [
        ("Tweak the flowchart tests", UPKEEP, Rung.HAIKU),
        ("Tweak the flowchart tests", model(strong=4, tests=0.5), Rung.SONNET),
        ("Tweak the flowchart tests", model(strong=-4, tests=4), Rung.SONNET),
        ("Tweak the session tests", UPKEEP, Rung.SONNET),  # R-SEC-1: not where security is mentioned
        ("Add more flowchart tests", UPKEEP, Rung.SONNET),
        ("Please increase the test coverage", UPKEEP, Rung.SONNET),
    ],
)
def test_only_upkeep_of_tests_is_simple(text: str, chosen: TextModel, rung: Rung) -> None:
    found = routed(text, model=chosen)
    assert (found.type, found.rung) == (TaskType.TESTS, rung)


def test_words_of_security_alone_may_be_mere_writing_and_are_sonnets_all_the_same() -> None:
    text = "Polish the chapter on cookies"
    assert routed(text, model=None).security
    found = routed(text, model=WRITING)
    assert (found.security, found.rung, found.rule) == (False, Rung.SONNET, "R-SEC-1")
    assert "cookies" in found.reason and "safer" in found.reason
    assert routed(text, model=model(strong=-4, code=4)).security


# What a model might take for writing about security, or for configuration.
TRAPS = [
    *("Add a section for passwords to the settings", "Add login to docs", "docs: add JWT login", "Encrypt user docs"),
    *("Restrict access to the docs", "Document upload must check permissions", "Polish the login page's comments"),
    *("Fix the broken link in the password reset e-mail", "update the session comments API", "Fix login test"),
    *("Bump jsonwebtoken", "Use the new token in the CI workflow", "Add a note to the password form"),
    *("Configure CORS", "Set up OAuth", "Tidy the cookie example", "Change the label of the tiny login button"),
]


@pytest.mark.parametrize("text", TRAPS)
@pytest.mark.parametrize("chosen", [WRITING, ROUTINE, UPKEEP])
def test_no_opinion_brings_words_of_security_to_haiku(text: str, chosen: TextModel) -> None:
    """R-SEC-1: a model that is wrong about everything costs a review's zeal, never the rung."""
    assert assess(text).by_words
    for wish in ({}, {"type": "docs"}, {"type": "config"}):
        assert routed(text, model=chosen, **wish).rung is not Rung.HAIKU


@settings(max_examples=300, deadline=None)
@given(
    text=st.sampled_from(["Polish the login", "tidy up", "Fix a typo", "docs"]),
    files=st.sampled_from([("src/auth/login.ts",), ("README.md", "lib/jwt.py"), ("guarded/a.md",), ()]),
    kind=st.sampled_from([None, *TaskType]),
    wish=st.sampled_from([None, *Rung]),
    flag=st.booleans(),
    haiku_first=st.booleans(),
)
def test_no_opinion_lowers_the_floor_under_paths_people_and_the_project(
    text: str, files: tuple[str, ...], kind: TaskType | None, wish: Rung | None, flag: bool, haiku_first: bool
) -> None:
    """R-SEC-1, with a model that takes everything for documentation."""
    critical = flag or kind is TaskType.AUTH or bool(files)
    request = RouteRequest(text=text, files=files, type=kind, model=wish, security=flag)
    try:
        found = route(request, RoutePolicy(haiku_first=haiku_first, security_paths=("guarded/",), model=WRITING))
    except UserMistake:
        return
    assert found.security is critical
    assert not (critical and found.rung is Rung.HAIKU)
