"""Settings: the plan's config loads as it is, every mistake is named, and no secret shows (R-MSG-5, R-BUD-1)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.config import Budgets, Config, Holidays, ModelSettings, Policy, Price, Project, Sandbox, Schedule
from bot.domain.task import Rung
from bot.errors import ConfigError
from bot.settings import Settings, load_config, load_settings, parse_config
from bot.wiring import need_prices

#: R-MSG-5, exactly as the plan wrote it.
SEED = """
{"name": "GRANTER-V2-ORCHESTRATOR", "model": "haiku-4.5-20251001", "mcp": "claude-bridge",
 "token_budget_daily": 30000, "token_budget_sprint": 150000, "sprint_duration_days": 5, "sprints_total": 4,
 "escalation_to": "sonnet-3.5", "review_mcp": "gemini-bridge", "status": "initialized"}
"""

#: DESIGN's complete example.
COMPLETE = """
{"name": "GRANTER-V2-ORCHESTRATOR", "token_budget_daily": 30000, "token_budget_sprint": 150000,
 "models": {"haiku": {"id": "claude-haiku-5-5", "max_attempts": 3, "task_budget": 2000, "concurrency": 8, "price": null},
            "sonnet": {"id": "claude-sonnet-5-5", "task_budget": 5000}, "opus": {"id": "claude-opus-5-5", "task_budget": 10000},
            "gemini": {"id": "gemini-3.8-flash", "task_budget": 2500}},
 "budgets": {"preset": "lean", "daily": {"haiku": 15000, "sonnet": 10000, "gemini": 5000, "opus": 0}, "daily_usd": null,
             "sprints": {"0": {"haiku": 18000, "sonnet": 4000, "gemini": 2000}}, "yellow": 0.80, "red": 0.95},
 "schedule": {"morning": "08:00", "midday": "12:00", "evening": "17:00", "weekly": "fri 16:00", "grace_minutes": 120},
 "policy": {"blocker_sla_minutes": 120, "review_sla_minutes": 240, "haiku_first": true, "quiet_hours": ["20:00", "07:00"],
            "security_paths": ["**/auth/**"], "learn_from_history": true},
 "sandbox": {"enabled": true, "timeout_seconds": 300, "memory_mb": 2048, "read_only_paths": []},
 "projects": [{"key": "GRANTER", "repo": "git@example.com:team/granter.git", "branch": "main", "channel": "C0DEV",
   "timezone": "Europe/Lisbon", "working_days": ["mon", "tue", "wed", "thu", "fri"], "holidays": {"country": "PT", "extra": []},
   "leads": ["U0LEAD"], "approvers": ["U0TWO"], "security_approvers": ["U0LEAD"], "backups": {"U0DEV": "U0TWO"},
   "aliases": {"human-dev-1": "U0DEV"}, "self_approval": false, "merge": "squash", "setup": ["npm ci"], "checks": ["npm test"],
   "templates_dir": null}]}
