"""What fails is said once, holds up nothing else, and is over when it is over."""

from __future__ import annotations

import pytest

from bot.workflows.troubles import OVER_SECONDS, Troubles


def _fail(troubles: Troubles, place: str, error: Exception) -> None:
    with troubles.at(place):
        raise error


def _said(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


def test_a_failure_is_said_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    troubles = Troubles()
    for again in range(3):
        _fail(troubles, "lookout GRANTER", ValueError(f"what it says differs: {again}"))
    assert (len(_said(caplog)), troubles.now()) == (1, ("lookout GRANTER",))
    _fail(troubles, "lookout GRANTER", KeyError("another"))
    assert len(_said(caplog)) == 1
    for _again in range(2):
        with troubles.at("lookout GRANTER"):
            pass
    assert (_said(caplog), troubles.now()) == (["lookout GRANTER: this works again"], ())


def test_what_nobody_tries_again_is_over_after_a_while() -> None:
    now = 1_000.0
    troubles = Troubles(lambda: now)
    _fail(troubles, "foreman GRANTER S0-D0-1", ValueError())
    now += OVER_SECONDS - 1
    _fail(troubles, "clock OTHER", ValueError())
    assert troubles.now() == ("clock OTHER", "foreman GRANTER S0-D0-1")
    now += 2
    assert troubles.now() == ("clock OTHER",)


def test_a_process_that_ends_is_no_trouble() -> None:
    troubles = Troubles()
    with pytest.raises(KeyboardInterrupt), troubles.at("foreman"):
        raise KeyboardInterrupt
    assert troubles.now() == ()
