"""How much of the code a project's own checks cover, as the usual tools say it in their last lines (R-MET)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.change import CheckRun

_PERCENT = r"(\d{1,3}(?:\.\d+)?)\s?%"
#: One line for the whole project, of the tool named; the last such line of an output counts.
_WHOLE = (
    re.compile(rf"^TOTAL\s.*?{_PERCENT}\s*$", re.MULTILINE),  # coverage.py, pytest-cov
    re.compile(r"^All files\s*\|\s*(\d{1,3}(?:\.\d+)?)\s*\|", re.MULTILINE),  # istanbul: jest, vitest, c8, nyc
    re.compile(rf"^Statements\s*:\s*{_PERCENT}", re.MULTILINE),  # istanbul, text-summary
    re.compile(rf"^total:\s+\(statements\)\s+{_PERCENT}", re.MULTILINE),  # go tool cover -func
    re.compile(rf"^{_PERCENT} coverage, \d+/\d+ lines covered", re.MULTILINE),  # cargo tarpaulin
    re.compile(rf"^\s*lines\.*:\s*{_PERCENT}", re.MULTILINE),  # lcov
    re.compile(rf"^Line [Cc]overage:\s*{_PERCENT}", re.MULTILINE),  # simplecov
)
#: One line for each package, so their mean; go test -cover.
_PACKAGE = re.compile(rf"coverage: {_PERCENT} of statements")


def reported(runs: Sequence[CheckRun]) -> float | None:
    """The share that is covered, 0 to 1, or None where no check reports one; the lowest where several do."""
    found = [share for run in runs if run.status == "passed" and (share := of_output(run.tail)) is not None]
    return min(found, default=None)


def of_output(text: str) -> float | None:
    """The share that one output reports."""
    for line in _WHOLE:
        if (said := _shares(line.findall(text))) and said[-1] <= 1:
            return said[-1]
    packages = [share for share in _shares(_PACKAGE.findall(text)) if share <= 1]
    return sum(packages) / len(packages) if packages else None


def _shares(percents: Sequence[str]) -> list[float]:
    return [float(percent) / 100 for percent in percents]
