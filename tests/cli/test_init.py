"""`orch init`: a conversation in the terminal that ends in a file which loads."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import _parser, main
from bot.cli import detect
from bot.cli.init import write_config
from bot.config import Config
from bot.domain.task import Rung
from bot.errors import ConfigError
from bot.settings import load_config


def flags(*words: str) -> argparse.Namespace:
    return _parser().parse_args(["init", *words])


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A node project on the branch `trunk`."""
    folder = tmp_path / "granter-v2"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "--initial-branch=trunk", folder], check=True)
    (folder / "package.json").write_text('{"scripts": {"test": "jest"}}')
    (folder / "package-lock.json").write_text("{}")
    return folder


class Person:
    """Types the given answers; what the terminal shows is in `shown`."""

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)
        self.shown: list[str] = []

    def ask(self, prompt: str) -> str:
        self.shown.append(prompt)
        try:
            return next(self._answers)
        except StopIteration:
            raise EOFError from None

    def say(self, text: str) -> None:
        self.shown.append(text)

    @property
    def screen(self) -> str:
        return "\n".join(self.shown)


def run(person: Person, *words: str) -> int:
    return write_config(flags(*words), person.ask, person.say)


def test_a_conversation_with_mistakes(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "orch.toml"
    person = Person(
        *("/nowhere", str(repository)),  # repository
        "",  # key: suggested
        *("#dev", "", "C0DEV"),  # channel: wrong, nothing, right
        "",  # branch: detected
        *("Europe/Lisboa", "Europe/Lisbon"),
        *("@lee", "<@U0LEAD|lee>, U0TWO"),
        "",  # approvers: none
        "",  # set-up: detected
        *("npm test", "npm run lint", ""),  # checks
        "",  # preset
    )
    assert run(person, "--output", str(out)) == 0
    config = load_config(out)
    (project,) = config.projects
    assert (project.key, project.repo, project.channel) == ("GRANTERV2", str(repository), "C0DEV")
    assert (project.branch, project.timezone) == ("trunk", "Europe/Lisbon")
    assert (project.leads, project.approvers) == (("U0LEAD", "U0TWO"), ())
    assert (project.setup, project.checks) == (("npm ci",), ("npm test", "npm run lint"))
    assert config.limits.day.total == 300_000
    assert config.warnings == ()
    for said in ("there is no folder /nowhere", "must be a channel's id", "an answer is needed here",
                 "did you mean 'Europe/Lisbon'?", "must be a person's id", "[GRANTERV2]", "[trunk]", "[npm ci]",
                 "[standard]", f"export ORCH_CONFIG={out}", "orch doctor"):  # fmt: skip
        assert said in person.screen


def test_flags_answer_questions_and_a_wrong_one_is_asked_again(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "orch.toml"
    person = Person("GRANTER", "", "", "", "", "-", "lean")
    words = ("--output", str(out), "--repo", str(repository), "--channel", "C0DEV", "--key", "granter", "--lead", "U0A")
    assert run(person, *words) == 0
    assert "must be 1 to 16 capital letters" in person.screen
    config = load_config(out)
    assert (config.projects[0].key, config.projects[0].leads) == ("GRANTER", ("U0A",))
    assert (config.projects[0].checks, config.budgets.preset) == ((), "lean")


def test_yes_asks_nothing(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "orch.toml"
    person = Person()
    words = ("--yes", "--output", str(out), "--repo", str(repository / "."), "--channel", "C0DEV")
    assert run(person, *words, "--lead", "U0A", "--lead", "U0B", "--check", "make a, b", "--timezone", "UTC") == 0
    project = load_config(out).projects[0]
    assert (project.key, project.branch, project.leads) == ("GRANTERV2", "trunk", ("U0A", "U0B"))
    assert (project.setup, project.checks) == (("npm ci",), ("make a, b",))
    assert not any("?" in line for line in person.shown)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--channel is needed with --yes"),
        (["--channel", "dev"], "--channel: channel: must be a channel's id"),
        (["--channel", "C0DEV", "--repo", "/nowhere"], "--repo: repo: there is no folder /nowhere"),
        (["--channel", "C0DEV", "--repo", "/"], "--repo: repo: not a git repository"),
        (["--channel", "C0DEV", "--preset", "huge"], "--preset: preset: must be one of lean, standard"),
        (["--channel", "C0DEV", "--output", "orch.yaml"], "must end in .toml"),
        (["--channel", "C0DEV", "--output", "/nowhere/orch.toml"], "no folder /nowhere"),
    ],
)
def test_yes_with_a_wrong_flag_writes_nothing(repository: Path, tmp_path: Path, words: list[str], said: str) -> None:
    out = tmp_path / "orch.toml"
    with pytest.raises(ConfigError) as caught:
        run(Person(), "--yes", "--repo", str(repository), "--output", str(out), *words)
    assert said in str(caught.value)
    assert not out.exists()


def test_an_existing_file_is_only_overwritten_by_force(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "orch.toml"
    out.write_text("mine")
    words = ("--yes", "--repo", str(repository), "--channel", "C0DEV", "--output", str(out))
    with pytest.raises(ConfigError, match="exists and was left as it is; --force"):
        run(Person(), *words)
    assert out.read_text() == "mine"
    assert run(Person(), *words, "--force") == 0
    assert load_config(out).projects[0].channel == "C0DEV"


def test_answers_that_end_early_write_nothing(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "orch.toml"
    with pytest.raises(ConfigError, match="answers ended"):
        run(Person(str(repository), "A"), "--output", str(out))
    assert not out.exists()


def test_json_holds_the_same_without_comments(repository: Path, tmp_path: Path) -> None:
    words = ("--yes", "--repo", str(repository), "--channel", "C0DEV", "--lead", "U0A")
    for name in ("orch.toml", "orch.json"):
        assert run(Person(), *words, "--output", str(tmp_path / name)) == 0
    assert load_config(tmp_path / "orch.toml") == load_config(tmp_path / "orch.json")
    assert "#" not in (tmp_path / "orch.json").read_text()
    assert list(json.loads((tmp_path / "orch.json").read_text())) == ["budgets", "projects"]


def test_the_comments_are_the_fields_own_words_and_what_they_show_loads(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "orch.toml"
    run(Person(), "--yes", "--repo", str(repository), "--channel", "C0DEV", "--output", str(out))
    text = out.read_text()
    for section in ("budgets", "schedule", "policy", "sandbox"):
        for name, field in type(getattr(Config(), section)).model_fields.items():
            assert f"# {field.description}" in text.replace("\n# ", " ") or f"{field.description}" in text, name
    out.write_text(re.sub(r"(?m)^#(?=[a-z_]+ = )", "", text))
    config = load_config(out)
    assert config.projects[0].holidays.country == "PT"
    assert config.limits.sprints == {0: 24_000}
    assert config.model_id(Rung.OPUS) == "claude-opus-5-5"


def test_an_address_that_cannot_be_reached_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "orch.toml"
    person = Person()
    words = ("--yes", "--repo", "http://bob:hunter2@127.0.0.1:1/team/app.git", "--channel", "C0DEV")
    assert run(person, *words, "--output", str(out)) == 0
    assert "could not be reached from here" in person.screen
    assert load_config(out).projects[0].key == "APP"


def test_the_branch_of_an_address_is_asked_for(repository: Path) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", repository, *who, "commit", "-q", "--allow-empty", "-m", "Start"], check=True)
    found = detect.look_at(f"file://{repository}")
    assert (found.branch, found.problem) == ("trunk", None)


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("git@example.com:team/granter-v2.git", "GRANTERV2"),
        ("https://example.com/team/2nd_try/", "NDTRY"),
        ("/srv/a-name-that-is-much-too-long", "ANAMETHATISMUCHT"),
        ("/srv/日本", None),
    ],
)
def test_a_key_is_made_of_the_repositorys_name(place: str, key: str | None) -> None:
    assert detect.key_for(place) == key


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, ((), ())),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, ((), ())),
        ({"package.json": "[]"}, ((), ())),
        ({"package.json": '{"scripts": {"test": "x"}}'}, (("npm install",), ("npm test",))),
        ({"package.json": '{"scripts": {"test": "x"}}', "pnpm-lock.yaml": ""},
         (("pnpm install --frozen-lockfile",), ("pnpm test",))),
        ({"Makefile": "test: build\n\techo"}, ((), ("make test",))),
        ({"Makefile": "test := 1\n"}, ((), ())),
        ({"pyproject.toml": "[tool.pytest.ini_options]"}, ((), ("python3 -m pytest",))),
        ({"pyproject.toml": "not toml", "tests/test_a.py": ""}, ((), ("python3 -m pytest",))),
        ({"Cargo.toml": ""}, (("cargo fetch",), ("cargo test --offline",))),
        ({"go.mod": ""}, (("go mod download",), ("go test ./...",))),
    ],
)  # fmt: skip
def test_checks_are_found(tmp_path: Path, files: dict[str, str], found: Any) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert detect.checks_in(tmp_path) == found


def test_the_command_line_says_a_mistake_in_one_line(
    repository: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["init", "--yes", "--repo", str(repository), "--output", str(tmp_path / "o.toml")]) == 1
    assert capsys.readouterr().err.startswith("orch: --channel is needed with --yes")
