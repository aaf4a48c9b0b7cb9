"""Path rules: what may be named, and what a pattern covers (R-SEC; FACTS, "Sandbox and git")."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.paths import declared, is_inside, matches, may_share, normalise

GOOD = [
    ("src/a.py", "src/a.py"),
    ("./src//a.py", "src/a.py"),
    ("a/./b.txt", "a/b.txt"),
    ("docs/", "docs"),
    (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
    ("pages/[id].tsx", "pages/[id].tsx"),
    ("Ação/ficheiro.md", "Ação/ficheiro.md"),
    ("a b/c.txt", "a b/c.txt"),
    ("..hidden/x", "..hidden/x"),
    (".gitignore", ".gitignore"),
]
BAD = [
    ("", "empty"),
    ("./", "empty"),
    ("../x", ".."),
    ("a/../../x", ".."),
    ("/etc/passwd", "absolute"),
    ("C:/x", "absolute"),
    ("a\\b", "backslash"),
    ("a\nb", "control"),
    ("a\x00b", "control"),
    (".g\u200cit/config", "invisible"),
    (".git/config", "git's own"),
    ("sub/.GIT/hooks/x", "git's own"),
    (".git. ./x", "git's own"),
    (".git::$INDEX_ALLOCATION/x", "git's own"),
    ("GIT~1/config", "git's own"),
    ("git~2/config", "git's own"),
    ("a/" * 300 + "b", "too long"),
    ("é" * 128, "too long"),
]


@pytest.mark.parametrize(("path", "plain"), GOOD)
def test_a_plain_path_is_kept(path: str, plain: str) -> None:
    assert normalise(path) == plain


@pytest.mark.parametrize(("path", "why"), BAD)
def test_a_bad_path_is_refused_with_the_reason(path: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace(".", r"\.")):
        normalise(path)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_normalised_path_stays_inside_and_is_stable(path: str) -> None:
    try:
        plain = normalise(path)
    except ValueError:
        return
    assert normalise(plain) == plain
    assert not plain.startswith("/")
    assert ".." not in plain.split("/")


MATCHES = [
    # a name anywhere
    ("*.lock", "yarn.lock", True),
    ("*.lock", "app/Cargo.LOCK", True),
    ("*.lock", "app/lock.py", False),
    ("Dockerfile*", "deploy/dockerfile.prod", True),
    ("Dockerfile*", "deploy/my-dockerfile", False),
    ("auth", "src/auth/login.py", True),
    # from the root
    ("src/*.py", "src/a.py", True),
    ("src/*.py", "src/deep/a.py", False),
    ("/README.md", "README.md", True),
    ("/README.md", "docs/README.md", False),
    ("./src/a.py", "src/a.py", True),
    # folders
    ("docs/", "docs/a.md", True),
    ("docs/", "docs", False),
    ("docs/", "x/docs/a.md", True),
    ("src/auth", "src/auth/x.py", True),
    ("src/auth", "src/authors.py", False),
    # any depth
    ("**/auth/**", "src/auth/login.ts", True),
    ("**/auth/**", "AUTH/login.ts", True),
    ("**/auth/**", "a/b/auth/c/d.ts", True),
    ("**/auth/**", "src/authors/x.ts", False),
    ("**/auth/**", "src/auth", False),
    ("src/**/test_*.py", "src/test_a.py", True),
    ("src/**/test_*.py", "src/x/y/test_a.py", True),
    ("src/**/test_*.py", "lib/src/test_a.py", False),
    ("a/**/b/**/c", "a/x/b/b/y/c", True),
    ("**/*auth*", "src/oauth_client.py", True),
    ("**", "any/thing", True),
    ("**/", "any/thing", True),
    # sets, and names that look like sets
    ("v[0-9].txt", "v7.txt", True),
    ("v[!0-9].txt", "v7.txt", False),
    ("v[!0-9].txt", "vx.txt", True),
    ("pages/[id].tsx", "pages/[id].tsx", True),
    ("pages/[...slug].tsx", "pages/[...slug].tsx", True),
    ("x[z-a]", "x[z-a]", True),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("", "a", False),
]


@pytest.mark.parametrize(("pattern", "path", "covered"), MATCHES)
def test_patterns_read_like_gitignore(pattern: str, path: str, covered: bool) -> None:
    assert matches(path, [pattern]) == (pattern if covered else None)


def test_the_first_matching_pattern_is_named() -> None:
    assert matches("src/auth/a.py", ["*.md", "src/", "**/auth/**"]) == "src/"


@settings(deadline=None)
@given(st.text(max_size=30), st.text(alphabet="a*?[]!/.-^\\&|", max_size=20))
def test_no_pattern_breaks_the_matcher(path: str, pattern: str) -> None:
    matches(path, [pattern])


@pytest.mark.parametrize("pattern", ["*a" * 30 + "b", "**/a/" * 30 + "b", "**/*a*a*a*/" * 10 + "b"])
def test_a_hostile_pattern_takes_no_time(pattern: str) -> None:
    started = time.process_time()
    matches("a" * 200 + "/" + "a/" * 100 + "c", [pattern])
    assert time.process_time() - started < 2, "of this process, whatever else the machine does"


INSIDE = [
    ("src/a.py", "src", True),
    ("SRC/a.py", "src/", True),
    ("srcs/a.py", "src", False),
    ("a", ".", True),
]


@pytest.mark.parametrize(("path", "folder", "inside"), INSIDE)
def test_inside_a_folder(path: str, folder: str, inside: bool) -> None:
    assert is_inside(path, folder) is inside


DECLARED = [
    ("README.md", "README.md", True),
    ("README.md", "docs/README.md", False),
    ("docs", "docs/a/b.md", True),
    ("docs/", "x/docs/a.md", False),
    ("src/a.py", "SRC/a.py", True),
    ("*.md", "docs/a.md", True),
    ("src/**/*.ts", "src/x/a.ts", True),
    ("[id].tsx", "[id].tsx", True),
]


@pytest.mark.parametrize(("file", "path", "covered"), DECLARED)
def test_a_declared_name_is_at_the_root(file: str, path: str, covered: bool) -> None:
    assert declared(path, [file]) == (file if covered else None)


# R-PAR-2: two tasks that may touch the same file
SHARED = [
    ("src/a.py", "src/A.py", True),
    ("src/a.py", "src/b.py", False),
    ("src/", "src/a.py", True),
    ("src/a.py", "src", True),
    ("src/a.py", "src/*.py", True),
    ("lib/a.py", "src/**/*.py", False),
    ("*.md", "src/a.py", True),
    ("src/a", "src/ab", False),
    ("./src/a.py", "/src/a.py", True),
]


@pytest.mark.parametrize(("ours", "theirs", "shared"), SHARED)
def test_which_declarations_may_meet(ours: str, theirs: str, shared: bool) -> None:
    assert (may_share([ours], [theirs]) is not None) is shared
    assert (may_share([theirs], [ours]) is not None) is shared
