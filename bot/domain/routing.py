"""Who does a task, and why (R-RT). Layers: what the person said, rules and paths, a text model, the safer rung.

The security floor (bot.domain.security, R-SEC-1) stands under every layer. The text model decides what the rules are
not sure of, and may find that a text only writes about security; it never lowers what a path, the project or a person
said. Where the matrix leaves haiku or sonnet open, earlier tasks say which is tried first (bot.domain.history).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import Field, InstanceOf

from bot.domain.history import History, Preference, preference, size_of
from bot.domain.security import Assessment, asks_for_more, assess
from bot.domain.task import CHANGELESS, REPORTS, Frozen, Route, Rung, TaskType
from bot.domain.task_kinds import Guess, asks_for_tests, classify, is_lint_check, is_simple, is_vague
from bot.domain.text_model import Opinion, TextModel
from bot.errors import UserMistake

Complexity = Literal["low", "medium", "high", "critical"]
Cell = Literal["yes", "may", "no"]
T = TaskType


class Row(NamedTuple):
    """One line of the decision matrix: may a rung do this kind of task?"""

    kind: str  # as the rulebook names it
    type: TaskType
    complexity: Complexity
    haiku: Cell
    sonnet: Cell
    gemini: Cell
    manual: Cell
    rule: str
    reason: str


#: RULEBOOK, "The decision matrix", line by line. `manual` is never in its way: a person may always do the work.
MATRIX: tuple[Row, ...] = (
    # kind                   type    complexity  haiku  sonnet gemini manual rule      reason
    Row("boilerplate setup", T.SETUP, "low", "yes", "no", "no", "may", "R-RT-1", "haiku suffices and is cheapest"),
    Row("config files", T.CONFIG, "low", "yes", "no", "no", "may", "R-RT-1", "configuration follows templates"),
    Row("documentation", T.DOCS, "low", "yes", "no", "no", "may", "R-RT-1", "haiku writes clearly"),
    Row("database schema", T.SCHEMA, "high", "no", "yes", "no", "may", "R-RT-2", "schema changes are complex"),
    Row("auth implementation", T.AUTH, "critical", "no", "yes", "no", "may", "R-RT-2", "it is security-critical"),
    Row("business logic", T.LOGIC, "medium", "may", "yes", "no", "may", "R-RT-2", "business logic needs care"),
    Row("code review", T.REVIEW, "medium", "no", "may", "yes", "may", "R-RT-3", "gemini specialises in review"),
    Row(
        "performance analysis", T.ANALYSIS, "medium", "no", "may", "yes", "may", "R-RT-3", "gemini is good at analysis"
    ),
    Row("tests generation", T.TESTS, "medium", "may", "yes", "no", "may", "R-RT-5", "writing tests is implementation"),
    Row("error debugging", T.DEBUG, "high", "no", "yes", "no", "may", "R-RT-2", "finding errors needs sonnet"),
    # Types that the prose of R-RT decides.
    Row(
        "API integration",
        T.INTEGRATION,
        "high",
        "no",
        "yes",
        "no",
        "may",
        "R-RT-2",
        "integrations need retries and fallbacks",
    ),
    Row("search", T.SEARCH, "low", "no", "may", "yes", "may", "R-RT-3", "gemini answers questions about the code"),
    Row("validation", T.VALIDATION, "medium", "no", "no", "may", "yes", "R-RT-4", "a person or CI validates"),
    Row("operations", T.OPS, "medium", "no", "no", "no", "yes", "R-RT-4", "a person or CI runs things"),
)
ROWS: Mapping[TaskType, Row] = MappingProxyType({row.type: row for row in MATRIX})
#: Types that either may do first: history may say which is the cheaper choice.
LEARNABLE = frozenset(row.type for row in MATRIX if row.haiku == "may" and row.sonnet == "yes")
#: Where no rule fits: the rung that can do any change.
UNKNOWN = Guess(T.LOGIC, 0.4, "no rule recognises this")
#: Where the model cannot say. The coordinator is asked about such a route (R-BUD-6).
UNSURE = Guess(T.LOGIC, 0.5, "this may be routine work, or not")
SURE = 0.8
#: Where a rule is as sure as this, and for what it calls schema, integration and the like, the text model is not asked.
OPEN: Mapping[TaskType, float] = MappingProxyType(
    {T.LOGIC: 0.9, T.CONFIG: 0.9, T.DOCS: 0.9, T.TESTS: 0.9, T.SETUP: 0.8}
)
#: So sure that it is the writing of tests, the model takes it for more than their upkeep.
NEW_TESTS = 0.75
#: The configuration that R-RT-1 names, and what is called a set-up, whatever the model thinks of it.
_NAMED = re.compile(r"\b(?:eslint|prettier|tailwind|docker)\b|\bset-?up$", re.IGNORECASE)
NEEDS_APPROVAL = "opus needs a person's approval"


#: What one task of a rung usually takes (RULEBOOK, "Cast"); tokens.
EXPECTED_TOKENS: Mapping[Rung, int] = MappingProxyType(
    {Rung.HAIKU: 1_500, Rung.SONNET: 4_000, Rung.GEMINI: 2_000, Rung.OPUS: 8_000, Rung.MANUAL: 0}
)


class RouteRequest(Frozen):
    """What is known of a task before it is routed."""

    text: str
    files: tuple[str, ...] = ()
    type: TaskType | None = None
    model: Rung | None = None
    security: bool = False


class RoutePolicy(Frozen):
    """The project's choices. `expected_tokens` is what one task of a rung usually takes; no `model`: rules only; no
    `history`: nothing is learned from."""

    security_paths: tuple[str, ...] = ()
    haiku_first: bool = True  # where the matrix says "may": haiku for what looks simple
    expected_tokens: Mapping[Rung, int] = Field(default_factory=lambda: dict(EXPECTED_TOKENS))
    model: InstanceOf[TextModel] | None = None
    history: History | None = None


class _Evidence(NamedTuple):
    """What is known before anything is decided. `ruled`: the rules' guess; `opinion`: the model's."""

    safety: Assessment
    ruled: Guess | None
    opinion: Opinion | None


class _Choice(NamedTuple):
    rung: Rung
    rule: str
    reason: str  # one sentence
    confidence: float


def route(request: RouteRequest, policy: RoutePolicy) -> Route:
    """Choose the rung (R-RT-7: with reason, rule, confidence and expected tokens).

    Raises UserMistake where nothing can be made of the task, or where the wish for a model is impossible.
    """
    evidence = _evidence(request, policy)
    return _routed(request, _guess(request, evidence), evidence.safety, policy)


def route_as(request: RouteRequest, guess: Guess, policy: RoutePolicy) -> Route:
    """The route of what is taken for this kind of work: through the same matrix, above the same floor."""
    return _routed(request, guess, _evidence(request, policy).safety, policy)


def _routed(request: RouteRequest, guess: Guess, safety: Assessment, policy: RoutePolicy) -> Route:
    row = ROWS[guess.type]
    choice = _asked(request.model, row, guess, safety) if request.model else _ruled(request, row, guess, safety, policy)
    changes = guess.type not in CHANGELESS
    return Route(
        rung=choice.rung,
        type=guess.type,
        complexity="critical" if safety.critical and changes else row.complexity,
        security=safety.critical,
        reason=choice.reason,
        rule=choice.rule,
        confidence=choice.confidence,
        expected_tokens=policy.expected_tokens.get(choice.rung, 0),
    )


def _safety(request: RouteRequest, policy: RoutePolicy) -> Assessment:
    """The floor first: a person may declare a task security-critical, and nobody may declare that it is not."""
    if request.security:
        return Assessment(True, "you marked it so", True)
    if request.type is T.AUTH:
        return Assessment(True, "its type is auth", True)
    return assess(request.text, request.files, policy.security_paths)


def _evidence(request: RouteRequest, policy: RoutePolicy) -> _Evidence:
    """What the rules and the model say. Where words alone speak of security and nothing in the text asks for code,
    the model may find that it is only written about or tested. Such work is sonnet's all the same (`by_words`), and
    the gate still judges what was changed."""
    safety = _safety(request, policy)
    ruled = classify(request.text, request.files)
    opinion = policy.model.judge(request.text, request.files, ruled, safety) if policy.model else None
    if opinion and opinion.writes and safety.by_words and not asks_for_more(request.text):
        safety = safety._replace(critical=False)
    return _Evidence(safety, ruled, opinion)


def _guess(request: RouteRequest, evidence: _Evidence) -> Guess:
    """The kind of work: as the person said, else by rules, refined by the model, else the safer kind."""
    if request.type:
        return Guess(request.type, 1.0, f"you said {request.type}", is_simple(request.text))
    if is_vague(request.text) and not request.files and not request.model:
        raise UserMistake(
            "I cannot tell what is to be done (R-RT-7). Say what shall change and where, "
            "or add `--files` with the files, or `--type` with the kind of work.",
            "/orch assign <what> [--files a,b] [--type T]",
        )
    safety, opinion = evidence.safety, evidence.opinion
    guess = evidence.ruled or UNKNOWN._replace(simple=is_simple(request.text))
    named = guess.type in (T.CONFIG, T.SETUP) and _NAMED.search(request.text.strip())
    if opinion and not named and guess.confidence < OPEN.get(guess.type, 0):
        guess = _refined(guess, opinion, request)
    unsure = guess.type is T.LOGIC or guess.confidence < SURE
    return Guess(T.AUTH, 0.9, safety.why) if safety.critical and unsure else guess


def _refined(guess: Guess, opinion: Opinion, request: RouteRequest) -> Guess:
    """The model's answer where the rules leave it open. New tests are sonnet's; upkeep of old ones may be simple."""
    seen = "its words and files look" if request.files else "its words look"
    if guess.type is T.TESTS and opinion.tests >= 0.5:
        upkeep = opinion.routine and opinion.tests < NEW_TESTS and not asks_for_tests(request.text)
        return guess._replace(simple=guess.simple or upkeep)
    if opinion.routine and guess.type is T.SETUP:
        return guess
    if opinion.routine:
        docs = guess.type is T.DOCS or (guess.type is not T.CONFIG and opinion.docs >= 0.5)
        kind, what = (T.DOCS, "documentation") if docs else (T.CONFIG, "configuration")
        sure = round(1 - opinion.strong, 2)
        return Guess(kind, sure, f"{seen} like routine {what} work ({sure:.0%} sure)", guess.simple)
    if opinion.unsure:
        return UNSURE  # that it says "small" is known to the model
    sure = round(opinion.strong, 2)
    return Guess(T.LOGIC, sure, f"{seen} like a change of the code's behaviour ({sure:.0%} sure)")


def _ruled(request: RouteRequest, row: Row, guess: Guess, safety: Assessment, policy: RoutePolicy) -> _Choice:
    """The matrix: the cheapest rung that it allows, above the floor."""
    why, sure, unknown = _sentence(guess.why), guess.confidence, guess.why in (UNKNOWN.why, UNSURE.why)
    if row.manual == "yes" and row.gemini == "may" and is_lint_check(request.text):
        return _Choice(Rung.GEMINI, "R-RT-3", f"{why}: gemini checks lint, types and coverage.", sure)
    if row.manual == "yes":
        return _Choice(Rung.MANUAL, row.rule, f"{why}: {row.reason}, for 0 tokens.", sure)
    if row.gemini == "yes":
        return _Choice(Rung.GEMINI, row.rule, f"{why}: {row.reason}.", sure)
    if safety.critical:
        return _Choice(Rung.SONNET, "R-SEC-1", f"Security-critical, since {safety.why}: never haiku.", max(sure, 0.9))
    if safety.by_words and row.haiku != "no":
        reason = f"{_sentence(safety.why)}, though it may only be written about: sonnet is the safer choice."
        return _Choice(Rung.SONNET, "R-SEC-1", reason, 0.6)
    if row.haiku == "yes":
        return _Choice(Rung.HAIKU, row.rule, f"{why}: {row.reason}.", sure)
    rule = "R-RT-5" if guess.type is T.TESTS else "R-RT-6"
    if known := None if unknown or safety.mentions else _preferred(request, guess, policy):
        confidence = min(sure, 0.7) if known.rung is Rung.HAIKU else sure
        return _Choice(known.rung, rule, f"{why}: {known.why}.", confidence)
    if row.haiku == "may" and guess.simple and policy.haiku_first and not safety.mentions:
        seen = "It looks small" if unknown else f"{why}, and it looks small"
        return _Choice(Rung.HAIKU, rule, f"{seen}: haiku first.", min(sure, 0.7))
    if unknown:
        return _Choice(Rung.SONNET, row.rule, f"{why}: sonnet is the safer choice.", sure)
    return _Choice(Rung.SONNET, row.rule, f"{why}: {row.reason}.", sure)


def _preferred(request: RouteRequest, guess: Guess, policy: RoutePolicy) -> Preference | None:
    """What earlier tasks of this type and size say, where either rung may do it and the project tries haiku at all."""
    if policy.history is None or not policy.haiku_first or guess.type not in LEARNABLE:
        return None
    return preference(policy.history, guess.type, size_of(request.text, request.files))


def _asked(model: Rung, row: Row, guess: Guess, safety: Assessment) -> _Choice:
    """A person's `--model`: followed, except below the floor and where that rung cannot do such work at all."""
    if model is not Rung.MANUAL:
        _refuse_mismatch(model, row, guess)
    if model is Rung.HAIKU and safety.critical:
        reason = (
            f"You asked for haiku, but {safety.why}: security-critical work never goes to haiku, so sonnet does it."
        )
        return _Choice(Rung.SONNET, "R-SEC-1", reason, 1.0)
    if model is Rung.OPUS:
        return _Choice(Rung.OPUS, "R-ESC-8", f"You asked for opus; {NEEDS_APPROVAL}.", 1.0)
    cell = {Rung.HAIKU: row.haiku, Rung.SONNET: row.sonnet, Rung.GEMINI: row.gemini, Rung.MANUAL: row.manual}[model]
    unusual = f", though the rules would not choose it for {row.kind}" if cell == "no" else ""
    rule = "R-RT-4" if model is Rung.MANUAL else row.rule
    return _Choice(model, rule, f"You asked for {model}{unusual}.", 1.0)


def _refuse_mismatch(model: Rung, row: Row, guess: Guess) -> None:
    """gemini and the models that edit do different things; what people or CI must do, no model does."""
    better = "If that is not the kind of work you mean, add `--type`."
    if row.manual == "yes" and not (model is Rung.GEMINI and row.gemini == "may"):
        text = f"{model} cannot do this, since {guess.why}: {row.reason} (`--model manual`, {row.rule}). {better}"
    elif model is Rung.GEMINI and row.gemini == "no":
        text = (
            f"gemini reviews, analyses and searches; it changes no files, and this is {row.kind}, since {guess.why}. "
        )
        text += "Leave `--model` away, or ask for a report with `--type review`."
    elif model is Rung.HAIKU and guess.type in REPORTS:
        text = f"haiku does no {row.kind}: gemini does that (R-RT-3). Leave `--model` away. {better}"
    else:
        return
    raise UserMistake(text, "/orch assign <what> [--type T] [--model haiku|sonnet|opus|gemini|manual]")


def _sentence(why: str) -> str:
    return why[:1].upper() + why[1:]
