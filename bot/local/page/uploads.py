"""How an uploaded file is shown: a picture, lines of text (a diff in colour), or just its name and size."""

from dataclasses import dataclass
from pathlib import PurePath

PREVIEW_BYTES = 64_000
PREVIEW_LINES = 400

_IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


@dataclass(frozen=True)
class Preview:
    """`kind`: image, text or none. `lines`: pairs of css class and text. `cut`: there is more in the file."""

    kind: str
    label: str
    lines: tuple[tuple[str, str], ...] = ()
    cut: bool = False


def image_type(name: str) -> str | None:
    """The media type of a picture this page shows inline, by its name; never SVG, which can carry scripts."""
    return _IMAGES.get(PurePath(name).suffix.lower())


def preview(name: str, content: bytes) -> Preview:
    """What to show of a file without opening it."""
    suffix = PurePath(name).suffix.lower()
    label = suffix.removeprefix(".").upper() or "File"
    if image_type(name):
        return Preview("image", label)
    try:
        text = content[:PREVIEW_BYTES].decode()
    except UnicodeDecodeError as error:
        if error.start < min(len(content), PREVIEW_BYTES) - 4:
            return Preview("none", label)
        text = content[: error.start].decode()  # a character was cut in half
    if "\0" in text:
        return Preview("none", label)
    lines = text.splitlines()
    is_diff = suffix in (".diff", ".patch") or text.startswith(("diff --git ", "--- "))
    shown = tuple((_diff_class(line) if is_diff else "", line) for line in lines[:PREVIEW_LINES])
    return Preview(
        "text",
        "Diff" if is_diff else label,
        shown,
        len(lines) > PREVIEW_LINES or len(content) > PREVIEW_BYTES,
    )


def size(count: int) -> str:
    """Bytes in words."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _diff_class(line: str) -> str:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return "diff-file"
    return {"+": "diff-add", "-": "diff-del", "@": "diff-hunk"}.get(line[:1], "")
