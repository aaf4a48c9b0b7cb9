"""What `orch export` prints while the bot of a conversation is at work."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from bot.cli.export import export
from tests.acceptance.conversation import Orch


async def exported(orch: Orch, capsys: pytest.CaptureFixture[str], what: str, **more: Any) -> str:
    told = {"what": what, "project": "GRANTER", "first": None, "last": None, "format": "jsonl", "messages": False,
            "columns": False, **more}  # fmt: skip
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCH_HOME", str(orch.home))
        patch.setenv("DATABASE_URL", f"sqlite:///{orch.home.parent / 'orch.db'}")
        patch.setenv("ORCH_CONFIG", str(orch.home.parent / "orch.json"))
        assert await export(argparse.Namespace(**told)) == 0
    return capsys.readouterr().out
