"""The gate: what a change must not contain, and what makes it a security task (DESIGN, "The gate"; R-SEC-3, R-APR).

It reads only the facts of the diff, costs nothing, and comes before the checks. A security task is one of two kinds:
security-critical code, which haiku may not have written (R-SEC-1), or CI, dependencies and migrations, which two people
approve (R-APR). The latter go to sonnet too where nobody asked haiku for them: the task is not what its words said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from pydantic import Field

from bot.domain.change import SUBMODULE, SYMLINK, Change, FileChange
from bot.domain.critical_code import critical_code
from bot.domain.file_kinds import LOCK_FILES
from bot.domain.paths import declared, matches, normalise
from bot.domain.secrets import PASSWORD, URL_PASSWORD, find_secrets, is_secret_file
from bot.domain.task import Frozen, Route


class GatePolicy(Frozen):
    """What this task's change is held to. Empty `declared` = any file may change."""

    declared: tuple[str, ...] = ()  # the task's files, folders or patterns
    security_paths: tuple[str, ...] = ()  # the project's own patterns
    routine: bool = True  # CI, dependencies and migrations are its business, declared or not
    known_secrets: tuple[str, ...] = Field(default=(), repr=False)  # configured values, matched exactly
    max_files: int = 40
    max_lines: int = 3_000  # added + removed
    max_patch_bytes: int = 400_000


class Refusal(Frozen):
    """One reason why the change may not go on. `path` is empty where it is about the whole change; the text
    is fit for a person and for a model that is to repair it."""

    rule: str
    path: str
    text: str


class GateVerdict(Frozen):
    """`refused` empty = the change may go on. Either kind of reasons makes it a security task (R-APR); only
    `critical_reasons` keep haiku from it (R-SEC-1)."""

    refused: tuple[Refusal, ...] = ()
    critical_reasons: tuple[str, ...] = ()
    approval_reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.refused

    @property
    def security_reasons(self) -> tuple[str, ...]:
        """Every reason why two people have to approve it, the gravest first."""
        return self.critical_reasons + self.approval_reasons


#: Paths that no change touches: rule, patterns, why.
FORBIDDEN = (
    ("git", (".gitmodules", ".gitattributes"), "git's own settings may not be changed"),
    ("hooks", (".husky/", ".githooks/"), "git hooks may not be changed"),
)

#: Paths that two people have to look at, whoever wrote the change: why, patterns.
TWO_PEOPLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "changes what CI runs",
        (
            *(".github/workflows/", ".github/actions/", ".gitlab-ci.yml", ".gitlab/ci/", "Jenkinsfile*"),
            *(".circleci/", "azure-pipelines*", ".azure-pipelines/", "bitbucket-pipelines.yml", ".travis.yml"),
            *(".drone.yml", ".buildkite/", ".woodpecker*", "cloudbuild.y*ml", "appveyor.yml", ".ci/"),
            *(".pre-commit-config.yaml", "lefthook.yml"),
        ),
    ),
    ("changes who must review", ("CODEOWNERS",)),
    ("changes a lock file", LOCK_FILES),
    (
        "changes dependencies",
        (
            *("package.json", "pnpm-workspace.yaml", "deno.json*", "requirements*.txt", "constraints*.txt"),
            *("pyproject.toml", "Pipfile", "go.mod", "Cargo.toml", "Gemfile", "*.gemspec", "composer.json"),
            *("pom.xml", "*.csproj", "Directory.Packages.props", "mix.exs", "pubspec.yaml", "Package.swift"),
        ),
    ),
    (
        "changes what runs at install or build",
        (
            *("setup.py", "setup.cfg", "hatch_build.py", "build.rs", "binding.gyp", "*.gradle", "*.gradle.kts"),
            *(".npmrc", ".yarnrc*", ".pnpmfile.cjs", "pip.conf", ".cargo/config*"),
        ),
    ),
    (
        "changes the database's schema",
        ("migrations/", "migration/", "alembic/versions/", "db/migrate/", "*.migration.*"),
    ),
)
#: Words of a path that mean authentication, authorisation or cryptography. Prose is exempt.
SECURITY_WORDS = frozenset(
    [
        *("auth", "oauth", "oauth2", "oidc", "openid", "saml", "sso", "ldap", "jwt", "jwe", "jwk", "jwks", "jws"),
        *("authn", "authz", "authentication", "authorization", "authenticator", "authorizer", "login", "signin"),
        *("logout", "session", "password", "passwords", "credential", "credentials", "token"),
        *("permission", "permissions", "rbac", "acl", "mfa", "totp", "2fa", "webauthn", "passkey", "csrf", "xss"),
        *("security", "secret", "secrets", "vault", "crypto", "cryptography", "encryption", "encrypt", "decrypt"),
        *("cipher", "hmac", "bcrypt", "argon2", "signing", "signature", "kms", "tls", "ssl", "certs", "keyring"),
    ]
)
_PROSE = ("/docs/", "*.md", "*.mdx", "*.rst", "*.txt", "*.svg", "*.png", "LICENSE*", "CHANGELOG*")
#: Where a readable password is a fixture and no secret.
_FIXTURES = (
    *("test/", "tests/", "__tests__/", "spec/", "e2e/", "fixtures/", "testdata/", "docs/", "*.md", "*.mdx"),
    *("test_*", "*_test.*", "*.test.*", "*.spec.*", "conftest.py", "*.example", "*.sample"),
)
_INSTALL_SCRIPT = re.compile(r'"(?:(?:pre|post)?install|prepare|prepublish\w*|prepack|dependencies)"\s*:\s*"')


