"""Every error that Orch raises on purpose.

    OrchError
    |-- ConfigError            a setting is wrong; the text says which and how to mend it
    |-- UserMistake            a person's input is wrong; shown privately, with the right form
    |-- RepositoryError        git could not do what was asked
    |   |-- BaseMoved          the branch is not where it was; build again
    |   |-- MergeConflict      the change does not apply to the branch any more
    |   `-- TreeDirty          the branch is checked out in a working tree with changes
    |-- ChatError              Slack refused or could not be reached
    |-- SandboxUnavailable     no sandbox can be had; nothing was run
    `-- ModelError             a model call failed
        |-- ModelRefusedCall   the provider refused before doing work: nothing to pay (4xx, 429, 529)
        `-- ModelOutcomeUnknown  sent, and no answer came: it may be billed, so it is charged in full

The text of each error tells the person what happened, what was kept and what to do next. SDK errors are
translated into these once, in the adapter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

#: What Slack says when it is not the call's fault ("" = it could not be reached).
PASSING = frozenset({"", "ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})


class OrchError(Exception):
    """Base of all of them. `str(error)` is fit to be shown to a person."""


class ConfigError(OrchError):
    """A setting is wrong."""


class UserMistake(OrchError):
    """A person's input is wrong. `form` shows the right form, where there is one; `ask` are people (Slack ids) who may
    do what this person may not."""

    def __init__(self, text: str, form: str | None = None, *, ask: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.form = form
        self.ask = ask


class RepositoryError(OrchError):
    """git could not do what was asked; the text holds its last lines, secrets removed."""


class BaseMoved(RepositoryError):
    """The target branch is not at the commit that the candidate was built on."""


class MergeConflict(RepositoryError):
    """The change conflicts with the target branch. `paths` are the files in conflict."""

    def __init__(self, text: str, paths: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.paths = paths


class TreeDirty(RepositoryError):
    """The target branch is checked out in a working tree that has uncommitted changes."""


class ChatError(OrchError):
    """Slack refused a call or could not be reached. `code` is Slack's own error code, where it gave one."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code

    @property
    def passing(self) -> bool:
        """Whether Slack is out of order, and the same call may succeed later."""
        return self.code in PASSING


class SandboxUnavailable(OrchError):
    """No sandbox can be had on this machine. Nothing was run (checks fail closed)."""


class ModelError(OrchError):
    """A model call failed. `retryable` says whether the same call may succeed later."""

    def __init__(self, text: str, *, retryable: bool, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds

    def __reduce__(self) -> tuple[Callable[..., ModelError], tuple[str]]:
        """A stage's checkpoint holds the error that a step raised, and pickle knows no keyword arguments."""
        again = partial(type(self), retryable=self.retryable, retry_after_seconds=self.retry_after_seconds)
        return again, (str(self),)


class ModelRefusedCall(ModelError):
    """The provider answered with an error: no work was done and nothing is owed."""


class ModelOutcomeUnknown(ModelError):
    """The call was sent and its outcome cannot be known: it is charged at its full reservation."""
