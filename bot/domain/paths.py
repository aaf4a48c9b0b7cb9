"""Rules about paths, shared by the edits, the gate and the router.

A path is relative to the repository's root, written with `/`, and compared without regard to case, since the
same name in another case is the same file on some of our users' disks (FACTS, "Sandbox and git").
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

#: The names of branches that Orch takes, as a pattern: git takes all of them, and no option looks so.
BRANCH = r"(?!.*(\.\.|//|@\{|\.lock(/|$)|/\.|\.$|/$))[A-Za-z0-9_][A-Za-z0-9._/+@-]*"
MAX_PATH = 400  # characters of a whole path
MAX_PART = 255  # UTF-8 bytes of one component, the limit of common file systems
_ODD = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # control, invisible, broken: never in a file's name
_GIT_FOLDER = re.compile(r"\.git|git~\d+")  # git~1: its short name on NTFS
#: Characters that HFS+ ignores, so that `.g<U+200C>it` is `.git` there.
_IGNORED = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def normalise(path: str) -> str:
    """The plain form of a relative path: no `./`, no doubled or trailing slash.

    Raises ValueError, whose text says what is wrong, for a path that is empty, absolute, over-long, leaves
    the root, enters git's own folder, or has a backslash or an invisible character.
    """
    if any(unicodedata.category(c) in _ODD for c in path):
        raise ValueError("the path has a control or invisible character")
    if "\\" in path:
        raise ValueError("the path has a backslash; use /")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        raise ValueError("the path is absolute; write it relative to the repository's root")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts:
        raise ValueError("the path is empty")
    if ".." in parts:
        raise ValueError("the path has `..`")
    if any(is_git_folder(part) for part in parts):
        raise ValueError("the path is in git's own folder")
    if len(path) > MAX_PATH or any(len(part.encode()) > MAX_PART for part in parts):
        raise ValueError("the path is too long")
    return "/".join(parts)


def is_git_folder(part: str) -> bool:
    """Whether a path's component is `.git` as case-insensitive, HFS+ or NTFS file systems read it (`.GIT`, `.git. `,
    `git~1`, `.git:x`)."""
    return _GIT_FOLDER.fullmatch(_IGNORED.sub("", part).partition(":")[0].rstrip(". ").casefold()) is not None


def is_inside(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies in it. The root is written `""` or `"."`."""
    inner, outer = path.casefold().strip("/"), folder.casefold().strip("/")
    return outer in ("", ".") or inner == outer or inner.startswith(outer + "/")


def matches(path: str, patterns: Iterable[str]) -> str | None:
    """The first of the patterns that covers the path, or None.

    Patterns are written as in .gitignore, without negation: one without a slash covers that name anywhere
    (`*.lock`, `Dockerfile*`), one with a slash starts at the root (`src/*.py`), `**/` is any depth, and what
    names a folder covers everything in it (`**/auth/**`, `docs/`). `[..]` is a set of characters, and itself
    too: `pages/[id].tsx` covers the file of that very name. Case does not matter. Takes linear time.
    """
    folded = path.casefold()
    return next((p for p in patterns if (regex := _compiled(p)) and regex.fullmatch(folded)), None)


def declared(path: str, files: Iterable[str]) -> str | None:
    """The first of a task's declared files, folders or patterns that covers the path, or None. Unlike a
    pattern, a plain name is that of one file or folder at the root: `README.md` is not `docs/README.md`."""
    return next((file for file in files if matches(path, [_rooted(file)])), None)


def may_share(ours: Iterable[str], theirs: Iterable[str]) -> str | None:
    """One of our declared files that may be, hold or lie in one of theirs, or None (R-PAR-2). Patterns are
    taken for the whole folder that they start in, so that two tasks are never wrongly held apart too little."""
    others = [fixed_part(file) for file in theirs]
    shared = (
        file
        for file, start in ((file, fixed_part(file)) for file in ours)
        if any(is_inside(start, other) or is_inside(other, start) for other in others)
    )
    return next(shared, None)


def _rooted(file: str) -> str:
    return file if re.search(r"[*?]", file) else "/" + file.lstrip("/")


@lru_cache(maxsize=65_536)
def fixed_part(file: str) -> str:
    """The folder, or file, before the first wildcard of a declared file."""
    parts = file.strip().removeprefix("./").strip("/").split("/")
    return "/".join(itertools.takewhile(lambda part: not re.search(r"[*?]", part), parts))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    text = pattern.strip().casefold().removeprefix("./")
    parts = [part for part in text.split("/") if part]
    if not parts:
        return None
    anchored = "/" in text.rstrip("/")
    end = "/.+" if text.endswith("/") else "(?:/.+)?"
    if parts[-1] == "**":
        while parts and parts[-1] == "**":
            parts.pop()
        end = "/.+" if parts else ".+"
    return re.compile(_path_regex(parts if anchored else ["**", *parts]) + end, re.DOTALL)


def _path_regex(parts: list[str]) -> str:
    """Runs of plain components between `**`; each run but the last is matched once, as early as can be."""
    runs: list[list[str]] = [[]]
    for part in parts:
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(_part_regex(part))
    head, *rest = ["/".join(run) for run in (runs[0], *(run for run in runs[1:] if run))]
    deep = [f"(?>(?:[^/]+/)*?{run}/)" for run in rest[:-1]] + [f"(?:[^/]+/)*{run}" for run in rest[-1:]]
    return (head + "/" if head and deep else head) + "".join(deep)


def _part_regex(part: str) -> str:
    """One component. As in `fnmatch`, every star but the last is atomic, so that nothing backtracks."""
    pieces = [_fixed_regex(piece) for piece in re.split(r"\*+", part)]
    if len(pieces) == 1:
        return pieces[0]
    middle = "".join(f"(?>[^/]*?{piece})" for piece in pieces[1:-1] if piece)
    return f"{pieces[0]}{middle}[^/]*{pieces[-1]}"


def _fixed_regex(piece: str) -> str:
    tokens: list[str] = re.findall(r"\[!?\]?[^\]/]*\]|.", piece, re.DOTALL)
    return "".join(_token_regex(token) for token in tokens)


def _token_regex(token: str) -> str:
    if token == "?":
        return "[^/]"
    if len(token) < 3:
        return re.escape(token)
    body, negated = (token[2:-1], "^/") if token.startswith("[!") else (token[1:-1], "")
    body = re.sub(r"\w-\w|.", lambda m: m[0] if len(m[0]) == 3 else re.escape(m[0]), body, flags=re.DOTALL)
    try:
        re.compile(f"[{negated}{body}]")
    except re.error:
        return re.escape(token)
    return f"(?:[{negated}{body}]|{re.escape(token)})"
