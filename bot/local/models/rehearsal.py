"""What the emulated models answer when nothing was scripted: harmless, plausible, and labelled everywhere.

The task's text stands verbatim at the start of the first user message, and more follows it: paths, and perhaps
contents as `<file path="...">...</file>` (with `from_line="..."`: only a part of them). An example task of the
sample repository gets the edits that really solve it; any other gets a small edit of the file that it names, or
a page under docs/. A line `Change only: a, b` keeps the edit within those."""

from __future__ import annotations

import json
import re

from bot.local.models.script import Call, Reply
from bot.local.sample import EXAMPLES, Edit, create

LABEL = "Rehearsal:"
_FILE = re.compile(r'<file path="([^"]+)">\n?(.*?)</file>', re.DOTALL)
_TASK = re.compile(r"<task>(.*?)</task>", re.DOTALL)
_AFTER = re.compile(r"^(?:Change only:|These commands|Learned from|What people wrote|Paths\b.*:$|<file )", re.MULTILINE)
_ALLOWED = re.compile(r"^Change only:(.*)$", re.MULTILINE)
_COMMANDS = re.compile(r"^These commands.*$", re.MULTILINE)
_PATH = re.compile(r"(?<![\w/:.@-])((?:[\w.-]+/)*[\w-][\w.-]*\.[a-zA-Z]\w{0,7})(?![\w/])")
_CLASSIFY = re.compile(r"\bclassify\b.*\bcomplexity\b", re.IGNORECASE | re.DOTALL)
#: What a classification answers, by the first words that fit: type, complexity, security.
_KINDS = (
    (r"log-?in|password|token|permission|encrypt|secret|auth", "auth high yes"),
    (r"page|text|guide|explain|wording|readme", "docs low no"),
    (r"broken|wrong|error|fails?\b|crash", "debug high no"),
    (r"tests?\b", "tests medium no"),
    (r"settings?|configur", "config low no"),
)
_COMMENTS = {
    "#": ("py", "sh", "yml", "yaml", "toml", "rb", "cfg", "ini", "tf"),
    "//": ("js", "jsx", "ts", "tsx", "mjs", "go", "rs", "java", "c", "h", "cpp", "cs", "swift", "kt"),
    "--": ("sql", "lua"),
}
_PREFIX = {suffix: mark for mark, suffixes in _COMMENTS.items() for suffix in suffixes}


def rehearse(call: Call) -> Reply:
    """The answer to any call."""
    if call.provider == "gemini" and "responseSchema" in call.body.get("generationConfig", {}):
        return _review(call)
    if _CLASSIFY.search(str(call.body.get("system", ""))):
        return Reply(text=_classified(call.text))
    if '{"parts":' in str(call.body.get("system", "")):
        return Reply(text=_split(call.text))
    if not call.body.get("tools"):
        return Reply(text=f"{LABEL} no model was asked.")
    if len(call.body["messages"]) > 1:
        return Reply(text=f"{LABEL} the edits were made; nothing more to do.")
    edits = edits_for(call.text)
    paths = ", ".join(dict.fromkeys(edit.path for edit in edits))
    return Reply(text=f"{LABEL} no model was asked. A scripted edit of {paths}.", edits=edits)


def edits_for(message: str) -> tuple[Edit, ...]:
    """Edits that fit the task in a first user message."""
    files = dict(_FILE.findall(message))
    for example in EXAMPLES:
        if example.text in message and _fits(example.edits, files):
            return example.edits
    task = _task(message)
    path = _target(message, task)
    others = [each for each in _allowed(message) if each != path and _PATH.fullmatch(each)]
    if any(each in files or _exists(each, task, message) for each in (path, *others)):
        others = []  # only where the task is to begin them all is none left out
    return (_edit(path, task, message, files), *(create(each, _new_text(each, task)) for each in others))


def _classified(text: str) -> str:
    """Three words, as a classifier is asked for them."""
    found = (answer for words, answer in _KINDS if re.search(words, text, re.IGNORECASE))
    return next(found, "logic medium no")


def _split(message: str) -> str:
    """Two parts, one after the other: the files that are named, or the halves of the work."""
    task = _task(message)
    title = task.splitlines()[0][:80]
    allowed = _ALLOWED.search(message)
    files = [path.strip() for path in allowed[1].split(",")] if allowed else []
    parts = [
        {"text": f"{LABEL} the first half of “{title}”", "files": files[:1], "criteria": ["the first half is there"]},
        {"text": f"{LABEL} the rest of “{title}”", "files": files[1:], "after": [1]},
    ]
    return json.dumps({"parts": parts}, ensure_ascii=False)


