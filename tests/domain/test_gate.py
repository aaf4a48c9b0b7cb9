"""The gate, row by row (DESIGN, "The gate"; R-SEC-3; R-APR)."""

from __future__ import annotations

import random
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.change import Change, FileChange
from bot.domain.gate import GatePolicy, GateVerdict, inspect, raised, security_word
from bot.domain.task import Route, Rung, TaskType

KEY = "gh" + "p_" + "".join(random.Random(3).choices(string.ascii_letters + string.digits, k=36))


def file(path: str, **fields: Any) -> FileChange:
    usual = {"status": "modified", "old_mode": "100644", "new_mode": "100644", "added": 1, "removed": 0}
    return FileChange(path=path, **{**usual, **fields})


def patch(path: str, *added: str) -> str:
    lines = "".join(f"+{line}\n" for line in added)
    head = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
    return f"{head}@@ -1,2 +1,{len(added) + 2} @@ def f():\n before\n{lines} after\n"


def judge(*files: FileChange, text: str | None = None, **policy: Any) -> GateVerdict:
    text = "".join(patch(f.path, *["x"] * f.added) for f in files) if text is None else text
    return inspect(Change(base="a", head="b", files=files, patch=text), GatePolicy(**policy))


def rules(verdict: GateVerdict) -> list[str]:
    return [refusal.rule for refusal in verdict.refused]


def test_an_ordinary_change_passes() -> None:
    verdict = judge(file("src/app.py"), file("tests/test_app.py", status="added", old_mode="000000"))
    assert verdict == GateVerdict()
    assert verdict.passed


def test_an_empty_change_is_refused() -> None:
    verdict = judge()
    assert rules(verdict) == ["empty"]
    assert verdict.refused[0].text == "The model changed nothing."


PATHS = [
    (".gitmodules", "git"),
    ("sub/.GitAttributes", "git"),
    (".gitattributes", "git"),
    (".husky/pre-commit", "hooks"),
    ("app/.HUSKY/pre-push", "hooks"),
    (".env", "secret file"),
    ("app/.ENV.local", "secret file"),
    ("certs/site.pem", "secret file"),
    (".git/config", "path"),
    ("a/.GIT/hooks/pre-commit", "path"),
    ("../outside", "path"),
    ("a\\b", "path"),
    ("bad\nname", "path"),
    (".env.example", None),
    (".gitignore", None),
    (".github/ISSUE_TEMPLATE.md", None),
    ("src/environment.ts", None),
]


@pytest.mark.parametrize(("path", "rule"), PATHS)
@pytest.mark.parametrize("status", ["added", "modified", "deleted"])
def test_paths_that_no_change_touches(path: str, rule: str | None, status: str) -> None:
    verdict = judge(file(path, status=status, added=0))
    assert rules(verdict) == ([rule] if rule else [])
    assert all(refusal.path == path and refusal.text for refusal in verdict.refused)


KINDS = [
    ({"status": "added", "old_mode": "000000", "new_mode": "120000"}, ["symlink"]),
    ({"status": "deleted", "old_mode": "120000", "new_mode": "000000"}, ["symlink"]),
    ({"status": "added", "old_mode": "000000", "new_mode": "160000"}, ["submodule"]),
    ({"status": "modified", "old_mode": "160000", "new_mode": "160000"}, ["submodule"]),
    ({"status": "type_changed", "new_mode": "120000"}, ["symlink", "type"]),
    ({"status": "modified", "new_mode": "100755"}, ["mode"]),
    ({"status": "modified", "binary": True}, ["binary"]),
    ({"status": "added", "old_mode": "000000", "new_mode": "100644"}, []),
    ({"status": "deleted", "new_mode": "000000"}, []),
    ({"status": "modified", "old_mode": "100755", "new_mode": "100755"}, []),
]


@pytest.mark.parametrize(("fields", "refused"), KINDS)
def test_kinds_of_change(fields: dict[str, Any], refused: list[str]) -> None:
    assert rules(judge(file("src/a.txt", **{"added": 0, **fields}))) == refused