"""  # noqa: E501 - the contract's own lines
PROJECT: dict[str, Any] = {"key": "GRANTER", "repo": "/srv/granter", "channel": "C0DEV"}


def project(**more: Any) -> dict[str, Any]:
    return {"projects": [{**PROJECT, **more}]}


def refusal(data: Any) -> str:
    """What a person reads of a wrong config; the first line only says where it is."""
    with pytest.raises(ConfigError) as caught:
        parse_config(data)
    return str(caught.value)


def test_the_plans_own_config_loads_exactly_as_it_is() -> None:
    config = parse_config(json.loads(SEED))
    assert (config.name, config.sprint_duration_days, config.sprints_total) == ("GRANTER-V2-ORCHESTRATOR", 5, 4)
    assert (config.mcp, config.review_mcp, config.status) == ("claude-bridge", "gemini-bridge", "initialized")
    assert (config.limits.day.total, config.limits.sprint) == (30_000, 150_000)
    retired, also_retired, none = config.warnings
    assert "haiku-4.5-20251001" in retired and "claude-haiku-5-5" in retired
    assert "sonnet-3.5" in also_retired and "claude-sonnet-5-5" in also_retired
    assert "no projects" in none and "orch init" in none


def test_the_complete_example_loads_without_a_warning() -> None:
    config = parse_config(json.loads(COMPLETE))
    assert config.warnings == ()
    assert config.limits.sprints == {0: 24_000}
    assert config.limits.task[Rung.SONNET] == 5_000
    assert config.projects[0].zone.key == "Europe/Lisbon"


def test_nothing_given_is_lean() -> None:
    limits = Config().limits
    assert limits.day.rungs == {Rung.HAIKU: 15_000, Rung.SONNET: 10_000, Rung.GEMINI: 5_000, Rung.OPUS: 0}
    assert (limits.day.total, limits.sprint, limits.yellow, limits.red) == (30_000, 150_000, 0.80, 0.95)
    assert limits.task == {Rung.HAIKU: 2_000, Rung.SONNET: 5_000, Rung.GEMINI: 2_500, Rung.OPUS: 10_000}


def test_standard_is_ten_times_lean_and_what_is_given_wins() -> None:
    given = {"preset": "standard", "daily": {"haiku": 7, "opus": 9}, "daily_usd": 1.25, "sprint_usd": 6}
    limits = parse_config({"budgets": given, "token_budget_sprint": 11, "models": {"haiku": {"task_budget": 3}}}).limits
    assert limits.day.rungs == {Rung.HAIKU: 7, Rung.SONNET: 100_000, Rung.GEMINI: 50_000, Rung.OPUS: 9}
    assert (limits.day.total, limits.sprint, limits.daily_microusd) == (300_000, 11, 1_250_000)
    assert (limits.task[Rung.HAIKU], limits.task[Rung.SONNET]) == (3, 50_000)


def test_a_rung_keeps_its_id_when_only_something_else_is_given() -> None:
    config = parse_config({"models": {"haiku": {"concurrency": 2}, "sonnet": {"id": "sonnet"}}})
    assert config.model_id(Rung.HAIKU) == "claude-haiku-5-5"
    assert config.model_id(Rung.SONNET) == "claude-sonnet-5-5"
    assert config.models["haiku"].concurrency == 2


@pytest.mark.parametrize(
    ("data", "where", "right"),
    [
        ({"modles": {}}, "modles", "models"),
        ({"Projects": []}, "Projects", "projects"),
        ({"token_budget": 1}, "token_budget", "token_budget_daily"),
        ({"models": {"haiko": {}}}, "models.haiko", "haiku"),
        ({"models": {"haiku": {"attempts": 1}}}, "models.haiku.attempts", "max_attempts"),
        ({"models": {"opus": {"price": {"input": 1, "output": 1, "cash_read": 1}}}}, "models.opus.price.cash_read",
         "cache_read"),
        ({"budgets": {"presets": "lean"}}, "budgets.presets", "preset"),
        ({"budgets": {"daily": {"sonet": 1}}}, "budgets.daily.sonet", "sonnet"),
        ({"budgets": {"sprints": {"0": {"gemeni": 1}}}}, "budgets.sprints.0.gemeni", "gemini"),
        ({"schedule": {"mornings": "08:00"}}, "schedule.mornings", "morning"),
        ({"policy": {"quiet_hour": []}}, "policy.quiet_hour", "quiet_hours"),
        ({"sandbox": {"timeout": 3}}, "sandbox.timeout", "timeout_seconds"),
        (project(aprovers=[]), "projects.0.aprovers", "approvers"),
        (project(holidays={"contry": "PT"}), "projects.0.holidays.contry", "country"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_refused_with_the_nearest_right_name(data: Any, where: str, right: str) -> None:
    assert f"  {where}: unknown " in refusal(data)
    assert f"did you mean {right!r}?" in refusal(data)


def test_an_unknown_key_like_no_other_shows_what_is_known() -> None:
    assert "sandbox.zzz: unknown key; known here: enabled, timeout_seconds" in refusal({"sandbox": {"zzz": 1}})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "must hold one object"),
        ({"name": 3}, "name: must be a text, in quotes (it is 3)"),
        ({"models": 3}, "models: must be a table of keys (it is 3)"),
        ({"models": {"haiku": 3}}, "models.haiku: must be a table of keys (it is 3)"),
        ({"models": {"haiku": {"max_attempts": 0}}}, "models.haiku.max_attempts: must be greater than or equal to 1"),
        ({"models": {"haiku": {"price": {"input": 1}}}}, "models.haiku.price.output: missing; this key is required"),
        ({"token_budget_sprint": 2_000_000_000}, "token_budget_sprint: must be less than or equal to 1000000000"),
        ({"budgets": {"daily": {"haiku": -5}}}, "budgets.daily.haiku: must be greater than or equal to 0 (it is -5)"),
        ({"budgets": {"daily_usd": 0}}, "budgets.daily_usd: must be greater than 0"),
        ({"budgets": {"sprint_usd": -1}}, "budgets.sprint_usd: must be greater than 0"),
        ({"budgets": {"sprint_usd": 1e9}}, "budgets.sprint_usd: must be less than or equal to 1000000"),
        ({"budgets": {"daily_usd": float("nan")}}, "budgets.daily_usd: must be a finite number"),
        ({"models": {"haiku": {"price": {"input": -1, "output": 1}}}}, "models.haiku.price.input: must be greater"),
        ({"models": {"haiku": {"price": {"input": 1}}}}, "models.haiku.price.output: missing; this key is required"),
        ({"models": {"haiku": {"price": {"input": 1, "output": float("inf")}}}}, "price.output: must be a finite"),
        ({"policy": {"light_reviewer": "claude-haiku-5-5"}}, "policy.light_reviewer must be a gemini model"),
        ({"token_budget_daily": -1}, "token_budget_daily: must be greater than or equal to 0 (it is -1)"),
        ({"token_budget_daily": "lots"}, "token_budget_daily: must be a whole number (it is 'lots')"),
        ({"budgets": {"preset": "huge"}}, "budgets.preset: must be one of lean, standard (it is 'huge')"),
        ({"budgets": {"yellow": 0.99}}, "budgets: yellow (0.99) must not lie above red (0.95)"),
        ({"budgets": {"sprints": {"one": {}}}}, "budgets.sprints.one: must be the number of a sprint"),
        ({"schedule": {"morning": "8"}}, "schedule.morning: must be a time of day, say 08:00 (it is '8')"),
        ({"schedule": {"weekly": "friday"}}, "schedule.weekly: must be a weekday and a time of day, say fri 16:00"),
        ({"policy": {"quiet_hours": ["20:00"]}}, "policy.quiet_hours.1: too few values"),
        ({"policy": {"haiku_first": "perhaps"}}, "policy.haiku_first: must be true or false"),
        ({"projects": {}}, "projects: must be a list"),
        ({"projects": [{}]}, "projects.0.channel: missing; this key is required"),
        (project(key="granter"), "projects.0.key: must be 1 to 16 capital letters and digits"),
        (project(channel="#dev"), "projects.0.channel: must be a channel's id, say C0123ABCD"),
        (project(repo="--upload-pack=x"), "projects.0.repo: must be a path or an address that git understands"),
        (project(branch="a..b"), "projects.0.branch: must be the name of a branch, say main"),
        (project(timezone="Europe/Lisboa"), "no time zone has this name; did you mean 'Europe/Lisbon'?"),
        (project(working_days=["mo"]), "projects.0.working_days.0: must be one of mon, tue"),
        (project(holidays={"country": "Portugal"}), "must be a country's two capital letters; did you mean 'PT'"),
        (project(holidays={"country": "QQ"}), "holidays.country: no public holidays are known of this country; did"),
        ({"schedule": {"morning": "12:30"}}, "schedule: morning (12:30) must come before midday (12:00)"),
        (project(holidays={"extra": ["24.12."]}), "projects.0.holidays.extra.0: must be a date, say 2026-12-24"),
        (project(leads=["@lee"]), "projects.0.leads.0: must be a person's id, say U0123ABCD"),
        (project(leads="U0LEAD"), "projects.0.leads: must be a list (it is 'U0LEAD')"),
        (project(backups={"lee": "U0TWO"}), "projects.0.backups.lee: must be a person's id"),
        (project(checks=[" "]), "projects.0.checks.0: must be a command, say npm test"),
        (project(merge="rebase"), "projects.0.merge: must be one of squash, merge (it is 'rebase')"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_would_be_right(data: Any, said: str) -> None:
    assert said in refusal(data)


def test_every_mistake_of_a_file_is_named_at_once() -> None:
    text = refusal({"modles": {}, **project(key="a", leads=["x"])})
    assert [line.split(":")[0].strip() for line in text.splitlines()[1:]] == [
        "projects.0.key", "projects.0.leads.0", "modles",
    ]  # fmt: skip


@pytest.mark.parametrize(("what", "other"), [("key", {"channel": "C0OTHER"}), ("channel", {"key": "OTHER"})])
def test_two_projects_share_neither_key_nor_channel(what: str, other: dict[str, str]) -> None:
    text = refusal({"projects": [PROJECT, {**PROJECT, **other}]})
    assert f"two projects have the {what} {PROJECT[what]!r}" in text


def test_a_password_in_a_wrong_address_is_not_repeated() -> None:
    text = refusal(project(repo=" https://bob:hunter2hunter2@example.com/x.git"))
    assert "hunter2" not in text and "***@example.com" in text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("orch.json", json.dumps(project())),
        ("orch.conf", json.dumps(project())),
        ("orch.toml", '[[projects]]\nkey = "GRANTER"\nrepo = "/srv/granter"\nchannel = "C0DEV"\n'),
    ],
)
def test_json_and_toml(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert load_config(tmp_path / name).projects[0].key == "GRANTER"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("orch.toml", b"name = ", "is not valid TOML"),
        ("orch.json", b"{", "is not valid JSON"),
        ("orch.json", b'{"name": "a", "name": "b"}', "the key 'name' stands there twice"),
        ("orch.json", b"\xff", "no text in UTF-8"),
        ("orch.json", b"[" * 100_000, "is not valid JSON"),
        ("orch.json", b'{"nam": "a"}', "did you mean 'name'?"),
        ("missing.toml", None, "cannot read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_settings({"ORCH_CONFIG": str(tmp_path / name)})
    assert said in str(caught.value) and str(tmp_path / name) in str(caught.value)


def test_every_key_is_documented_beside_its_default() -> None:
    sections = (
        *(Config, ModelSettings, Price, Budgets, Schedule, Policy, Sandbox, Project, Holidays),
        Settings,
    )
    bare = [f"{s.__name__}.{name}" for s in sections for name, f in s.model_fields.items() if not f.description]
    assert bare == []


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", "sqlite+aiosqlite:////home/orch/orch.db"),
        ("sqlite:///orch.db", "sqlite+aiosqlite:///orch.db"),
        ("sqlite:////var/orch.db", "sqlite+aiosqlite:////var/orch.db"),
        ("sqlite+aiosqlite:////var/orch.db", "sqlite+aiosqlite:////var/orch.db"),
        ("postgres://u:p@host/db", "postgresql+psycopg://u:p@host/db"),
        ("postgresql://u@host:5/db?sslmode=require", "postgresql+psycopg://u@host:5/db?sslmode=require"),
        ("postgresql+psycopg://host/db", "postgresql+psycopg://host/db"),
    ],
)
def test_database_url(given: str, used: str) -> None:
    assert load_settings({"ORCH_HOME": "/home/orch", "DATABASE_URL": given}).database_url == used


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DATABASE_URL": "mysql://u:secretpassword@host/db"}, "DATABASE_URL starts with 'mysql'; use sqlite:///"),
        ({"DATABASE_URL": "orch.db"}, "DATABASE_URL has no scheme; use sqlite:///"),
        ({"DATABASE_URL": "postgresql://u:secretpassword@[host/db"}, "DATABASE_URL is no address"),
        ({"PORT": "http"}, "PORT is 'http'; it must be a number from 0 to 65535."),
        ({"PORT": "65536"}, "PORT is '65536'"),
        ({"PORT": "-1"}, "PORT is '-1'"),
        ({"ORCH_CI_SECRET": "secretpassword"}, "ORCH_CI_SECRET has 14 characters; at least 16 are needed."),
    ],
)
def test_a_wrong_variable_is_named_without_its_secret(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(variables)
    assert said in str(caught.value)
    assert "secretpassword" not in str(caught.value)


def test_defaults_of_the_environment() -> None:
    settings = load_settings({"PORT": "0", "SLACK_API_URL": "http://127.0.0.1:1/api"})
    assert settings.home == Path("~/.orch").expanduser()
    assert (settings.port, settings.executor_id) == (0, "orch-1")
    assert settings.slack_api_url == "http://127.0.0.1:1/api/"
    assert load_settings({}).port is None
    assert load_settings({"SLACK_BOT_TOKEN": "xoxb-1\n"}).slack_bot_token == "xoxb-1"


def test_no_secret_is_in_a_repr_and_all_are_known_to_the_redactor(tmp_path: Path) -> None:
    config = tmp_path / "orch.json"
    repo = "https://x-access-token:ghs-repo-token@example.com/x.git"
    other = {**PROJECT, "key": "B", "channel": "C0B", "repo": "https://ghp-name-token@example.com/x.git"}
    config.write_text(json.dumps({"projects": [{**PROJECT, "repo": repo}, other]}))
    names = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")
    secrets = {name: f"secret-of-{name}" for name in names}
    database = "postgresql://u:pass%40word-1@host/db"
    settings = load_settings({**secrets, "ORCH_CONFIG": str(config), "DATABASE_URL": database})
    hidden = {*secrets.values(), "pass%40word-1", "pass@word-1", "ghs-repo-token", "ghp-name-token"}
    assert set(settings.secrets) == hidden
    assert not [secret for secret in hidden if secret in repr(settings) or secret in str(settings)]


def test_a_budget_of_nothing_is_pointed_out() -> None:
    """R-BUD-1: 0 is a limit like any other, and means that nothing paid starts."""
    assert any("no paid work starts" in warning for warning in parse_config({"token_budget_daily": 0}).warnings)


def test_a_model_without_a_price_is_refused_at_the_start() -> None:
    today = date(2026, 11, 22)
    need_prices(parse_config({}), today)
    light = {"policy": {"light_reviewer": "gemini-9-tiny"}}
    for wrong in ({"models": {"sonnet": {"id": "claude-haiku-9"}}}, {"model": "claude-haiku-9"}, light):
        with pytest.raises(ConfigError, match="No price is known for the model"):
            need_prices(parse_config(wrong), today)
    priced = {"id": "claude-haiku-9", "price": {"input": 1, "output": 5}}
    need_prices(parse_config({"models": {"sonnet": priced}}), today)
