"""`orch export`: JSON lines and CSV, their columns and their mistakes."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from bot.__main__ import main
from bot.cli.export import write
from bot.store.exports import EVENTS, LEDGER
from tests.cli.test_report import home  # noqa: F401

BAD = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", '=HYPERLINK("x")']


async def _as_csv(*rows: dict[str, object]) -> str:
    async def lines():  # type: ignore[no-untyped-def]
        for row in rows:
            yield row

    to = io.StringIO(newline="")
    await write(lines(), to, columns=list(rows[0]))
    return to.getvalue()


@pytest.mark.parametrize("text", BAD)
async def test_a_cell_is_never_a_formula(text: str) -> None:
    (cell,) = list(csv.reader(io.StringIO(await _as_csv({"why": text}), newline="")))[1]
    assert cell == f"'{text}"


async def test_what_people_wrote_survives_a_table() -> None:
    row = {"why": 'a, "b"\nc; ü', "detail": {"x": [1, "=2"]}, "n": -5, "yes": True, "none": None}
    said = await _as_csv(row)
    header, cells = list(csv.reader(io.StringIO(said, newline="")))
    assert header == ["why", "detail", "n", "yes", "none"]
    assert cells == ['a, "b"\nc; ü', '{"x": [1, "=2"]}', "-5", "true", ""]


@pytest.mark.usefixtures("home")
def test_the_command_writes_both_forms(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "events", "--project", "GRANTER"]) == 0
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(line) == list(EVENTS)
    assert main(["export", "events", "--csv", "--from", "2026-11-22", "--to", "2026-11-22"]) == 0
    header, cells = list(csv.reader(io.StringIO(capsys.readouterr().out, newline="")))
    assert header == list(EVENTS) and cells[3] == "S0-D0-1"
    assert main(["export", "events", "--from", "2026-11-23"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["export", "ledger", "--csv"]) == 0
    assert capsys.readouterr().out.strip().split(",") == list(LEDGER), "a header without lines"
    assert main(["export", "ledger", "--columns"]) == 0
    said = capsys.readouterr().out
    assert "cost_microusd" in said and "millionths of a US dollar" in said and "project's time zone" in said


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["ledger", "--from", "yesterday"], "--from yesterday: write a date, 2026-02-03"),
        (["ledger", "--to", "2026-02-30"], "--to 2026-02-30: write a date"),
        (["ledger", "--from", "2026-02-03", "--to", "2026-02-01"], "is after --to 2026-02-01"),
        (["ledger", "--project", "GRANTR"], "Did you mean GRANTER?"),
        (["ledger", "--messages"], "orch export events --messages"),
        (["events", "--messages", "--csv"], "which are JSON"),
    ],
)
def test_mistakes_are_explained(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", *options]) == 1
    assert said in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`orch export ledger --columns | head -1`"""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "bot", "export", "ledger", "--columns"]
    done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writes)
    assert (done.returncode, done.stderr) == (0, "")
