"""What a file is, from its path alone: documentation, test, CI, configuration, schema, styling or source."""

from __future__ import annotations

import re
from enum import StrEnum


class FileKind(StrEnum):
    DOCS = "docs"
    TEST = "test"
    CI = "ci"
    LOCK = "lock"
    CONFIG = "config"
    SCHEMA = "schema"
    STYLE = "style"
    SOURCE = "source"


#: What package managers write for themselves, as patterns (paths.matches). FileKind.LOCK is narrower: the router was
#: trained with it.
LOCK_FILES = (
    *("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "*.lock", "*.lockb", "go.sum"),
    *("*.lockfile", "packages.lock.json", "Package.resolved"),
)
_IN = r"(?:^|.*/)"
#: How code ends. A file of code is no document, whatever it is named: `security.py` works, `SECURITY.md` tells.
_CODE = r"\.(?:[cm]?[jt]sx?|vue|svelte|py|rb|php|go|rs|java|kt|cs|swift)$"
#: The first pattern that covers the lower-cased path decides. Order matters: a test of a migration is a test.
_KINDS: tuple[tuple[FileKind, str], ...] = (
    (
        FileKind.CI,
        rf"{_IN}\.github/.*|{_IN}\.circleci/.*|{_IN}\.(?:buildkite|husky|drone|semaphore)/.*|{_IN}\.?(?:gitlab-ci|travis|"
        rf"azure-pipelines|appveyor|codecov|codeowners|dependabot|renovate|mergify|goreleaser)[\w.-]*|{_IN}jenkinsfile|"
        rf"{_IN}(?:ci|enos)/.*|.*\.rb\.lock",
    ),
    (
        FileKind.LOCK,
        rf"{_IN}(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|cargo\.lock|poetry\.lock|pdm\.lock|"
        rf"uv\.lock|gemfile\.lock|composer\.lock|go\.sum|requirements[\w.-]*\.txt)",
    ),
    (
        FileKind.TEST,
        rf"{_IN}(?:tests?|testing|[\w-]+-tests?|__tests__|__mocks__|spec|specs|spec-main|e2e|testdata|fixtures|__snapshots__|\.snapshots|cypress|benchmarks?|tap)/.*"
        rf"|.*[._-](?:test|tests|spec|e2e|bench|snap)\.[\w.]+|{_IN}(?:test_[^/]+|conftest|[^/]*_test)\.\w+|.*\.snap",
    ),
    (
        FileKind.DOCS,
        rf".*\.(?:md|mdx|mdc|rst|adoc|txt|png|jpe?g|gif|svg|webp|ico|pdf|mp4)|{_IN}(?:docs?|documentation|\.changeset)/.*|"
        rf"{_IN}website/(?!.*{_CODE}).*|"
        rf"{_IN}(?:licen[cs]e|authors|notice|changelog|readme|contributing|security|maintainers)(?:\.md)?(?:\.(?:gotmpl|spdx))?|"
        rf"{_IN}security-insights\.ya?ml|"
        rf"{_IN}(?:sidebars?\.(?:json|[jt]s)|(?:mkdocs|docusaurus)[\w.-]*\.\w+)",
    ),
    (FileKind.SCHEMA, rf".*\.(?:sql|prisma)|{_IN}(?:migrations?|alembic|alterations)/.*"),
    (FileKind.STYLE, r".*\.(?:css|scss|sass|less|styl)"),
    (
        FileKind.CONFIG,
        rf".*\.(?:json|jsonc|json5|ya?ml|toml|ini|cfg|conf|properties|env[\w.]*|lock|hcl|tf|nix|mod|work|gni?|bzl|plist|proto\.lock|sh|ps1)|"
        rf"{_IN}(?:dockerfile|makefile|procfile|taskfile|justfile|rakefile|gemfile|magefile)[\w.-]*|{_IN}\.[^/]+|"
        rf"{_IN}[\w.-]+\.config\.[cm]?[jt]s|{_IN}(?:scripts?|script|hack|tools|\.vscode|\.devcontainer|docker)/.*|"
        rf"{_IN}(?:deps|build\.gn|vitest\.workspace\.ts|setup\.(?:py|cfg))",
    ),
)
_COMPILED = tuple((kind, re.compile(pattern, re.DOTALL)) for kind, pattern in _KINDS)


def kind_of(path: str) -> FileKind:
    """The kind of one file. What no pattern covers is source."""
    lower = path.lower()
    return next((kind for kind, pattern in _COMPILED if pattern.fullmatch(lower)), FileKind.SOURCE)
