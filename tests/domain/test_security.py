"""What is security-critical (R-SEC-1): by words, by paths, and where such words are harmless."""

from __future__ import annotations

import pytest

from bot.domain.routing import RoutePolicy, RouteRequest, route
from bot.domain.security import assess
from bot.domain.task import Rung

# R-SEC-1: security-critical by its words.
CRITICAL = [
    *("Implement OAuth login", "add authN to the API", "Switch authZ to RBAC", "Log-in page", "Reset the password"),
    *("Rotate refresh tokens", "Token validation", "Session timeout", "OIDC discovery", "SAML metadata", "Add SSO"),
    *("Encrypt the backups", "decrypt on read", "Verify the webhook signature", "Renew the TLS certificate"),
    *("Store the API key", "Move secrets to the vault", "Check permissions", "ACL for folders", "New user role"),
    *("Fix CSRF", "Prevent XSS in comments", "SSRF in the fetcher", "SQL injection in search", "Sanitise user input"),
    *(
        "Escape HTML in titles",
        "Patch CVE-2026-1234",
        "2FA by text message",
        "two-factor log in",
        "MFA",
        "CORS headers",
    ),
    *(
        "SameSite cookie",
        "rate-limit the endpoint",
        "Block abuse",
        "Add a captcha",
        "path traversal",
        "bump jsonwebtoken",
    ),
    *(
        "JwtStrategy",
        "fix accessToken parsing",
        "user_role column",
        "harden the container",
        "auth",
        "Add a NestJS guard",
    ),
    "Fix a typo in the token check that lets expired tokens through",
    "Document the login and fix the redirect check",
    "Comment out the token check",
    "Restrict access to the docs",
    "Add login to docs",
    "Fix login test",
    "Document store: encrypt the sessions",
    "Document upload must check permissions",
    "Fix the broken link in the password reset e-mail",
    "Add a section for passwords to the settings",
    "docs: add JWT login",
    "Encrypt user docs",
    "update the session comments API",
    "Document the login, and patch the vulnerability",
    "Add a note about the vulnerability in the token check",
    "Add docs so that no release is vulnerable",
    *("Tidy CSRFConfig", "Set allowNTLMCredentialsForDomains", "Show it when logged out", "Drop the privileged pool"),
]
# ... and not, although the words are there, or sound alike.
HARMLESS = [
    *("Document the JWT flow", "Fix a typo in the login docs", "Add docs for OAuth", "Update the OIDC readme"),
    *("Write unit tests for the session store", "Explain CORS in README.md", "docs: describe permissions"),
    *("Use dependency injection", "case-insensitive sort", "Change the design tokens", "Count the token budget"),
    *("Document the vulnerability database", "Update the guide for vulnerability reports"),
    *("Reorder SECURITY.md", "Show the build logs in the console"),
    *("Name the author", "Guard against null", "Traverse the tree", "Keyboard shortcuts", "Assess the invoice"),
]


@pytest.mark.parametrize("text", CRITICAL)
def test_critical_words(text: str) -> None:
    assert assess(text).critical
    assert route(RouteRequest(text=text), RoutePolicy()).rung is Rung.SONNET


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_words(text: str) -> None:
    assert not assess(text).critical


BY_PATH = [
    ("src/auth/index.ts", True),
    ("SRC/Auth/Index.ts", True),
    ("lib/jwt.py", True),
    ("lib/myJwtHelper.py", True),
    ("src/crypto/aes.ts", True),
    ("src/session.ts", True),
    ("src/middleware/auth.ts", True),
    (".github/workflows/ci.yml", False),  # configuration (R-RT-1); the gate still asks for two approvals (R-APR)
    (".github/workflows/rotate-secrets.yml", True),
    ("src/auth/login.scss", False),
    (".github/CODEOWNERS", True),
    ("any/guarded/place.md", True),  # the project's own pattern, even for documentation
    ("docs/auth/login.md", False),
    ("README.md", False),
    ("src/author.ts", False),
    ("src/csp.ts", True),
    ("src/http-csp.ts", True),
    ("cSpell.json", False),
    ("deploy/certs/renew.sh", True),
    ("src/certificate.ts", True),
    ("certification/runner/index.js", False),
    ("packages/auth/package-lock.json", False),
    ("packages/auth/package.json", False),  # what it depends on is the gate's to see
    ("packages/auth/.npmrc", True),  # it may hold a token
    ("packages/auth/.github/workflows/ci.yml", False),
    ("src/auth/jest.config.ts", False),
    ("src/auth/jest-login.ts", True),
    ("src/cart.ts", False),
    ("tests/auth/test_login.py", False),
    ("packages/integration-tests/auth/login.ts", False),
    ("app/core/security.py", True),  # code, though it is named as a document may be
    ("src/security.ts", True),
    ("config/packages/security.yaml", True),
    ("website/src/auth/login.ts", True),  # a site may be the product
    ("website/content/auth/login.mdx", False),
    ("SECURITY.md", False),
    ("SECURITY-INSIGHTS.yml", False),
    ("strategy/oidc/.snapshots/login.json", False),  # what a test expects
]


@pytest.mark.parametrize(("path", "critical"), BY_PATH)
def test_critical_paths(path: str, critical: bool) -> None:
    assert assess("Polish the start", [path], ["**/guarded/**"]).critical is critical


def test_one_critical_file_among_harmless_ones_is_enough() -> None:
    assert assess("Fix a typo", ["README.md", "src/auth/index.ts"]).critical


def test_clear_documentation_files_do_not_excuse_a_text_that_asks_for_code() -> None:
    assert assess("Implement JWT checks", ["README.md"]).critical
    assert not assess("Add the JWT chapter", ["docs/jwt.md"]).critical
    assert not assess("Verify that labels are sanitized", ["test/labels.test.ts"]).critical
    assert not assess("Check the login button's colour", ["src/login.scss"]).critical
    assert assess("Verify that labels are sanitized", ["test/labels.test.ts", "README.md"]).critical
