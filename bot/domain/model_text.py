"""What models write, made fit to keep: no database takes a NUL, and half a surrogate pair is no Unicode at all."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from pydantic import ValidationError

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: The whole text in one code fence, as models write it even when told not to.
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL | re.IGNORECASE)
REPLACEMENT = "\ufffd"


def storable(value: Any) -> Any:
    """The same JSON value; what cannot be stored in its texts is U+FFFD."""
    if isinstance(value, str):
        return _UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    return value


def read_json(text: str) -> Any:
    """A model's JSON, alone or in one code fence, storable. Raises ValueError, also for what says
    a thing twice (`{"verdict": "request_changes", ..., "verdict": "approve"}`) and for NaN; RecursionError for what is
    nested too deeply."""
    fenced = _FENCED.fullmatch(text)
    return storable(json.loads(fenced[1] if fenced else text, object_pairs_hook=_unique, parse_constant=_no_constant))


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with a model's JSON, and where."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"{where}: {first['msg']}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
