"""The weights that come with Orch: small, whole, and sane on wording that is not from the training data."""

from __future__ import annotations

import pytest

from bot.adapters.router_weights import PATH, dump, load, text_model
from bot.domain.routing import RoutePolicy, RouteRequest, route
from bot.domain.task import Rung
from bot.errors import ConfigError

POLICY = RoutePolicy(model=text_model())


def test_the_file_is_small_and_reads_back_the_same() -> None:
    content = PATH.read_bytes()
    assert len(content) < 2_000_000
    assert dump(load(content)) == content
    assert text_model() is text_model()


@pytest.mark.parametrize(
    "change", [lambda c: c[:-1], lambda c: b"{}\n", lambda c: b"", lambda c: c.replace(b'"', b"'")]
)
def test_a_damaged_file_is_an_error_that_says_what_to_do(change: object) -> None:
    with pytest.raises(ConfigError, match="Install Orch again"):
        load(change(PATH.read_bytes()))  # type: ignore[operator]


# Wording that is in no training data: text, files, rung, security-critical.
SANE = [
    ("Refresh the badges and the screenshots on the contributing page", (), Rung.HAIKU, False),
    ("Update the eslint and prettier settings", (), Rung.HAIKU, False),
    ("Run the nightly job on the new runners", (".github/workflows/nightly.yml",), Rung.HAIKU, False),
    ("Support cursors when listing orders", (), Rung.SONNET, False),
    ("Prevent duplicate invoices when two workers finish at once", (), Rung.SONNET, False),
    (
        "Stack discounts in the checkout total",
        ("src/checkout/total.ts", "src/checkout/total.test.ts"),
        Rung.SONNET,
        False,
    ),
    ("Reject expired refresh tokens", (), Rung.SONNET, True),
    ("Hash passwords with argon2", ("src/users/hash.ts",), Rung.SONNET, True),
    ("Rotate the deploy key's secret in the release workflow", (".github/workflows/release.yml",), Rung.SONNET, True),
    ("Clarify in the handbook how sessions end", ("docs/handbook/sessions.md",), Rung.HAIKU, False),
]


@pytest.mark.parametrize(("text", "files", "rung", "critical"), SANE)
def test_sane_routes(text: str, files: tuple[str, ...], rung: Rung, critical: bool) -> None:
    found = route(RouteRequest(text=text, files=files), POLICY)
    assert (found.rung, found.security) == (rung, critical), found.reason
