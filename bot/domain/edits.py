"""Apply a model's text-editor calls to the contents of files (DESIGN, "Context and edits").

The caller asks `edited_paths` which existing files the calls name, reads those from git, and applies the calls:
each sees the results of those before it, and each gets a short answer that the model can act on. A wrong call
changes nothing and never raises. There is no call that deletes or renames a file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.domain.calls import EditCall
from bot.domain.paths import normalise
from bot.domain.secrets import is_secret_file
from bot.domain.task import Frozen

MAX_VIEW_LINES = 400
MAX_VIEW_CHARS = 16_000
MAX_LISTED = 200  # paths shown of a folder


class ToolResult(Frozen):
    """The answer to one call. An error means that this call changed nothing."""

    call_id: str
    is_error: bool
    text: str


class Applied(Frozen):
    """What the calls made: the new text of each file that differs from before, and one result per call."""

    changes: dict[str, str]
    results: tuple[ToolResult, ...]

    @property
    def errors(self) -> tuple[ToolResult, ...]:
        return tuple(result for result in self.results if result.is_error)


def edited_paths(existing_paths: Collection[str], calls: Iterable[EditCall]) -> tuple[str, ...]:
    """Existing files that the calls name, which the caller has to read before it applies them. Files that
    may hold secrets are never among them (R-SEC-3)."""
    tree = _Tree(existing_paths)
    named = (tree.find(call.path) for call in calls)
    return tuple(dict.fromkeys(path for path in named if path is not None and not is_secret_file(path)))


def apply_edits(files: Mapping[str, str], existing_paths: Collection[str], calls: Sequence[EditCall]) -> Applied:
    """Apply the calls in their order. `files` are the known texts, by path; a path that exists and is not among
    them is taken for one that is no readable text. `create` on an existing file is a full rewrite of it."""
    editor = _Editor(files, existing_paths)
    results = tuple(editor.answer(call) for call in calls)
    changes = {path: text for path, text in editor.texts.items() if files.get(path) != text}
    return Applied(changes=changes, results=results)


class _Tree:
    """Which files and folders there are, compared without regard to case."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.files: dict[str, str] = {}
        self.exact: set[str] = set()
        self.folders: set[str] = set()
        for path in paths:
            self.add(path)

    def add(self, path: str) -> None:
        self.exact.add(path)
        self.files.setdefault(path.casefold(), path)
        self.folders.update(_ancestors(path.casefold()))

    def find(self, written: str) -> str | None:
        """The existing file that a model's path means, if any."""
        try:
            path = self.resolve(written)
        except ValueError:
            return None
        return path if path in self.exact else None

    def resolve(self, written: str) -> str:
        """The path that a model means: relative to the root, `/x` and `/repo/x` too where that is clear.
        Raises ValueError for a path that is not allowed, unclear, or in the way of another file."""
        path = self._relative(written)
        path = path if path in self.exact else self.files.get(path.casefold(), path)
        if blocked := next((f for f in _ancestors(path.casefold()) if f in self.files), None):
            raise ValueError(f"{self.files[blocked]} is a file, not a folder")
        return path

    def _relative(self, written: str) -> str:
        if not written.startswith("/"):
            return normalise(written)
        inner = normalise(written.lstrip("/"))
        shorter = inner.removeprefix("repo/")
        known = [path for path in dict.fromkeys((inner, shorter)) if path.casefold() in self.files]
        if len(known) == 1:
            return known[0]
        if known or (shorter != inner and "repo" in self.folders):
            raise ValueError("the path is unclear; write it relative to the repository's root")
        top = shorter.split("/")[0].casefold()
        if shorter == inner and "/" in inner and top not in self.folders:
            raise ValueError("the path is outside the repository; write it relative to the root")
        return shorter


