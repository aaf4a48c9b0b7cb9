"""Which calls may wait for a provider's batch API, at half the price (R-BUD-5; DESIGN: only `--priority low`)."""

from __future__ import annotations

import re

from bot.domain.calls import Purpose
from bot.domain.task import Rung

#: Anthropic's rungs: its batch API is the one that is used.
RUNGS = frozenset({Rung.HAIKU, Rung.SONNET, Rung.OPUS})
#: What makes up an attempt. The coordinator's question and a split are waited for by something more urgent.
PURPOSES: frozenset[Purpose] = frozenset({"edit", "repair", "report"})
#: The provider ends a batch after a day; one that is older and has no end will not get one. Seconds.
LONGEST_SECONDS = 25 * 3600.0


def may_wait(priority: str, purpose: Purpose, rung: Rung, *, enabled: bool, left_unanswered: bool) -> bool:
    """Whether a call goes into a batch. `left_unanswered`: one of its attempt ended there without an answer; it and
    what follows are asked at once."""
    return enabled and priority == "low" and purpose in PURPOSES and rung in RUNGS and not left_unanswered


def custom_id(call_id: str) -> str:
    """The call's id in the form that the provider takes: 1 to 64 of letters, digits, - and _."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)[-64:] or "call"