def inspect(change: Change, policy: GatePolicy) -> GateVerdict:
    """Judge a change by its diff alone. All refusals are given, so that one repair can mend them together."""
    if not change.files:
        return GateVerdict(refused=(Refusal(rule="empty", path="", text="The model changed nothing."),))
    refused = [*_sizes(change, policy)]
    for file in change.files:
        refused += _about_path(file.path, policy)
        refused += _about_kind(file)
    lines = tuple(_changed_lines(change.patch))
    added = tuple(line for line in lines if line.added)
    refused += _about_secrets(change, added, policy)
    return GateVerdict(
        refused=tuple(dict.fromkeys(refused)),
        critical_reasons=tuple(dict.fromkeys(_critical_reasons(change, lines, policy))),
        approval_reasons=tuple(dict.fromkeys(_approval_reasons(change, added, policy))),
    )


def raised(route: Route, verdict: GateVerdict) -> Route:
    """The route once the gate has seen the change: only ever raised (R-SEC-1, R-APR)."""
    if verdict.critical_reasons:
        return route.model_copy(update={"security": True, "approvals_only": False, "complexity": "critical"})
    if verdict.approval_reasons and not route.security:
        return route.model_copy(update={"security": True, "approvals_only": True})
    return route


def _sizes(change: Change, policy: GatePolicy) -> Iterator[Refusal]:
    measured = (
        ("files", len(change.files), policy.max_files),
        ("changed lines", change.lines, policy.max_lines),
        ("bytes of patch", len(change.patch.encode(errors="replace")), policy.max_patch_bytes),
    )
    for what, size, limit in measured:
        if size > limit:
            text = f"The change is too large: {size:,} {what}, and {limit:,} are allowed. Split the task."
            yield Refusal(rule="size", path="", text=text)


def _about_path(path: str, policy: GatePolicy) -> Iterator[Refusal]:
    try:
        if normalise(path) != path:
            raise ValueError("the path is not in its plain form")
    except ValueError as wrong:
        yield Refusal(rule="path", path=path, text=f"This path is not allowed: {wrong}.")
    for rule, patterns, why in FORBIDDEN:
        if matches(path, patterns):
            yield Refusal(rule=rule, path=path, text=f"{path}: {why}.")
    if is_secret_file(path):
        yield Refusal(rule="secret file", path=path, text=f"{path}: files that hold secrets may not be changed.")
    if policy.declared and not declared(path, policy.declared):
        names = ", ".join(policy.declared[:5]) + (", ..." if len(policy.declared) > 5 else "")
        text = f"{path} is not among the task's files ({names}). Leave it as it was."
        yield Refusal(rule="declared", path=path, text=text)


def _about_kind(file: FileChange) -> Iterator[Refusal]:
    modes = {file.old_mode, file.new_mode}
    rows = (
        ("symlink", SYMLINK in modes, "symbolic links may not be changed"),
        ("submodule", SUBMODULE in modes, "submodules may not be changed"),
        ("type", file.status == "type_changed", "a file may not become another kind of thing"),
        ("mode", file.status == "modified" and len(modes) > 1, "a file's mode may not be changed"),
        ("binary", file.binary, "binary files may not be changed"),
    )
    for rule, is_so, why in rows:
        if is_so:
            yield Refusal(rule=rule, path=file.path, text=f"{file.path}: {why}.")


