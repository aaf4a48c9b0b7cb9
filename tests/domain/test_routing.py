"""The router against RULEBOOK.md: each table can be read beside the rules whose ids it cites."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.routing import MATRIX, NEEDS_APPROVAL, ROWS, RoutePolicy, RouteRequest, route
from bot.domain.security import assess
from bot.domain.task import Route, Rung, TaskType
from bot.errors import UserMistake

POLICY = RoutePolicy(security_paths=("**/guarded/**",))
HAIKU, SONNET, GEMINI, OPUS, MANUAL = Rung.HAIKU, Rung.SONNET, Rung.GEMINI, Rung.OPUS, Rung.MANUAL


def routed(text: str, *files: str, policy: RoutePolicy = POLICY, **wishes: object) -> Route:
    return route(RouteRequest.model_validate({"text": text, "files": files, **wishes}), policy)


# The decision matrix, as RULEBOOK.md prints it: haiku, sonnet, gemini.
RULEBOOK = [
    ("boilerplate setup", "setup", "low", "yes", "no", "no"),
    ("config files", "config", "low", "yes", "no", "no"),
    ("documentation", "docs", "low", "yes", "no", "no"),
    ("database schema", "schema", "high", "no", "yes", "no"),
    ("auth implementation", "auth", "critical", "no", "yes", "no"),
    ("business logic", "logic", "medium", "may", "yes", "no"),
    ("code review", "review", "medium", "no", "may", "yes"),
    ("performance analysis", "analysis", "medium", "no", "may", "yes"),
    ("tests generation", "tests", "medium", "may", "yes", "no"),
    ("error debugging", "debug", "high", "no", "yes", "no"),
]


@pytest.mark.parametrize("line", RULEBOOK, ids=[line[0] for line in RULEBOOK])
def test_the_matrix_is_the_rulebooks(line: tuple[str, ...]) -> None:
    row = ROWS[TaskType(line[1])]
    assert (row.kind, row.type, row.complexity, row.haiku, row.sonnet, row.gemini) == line


def test_every_type_has_exactly_one_row() -> None:
    assert sorted(row.type for row in MATRIX) == sorted(TaskType)


# Every row by --type alone: who does it, by which rule.
BY_TYPE = [
    ("setup", HAIKU, "R-RT-1"),
    ("config", HAIKU, "R-RT-1"),
    ("docs", HAIKU, "R-RT-1"),
    ("schema", SONNET, "R-RT-2"),
    ("auth", SONNET, "R-SEC-1"),
    ("logic", SONNET, "R-RT-2"),
    ("integration", SONNET, "R-RT-2"),
    ("tests", SONNET, "R-RT-5"),
    ("debug", SONNET, "R-RT-2"),
    ("review", GEMINI, "R-RT-3"),
    ("analysis", GEMINI, "R-RT-3"),
    ("search", GEMINI, "R-RT-3"),
    ("validation", MANUAL, "R-RT-4"),
    ("ops", MANUAL, "R-RT-4"),
]


@pytest.mark.parametrize(("kind", "rung", "rule"), BY_TYPE)
def test_a_type_decides_the_rung(kind: str, rung: Rung, rule: str) -> None:
    found = routed("The orders page", type=kind)
    assert (found.rung, found.rule, found.type, found.confidence) == (rung, rule, kind, 1.0)


# Texts alone: rung, type, rule.
BY_TEXT = [
    ("Setup Turbo monorepo", HAIKU, "setup", "R-RT-1"),
    ("Next.js boilerplate", HAIKU, "setup", "R-RT-1"),
    ("Create the folder structure for the API", HAIKU, "setup", "R-RT-1"),
    ("Configure eslint and prettier", HAIKU, "config", "R-RT-1"),
    ("Tailwind setup", HAIKU, "config", "R-RT-1"),
    ("Docker Compose for the five services", HAIKU, "config", "R-RT-1"),
    ("Bump the node version", HAIKU, "config", "R-RT-1"),
    ("Write a README for the billing service", HAIKU, "docs", "R-RT-1"),
    ("please document the retry policy", HAIKU, "docs", "R-RT-1"),
    ("Document upload for orders", SONNET, "logic", "R-RT-2"),
    ("Fix a typo in the footer", HAIKU, "docs", "R-RT-1"),
    ("Begin the TypeORM schema", SONNET, "schema", "R-RT-2"),
    ("Add an index to the orders table", SONNET, "schema", "R-RT-2"),
    ("Implement JWT validation", SONNET, "auth", "R-SEC-1"),
    ("Add input validators to the order form", SONNET, "auth", "R-SEC-1"),
    ("Create the payments service", SONNET, "logic", "R-RT-2"),
    ("Add pagination to the orders list", SONNET, "logic", "R-RT-2"),
    ("Call the Stripe API with retries and a fallback", SONNET, "integration", "R-RT-2"),
    ("Debug the crash in the worker", SONNET, "debug", "R-RT-2"),
    ("Fix the failing tests in cart", SONNET, "debug", "R-RT-2"),
    ("Write unit tests for the cart", SONNET, "tests", "R-RT-5"),
    ("Write a trivial unit test for the cart", HAIKU, "tests", "R-RT-5"),
    ("Change the button label to Save", HAIKU, "logic", "R-RT-6"),
    ("Change the button label, about 120 lines", SONNET, "logic", "R-RT-2"),
    ("Review the checkout flow", GEMINI, "review", "R-RT-3"),
    ("Security review of the login page", GEMINI, "review", "R-RT-3"),
    ("Review the checkout flow and fix the rounding", SONNET, "logic", "R-RT-2"),
    ("Analyse the performance of the dashboard query", GEMINI, "analysis", "R-RT-3"),
    ("Error detection in the import module", GEMINI, "analysis", "R-RT-3"),
    ("Where is the price calculated?", GEMINI, "search", "R-RT-3"),
    ("Find all usages of getUser", GEMINI, "search", "R-RT-3"),
    ("Verify that lint passes", GEMINI, "validation", "R-RT-3"),
    ("Check test coverage of billing", GEMINI, "validation", "R-RT-3"),
    ("Validate the deployment", MANUAL, "validation", "R-RT-4"),
    ("Run the test suite", MANUAL, "ops", "R-RT-4"),
    ("Deploy the shop to staging", MANUAL, "ops", "R-RT-4"),
    ("Load test the API", MANUAL, "ops", "R-RT-4"),
    ("Security audit of the API", MANUAL, "ops", "R-RT-4"),
    ("git rebase feature onto main", MANUAL, "ops", "R-RT-4"),
]


@pytest.mark.parametrize(("text", "rung", "kind", "rule"), BY_TEXT)
def test_a_text_decides_the_rung(text: str, rung: Rung, kind: str, rule: str) -> None:
    found = routed(text)
    assert (found.rung, found.type, found.rule) == (rung, kind, rule)
    assert found.reason.endswith(".") and 0 < found.confidence <= 1  # R-RT-7
    assert (found.expected_tokens > 0) == (rung is not MANUAL)


# Files decide over words.
BY_FILES = [
    ("Polish the start", ["docs/start.md", "README.md"], HAIKU, "docs"),
    ("Polish the start", ["tsconfig.json", "Dockerfile"], HAIKU, "config"),
    ("Polish the start", ["package.json", "package-lock.json"], HAIKU, "config"),
    ("Polish the start", ["src/start.ts", "README.md"], SONNET, "logic"),
    ("Polish the start", ["migrations/001_start.sql"], SONNET, "schema"),
    ("Polish the start", ["src/start.test.ts"], SONNET, "tests"),
    ("Update the example", ["src/start.ts"], SONNET, "logic"),
    ("Fix a typo", ["src/start.ts"], HAIKU, "docs"),
    ("it", ["src/start.ts"], SONNET, "logic"),
]


@pytest.mark.parametrize(("text", "files", "rung", "kind"), BY_FILES)
def test_files_decide_over_words(text: str, files: list[str], rung: Rung, kind: str) -> None:
    found = routed(text, *files)
    assert (found.rung, found.type, found.security) == (rung, kind, False)


SECURITY_TASKS = ["Implement JWT login", "Hash passwords", "tidy up", "Fix a typo", "Small rename of the CSRF helper"]
SECURITY_FILES = [("src/auth/login.ts",), ("README.md", "src/auth/login.ts"), (".github/CODEOWNERS",)]


@settings(max_examples=300, deadline=None)
@given(
    text=st.sampled_from(SECURITY_TASKS),
    files=st.sampled_from([(), *SECURITY_FILES]),
    kind=st.sampled_from([None, *TaskType]),
    model=st.sampled_from([None, *Rung]),
    flag=st.booleans(),
    haiku_first=st.booleans(),
)
def test_no_option_lowers_the_floor(
    text: str, files: tuple[str, ...], kind: TaskType | None, model: Rung | None, flag: bool, haiku_first: bool
) -> None:
    """R-SEC-1: whatever is asked for, a security-critical task never goes to haiku."""
    critical = flag or kind is TaskType.AUTH or bool(files) or assess(text).critical
    request = RouteRequest(text=text, files=files, type=kind, model=model, security=flag)
    try:
        found = route(request, RoutePolicy(haiku_first=haiku_first))
    except UserMistake:
        return
    assert found.security is critical
    assert not (critical and found.rung is HAIKU)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200), model=st.sampled_from([None, *Rung]), kind=st.sampled_from([None, *TaskType]))
def test_any_text_is_routed_or_answered(text: str, model: Rung | None, kind: TaskType | None) -> None:
    try:
        found = routed(text, model=model, type=kind)
    except UserMistake as mistake:
        assert str(mistake) and mistake.form
    else:
        assert found.reason and found.rule.startswith("R-")
        assert not (found.security and found.rung is HAIKU)


# A person's --model, by type: the rung that results, or a part of the refusal.
WISHES = [
    ("docs", SONNET, SONNET, "though the rules would not choose it"),
    ("docs", HAIKU, HAIKU, "You asked for haiku."),
    ("schema", HAIKU, HAIKU, "though the rules would not choose it"),  # R-RT-6
    ("logic", HAIKU, HAIKU, "You asked for haiku."),
    ("logic", OPUS, OPUS, NEEDS_APPROVAL),  # R-ESC-8
    ("auth", HAIKU, SONNET, "never goes to haiku"),  # R-SEC-1
    ("auth", OPUS, OPUS, NEEDS_APPROVAL),
    ("logic", MANUAL, MANUAL, "You asked for manual."),
    ("review", SONNET, SONNET, "You asked for sonnet."),
    ("search", GEMINI, GEMINI, "You asked for gemini."),
    ("validation", GEMINI, GEMINI, "You asked for gemini."),
    ("logic", GEMINI, None, "it changes no files"),
    ("auth", GEMINI, None, "it changes no files"),
    ("ops", SONNET, None, "a person or CI runs things"),
    ("ops", GEMINI, None, "--model manual"),
    ("validation", OPUS, None, "a person or CI validates"),
    ("review", HAIKU, None, "gemini does that"),
]


@pytest.mark.parametrize(("kind", "model", "rung", "part"), WISHES)
def test_a_persons_model(kind: str, model: Rung, rung: Rung | None, part: str) -> None:
    if rung is None:
        with pytest.raises(UserMistake) as caught:
            routed("The orders page", type=kind, model=model)
        assert part in str(caught.value) and caught.value.form
    else:
        found = routed("The orders page", type=kind, model=model)
        assert found.rung is rung and part in found.reason


def test_haiku_asked_for_on_security_work_is_raised_with_the_reason() -> None:
    found = routed("Implement JWT login", model=HAIKU)
    assert (found.rung, found.rule, found.security, found.complexity) == (SONNET, "R-SEC-1", True, "critical")
    assert "You asked for haiku" in found.reason and "login" in found.reason


def test_haiku_first_is_the_projects_choice() -> None:
    assert routed("Change the button label", policy=RoutePolicy(haiku_first=False)).rung is SONNET
    assert routed("Write a tiny test for the session", policy=RoutePolicy()).rung is SONNET  # mentions security


@pytest.mark.parametrize("text", ["", "fix it please", "???", "do the thing", "42", "make it work asap"])
def test_unroutable_is_an_answer_never_a_default(text: str) -> None:
    with pytest.raises(UserMistake, match="cannot tell what is to be done"):  # R-RT-7
        routed(text)
    assert routed(text, type="docs").rung is HAIKU


def test_what_no_rule_knows_goes_to_the_safer_rung_and_says_so() -> None:
    found = routed("Dark mode for the charts")
    assert (found.rung, found.confidence) == (SONNET, 0.4)
    assert "safer" in found.reason


def test_a_route_takes_milliseconds_whatever_the_text() -> None:
    started = time.process_time()
    for text in ("a " * 2000, "fix the " * 500, "-" * 4000, "find the " * 444, "enforce x y " * 300):
        routed("about " + text)
    assert time.process_time() - started < 5, "of this process, whatever else the machine does"
