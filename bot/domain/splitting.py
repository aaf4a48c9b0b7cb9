"""A task split into smaller ones (R-ESC-2): what a model proposes, and what a person writes in the form. Read strictly;
what cannot be read is said, and the task stays as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain import command_values as values
from bot.domain.command_values import MAX_FILES
from bot.domain.model_text import first_problem, read_json
from bot.domain.task import Frozen
from bot.errors import UserMistake

FEWEST, MOST = 2, 5
#: The most output of the one call that proposes a split; tokens.
MAX_PROPOSAL_TOKENS = 3_000
MAX_PART_TEXT = 2_000  # characters, so that a part fits its field of the form
MAX_CRITERIA = 10

_LINE = re.compile(r"\s*(files|after|criteria)\s*:\s*(.*)", re.IGNORECASE)


class Part(Frozen):
    """One smaller task. `after`: numbers of earlier parts (1 = the first) that must be finished first."""

    text: str
    files: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    after: tuple[int, ...] = ()


Parts = tuple[Part, ...]


class WirePart(BaseModel):
    """One part, as the model is asked to write it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    text: str = Field(min_length=1, max_length=MAX_PART_TEXT)
    files: list[str] = Field(default=[], max_length=MAX_FILES)
    criteria: list[str] = Field(default=[], max_length=MAX_CRITERIA)
    after: list[int] = []


class WireProposal(BaseModel):
    """The model's whole answer."""

    model_config = ConfigDict(strict=True, extra="forbid")

    parts: list[WirePart] = Field(min_length=FEWEST, max_length=MOST)


def parse_proposal(text: str, finished: bool) -> Parts | str:
    """The parts in a model's answer; or why there are none, in words for a person. One JSON object, alone or in one
    fence, and nothing else. `finished`: the provider said that the answer is whole."""
    if not finished:
        return "the proposal was cut off before its end"
    try:
        raw = read_json(text)
    except (ValueError, RecursionError):
        return "the proposal is not valid JSON"
    try:
        wire = WireProposal.model_validate(raw)
    except ValidationError as error:
        return f"the proposal does not have the agreed form: {first_problem(error)}"
    try:
        return tuple(_part(number, each.text, each.files, each.criteria, each.after)
                     for number, each in enumerate(wire.parts, 1))  # fmt: skip
    except UserMistake as mistake:
        return f"the proposal cannot be used: {mistake}"


def parse_form(fields: Sequence[str]) -> tuple[Parts, dict[int, str]]:
    """The parts that a person wrote, one field each, and what is wrong by the field's number (from 1). An empty field
    is a part left out; `after:` names fields, and one left out needs nothing."""
    written = [(number, field) for number, field in enumerate(fields, 1) if field.strip()]
    place = {number: at for at, (number, _) in enumerate(written, 1)}
    parts: list[Part] = []
    wrong: dict[int, str] = {}
    for number, field in written:
        try:
            part = read_part(number, field)
            parts.append(part.model_copy(update={"after": tuple(place[n] for n in part.after if n in place)}))
        except UserMistake as mistake:
            wrong[number] = str(mistake)
    if not wrong and not FEWEST <= len(parts) <= MOST:
        wrong[written[0][0] if written else 1] = f"A split has {FEWEST} to {MOST} parts, and these are {len(parts)}."
    return tuple(parts), wrong


def read_part(number: int, field: str) -> Part:
    """One part from its field of the form: lines that begin with `files:`, `criteria:` or `after:` say that, and all
    others are what is to be done. Raises UserMistake."""
    said: dict[str, list[str]] = {"files": [], "criteria": [], "after": []}
    text: list[str] = []
    for line in field.strip().splitlines():
        found = _LINE.fullmatch(line)
        if found:
            apart = r";" if found[1].lower() == "criteria" else r"[,\s]+" if found[1].lower() == "after" else r","
            said[found[1].lower()] += [each.strip() for each in re.split(apart, found[2]) if each.strip()]
        else:
            text.append(line.rstrip())
    numbers = [each.lstrip("#") for each in said["after"]]
    if not all(each.isascii() and each.isdigit() for each in numbers):
        raise UserMistake("After `after:` stand numbers of parts, `after: 1, 2`.")
    return _part(number, "\n".join(text), said["files"], said["criteria"], [int(each) for each in numbers])


def as_form(part: Part) -> str:
    """A part as its field of the form shows it; `read_part` reads it back."""
    lines = [part.text]
    if part.files:
        lines.append(f"files: {', '.join(part.files)}")
    if part.criteria:
        lines.append(f"criteria: {'; '.join(part.criteria)}")
    if part.after:
        lines.append(f"after: {', '.join(map(str, part.after))}")
    return "\n".join(lines)


def _part(number: int, text: str, files: Sequence[str], criteria: Sequence[str], after: Sequence[int]) -> Part:
    words = text.strip()
    if not words:
        raise UserMistake(f"Part {number} does not say what is to be done.")
    if len(words) > MAX_PART_TEXT:
        raise UserMistake(f"Part {number} has {len(words):,} characters; at most {MAX_PART_TEXT:,} fit.")
    if len(files) > MAX_FILES or len(criteria) > MAX_CRITERIA:
        raise UserMistake(f"Part {number} names too much: at most {MAX_FILES} files and {MAX_CRITERIA} criteria.")
    later = next((n for n in after if not 1 <= n < number), None)
    if later is not None:
        raise UserMistake(f"Part {number} can only come after an earlier part, not after {later}.")
    return Part(
        text=words,
        files=tuple(dict.fromkeys(values.path(file.strip()) for file in files)),
        criteria=tuple(" ".join(each.replace(";", ",").split())[:300] for each in criteria if each.strip()),
        after=tuple(dict.fromkeys(after)),
    )
