"""`orch doctor` against the emulated world: silent where all is well, and specific where it is not."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.cli.look_at_slack import shortages
from bot.domain.approvals import Team
from bot.local.slack.records import Channel
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.wiring import data_folder
from tests.cli.bed import Bed, world_that_is_well

Break = Callable[[Bed], object]


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    async with world_that_is_well(tmp_path) as made:
        yield made


async def test_all_is_well(bed: Bed) -> None:
    assert await bed.doctor() == 0
    assert [line for line in bed.lines if line.startswith("✗")] == []
    assert bed.about("!").startswith("! database (sqlite)")  # not made yet
    assert "All is well." in bed.lines[-1]
    for start in ("Slack: @orch", "scopes: all", "Socket Mode", "GRANTER's channel C0DEV: member of #granter-dev",
                  "GRANTER's people", "Anthropic", "haiku's model", "Gemini", "prices", "git: 2",
                  "GRANTER's repository: main is at", "sandbox"):  # fmt: skip
        bed.about(f"✓ {start}")


async def test_no_secret_is_shown_and_nothing_is_changed(bed: Bed) -> None:
    bed.environment["DATABASE_URL"] = "postgresql://orch:secret-password@127.0.0.1:1/orch"
    bed.project["repo"] = "http://bob:secret-token@127.0.0.1:1/x.git"
    assert await bed.doctor() == 1
    said = "\n".join(bed.lines)
    bed.about("✗ database (postgresql)")
    bed.about("✗ GRANTER's repository")
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        assert bed.environment[name] not in said
    assert "secret-password" not in said and "secret-token" not in said
    assert bed.world.messages("C0DEV", "U0LEAD") == []
    assert [call.kind for call in bed.script.book if call.kind == "answer"] == []


def unset(*names: str) -> Break:
    return lambda bed: [bed.environment.pop(name) for name in names]


def variable(name: str, value: str) -> Break:
    return lambda bed: bed.environment.update({name: value})


def project(**fields: object) -> Break:
    return lambda bed: bed.project.update(fields)


def config(**fields: object) -> Break:
    return lambda bed: bed.config.update(fields)


def scope_lost(name: str) -> Break:
    return lambda bed: bed.world.app.scopes.remove(name)


def channel(**fields: object) -> Break:
    return lambda bed: [setattr(bed.world.channels["C0DEV"], name, value) for name, value in fields.items()]


def person(user: str, **fields: object) -> Break:
    return lambda bed: [setattr(bed.world.users[user], name, value) for name, value in fields.items()]


def private_channel(bed: Bed) -> None:
    bed.world.channels["C0SECRET"] = Channel("C0SECRET", "secret", kind="private", members=["U0LEAD"])
    bed.project["channel"] = "C0SECRET"


def not_writable(bed: Bed) -> None:
    (bed.folder / "file").write_text("")
    bed.environment["ORCH_HOME"] = str(bed.folder / "file" / "home")


def empty_repository(bed: Bed) -> None:
    shutil.rmtree(bed.folder / "sample")
    subprocess.run(["git", "init", "-q", "--initial-branch=main", bed.folder / "sample"], check=True)


def newer_database(bed: Bed) -> None:
    with sqlite3.connect(bed.folder / "newer.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()
    bed.environment["DATABASE_URL"] = f"sqlite:///{bed.folder / 'newer.db'}"


def broken_database(bed: Bed) -> None:
    (bed.folder / "broken.db").write_bytes(b"no database at all" * 100)
    bed.environment["DATABASE_URL"] = f"sqlite:///{bed.folder / 'broken.db'}"


@pytest.mark.parametrize(
    ("broken", "start", "said", "mend"),
    [
        # the environment and the config
        (unset("SLACK_BOT_TOKEN"), "✗ SLACK_BOT_TOKEN", "not set", "OAuth & Permissions"),
        (unset("SLACK_APP_TOKEN"), "✗ SLACK_APP_TOKEN", "not set", "connections:write"),
        (unset("ANTHROPIC_API_KEY"), "✗ ANTHROPIC_API_KEY", "not set", "platform.claude.com"),
        (unset("GEMINI_API_KEY"), "✗ GEMINI_API_KEY", "not set", "aistudio.google.com"),
        (variable("SLACK_BOT_TOKEN", "xapp-1-swapped"), "✗ SLACK_BOT_TOKEN", "does not begin with xoxb-", "OAuth"),
        (variable("PORT", "http"), "✗ PORT", "must be a number", ""),
        (variable("ORCH_CI_SECRET", "short"), "✗ ORCH_CI_SECRET", "at least 16", ""),
        (variable("ORCH_CI_SECRET", "long enough to be one"), "! ORCH_CI_SECRET", "nothing listens", "set PORT"),
        (variable("DATABASE_URL", "mysql://x"), "✗ DATABASE_URL", "starts with 'mysql'", ""),
        (variable("ORCH_CONFG", "x"), "! ORCH_CONFG", "no such variable", "did you mean ORCH_CONFIG?"),
        (config(modles={}), "✗ config", "did you mean 'models'?", "orch init"),
        (config(projects=[]), "! config", "no projects", ""),
        (config(escalation_to="sonnet-3.5"), "! config", "retired", ""),
        # Slack
        (variable("SLACK_BOT_TOKEN", "xoxb-of-another-app"), "✗ Slack", "refused the token", "SLACK_BOT_TOKEN"),
        (variable("SLACK_APP_TOKEN", "xapp-of-another-app"), "✗ Socket Mode", "refused the token", "SLACK_APP_TOKEN"),
        (lambda bed: bed.world.app.app_scopes.clear(), "✗ Socket Mode", "lacks a scope", "connections:write"),
        (scope_lost("files:write"), "✗ scopes", "not granted: files:write", "manifest.yaml"),
        (lambda bed: bed.world.app.scopes.append("admin"), "! scopes", "not used: admin", "manifest.yaml"),
        (variable("SLACK_API_URL", "http://127.0.0.1:1/"), "✗ Slack", "could not be reached", "SLACK_API_URL"),
        (channel(members=["U0LEAD"]), "✗ GRANTER's channel", "not a member of #granter-dev", "/invite @orch"),
        (channel(is_archived=True), "✗ GRANTER's channel", "archived", "restore it"),
        (project(channel="C0NONE"), "✗ GRANTER's channel", "no such channel", "`channel`"),
        (private_channel, "✗ GRANTER's channel", "no such channel", "/invite @orch"),
        # people
        (project(approvers=["U0NONE"]), "✗ GRANTER: U0NONE", "knows no such person", "correct the id"),
        (person("U0TWO", is_restricted=True), "✗ GRANTER: U0TWO", "guests", "remove them"),
        (person("U0TWO", deleted=True), "✗ GRANTER: U0TWO", "deactivated", "remove them"),
        (project(approvers=["U0ORCH"]), "✗ GRANTER: U0ORCH", "bots", "remove them"),
        (project(backups={"U0DEV": "U0GUEST"}), "✗ GRANTER: U0GUEST", "guests", "remove them"),
        (project(leads=[], approvers=[], security_approvers=[]), "✗ GRANTER's approvers", "nobody", "`approvers`"),
        (project(leads=[]), "✗ GRANTER's leads", "nobody may raise budgets", "`leads`"),
        (project(approvers=[], security_approvers=[]), "✗ GRANTER's security approvers", "two people", "add another"),
        # models
        (variable("ANTHROPIC_API_KEY", "sk-ant-wrong"), "✗ Anthropic", "refused the key in ANTHROPIC_API_KEY", ""),
        (variable("GEMINI_API_KEY", "AIza-wrong"), "✗ Gemini", "GEMINI_API_KEY", ""),
        (variable("ANTHROPIC_BASE_URL", "http://127.0.0.1:1"), "✗ Anthropic", "could not be reached", ""),
        (config(models={"sonnet": {"id": "claude-sonet-5-5"}}), "✗ sonnet's model", "does not know", "claude-sonnet-5"),
        (config(models={"gemini": {"id": "gemini-3.8-flsh"}}), "✗ gemini's model", "does not know", "gemini-3.8-flash"),
        (config(models={"haiku": {"id": "claude-verse-9"}}), "✗ haiku's price", "No price is known", ""),
        # the machine
        (not_writable, "✗ ORCH_HOME", "cannot be written", "ORCH_HOME"),
        (project(repo="/nowhere/at/all"), "✗ GRANTER's repository", "not appear to be a git repo", ""),
        (project(branch="trunk"), "✗ GRANTER's repository", "couldn't find remote ref", ""),
        (empty_repository, "✗ GRANTER's repository", "couldn't find remote ref", ""),
        (config(sandbox={"enabled": False}), "! sandbox", "switched off", "sandbox.enabled"),
        (config(sandbox={"read_only_paths": ["/nowhere"]}), "✗ sandbox", "not an absolute path that exists", ""),
        (project(checks=[]), "! GRANTER's checks", "none", "`checks`"),
        (newer_database, "✗ database (sqlite)", "a newer Orch", "update Orch"),
        (broken_database, "✗ database (sqlite)", "not a database", "DATABASE_URL"),
    ],
)  # fmt: skip
async def test_what_is_broken_is_named_with_what_to_do(
    bed: Bed, broken: Break, start: str, said: str, mend: str
) -> None:
    broken(bed)
    assert await bed.doctor() == (1 if start.startswith("✗") else 0), bed.lines
    why, _, advice = bed.about(start).partition("\n    -> ")
    assert said in why
    assert mend in advice
    bed.about("✓ git")  # one failing look stops no other


async def test_http_mode_needs_a_port(bed: Bed) -> None:
    del bed.environment["SLACK_APP_TOKEN"]
    bed.environment["SLACK_SIGNING_SECRET"] = "signing-secret"
    assert await bed.doctor() == 1
    assert "nobody said at which port" in bed.about("✗ PORT")
    bed.environment["PORT"] = "8080"
    assert await bed.doctor() == 0
    assert "https://.../slack/events" in bed.about("! HTTP mode")


@pytest.mark.parametrize(("off", "said"), [(-400, "s ahead of Slack's"), (400, "s behind Slack's")])
async def test_a_clock_that_is_wrong(bed: Bed, off: int, said: str) -> None:
    bed.slack_clock_off = off
    assert await bed.doctor() == 1
    assert said in bed.about("✗ clock")


async def test_the_database_before_and_after_migrate(bed: Bed, empty_database_url: str) -> None:
    bed.environment["DATABASE_URL"] = empty_database_url
    name = f"database ({empty_database_url.partition('+')[0]})"
    store = Database(empty_database_url)
    try:
        async with store.read():
            pass  # SQLite's file is made by the first connection
        assert await bed.doctor() == 0
        assert "it is at nothing" in bed.about(f"! {name}") and "`orch migrate`" in bed.about(f"! {name}")
        await migrate(store, data_folder("migrations"))
    finally:
        await store.close()
    assert await bed.doctor() == 0
    assert "at 0" in bed.about(f"✓ {name}")


async def test_a_look_that_fails_is_itself_a_finding(bed: Bed) -> None:
    bed.world.faults.fail("users.info", status=500, times=9)
    assert await bed.doctor() == 1
    assert "people" in bed.about("✗ people")
    bed.about("✓ Anthropic")


def stuck(team: Team) -> tuple[bool, bool]:
    """By R-APR's own words: (no ordinary task, no security task) of an outsider could ever be approved."""
    security = set(team.security_approvers or team.leads)
    approving = {*team.approvers, *team.leads, *security}
    pairs = [pair for pair in itertools.combinations(sorted(approving), 2) if security & set(pair)]
    return not approving, not pairs