DECLARED = [
    (("src/a.py",), "src/a.py", True),
    (("src/a.py",), "SRC/A.py", True),
    (("src/a.py",), "src/b.py", False),
    (("a.py",), "src/a.py", False),
    (("src/",), "src/deep/b.py", True),
    (("src",), "src/deep/b.py", True),
    (("src/**/*.ts", "b.md"), "src/x/y.ts", True),
    ((), "anything.txt", True),
]


@pytest.mark.parametrize(("declared", "path", "inside"), DECLARED)
def test_a_change_stays_inside_the_declared_files(declared: tuple[str, ...], path: str, inside: bool) -> None:
    assert rules(judge(file(path), declared=declared)) == ([] if inside else ["declared"])


SIZES = [
    ({"max_files": 1}, "2 files, and 1 are allowed"),
    ({"max_lines": 9}, "10 changed lines, and 9 are allowed"),
    ({"max_patch_bytes": 100}, "bytes of patch, and 100 are allowed"),
]


@pytest.mark.parametrize(("policy", "text"), SIZES)
def test_size_caps(policy: dict[str, int], text: str) -> None:
    verdict = judge(file("a", added=4), file("b", added=1, removed=5), **policy)
    assert rules(verdict) == ["size"]
    assert text in verdict.refused[0].text
    assert judge(file("a", added=4), file("b", added=1, removed=5), max_files=2, max_lines=10).passed


#: What two people have to look at, whoever wrote it (R-APR).
TWO_PEOPLE = [
    (".github/workflows/ci.yml", "CI"),
    (".GitHub/Workflows/CI.yml", "CI"),
    (".gitlab-ci.yml", "CI"),
    ("Jenkinsfile", "CI"),
    (".circleci/config.yml", "CI"),
    ("CODEOWNERS", "who must review"),
    (".github/CODEOWNERS", "who must review"),
    ("web/package-lock.json", "lock file"),
    ("yarn.lock", "lock file"),
    ("go.sum", "lock file"),
    ("apps/web/package.json", "dependencies"),
    ("requirements-dev.txt", "dependencies"),
    ("pyproject.toml", "dependencies"),
    ("setup.py", "install or build"),
    (".npmrc", "install or build"),
    ("migrations/versions/001_users.py", "schema"),
    ("src/db/migrations/1-init.ts", "schema"),
]
#: Security-critical code, which haiku may not have written (R-SEC-1).
CRITICAL = [
    ("src/auth/guard.ts", "auth"),
    ("src/AuthService.ts", "auth"),
    ("lib/oauth2_client.rb", "oauth2"),
    ("pkg/jwt/parse.go", "jwt"),
    ("src/users/password-reset.ts", "password"),
    ("src/crypto/aes.ts", "crypto"),
    ("src/payments/charge.ts", "security paths (**/payments/**)"),
]
HARMLESS = [
    "src/authors/list.ts",
    "src/tokenizer.py",
    "src/components/Button.tsx",
    "docs/auth.md",
    "README.md",
    "Makefile",
]


@pytest.mark.parametrize(("path", "reason"), TWO_PEOPLE)
def test_what_two_people_look_at(path: str, reason: str) -> None:
    verdict = judge(file(path), security_paths=("**/payments/**",))
    assert verdict.passed and verdict.critical_reasons == ()
    (why,) = verdict.approval_reasons
    assert reason in why and path in why


@pytest.mark.parametrize(("path", "reason"), CRITICAL)
def test_what_is_security_critical_code(path: str, reason: str) -> None:
    verdict = judge(file(path), security_paths=("**/payments/**",))
    assert verdict.passed and verdict.approval_reasons == ()
    (why,) = verdict.critical_reasons
    assert reason in why and path in why


@pytest.mark.parametrize(("path", "reason"), TWO_PEOPLE)
def test_what_nobody_asked_haiku_for(path: str, reason: str) -> None:
    """R-SEC-1, R-ESC-5: the text looked harmless, and the diff is not; a declared file is asked for."""
    verdict = judge(file(path), routine=False)
    assert (verdict.critical_reasons, verdict.approval_reasons) == (
        tuple(f"{why}, which nobody asked for" for why in judge(file(path)).approval_reasons),
        (),
    )
    assert judge(file(path), routine=False, declared=(path,)).critical_reasons == ()


