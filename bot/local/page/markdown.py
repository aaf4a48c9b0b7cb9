"""Standard Markdown (the `markdown` block) as safe HTML: the part of it that Slack renders.

Headings, emphasis, code, links, lists with tasks, quotes, tables and rules. Anything else is shown as text.
"""

import re
from collections.abc import Callable
from html import escape

from markupsafe import Markup

from bot.local.page.emoji import replace_shortcodes
from bot.local.page.mrkdwn import BARE_URL, Kept, Reader, link, reference, unmarked

_FENCE = re.compile(r"(?:```|~~~)\s*([\w+-]*)\s*")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*")
_ITEM = re.compile(r"(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(.*)")
_TASK = re.compile(r"\[([ xX])\]\s+(.*)")
_RULE = re.compile(r"\s*(?:-\s*){3,}|\s*(?:\*\s*){3,}|\s*(?:_\s*){3,}")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_CODE = re.compile(r"(`+)(.+?)\1")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\(([^()\s]+)\)")
_ANGLE = re.compile(r"<([^<>\n]+)>")
_STYLES = (
    (re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"), r"<strong>\2</strong>"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])"), r"<em>\1</em>"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_]+?)(?<=\S)_(?![\w_])"), r"<em>\1</em>"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"<s>\1</s>"),
)


def markdown(text: str, reader: Reader) -> Markup:
    """A Markdown text as HTML."""
    return Markup(_blocks(unmarked(text).split("\n"), reader))


def inline(text: str, reader: Reader) -> str:
    """One run of Markdown text, without blocks, as HTML."""
    keep = Kept()
    text = _CODE.sub(lambda m: keep(f"<code>{escape(m[2].strip())}</code>"), text)
    text = re.sub(r"\\([\\`*_{}\[\]()#+.!|~>-])", lambda m: keep(escape(m[1])), text)
    text = _LINK.sub(lambda m: keep(link(m[2], m[1])), text)
    text = _ANGLE.sub(lambda m: keep(reference(m[1], reader)), text)
    text = BARE_URL.sub(lambda m: keep(link(m[0])), text)
    html = escape(replace_shortcodes(text))
    for pattern, form in _STYLES:
        html = pattern.sub(form, html)
    return keep.back_in(html)


def _blocks(lines: list[str], reader: Reader) -> str:
    html: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif fence := _FENCE.fullmatch(line.strip()):
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == line.strip()[:3]), len(lines))
            html.append(f'<pre data-lang="{escape(fence[1])}">{escape(chr(10).join(lines[at + 1 : end]))}</pre>')
            at = end + 1
        elif heading := _HEADING.fullmatch(line.strip()):
            level = min(len(heading[1]), 3)
            html.append(f'<div class="md-h md-h{level}">{inline(heading[2], reader)}</div>')
            at += 1
        elif _RULE.fullmatch(line):
            html.append("<hr>")
            at += 1
        elif line.lstrip().startswith(">"):
            end = _run(lines, at, lambda other: other.lstrip().startswith(">"))
            inner = [re.sub(r"^\s*>\s?", "", quoted) for quoted in lines[at:end]]
            html.append(f"<blockquote>{_blocks(inner, reader)}</blockquote>")
            at = end
        elif _ITEM.fullmatch(line):
            end = _run(lines, at, lambda other: bool(_ITEM.fullmatch(other)) or other.startswith("  "))
            html.append(_list(lines[at:end], reader))
            at = end
        elif "|" in line and at + 1 < len(lines) and _TABLE_RULE.fullmatch(lines[at + 1]):
            end = _run(lines, at + 2, lambda other: "|" in other)
            html.append(_table([line, *lines[at + 2 : end]], reader))
            at = end
        else:
            end = _run(lines, at + 1, lambda other: bool(other.strip()) and not _starts_block(other))
            html.append(f"<p>{'<br>'.join(inline(part, reader) for part in lines[at:end])}</p>")
            at = end
    return "".join(html)


def _run(lines: list[str], at: int, belongs: Callable[[str], bool]) -> int:
    """The number of the first line from `at` on that does not belong."""
    while at < len(lines) and belongs(lines[at]):
        at += 1
    return at


def _starts_block(line: str) -> bool:
    stripped = line.strip()
    return bool(
        _FENCE.fullmatch(stripped) or _HEADING.fullmatch(stripped) or _ITEM.fullmatch(line) or stripped.startswith(">")
    )


def _list(lines: list[str], reader: Reader) -> str:
    items: list[str] = []
    for line in lines:
        item = _ITEM.fullmatch(line)
        if not item:
            items[-1] = items[-1].removesuffix("</span></span>") + f"<br>{inline(line.strip(), reader)}</span></span>"
            continue
        depth = min(len(item[1].expandtabs(4)) // 2, 4)
        marker, text = f"{item[2]}." if item[2] else "•", item[3]
        if task := _TASK.fullmatch(text):
            marker, text = ("☑" if task[1] in "xX" else "☐"), task[2]
        items.append(f'<span class="item item-{depth}"><span>{marker}</span><span>{inline(text, reader)}</span></span>')
    return f'<div class="md-list">{"".join(items)}</div>'


def _table(lines: list[str], reader: Reader) -> str:
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))] for row in lines]
    head = "".join(f"<th>{inline(cell, reader)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{inline(cell, reader)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    table = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="table-scroll"><table class="table">{table}</table></div>'
