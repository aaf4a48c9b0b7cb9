"""What of the configuration reaches the adapters."""

from __future__ import annotations

import json
from pathlib import Path

from bot.domain.task import Rung
from bot.settings import load_settings
from bot.wiring import claude_models, gemini_reviewer


def test_each_rung_waits_as_long_as_its_own_setting_says(tmp_path: Path) -> None:
    quick = {"haiku": {"timeout_seconds": 4}, "gemini": {"timeout_seconds": 7}}
    (tmp_path / "orch.json").write_text(json.dumps({"models": quick}))
    settings = load_settings(
        {"ORCH_CONFIG": str(tmp_path / "orch.json"), "ANTHROPIC_API_KEY": "sk-ant-x", "GEMINI_API_KEY": "key"}
    )
    claude = claude_models(settings)
    assert {rung: model.timeout for rung, model in claude.items()} == {Rung.HAIKU: 4, Rung.SONNET: 180, Rung.OPUS: 180}
    assert claude[Rung.SONNET] is claude[Rung.OPUS], "one client for those that wait equally long"
    assert gemini_reviewer(settings).timeout == 7