def _ancestors(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


class _Editor:
    """The files as the calls so far have left them. Methods raise ValueError for a call that is refused."""

    def __init__(self, files: Mapping[str, str], existing: Collection[str]) -> None:
        self.tree = _Tree((*existing, *files))
        self.texts = dict(files)

    def answer(self, call: EditCall) -> ToolResult:
        try:
            return ToolResult(call_id=call.id, is_error=False, text=self._run(call))
        except ValueError as refusal:
            return ToolResult(call_id=call.id, is_error=True, text=f"{_shown(call.path)}: {refusal}")

    def _run(self, call: EditCall) -> str:
        if call.command == "view" and call.path.strip() in ("", "/", ".", "./", "/repo", "/repo/"):
            return self._listing("")
        path = self.tree.resolve(call.path)
        if is_secret_file(path):
            raise ValueError("this file may hold secrets; it is neither read nor changed")
        if path.casefold() in self.tree.folders:
            if call.command == "view":
                return self._listing(path)
            raise ValueError("this is a folder")
        match call.command:
            case "view":
                return _numbered(self._text(path))
            case "create":
                return self._create(path, call.file_text)
            case "str_replace":
                return self._replace(path, call.old_str, call.new_str)
            case "insert":
                return self._insert(path, call.insert_line, call.insert_text)
        raise ValueError("no such command; use view, create, str_replace or insert")

    def _text(self, path: str) -> str:
        if path in self.texts:
            return self.texts[path]
        if path in self.tree.exact:
            raise ValueError("this file cannot be read as text")
        raise ValueError("no such file")

    def _listing(self, folder: str) -> str:
        prefix = f"{folder}/".casefold() if folder else ""
        inside = sorted(p for p in self.tree.exact if p.casefold().startswith(prefix))
        more = [f"... and {len(inside) - MAX_LISTED} more"] if len(inside) > MAX_LISTED else []
        return "\n".join(inside[:MAX_LISTED] + more)

    def _create(self, path: str, text: str | None) -> str:
        if text is None:
            raise ValueError("create needs file_text")
        if path in self.tree.exact and path not in self.texts:
            raise ValueError(f"{_shown(path)} is no text file, so it cannot be rewritten")
        verb = "Rewrote" if path in self.tree.exact else "Created"
        old = self.texts.get(path)
        return self._put(path, _in_style(text, old or text), f"{verb} {path}.")

    def _replace(self, path: str, old: str | None, new: str | None) -> str:
        raw = self._text(path)
        text, wanted = _plain(raw), _plain(old or "")
        if not wanted:
            raise ValueError("str_replace needs old_str; use insert or create to add text")
        places = _places(text, wanted)
        if len(places) != 1:
            raise ValueError(_why_not_one(text, wanted, places))
        start = places[0]
        line = text.count("\n", 0, start) + 1
        return self._splice(path, start, start + len(wanted), new or "", f"Replaced text at line {line}.")

    def _insert(self, path: str, after: int | None, added: str | None) -> str:
        text = _plain(self._text(path))
        lines: list[str] = re.findall(r"[^\n]*\n|[^\n]+", text)
        if after is None or not added:
            raise ValueError("insert needs insert_line and insert_text")
        if not 0 <= after <= len(lines):
            raise ValueError(f"insert_line is {after}; it must be from 0 to {len(lines)}")
        at = sum(len(line) for line in lines[:after])
        added = _plain(added).removesuffix("\n") + "\n"
        if at and text[at - 1] != "\n":
            added = "\n" + added.removesuffix("\n")
        at = 1 if at == 0 and text.startswith("\ufeff") else at
        return self._splice(path, at, at, added, f"Inserted text after line {after}.")

    def _splice(self, path: str, start: int, end: int, new: str, done: str) -> str:
        """Replace text[start:end], counted with every line end as one character; the rest keeps its own."""
        raw = self.texts[path]
        head, tail = raw[: _raw_offset(raw, start)], raw[_raw_offset(raw, end) :]
        return self._put(path, head + _in_style(new, raw) + tail, done)

    def _put(self, path: str, text: str, done: str) -> str:
        if self.texts.get(path) == text:
            raise ValueError("this edit changes nothing")
        if "\0" in text or not _encodable(text):
            raise ValueError("the text holds characters that no text file can hold")
        self.texts[path] = text
        self.tree.add(path)
        return done


def _numbered(text: str) -> str:
    """The text with line numbers, as the editor tool shows it; cut, with a word on it, where it is long."""
    lines = _plain(text).split("\n")
    if lines[-1] == "":
        lines.pop()
    numbered = "\n".join(f"{n:6}\t{line}" for n, line in enumerate(lines[:MAX_VIEW_LINES], 1))
    if len(lines) <= MAX_VIEW_LINES and len(numbered) <= MAX_VIEW_CHARS:
        return numbered
    return f"{numbered[:MAX_VIEW_CHARS]}\n... cut; the file has {len(lines)} lines"


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _in_style(text: str, like: str) -> str:
    """The text with the line ends that most lines of `like` have."""
    plain = _plain(text)
    return plain.replace("\n", "\r\n") if 2 * like.count("\r\n") > like.count("\n") else plain


def _raw_offset(raw: str, offset: int) -> int:
    """Where an offset that counts CRLF as one character lies in the raw text."""
    for match in re.finditer("\r\n", raw):
        if match.start() >= offset:
            break
        offset += 1
    return offset


def _places(text: str, wanted: str) -> list[int]:
    """The offsets at which the wanted text begins, overlapping ones too; no more than 100."""
    found: list[int] = []
    at = text.find(wanted)
    while at >= 0 and len(found) < 100:
        found.append(at)
        at = text.find(wanted, at + 1)
    return found


def _why_not_one(text: str, wanted: str, places: list[int]) -> str:
    if places:
        lines = [text.count("\n", 0, at) + 1 for at in places[:10]]
        named = ", ".join(map(str, lines)) + (", ..." if len(places) > 10 else "")
        return f"old_str was found {len(places)} times (lines {named}); add lines around it to make it unique"
    sought = next((line.split() for line in wanted.split("\n") if line.strip()), [])
    near = [n for n, line in enumerate(text.split("\n"), 1) if sought and line.split() == sought]
    if not near:
        return "old_str was found 0 times; its first line is not in the file"
    named = ", ".join(map(str, near[:10]))
    return f"old_str was found 0 times; its first line is at {named}: compare white space and what follows"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(path: str) -> str:
    """A path fit for a message, whatever the model wrote."""
    safe = re.sub(r"[^\w./@+\- \[\]()]", "?", path)
    return safe if len(safe) <= 120 else safe[:117] + "..."