def _about_secrets(change: Change, added: tuple[_Line, ...], policy: GatePolicy) -> Iterator[Refusal]:
    """R-SEC-3, over the added lines of each file, joined, since a key may run over several."""
    if len(added) < sum(file.added for file in change.files):
        text = "The patch is incomplete, so it could not be searched for secrets."
        yield Refusal(rule="patch", path="", text=text)
    for path, group in groupby(added, key=lambda line: line.path):
        lines = list(group)
        is_fixture = matches(path, _FIXTURES) is not None
        for secret in find_secrets("\n".join(line.text for line in lines), policy.known_secrets):
            if is_fixture and secret.kind in (PASSWORD, URL_PASSWORD):
                continue
            where = f"{path}:{lines[secret.line - 1].number}"
            text = f"{where} adds what looks like a secret ({secret.kind}, {secret.preview}). Read it from settings."
            yield Refusal(rule="secret", path=path, text=text)


def _critical_reasons(change: Change, lines: tuple[_Line, ...], policy: GatePolicy) -> Iterator[str]:
    """What is security-critical code: by its path, by the project's rule, or by what a changed line does."""
    for file in change.files:
        if word := security_word(file.path):
            yield f"{file.path} is about {word}"
        if pattern := matches(file.path, policy.security_paths):
            yield f"{file.path} is among the project's security paths ({pattern})"
        if not _asked_for(file.path, policy):
            yield from (f"{why}, which nobody asked for" for why in _two_people(file.path))
    for line in lines:
        if code := critical_code(line.path, line.text):
            yield f"{line.path} {'uses' if line.added else 'used'} {code}"


def _asked_for(path: str, policy: GatePolicy) -> bool:
    return policy.routine or bool(policy.declared and declared(path, policy.declared))


def _two_people(path: str) -> Iterator[str]:
    return (f"{path} {why}" for why, patterns in TWO_PEOPLE if matches(path, patterns))


def _approval_reasons(change: Change, added: tuple[_Line, ...], policy: GatePolicy) -> Iterator[str]:
    """What two people have to look at, although its code is not security-critical."""
    for file in change.files:
        if _asked_for(file.path, policy):
            yield from _two_people(file.path)
        if file.status == "added" and file.new_mode == "100755":
            yield f"{file.path} is a new executable"
    for line in added:
        if line.path.casefold().endswith("package.json") and _INSTALL_SCRIPT.search(line.text):
            yield f"{line.path} changes a script that runs at install"


def security_word(path: str) -> str | None:
    """The first word of the path that means authentication, authorisation or cryptography, if any."""
    if matches(path, _PROSE):
        return None
    words = re.findall(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+[a-z]+", path)
    return next((word.lower() for word in words if word.lower() in SECURITY_WORDS), None)


class _Line(NamedTuple):
    """A line that a patch adds or removes: the file's path, the line's number in the new file, its text."""

    path: str
    number: int
    text: str
    added: bool = True


_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def _changed_lines(patch: str) -> Iterator[_Line]:
    """Changed lines of a unified diff. Hunks are read by their counts, so that no content passes for a header;
    a line that fits nowhere counts as added, so that nothing escapes the search."""
    before, path, number, old_left, new_left = "", "", 0, 0, 0
    for text in patch.split("\n"):
        if old_left <= 0 and new_left <= 0:
            if text.startswith("--- "):
                before = _header_path(text[4:], "a/")
            elif text.startswith("+++ "):
                path = _header_path(text[4:], "b/")
            elif hunk := _HUNK.match(text):
                old_left, number, new_left = int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1)
        elif text.startswith("-"):
            yield _Line(before, number, text[1:], added=False)
            old_left -= 1
        elif text.startswith(" ") or text == "":
            old_left, new_left, number = old_left - 1, new_left - 1, number + 1
        elif not text.startswith("\\"):
            yield _Line(path, number, text.removeprefix("+"))
            new_left, number = new_left - 1, number + 1


def _header_path(text: str, side: str) -> str:
    """The path in a `---` or `+++` line: git quotes odd names in the way of C, and ends names with blanks by a tab."""
    name = text.rstrip("\t\r")
    if name.startswith('"') and name.endswith('"'):
        raw = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), name[1:-1])
        raw = re.sub(r"\\(.)", r"\1", raw)
        name = raw.encode("latin-1", errors="replace").decode(errors="replace")
    return name.removeprefix(side)
