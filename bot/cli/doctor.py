"""`orch doctor`: looks at everything that Orch needs, says what is wrong and how to mend it. Shows no secret."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.cli import look_at_machine, look_at_models, look_at_settings, look_at_slack
from bot.cli.finding import Finding, Look, Patient, note, problem
from bot.domain.secrets import Redactor
from bot.errors import ConfigError
from bot.settings import Settings, load_settings


@dataclass(frozen=True)
class Examination:
    """One look. It is left out where what it `needs` had a problem; `seconds` bound it."""

    name: str
    look: Look
    needs: str | None = None
    seconds: float = 60.0


EXAMINATIONS = (
    Examination("environment", look_at_settings.variables),
    Examination("config", look_at_settings.config),
    Examination("Slack", look_at_slack.bot_token),
    Examination("Socket Mode", look_at_slack.app_token),
    Examination("channels", look_at_slack.channels, needs="Slack"),
    Examination("people", look_at_slack.people, needs="Slack"),
    Examination("Anthropic", look_at_models.anthropic),
    Examination("Gemini", look_at_models.gemini),
    Examination("prices", look_at_models.prices),
    Examination("ORCH_HOME", look_at_machine.home),
    Examination("git", look_at_machine.git),
    Examination("repositories", look_at_machine.repositories, needs="git", seconds=600.0),
    Examination("sandbox", look_at_machine.sandbox),
    Examination("database", look_at_machine.database),
)
#: What may stand in the environment in a form that cannot be read.
READ_VARIABLES = ("ORCH_CONFIG", "DATABASE_URL", "PORT", "ORCH_CI_SECRET")


async def examine(environment: Mapping[str, str] = os.environ, say: Callable[[str], None] = print) -> int:
    """Say each finding as soon as it is there; returns 0 when there is no problem, else 1."""
    patient = _patient(environment)
    problems, failed = 0, set[str]()
    for examination in EXAMINATIONS:
        if examination.needs in failed:
            findings = [note(examination.name, f"not looked at, because of {examination.needs}")]
        else:
            findings = await _looked(examination, patient)
        wrong = sum(finding.mark == "✗" for finding in findings)
        if wrong:
            failed.add(examination.name)
        problems += wrong
        for finding in findings:
            say(patient.redact(finding.text))
    say(f"\n{problems} problem{'s' if problems > 1 else ''} to mend." if problems else "\nAll is well.")
    return 1 if problems else 0


async def _looked(examination: Examination, patient: Patient) -> list[Finding]:
    """What a look found; a look that fails is itself a finding, and stops no other."""
    try:
        async with asyncio.timeout(examination.seconds):
            return await examination.look(patient)
    except TimeoutError:
        return [
            problem(examination.name, f"no answer within {examination.seconds:g} s", "try again; check the network")
        ]
    except Exception as error:
        said = patient.redact(str(error)).strip().splitlines()
        return [problem(examination.name, f"{type(error).__name__}: {said[0] if said else 'no more was said'}")]


def _patient(environment: Mapping[str, str]) -> Patient:
    """The settings, without those variables that cannot be read, which are told apart."""
    wrong: dict[str, str] = {}
    for name in READ_VARIABLES:
        try:
            load_settings({name: environment.get(name, "")})
        except ConfigError as error:
            wrong[name] = str(error).removeprefix(f"{name}: ")
    settings: Settings = load_settings({k: v for k, v in environment.items() if k not in wrong})
    return Patient(settings, environment, wrong, Redactor(settings.secrets))
