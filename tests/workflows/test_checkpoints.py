"""What a stage's steps return or raise survives its checkpoint: DBOS pickles it, and a replay reads it back."""

from __future__ import annotations

import pickle

import pytest

from bot import errors
from bot.domain.calls import ModelRequest
from bot.domain.change import CheckRun
from bot.workflows import edit, merge, review
from bot.workflows.office import Superseded
from bot.workflows.paid_call import Answered
from bot.workflows.reserving import Failed, Unaffordable

REQUEST = ModelRequest(model="m", system="s", messages=({"role": "user", "content": "x"},))
RUN = CheckRun(command="sh check.sh", status="passed", exit_code=0)


@pytest.mark.parametrize(
    "value",
    [
        edit.Prepared("edit", "haiku", "b" * 40, REQUEST, 10),  # type: ignore[arg-type]
        edit.Result("a" * 40, (), "refused", "why", ("auth",)),
        review.Prepared(REQUEST, 10, "patch"),
        merge.Built("a" * 40, "b" * 40, (RUN,)),
        merge.Landed("dirty", "why"),
        Answered("id"),
        Unaffordable("why", own=True),
        Failed("why", unknown=True),
        (RUN,),
        (REQUEST, 10),
    ],
    ids=lambda value: type(value).__name__,
)
def test_results(value: object) -> None:
    assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize(
    "error",
    [
        errors.RepositoryError("text"),
        errors.BaseMoved("text"),
        errors.MergeConflict("text", ("a", "b")),
        errors.TreeDirty("text"),
        errors.ChatError("text", "not_in_channel"),
        errors.ConfigError("text"),
        errors.UserMistake("text", "form"),
        errors.SandboxUnavailable("text"),
        errors.ModelRefusedCall("text", retryable=True, retry_after_seconds=2.5),
        errors.ModelOutcomeUnknown("text", retryable=False),
        Superseded("GRANTER/S0-D0-1/1/running/1"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
