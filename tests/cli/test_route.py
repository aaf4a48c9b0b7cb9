"""`orch route --jsonl`: the contract of DESIGN; no model call, no state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def route(lines: str, folder: Path, *words: str, **environment: str) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command in a process of its own; (exit code, its JSON lines, its errors)."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", "route", *words],
        input=lines, capture_output=True, text=True, cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ORCH_HOME": str(folder / "home"), **environment},
    )  # fmt: skip
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("route")
    tasks: list[Any] = [
        {"text": "Write the README for the billing service", "files": ["README.md"]},
        {"text": "Implement JWT authentication", "files": ["src/auth/jwt.ts"]},
        {"text": "Rename a variable", "files": ["src/auth/session.ts"]},
        {"id": 7, "text": "Write the README for the billing service", "files": None, "label": "docs"},
    ]
    lines = [*(json.dumps(task) for task in tasks), "", "{", '{"txt": "x"}', '{"text": 3}']
    code, found, said = route("\n".join(lines), folder, "--jsonl", "-")
    assert (code, said) == (0, "")
    assert not (folder / "home").exists()
    return found


def test_one_line_in_one_line_out(routed: list[dict[str, Any]]) -> None:
    docs, auth, by_path, noted = routed[:4]
    for line in (docs, auth, by_path, noted):
        assert {"rung", "type", "security", "reason", "confidence"} <= line.keys()
        assert isinstance(line["security"], bool) and 0 <= line["confidence"] <= 1 and line["reason"]
    assert (docs["rung"], docs["type"], docs["security"]) == ("haiku", "docs", False)
    assert (auth["rung"], auth["security"]) == ("sonnet", True)
    assert (by_path["rung"], by_path["security"]) == ("sonnet", True)
    assert (noted["rung"], noted["type"]) == ("haiku", "docs")


def test_a_line_that_cannot_be_read_says_so_and_stops_nothing(routed: list[dict[str, Any]]) -> None:
    assert [line["line"] for line in routed[4:]] == [6, 7, 8]
    assert [line["error"].split(";")[0].split(":")[0] for line in routed[4:]] == ["Invalid JSON", "text", "text"]
    assert all('write {"text": "..."' in line["error"] and "pydantic" not in line["error"] for line in routed[4:])


def test_a_file_and_the_configs_policy(tmp_path: Path) -> None:
    (tmp_path / "orch.json").write_text('{"policy": {"security_paths": ["**/vault/**"]}}')
    (tmp_path / "tasks.jsonl").write_text('{"text": "Rename a variable", "files": ["src/vault/a.py"]}\n')
    code, (line,), _ = route("", tmp_path, "--jsonl", "tasks.jsonl", ORCH_CONFIG="orch.json")
    assert code == 0 and line["security"] is True


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    code, lines, said = route("", tmp_path, "--jsonl", "missing.jsonl")
    assert (code, lines) == (1, [])
    assert said.startswith("orch: ") and "missing.jsonl" in said and "Traceback" not in said
