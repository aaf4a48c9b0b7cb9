"""R-MET: coverage as the usual tools print it."""

from __future__ import annotations

import pytest

from bot.domain.change import CheckRun
from bot.domain.coverage import of_output, reported

PYTEST = """\
Name                 Stmts   Miss  Cover
----------------------------------------
app/main.py            100     13    87%
----------------------------------------
TOTAL                  100     13    87%

12 passed in 0.31s"""
BRANCHES = "TOTAL        1310     94    402     31  91.25%"
JEST = """\
----------|---------|----------|---------|---------|-------------------
File      | % Stmts | % Branch | % Funcs | % Lines | Uncovered Line #s
----------|---------|----------|---------|---------|-------------------
All files |    87.5 |    66.66 |     100 |    87.5 |
 a.ts     |     100 |      100 |     100 |     100 |
----------|---------|----------|---------|---------|-------------------"""
SUMMARY = "Statements   : 81.5% ( 163/200 )\nBranches     : 70% ( 7/10 )"
GO = "ok  \tapp/a\t0.01s\tcoverage: 81.2% of statements\nok  \tapp/b\t0.01s\tcoverage: 60.0% of statements"
GO_TOTAL = f"{GO}\ntotal:\t\t(statements)\t\t74.3%"
LCOV = "Summary coverage rate:\n  lines......: 87.0% (348 of 400 lines)"


@pytest.mark.parametrize(
    "output, share",
    [
        (PYTEST, 0.87), (BRANCHES, 0.9125), (JEST, 0.875), (SUMMARY, 0.815), (GO, 0.706), (GO_TOTAL, 0.743),
        (LCOV, 0.87), ("87.50% coverage, 70/80 lines covered, +0.00% change in coverage", 0.875),
        ("Line Coverage: 93.1% (27 / 29)", 0.931), ("TOTAL  4  4  0%", 0.0), ("TOTAL  4  0  100%", 1.0),
        ("", None), ("12 passed", None), ("TOTAL 3 tests ran", None), ("coverage: 900% of statements", None),
        ("TOTAL 1 2 900%", None), ("the download is 87% done", None), ("TOTAL  4  4  20%\nTOTAL  4  4  60%", 0.6),
    ],
)  # fmt: skip
def test_what_an_output_reports(output: str, share: float | None) -> None:
    assert of_output(output) == (None if share is None else pytest.approx(share))


def test_of_several_checks_the_lowest_counts_and_only_of_those_that_passed() -> None:
    runs = [
        CheckRun(command="lint", status="passed", tail="fine"),
        CheckRun(command="web", status="passed", tail=JEST),
        CheckRun(command="api", status="passed", tail=PYTEST),
        CheckRun(command="old", status="failed", tail="TOTAL 4 4 1%"),
    ]
    assert reported(runs) == pytest.approx(0.87)
    assert reported(runs[:1]) is None and reported([]) is None
