"""`orch doctor` on Slack: tokens, scopes, clock, channels and people."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import yaml

from bot.adapters.slack_chat import SlackChat, make_client
from bot.adapters.slack_checkup import SlackCheckup
from bot.cli.finding import Finding, Patient, note, problem, well
from bot.config import Project
from bot.domain.approvals import Lack, Team, lack, who_counts
from bot.errors import ChatError
from bot.wiring import data_folder, team_of

#: Slack refuses signed requests that are 300 seconds off; a clock that is this far off is on its way there.
CLOCK_SECONDS = 60
REINSTALL = "update the app from manifest.yaml (App Manifest) and install it again (OAuth & Permissions)"


def wanted_scopes() -> frozenset[str]:
    """The scopes of manifest.yaml."""
    manifest = yaml.safe_load(data_folder("manifest.yaml").read_text(encoding="utf-8"))
    return frozenset(manifest["oauth_config"]["scopes"]["bot"])


async def bot_token(patient: Patient) -> list[Finding]:
    """Is the bot token good, with the scopes of manifest.yaml?"""
    if not patient.settings.slack_bot_token:
        return [problem("Slack", "not tried, since SLACK_BOT_TOKEN is not set")]
    try:
        signed_in = await _checkup(patient).sign_in()
    except ChatError as error:
        return [problem("Slack", str(error), _mend(error, "SLACK_BOT_TOKEN"))]
    found = [well("Slack", f"@{signed_in.bot} in {signed_in.team}")]
    found += _scopes(signed_in.scopes)
    ahead = signed_in.ahead_seconds
    if ahead is not None and abs(ahead) > CLOCK_SECONDS:
        where = "ahead of" if ahead > 0 else "behind"
        found.append(problem("clock", f"{abs(ahead):.0f} s {where} Slack's", "set this machine's clock (NTP)"))
    return found


def _scopes(granted: frozenset[str] | None) -> list[Finding]:
    if granted is None:
        return [note("scopes", "Slack did not say which are granted", "compare them with manifest.yaml yourself")]
    wanted = wanted_scopes()
    missing, more = sorted(wanted - granted), sorted(granted - wanted)
    found = [
        problem("scopes", f"not granted: {', '.join(missing)}", REINSTALL)
        if missing
        else well("scopes", f"all {len(wanted)} of manifest.yaml")
    ]
    if more:
        found.append(note("scopes", f"granted, but not used: {', '.join(more)}", REINSTALL))
    return found


async def app_token(patient: Patient) -> list[Finding]:
    """May the app-level token open a Socket Mode connection?"""
    token = patient.settings.slack_app_token
    if not token:
        return []
    try:
        await _checkup(patient).open_socket(token)
    except ChatError as error:
        return [problem("Socket Mode", str(error), _mend(error, "SLACK_APP_TOKEN"))]
    return [well("Socket Mode", "a connection may be opened")]


async def channels(patient: Patient) -> list[Finding]:
    """Is Orch a member of each project's channel?"""
    return [await _channel(_checkup(patient), project) for project in patient.settings.config.projects]


async def _channel(checkup: SlackCheckup, project: Project) -> Finding:
    what = f"{project.key}'s channel {project.channel}"
    try:
        channel = await checkup.channel(project.channel)
    except ChatError as error:
        if error.code == "channel_not_found":
            return problem(
                what,
                "Slack shows Orch no such channel",
                "check the project's `channel`; a private channel must first be entered with /invite @orch",
            )
        return problem(what, str(error), _mend(error, "SLACK_BOT_TOKEN"))
    if channel.is_archived:
        return problem(what, f"#{channel.name} is archived", "restore it, or give the project another channel")
    if not channel.is_member:
        return problem(what, f"Orch is not a member of #{channel.name}", "write /invite @orch there")
    return well(what, f"member of #{channel.name}")


async def people(patient: Patient) -> list[Finding]:
    """Does everyone who is named exist, may they act, and are they enough for each rule of R-APR?"""
    found: list[Finding] = []
    chat = SlackChat(make_client(patient.settings.slack_bot_token or "", patient.settings.slack_api_url))
    for project in patient.settings.config.projects:
        barred: set[str] = set()
        for person in _named(project):
            if why := await _barred(chat, person):
                barred.add(person)
                where = f"remove them from {project.key}'s people, or correct the id"
                found.append(problem(f"{project.key}: {person}", why, where))
        short = list(shortages(project.key, team_of(project), barred))
        found += short or [well(f"{project.key}'s people", "enough for every rule")]
    return found


async def _barred(chat: SlackChat, person: str) -> str | None:
    """Why a named person cannot do their part, or None."""
    try:
        return (await chat.person(person)).barred
    except ChatError as error:
        if error.code in ("user_not_found", "user_not_visible"):
            return "Slack knows no such person"
        raise


def _named(project: Project) -> list[str]:
    """Everyone that a project names, each once."""
    everyone = (
        *(*project.leads, *project.approvers, *project.security_approvers),
        *(*project.backups, *project.backups.values(), *project.aliases.values()),
    )
    return list(dict.fromkeys(everyone))


def shortages(key: str, team: Team, barred: Collection[str] = ()) -> Iterator[Finding]:
    """Rules of R-APR for which a project has too few people; `barred` ones do not count."""
    if not set(team.leads) - set(barred):
        why = "nobody may raise budgets, or change sprints, plans and the schedule"
        yield problem(f"{key}'s leads", why, "add one to the project's `leads`")
    approving = who_counts(team, security=False, barred=barred)
    if not approving:
        yield problem(f"{key}'s approvers", "nobody may approve a merge", "add one to `approvers` or `leads`")
        return

    def stuck(security: bool) -> str:
        """Whose own tasks the others are too few for."""
        others = {one: who_counts(team, security=security, own=(one,), barred=barred) for one in sorted(approving)}
        return " or ".join(one for one, who in others.items() if lack(team, who, security=security))

    if stuck(security=False):
        why = f"what {stuck(security=False)} asks for or owns can be approved by nobody"
        yield note(f"{key}'s approvers", why, "add another to `approvers`, or set `self_approval`")
    what = f"{key}'s security approvers"
    match lack(team, approving, security=True):
        case Lack.SECURITY_APPROVER:
            mend = "add one to `security_approvers` or `leads`"
            yield problem(what, "a security task needs one, and there is none", mend)
        case Lack():
            why = f"a security task needs two people's approval, and only {approving[0]} may give one"
            yield problem(what, why, "add another to `approvers`, `security_approvers` or `leads`")
        case None if stuck(security=True):
            why = f"security tasks that {stuck(security=True)} asks for or owns cannot be approved by enough others"
            yield note(what, why, "add another to `approvers`, `security_approvers` or `leads`")


def _checkup(patient: Patient) -> SlackCheckup:
    settings = patient.settings
    return SlackCheckup(make_client(settings.slack_bot_token or "", settings.slack_api_url))


def _mend(error: ChatError, token: str) -> str:
    match error.code:
        case "":
            return "check the network, and SLACK_API_URL if it is set"
        case "missing_scope" if token == "SLACK_APP_TOKEN":
            return "make a new app-level token with the scope connections:write"
        case "missing_scope":
            return REINSTALL
        case _:
            return f"put the app's current token into {token}"
