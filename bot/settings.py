"""Settings: environment variables -> frozen values (DESIGN, "Contract with the outside"). The config file that
ORCH_CONFIG names is read by bot/config/file.py; its keys stand in whole.py and sections.py there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import Field

from bot.config import Config, Project, Section
from bot.config.file import load_config, parse_config
from bot.domain.ci import MIN_SECRET
from bot.errors import ConfigError

__all__ = ["Config", "Project", "Settings", "async_url", "load_config", "load_settings", "parse_config"]

#: A database URL's scheme as people write it -> with the driver that Orch uses.
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
}


class Settings(Section):
    """Everything the process is told: the environment and the config. What is secret is in no repr."""

    config: Config = Field(description="ORCH_CONFIG: path of the config file, .json or .toml; none = no projects")
    home: Path = Field(description="ORCH_HOME: database, clones and worktrees; default ~/.orch")
    database_url: str = Field(repr=False, description="DATABASE_URL: sqlite or postgresql; default SQLite in ORCH_HOME")
    slack_bot_token: str | None = Field(repr=False, description="SLACK_BOT_TOKEN: xoxb-...")
    slack_app_token: str | None = Field(repr=False, description="SLACK_APP_TOKEN: xapp-..., for Socket Mode")
    slack_signing_secret: str | None = Field(repr=False, description="SLACK_SIGNING_SECRET: for HTTP mode, with PORT")
    slack_api_url: str = Field(description="SLACK_API_URL; default Slack's own")
    port: int | None = Field(description="PORT: health, and in HTTP mode Slack's deliveries")
    anthropic_api_key: str | None = Field(repr=False, description="ANTHROPIC_API_KEY")
    anthropic_base_url: str | None = Field(description="ANTHROPIC_BASE_URL; default Anthropic's own")
    gemini_api_key: str | None = Field(repr=False, description="GEMINI_API_KEY")
    gemini_base_url: str | None = Field(description="GOOGLE_GEMINI_BASE_URL; default Google's own")
    ci_secret: str | None = Field(repr=False, description="ORCH_CI_SECRET: signs results of CI, POST /ci on PORT")
    executor_id: str = Field(description="ORCH_EXECUTOR_ID: this replica's own name; default orch-1")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every configured secret value, for the redactor (R-SEC-3)."""
        values = (
            self.slack_bot_token,
            self.slack_app_token,
            self.slack_signing_secret,
            self.anthropic_api_key,
            self.gemini_api_key,
            self.ci_secret,
            *_secrets_in(self.database_url),
            *(secret for project in self.config.projects for secret in _secrets_in(project.repo)),
        )
        return tuple(dict.fromkeys(v for v in values if v and len(v) >= 8))


def load_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings from environment variables (DESIGN, "Contract with the outside"). Raises ConfigError."""
    home = Path(env.get("ORCH_HOME") or "~/.orch").expanduser().absolute()
    config_path = env.get("ORCH_CONFIG")
    return Settings(
        config=load_config(Path(config_path).expanduser()) if config_path else Config(),
        home=home,
        database_url=async_url(env.get("DATABASE_URL") or f"sqlite:///{home / 'orch.db'}"),
        slack_bot_token=_word(env, "SLACK_BOT_TOKEN"),
        slack_app_token=_word(env, "SLACK_APP_TOKEN"),
        slack_signing_secret=_word(env, "SLACK_SIGNING_SECRET"),
        slack_api_url=(_word(env, "SLACK_API_URL") or "https://slack.com/api/").rstrip("/") + "/",
        port=_port(env),
        anthropic_api_key=_word(env, "ANTHROPIC_API_KEY"),
        anthropic_base_url=_word(env, "ANTHROPIC_BASE_URL"),
        gemini_api_key=_word(env, "GEMINI_API_KEY"),
        gemini_base_url=_word(env, "GOOGLE_GEMINI_BASE_URL"),
        ci_secret=_ci_secret(env),
        executor_id=_word(env, "ORCH_EXECUTOR_ID") or "orch-1",
    )


def async_url(url: str) -> str:
    """A database URL as people write it -> with the driver that Orch uses. Raises ConfigError."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError("DATABASE_URL is no address; use postgresql://user:password@host/name.") from None
    if parts.scheme in DRIVERS.values():
        return url
    if parts.scheme not in DRIVERS:
        begins = f"starts with {parts.scheme!r}" if parts.scheme else "has no scheme"
        raise ConfigError(f"DATABASE_URL {begins}; use sqlite:///path/to/orch.db or postgresql://user@host/name.")
    driver = DRIVERS[parts.scheme]
    if parts.scheme == "sqlite":  # urlunsplit would drop slashes
        return url.replace("sqlite:", f"{driver}:", 1)
    return urlunsplit(parts._replace(scheme=driver))


def _word(env: Mapping[str, str], name: str) -> str | None:
    """A variable without surrounding blanks (a pasted line's end, say), or None for an empty one."""
    return env.get(name, "").strip() or None


def _ci_secret(env: Mapping[str, str]) -> str | None:
    secret = _word(env, "ORCH_CI_SECRET")
    if secret is not None and len(secret) < MIN_SECRET:
        raise ConfigError(
            f"ORCH_CI_SECRET has {len(secret)} characters; at least {MIN_SECRET} are needed. "
            "`openssl rand -hex 32` makes a good one."
        )
    return secret


def _port(env: Mapping[str, str]) -> int | None:
    port = _word(env, "PORT")
    if port is None:
        return None
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ConfigError(f"PORT is {port!r}; it must be a number from 0 to 65535.")
    return int(port)


def _secrets_in(address: str) -> Iterator[str]:
    """The password in an address, as written and as meant; where there is none, the name may be a token."""
    try:
        parts = urlsplit(address)
        secret = parts.password or (parts.username if parts.scheme in ("http", "https") else None)
    except ValueError:
        return
    if secret:
        yield secret
        yield unquote(secret)
