"""How a bot in a process of its own finds the emulated world: its config file and its environment."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from bot.local.slack import AppConfig, SlackServer

CHANNEL, DEVELOPER, LEAD = "C0DEV", "U0DEV", "U0LEAD"
PLENTY = 100_000_000  # what is shown here is not a lack of budget


def settings_of(
    folder: Path, app: AppConfig, server: SlackServer, *, repository: Path, database_url: str, checks: Sequence[str]
) -> dict[str, str]:
    """Write the config file; the environment that names it. The bot's home is `home` in the same folder."""
    config = {
        "name": "TEST",
        "token_budget_daily": PLENTY,
        "token_budget_sprint": PLENTY,
        "models": {name: {"task_budget": 20_000} for name in ("haiku", "sonnet", "gemini")},
        "budgets": {"daily": dict.fromkeys(("haiku", "sonnet", "gemini"), PLENTY)},
        "projects": [
            {
                "key": "GRANTER", "repo": str(repository), "branch": "main", "channel": CHANNEL,
                "leads": [LEAD], "approvers": ["U0TWO"], "checks": list(checks),
            }
        ],
    }  # fmt: skip
    (folder / "orch.json").write_text(json.dumps(config))
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "ORCH_CONFIG": str(folder / "orch.json"),
        "ORCH_HOME": str(folder / "home"),
        "DATABASE_URL": database_url,
        "SLACK_BOT_TOKEN": app.bot_token,
        "SLACK_APP_TOKEN": app.app_token,
        "SLACK_API_URL": server.api_url,
        "ANTHROPIC_API_KEY": "rehearsal-needs-no-key",
        "ANTHROPIC_BASE_URL": f"{server.base_url}/models/anthropic",
        "GEMINI_API_KEY": "rehearsal-needs-no-key",
        "GOOGLE_GEMINI_BASE_URL": f"{server.base_url}/models/gemini",
        "PYTHONUNBUFFERED": "1",
    }