def _review(call: Call) -> Reply:
    changed = re.search(r"^\+\+\+ b/(\S+)", call.text, re.MULTILINE)
    finding = {
        "severity": "low",
        "file": changed[1] if changed else "",
        "line": None,
        "message": f"{LABEL} no model read this change; this finding is scripted.",
    }
    return Reply(review={"verdict": "approve", "quality_score": 8.5, "findings": [finding]})


def _fits(edits: tuple[Edit, ...], files: dict[str, str]) -> bool:
    """Whether the edits apply to the contents that were sent, where they were sent."""
    return all(
        str(edit.inputs["old_str"]) in files.get(edit.path, str(edit.inputs["old_str"]))
        for edit in edits
        if edit.command == "str_replace"
    )


def _task(message: str) -> str:
    marked, after = _TASK.search(message), _AFTER.search(message)
    text = marked[1] if marked else message[: after.start() if after else None]
    return text.strip() or "the task"


def _exists(path: str, task: str, message: str) -> bool:
    """Whether the repository seems to hold the path: it is spoken of beside the task and the rules."""
    rest = _COMMANDS.sub("", _ALLOWED.sub("", message.replace(task, "", 1)))
    return re.search(rf"(?<![\w/.-]){re.escape(path)}(?![\w/.-])", rest) is not None


def _target(message: str, task: str) -> str:
    """The file to edit: one that may be changed and is named, else the first that may be, else a new page."""
    named = [path.removeprefix("./") for path in _PATH.findall(task) if ".." not in path]
    allowed = [path for path in _allowed(message) if _PATH.fullmatch(path)]
    chosen = [path for path in named if not allowed or path in allowed] or allowed
    return chosen[0] if chosen else f"docs/{_slug(task)}.md"


def _allowed(message: str) -> list[str]:
    """The only paths that may be changed; none = any."""
    line = _ALLOWED.search(message)
    return [part.strip(" `") for part in line[1].split(",")] if line else []


def _with_key(known: str | None, task: str) -> str | None:
    """A JSON object with the note as one more key; None for anything else, since JSON has no comments."""
    try:
        whole = json.loads(known or "")
    except ValueError:
        return None
    if not isinstance(whole, dict):
        return None
    return json.dumps({**whole, "rehearsal": task.splitlines()[0][:80]}, indent=2) + "\n"


def _slug(task: str) -> str:
    words = re.findall(r"[a-z0-9]+", task.splitlines()[0].lower())
    return "-".join(words[:6])[:60] or "rehearsal"


def _edit(path: str, task: str, message: str, files: dict[str, str]) -> Edit:
    """A new file, or a note in the one that is there."""
    known = files.get(path)
    if known is None and not _exists(path, task, message):
        return create(path, _new_text(path, task))
    note = _note(path, task)
    if note is None and (kept := _with_key(known, task)) is not None:
        return create(path, kept)
    if note is None and path in _allowed(message):
        return create(path, _new_text(path, task))
    if note is None:
        return create(f"docs/{_slug(task)}.md", _new_text("x.md", task))
    line = 1 if known is not None and known.startswith("#!") else 0
    if known is not None and path.endswith(".md"):
        line = len(known.splitlines())
    return Edit("insert", path, {"insert_line": line, "insert_text": note})


def _note(path: str, task: str) -> str | None:
    """One line that changes nothing when the file runs; None where no such line exists (JSON)."""
    title = task.splitlines()[0][:80]
    suffix = path.rpartition(".")[2].lower()
    if suffix in ("md", "txt", "rst"):
        return f"\n{LABEL} {title}\n"
    return f"{_PREFIX[suffix]} {LABEL} {title}\n" if suffix in _PREFIX else None


def _new_text(path: str, task: str) -> str:
    title = task.splitlines()[0][:80]
    match path.rpartition(".")[2].lower():
        case "md":
            return f"# {title}\n\n{LABEL} no model was asked; this page stands in for its answer.\n\n{task}\n"
        case "json":
            return json.dumps({"rehearsal": title}, indent=2) + "\n"
        case _:
            return _note(path, task) or f"{LABEL} {title}\n"
