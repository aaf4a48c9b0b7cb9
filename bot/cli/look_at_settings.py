"""`orch doctor` on the environment variables and the config file."""

from __future__ import annotations

from difflib import get_close_matches

from bot.cli.finding import Finding, Patient, note, problem, well

KNOWN = (
    *("ORCH_CONFIG", "ORCH_HOME", "ORCH_EXECUTOR_ID", "ORCH_CI_SECRET", "DATABASE_URL", "PORT"),
    *("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL"),
    *("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
)
#: Where each secret comes from.
SOURCES = {
    "SLACK_BOT_TOKEN": "api.slack.com/apps, your app, OAuth & Permissions: Bot User OAuth Token (xoxb-...)",
    "SLACK_APP_TOKEN": "api.slack.com/apps, your app, Basic Information: App-Level Tokens, with connections:write",
    "ANTHROPIC_API_KEY": "platform.claude.com, API keys",
    "GEMINI_API_KEY": "aistudio.google.com, API keys",
}
BEGINS = {"SLACK_BOT_TOKEN": "xoxb-", "SLACK_APP_TOKEN": "xapp-"}


async def variables(patient: Patient) -> list[Finding]:
    """Is everything set that `orch serve` needs? Values are never shown."""
    found = [problem(name, why) for name, why in patient.wrong_variables.items() if name != "ORCH_CONFIG"]
    for name in ("SLACK_BOT_TOKEN", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        found += _secret(patient, name)
    found += _delivery(patient)
    if patient.settings.ci_secret and patient.settings.port is None:
        found.append(note("ORCH_CI_SECRET", "set, but without PORT nothing listens for results of CI", "set PORT"))
    for name in sorted(patient.environment):
        if name.startswith("ORCH_") and name not in KNOWN:
            near = get_close_matches(name, KNOWN, 1, cutoff=0.5)
            found.append(note(name, "Orch knows no such variable", f"did you mean {near[0]}?" if near else ""))
    return found


def _secret(patient: Patient, name: str) -> list[Finding]:
    value = patient.environment.get(name, "").strip()
    if not value:
        return [problem(name, "not set", f"put it into the environment; it is at {SOURCES[name]}")]
    begins = BEGINS.get(name, "")
    if not value.startswith(begins):
        return [
            problem(name, f"does not begin with {begins}, so it is another token", f"use the one at {SOURCES[name]}")
        ]
    return [well(name, "set")]


def _delivery(patient: Patient) -> list[Finding]:
    """How Slack's deliveries reach Orch: Socket Mode, or HTTP mode with a secret and a port."""
    settings = patient.settings
    if settings.slack_app_token or not settings.slack_signing_secret:
        return _secret(patient, "SLACK_APP_TOKEN")
    if settings.port is None:
        why = "SLACK_SIGNING_SECRET is set, so Slack is to call Orch, but nobody said at which port"
        return [problem("PORT", why, "set PORT, or use Socket Mode: set SLACK_APP_TOKEN")]
    advice = f"Slack must reach port {settings.port} of this machine at https://.../slack/events"
    return [well("SLACK_SIGNING_SECRET and PORT", "set: HTTP mode"), note("HTTP mode", "not tried from here", advice)]


async def config(patient: Patient) -> list[Finding]:
    """Does the config file load, and does it deserve a word?"""
    path = patient.environment.get("ORCH_CONFIG")
    if not path:
        return [
            problem("config", "ORCH_CONFIG is not set, so there are no projects", "`orch init` writes a config file")
        ]
    if why := patient.wrong_variables.get("ORCH_CONFIG"):
        return [
            problem("config", why, "mend these lines; `orch init --output other.toml` writes a file to compare with")
        ]
    found = patient.settings.config
    keys = ", ".join(project.key for project in found.projects) or "no projects"
    mend = "change the file where you want it otherwise"
    return [well("config", f"{path} loads: {keys}"), *(note("config", why, mend) for why in found.warnings)]
