"""`orch serve` where the database is out of reach: it waits so long as it says, then ends with a line that helps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.cli.serve import serve
from bot.errors import ConfigError

PROJECT = {"key": "GRANTER", "repo": "/nowhere", "channel": "C0DEV", "leads": ["U0LEAD"]}


@pytest.fixture(autouse=True)
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "orch.json"
    config.write_text(json.dumps({"name": "TEST", "projects": [PROJECT]}))
    for name in ("SLACK_SIGNING_SECRET", "PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "nothing is asked with it")
    monkeypatch.setenv("ORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORCH_CONFIG", str(config))


async def test_a_server_that_stays_away(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://orch:secret-password@127.0.0.1:1/orch")
    with pytest.raises(ConfigError, match=r"could not be worked with for 0.5 s: .* then start Orch again") as found:
        await serve("worker", patience_seconds=0.5)
    assert "secret-password" not in caplog.text + str(found.value)


async def test_a_file_that_cannot_be_opened_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a-folder").mkdir()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/a-folder")
    with pytest.raises(ConfigError, match="The database cannot be opened"):
        await serve("worker")
    assert "tried again" not in caplog.text