@pytest.mark.parametrize("path", HARMLESS)
def test_what_is_an_ordinary_change(path: str) -> None:
    assert judge(file(path), security_paths=("**/payments/**",)).security_reasons == ()


def test_two_people_look_at_what_is_added() -> None:
    text = patch("package.json", '    "postinstall": "node x.js",')
    verdict = judge(file("package.json"), text=text)
    assert "package.json changes a script that runs at install" in verdict.approval_reasons
    new = file("run.sh", status="added", old_mode="000000", new_mode="100755")
    assert judge(new).approval_reasons == ("run.sh is a new executable",)


#: R-SEC-1: the path looks harmless, the code does not.
CODE = [
    ("src/users.py", "import jwt", "jwt"),
    ("src/users.py", "from cryptography.fernet import Fernet", "cryptography"),
    ("src/users.py", "    ok = bcrypt.checkpw(given, stored)", "bcrypt.checkpw"),
    ("src/users.ts", "import { sign } from 'jsonwebtoken';", "jsonwebtoken"),
    ("src/users.ts", 'const crypto = require("node:crypto")', "node:crypto"),
    ("src/users.ts", "  @UseGuards(AdminGuard)", "@UseGuards"),
    ("src/users.ts", "if (await verifyPassword(given, user.hash)) {", "verifyPassword"),
    ("main.go", '\t"crypto/tls"', "crypto/tls"),
    ("App.java", "import javax.crypto.Cipher;", "javax.crypto"),
    ("src/lib.rs", "use argon2::Argon2;", "argon2"),
    ("src/users.py", "import jwt_less", None),
    ("src/users.py", "# hash the password with bcrypt", None),
    ("src/users.ts", "const text = 'import from crypto';", None),
    ("docs/users.md", "import jwt", None),
    ("tests/test_users.py", "import jwt", None),
]


@pytest.mark.parametrize(("path", "line", "uses"), CODE)
def test_security_critical_code_under_a_harmless_name(path: str, line: str, uses: str | None) -> None:
    reasons = judge(file(path), text=patch(path, line)).critical_reasons
    assert reasons == ((f"{path} uses {uses}",) if uses else ())


def test_code_that_is_taken_away_counts_too() -> None:
    text = "--- a/src/users.ts\n+++ b/src/users.ts\n@@ -1,2 +1,1 @@\n-  @UseGuards(AdminGuard)\n get() {}\n"
    assert judge(file("src/users.ts", added=0, removed=1), text=text).critical_reasons == (
        "src/users.ts used @UseGuards",
    )
    gone = text.replace("+++ b/src/users.ts", "+++ /dev/null")
    assert judge(file("src/users.ts", added=0, removed=1), text=gone).critical_reasons == (
        "src/users.ts used @UseGuards",
    )


ROUTES = st.builds(
    Route,
    rung=st.sampled_from(Rung), type=st.sampled_from(TaskType),
    complexity=st.sampled_from(["low", "medium", "high", "critical"]), security=st.booleans(),
    approvals_only=st.booleans(), reason=st.just("r"), rule=st.just("R-RT-1"), confidence=st.just(0.5),
)  # fmt: skip
CHANGED = st.lists(
    st.sampled_from([*[p for p, _ in TWO_PEOPLE], *[p for p, _ in CRITICAL], *HARMLESS]), min_size=1, max_size=4
)


