"""What one look of `orch doctor` found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.settings import Settings

Mark = Literal["✓", "✗", "!"]


@dataclass(frozen=True)
class Finding:
    """✓ well, ✗ a problem, ! worth a word. `why` says what is wrong, `mend` what to do about it."""

    mark: Mark
    what: str
    why: str = ""
    mend: str = ""

    @property
    def text(self) -> str:
        """One line, and one more for what to do."""
        line = f"{self.mark} {self.what}{f': {self.why}' if self.why else ''}"
        return f"{line}\n    -> {self.mend}" if self.mend else line


def well(what: str, detail: str = "") -> Finding:
    return Finding("✓", what, detail)


def problem(what: str, why: str, mend: str = "") -> Finding:
    return Finding("✗", what, why, mend)


def note(what: str, why: str, mend: str = "") -> Finding:
    return Finding("!", what, why, mend)


@dataclass(frozen=True)
class Patient:
    """What is examined. `wrong_variables` are those that could not be read; the settings are as without them."""

    settings: Settings
    environment: Mapping[str, str]
    wrong_variables: Mapping[str, str]
    redact: Callable[[str], str]


Look = Callable[[Patient], Awaitable[list[Finding]]]
