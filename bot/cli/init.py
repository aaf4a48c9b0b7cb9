"""`orch init`: a few questions, each answered with Enter where a good answer could be found; then a commented file."""

from __future__ import annotations

import argparse
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from bot.cli import detect
from bot.cli.commented import commented_toml
from bot.config import Budgets, Project, Section
from bot.config.file import mistakes, parse_config
from bot.errors import ConfigError

Ask = Callable[[str], str]
Say = Callable[[str], None]

#: Good values for what is not being judged, so that one answer can be judged alone.
GOOD = {"key": "A", "repo": ".", "channel": "C00"}
NEXT = """
Written: {path}

Next:
  export ORCH_CONFIG={path}
  set SLACK_BOT_TOKEN, SLACK_APP_TOKEN, ANTHROPIC_API_KEY and GEMINI_API_KEY (README.md says where they come from)
  orch doctor    # says what is missing or wrong, and how to mend it
  orch serve
"""


@dataclass(frozen=True)
class Question:
    """One key of the file: how it is asked for, which flag answers it, and how an answer is read."""

    name: str
    text: str
    flag: str
    kind: Literal["one", "ids", "commands"] = "one"
    section: type[Section] = Project


QUESTIONS = (
    Question("repo", "Repository (a path, or an address such as git@example.com:team/app.git)", "repo"),
    Question("key", "The project's key, before the ids of its tasks", "key"),
    Question("channel", "Id of its Slack channel (the channel's name in Slack, About, last line)", "channel"),
    Question("branch", "Branch that tasks start from and are merged into", "branch"),
    Question("timezone", "Time zone", "timezone"),
    Question("leads", "Slack ids of the leads, who may do everything (a comma between them)", "lead", "ids"),
    Question("approvers", "Slack ids of others who may approve merges (a comma between them)", "approver", "ids"),
    Question("setup", "Command that prepares the checks, with network", "setup", "commands"),
    Question("checks", "Command that must pass before a merge", "check", "commands"),
    Question("preset", "Budget preset: lean (30,000 tokens a day) or standard (300,000)", "preset", section=Budgets),
)


def write_config(arguments: argparse.Namespace, ask: Ask = input, say: Say = print) -> int:
    """Ask, check and write; returns the exit code. Raises ConfigError, and then nothing was written."""
    path = Path(os.path.abspath(arguments.output.expanduser()))  # noqa: PTH100 - absolute() keeps `..`
    _may_write(path, force=arguments.force)
    answers = _answers(arguments, ask, say)
    preset = answers.pop("preset")
    data = {"budgets": {"preset": preset}, "projects": [{key: value for key, value in answers.items() if value}]}
    if path.suffix == ".json":
        text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        config = parse_config(json.loads(text), str(path))
    else:
        text = commented_toml(data)
        config = parse_config(tomllib.loads(text), str(path))
    try:
        with path.open("w" if arguments.force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}. Nothing was written.") from error
    for warning in config.warnings:
        say(f"! {warning}")
    if not answers["leads"] and not answers["approvers"]:
        say("! Nobody may approve a merge yet: add leads or approvers to the project.")
    say(NEXT.format(path=path))
    return 0


def _may_write(path: Path, *, force: bool) -> None:
    """Raises ConfigError before anything is asked."""
    if path.suffix not in (".toml", ".json"):
        raise ConfigError(f"{path} must end in .toml (commented) or .json (which cannot hold comments).")
    if path.exists() and not force:
        raise ConfigError(f"{path} exists and was left as it is; --force overwrites it, --output names another.")
    if not path.parent.is_dir():
        raise ConfigError(f"There is no folder {path.parent} to write {path.name} into.")


def _answers(arguments: argparse.Namespace, ask: Ask, say: Say) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    found = detect.Repository("", None)
    for question in QUESTIONS:
        suggested = _suggested(question.name, found)
        answers[question.name] = value = _settled(question, arguments, suggested, ask, say)
        if question.name == "repo":
            found = detect.look_at(value)
            answers["repo"] = found.place
            if found.problem:
                say(f"! {value} could not be reached from here: {found.problem}. `orch doctor` tries again.")
    return answers


def _suggested(name: str, found: detect.Repository) -> Any:
    """The answer that Enter gives, or None where there is none."""
    setup, checks = detect.checks_in(found.folder) if found.folder else ((), ())
    match name:
        case "repo":
            here = detect.look_at(".")
            return None if here.problem else here.place
        case "key":
            return detect.key_for(found.place)
        case "channel":
            return None
        case "branch":
            return found.branch or "main"
        case "timezone":
            return detect.time_zone()
        case "preset":
            return "standard"
        case _:
            return list({"setup": setup, "checks": checks}.get(name, ()))


def _settled(question: Question, arguments: argparse.Namespace, suggested: Any, ask: Ask, say: Say) -> Any:
    """The flag's value, the suggestion (`--yes`) or what the person answers; always one that loads."""
    value = getattr(arguments, question.flag)
    if isinstance(value, list) and question.kind == "ids":
        value = _ids(",".join(value))
    if value is None and arguments.yes:
        value = suggested
        if value is None:
            raise ConfigError(f"--{question.flag} is needed with --yes: {question.text}. Nothing was written.")
    if value is not None:
        problem = _problem(question, value)
        if problem is None:
            return value
        if arguments.yes:
            raise ConfigError(f"--{question.flag}: {problem}. Nothing was written.")
        say(f"  {problem}")
    while True:
        value = _asked(question, suggested, ask)
        if value is None:
            say("  an answer is needed here")
            continue
        problem = _problem(question, value)
        if problem is None:
            return value
        say(f"  {problem}")


def _asked(question: Question, suggested: Any, ask: Ask) -> Any:
    """What a person answers, read; Enter means the suggestion, `-` nothing."""
    shown = "; ".join(suggested) if isinstance(suggested, list) else suggested
    typed = _line(ask, f"{question.text}{f' [{shown}]' if shown else ''}: ")
    if not typed:
        return suggested
    if question.kind == "one":
        return typed
    if typed == "-":
        return []
    if question.kind == "ids":
        return _ids(typed)
    commands = [typed]
    while more := _line(ask, "  another one (Enter: no more): "):
        commands.append(more)
    return commands


def _line(ask: Ask, prompt: str) -> str:
    try:
        return ask(prompt).strip()
    except EOFError:
        raise ConfigError(
            "The answers ended before the questions did, so nothing was written. --yes asks nothing; `orch init "
            "--help` names the flags."
        ) from None


def _ids(typed: str) -> list[str]:
    """Ids as people paste them: with commas or blanks between, perhaps as a mention `<@U0123|name>`."""
    words = re.split(r"[\s,;]+", re.sub(r"<@([A-Z0-9]+)(\|[^>]*)?>", r"\1", typed))
    return list(dict.fromkeys(word for word in words if word))


def _problem(question: Question, value: Any) -> str | None:
    """What is wrong with an answer, by the config's own models, or None."""
    good: Mapping[str, Any] = GOOD if question.section is Project else {}
    try:
        question.section.model_validate({**good, question.name: value})
    except ValidationError as error:
        return "; ".join(mistakes(error, question.section))
    if question.name == "repo":
        found = detect.look_at(value)
        return f"repo: {found.problem}" if found.problem and found.folder else None
    return None