@settings(deadline=None)
@given(ROUTES, st.lists(CHANGED, min_size=1, max_size=3), st.booleans())
def test_no_change_lowers_the_floor(route: Route, changes: list[list[str]], guarded: bool) -> None:
    """R-SEC-1, R-APR: whatever is changed after whatever, a floor that was reached stays, and what the change asks for
    is reached."""
    for paths in changes:
        verdict = judge(
            *(file(path) for path in dict.fromkeys(paths)), security_paths=("**/payments/**",) if guarded else ()
        )
        after = raised(route, verdict)
        assert after.security >= route.security and after.code_critical >= route.code_critical
        assert after.security >= bool(verdict.security_reasons)
        assert after.code_critical >= bool(verdict.critical_reasons)
        assert (after.rung, after.type) == (route.rung, route.type)
        if not verdict.security_reasons:
            assert after == route
        route = after


def test_words_of_a_path() -> None:
    assert [security_word(p) for p in ("src/JWTParser.ts", "a/oauth2.py", "x/2fa/y.ts", "src/tlsConfig.go")] == [
        *("jwt", "oauth2", "2fa", "tls")
    ]


# R-SEC-3: secrets in added lines


def test_a_secret_in_an_added_line_is_refused_and_not_repeated() -> None:
    verdict = judge(file("src/a.py", added=2), text=patch("src/a.py", "x = 1", f"t = '{KEY}'"))
    assert rules(verdict) == ["secret"]
    assert verdict.refused[0].path == "src/a.py"
    assert "src/a.py:3 adds" in verdict.refused[0].text
    assert KEY not in verdict.refused[0].text


def test_a_secret_that_was_there_or_goes_away_is_no_refusal() -> None:
    text = f"--- a/x\n+++ b/x\n@@ -1,3 +1,2 @@\n t = '{KEY}'\n-u = '{KEY}'\n-v\n+v\n"
    assert judge(file("x", removed=2), text=text).passed


def test_a_configured_secret_is_refused_in_any_form() -> None:
    text = patch("src/a.py", "x = 'plain words'")
    assert rules(judge(file("src/a.py"), text=text, known_secrets=("plain words",))) == ["secret"]


def test_content_cannot_pass_for_a_header() -> None:
    text = patch("src/a.py", "++ b/other.py", "@@ -1 +1 @@", KEY)
    verdict = judge(file("src/a.py", added=3), text=text)
    assert [(r.rule, r.path) for r in verdict.refused] == [("secret", "src/a.py")]


def test_a_password_in_a_test_is_a_fixture_and_a_key_is_not() -> None:
    line = "pass" + "word = 'Tr0ub4" + "dor&3x'"
    assert rules(judge(file("src/a.py"), text=patch("src/a.py", line))) == ["secret"]
    assert judge(file("tests/test_a.py"), text=patch("tests/test_a.py", line)).passed
    assert judge(file("src/a.spec.ts"), text=patch("src/a.spec.ts", line)).passed
    assert rules(judge(file("tests/test_a.py"), text=patch("tests/test_a.py", KEY))) == ["secret"]


def test_a_key_over_several_lines() -> None:
    body = ["-----BEGIN RSA PRIVATE " + "KEY-----", *[KEY[4:] * 2] * 5, "-----END RSA PRIVATE " + "KEY-----"]
    assert rules(judge(file("a.txt", added=7), text=patch("a.txt", *body))) == ["secret"]


def test_a_patch_that_lacks_lines_is_refused() -> None:
    assert rules(judge(file("a.txt", added=3), text=patch("a.txt", "one"))) == ["patch"]


def test_names_that_git_quotes() -> None:
    text = patch("x", KEY).replace("+++ b/x", '+++ "b/pre\\303\\247o.py"')
    assert judge(file("preço.py"), text=text).refused[0].text.startswith("preço.py:2")


def test_every_refusal_is_given_at_once() -> None:
    verdict = judge(file(".husky/x"), file("b.png", binary=True, added=0), declared=("c.py",))
    assert sorted(rules(verdict)) == ["binary", "declared", "declared", "hooks"]


@settings(deadline=None)
@given(st.text(alphabet='+- @\\1,\nab\r\t"/', max_size=80), st.text(max_size=10))
def test_any_patch_can_be_judged(text: str, path: str) -> None:
    inspect(Change(base="a", head="b", files=(file(path or "x"),), patch="@@ -1,2 +1,9 @@\n" + text), GatePolicy())