def test_shortages_are_problems_exactly_where_a_rule_cannot_be_met() -> None:
    choices = ((), ("U1",), ("U2",), ("U1", "U2"))
    for leads, approvers, security in itertools.product(choices, repeat=3):
        team = Team(leads=leads, approvers=approvers, security_approvers=security)
        said = [finding.what for finding in shortages("A", team) if finding.mark == "✗"]
        ordinary, secure = stuck(team)
        assert ("A's leads" in said) == (not leads)
        assert ("A's approvers" in said) == ordinary
        assert ("A's security approvers" in said) == (secure and not ordinary)


@pytest.mark.parametrize(
    ("team", "said"),
    [
        (Team(leads=("U1",)), "what U1 asks for or owns can be approved by nobody"),
        (Team(leads=("U1",), approvers=("U2",)), "security tasks that U1 or U2 asks for"),
        (Team(leads=("U1",), approvers=("U2", "U3")), "security tasks that U1 asks for"),
    ],
)
def test_people_who_cannot_have_their_own_tasks_approved_are_named(team: Team, said: str) -> None:
    assert said in "\n".join(finding.text for finding in shortages("A", team))


def test_three_with_two_security_approvers_are_enough() -> None:
    assert list(shortages("A", Team(leads=("U1", "U2"), approvers=("U3",)))) == []
