"""Read the config file, and say in plain words what is wrong with it: each wrong key, with the nearest right one."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from bot.config.values import RungName
from bot.config.whole import Config
from bot.errors import ConfigError

RUNGS = get_args(RungName)

#: Pydantic's words for types, said plainly.
PLAIN = {
    "dict_type": "must be a table of keys",
    "model_type": "must be a table of keys",
    "tuple_type": "must be a list",
    "string_type": "must be a text, in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}


def load_config(path: Path) -> Config:
    """Read a .json or .toml config file. Raises ConfigError that names each wrong key and the nearest right one."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"ORCH_CONFIG: cannot read {path}: {error.strerror}. `orch init` writes one.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"ORCH_CONFIG: {path} is no text in UTF-8.") from error
    is_toml = path.suffix == ".toml"
    try:
        data = tomllib.loads(text) if is_toml else json.loads(text, object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid {'TOML' if is_toml else 'JSON'}: {error}") from error
    return parse_config(data, str(path))


def parse_config(data: Any, name: str = "the config") -> Config:
    """A config from parsed data. Raises ConfigError."""
    if not isinstance(data, dict):
        raise ConfigError(f"{name} must hold one object with keys such as {', '.join(list(Config.model_fields)[:3])}.")
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{name}:\n" + "\n".join(f"  {line}" for line in mistakes(error))) from error


def mistakes(error: ValidationError, section: type[BaseModel] = Config) -> list[str]:
    """One line for each mistake in a section: where, what is wrong, what would be right."""
    return [_explain(each, section) for each in error.errors(include_url=False)]


def _explain(error: Any, section: type[BaseModel]) -> str:
    path = [str(part) for part in error["loc"]]
    where = ".".join(part for part in path if part != "[key]")
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key; {_nearest(path[-1], _keys_at(path[:-1], section))}"
    if path and path[-1] == "[key]" and error["type"] == "literal_error":
        return f"{where}: unknown rung; {_nearest(path[-2], RUNGS)}"
    if error["type"] == "missing":
        return f"{where}: {'too few values' if path[-1].isdigit() else 'missing; this key is required'}"
    if error["type"] == "literal_error":
        known = [str(choice).strip("'") for choice in str(error["ctx"]["expected"]).replace(" or ", ", ").split(", ")]
        return f"{where}: must be one of {', '.join(known)} ({_shown(error['input'])})"
    said = str(error["msg"]).removeprefix("Value error, ").replace("Input should", "must")
    said = PLAIN.get(error["type"], said)
    given = "" if isinstance(error["input"], BaseModel | dict) else f" ({_shown(error['input'])})"
    return f"{where}: {said}{given}" if path else said


def _shown(value: Any) -> str:
    """A wrong value, cut short, and never the password in an address."""
    text = repr(value)
    scheme, found, rest = text.partition("://")
    if found and "@" in rest:
        text = f"{scheme}://***@{rest.rpartition('@')[2]}"
    return f"it is {text if len(text) <= 60 else text[:57] + '...'}"


def _nearest(wrong: str, known: Sequence[str]) -> str:
    near = get_close_matches(wrong.lower(), known, 1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"


def _keys_at(path: Sequence[str], section: type[BaseModel]) -> list[str]:
    """The keys that the section at `path` knows; numbers of lists and keys of tables lead into what they hold."""
    kind: Any = section
    for part in path:
        if get_origin(kind) is dict:
            kind = _held(get_args(kind)[-1])
        elif part in kind.model_fields:
            kind = _held(kind.model_fields[part].annotation)
    return list(kind.model_fields)


def _held(annotation: Any) -> Any:
    """What a field's type holds: the section in `X | None` and `tuple[X, ...]`; a table stays one."""
    if get_origin(annotation) is dict or isinstance(annotation, type):
        return annotation
    return next((kind for kind in map(_held, get_args(annotation)) if _leads_on(kind)), annotation)


def _leads_on(kind: Any) -> bool:
    return get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel))


def _no_key_twice(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    """JSON's last key would silently win over an earlier one of the same name."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands there twice")
        found[key] = value
    return found
