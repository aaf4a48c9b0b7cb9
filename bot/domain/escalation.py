"""What happens after an attempt failed (R-ESC): one pure function over its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot.domain.task import Frozen, Rung

#: How an attempt ended. `interrupted` and `provider` do not count against the rung (R-ESC-4).
Outcome = Literal[
    "passed",  # it went on to approval
    "refused",  # the gate refused the change, or the edits did not apply
    "checks",  # its checks failed
    "tokens",  # its tokens were exhausted
    "findings",  # the review asked for changes
    "critical",  # the review found something critical
    "person",  # a person asked for changes
    "beyond",  # the model said that the task is beyond it
    "security",  # the change touches security-critical paths, and haiku made it
    "interrupted",
    "provider",
]

NOT_COUNTED: frozenset[str] = frozenset({"interrupted", "provider", "person", "passed"})
LOST: frozenset[str] = frozenset({"interrupted", "provider"})
#: Attempts lost in a row before a person has to look, although none of them counts.
MOST_LOST = 3
NEXT_RUNG: Mapping[Rung, Rung] = {Rung.HAIKU: Rung.SONNET, Rung.SONNET: Rung.OPUS, Rung.OPUS: Rung.MANUAL}


class Attempt(Frozen):
    """One ended attempt. `signature` tells whether two failed the same way."""

    rung: Rung
    outcome: Outcome
    signature: str = ""


class Repair(Frozen):
    """Buy the attempt's one small repair call."""


class Again(Frozen):
    """A new attempt; `rung` differs from the last one where it escalates. `keep` builds on the last commit."""

    rung: Rung
    keep: bool
    why: str
    rule: str


class Stop(Frozen):
    """No automatic step remains: a blocker for a person. `propose` is the rung that needs their approval."""

    why: str
    rule: str
    propose: Rung | None = None


Next = Repair | Again | Stop


def after_failure(failed: Outcome, *, repaired: bool, can_repair: bool) -> Repair | None:
    """Whether the running attempt still gets its one repair call (R-ESC-4)."""
    repairable = failed in ("refused", "checks")
    return Repair() if repairable and can_repair and not repaired else None


def next_step(history: tuple[Attempt, ...], max_attempts: Mapping[Rung, int], *, security: bool) -> Again | Stop:
    """What to do after the last attempt of `history` failed. `security`: the task is security-critical by now."""
    last = history[-1]
    if last.outcome == "security" or (security and last.rung is Rung.HAIKU):  # R-ESC-5, R-SEC-1
        return Again(
            rung=Rung.SONNET, keep=False, why="it touches security-critical code, which haiku may not", rule="R-ESC-5"
        )
    if last.outcome == "person":
        return Again(rung=last.rung, keep=True, why="a person asked for changes", rule="R-ESC-8")
    if last.outcome in LOST:
        if len(history) >= MOST_LOST and all(a.outcome in LOST for a in history[-MOST_LOST:]):
            return Stop(why=f"{MOST_LOST} attempts in a row were lost ({last.signature})", rule="R-ESC-4")
        return Again(rung=last.rung, keep=False, why=f"the last attempt was lost ({last.outcome})", rule="R-ESC-4")
    here = [a for a in history if a.rung is last.rung and a.outcome not in NOT_COUNTED]
    spent = _rung_is_spent(here, max_attempts.get(last.rung, 3))
    if last.outcome == "critical" and last.rung is Rung.HAIKU:  # R-ESC-3
        return Again(rung=Rung.SONNET, keep=True, why="the review found something critical", rule="R-ESC-3")
    if spent is None:
        rule = "R-ESC-3" if last.outcome == "critical" else "R-ESC-4"
        return Again(rung=last.rung, keep=last.outcome in ("findings", "critical"), why=WHY[last.outcome], rule=rule)
    return _leave_rung(last.rung, spent)


def _rung_is_spent(here: list[Attempt], most: int) -> str | None:
    """Why this rung gets no further attempt, or None (R-ESC-4)."""
    if here[-1].outcome == "beyond":
        return "the model says that it is beyond it"
    if len(here) >= most:
        return f"{len(here)} attempts failed"
    if len(here) >= 2 and here[-1].signature and here[-1].signature == here[-2].signature:
        return "two attempts failed the same way"
    return None


def _leave_rung(rung: Rung, why: str) -> Again | Stop:
    if rung is Rung.HAIKU:
        return Again(rung=Rung.SONNET, keep=False, why=f"{why} at haiku", rule="R-ESC-1")
    if rung is Rung.SONNET:
        return Stop(why=f"{why} at sonnet", rule="R-ESC-6", propose=Rung.OPUS)
    return Stop(why=f"{why} at {rung}", rule="R-ESC-4", propose=NEXT_RUNG.get(rung))


WHY: Mapping[str, str] = {
    "refused": "the change was refused",
    "checks": "its checks failed",
    "tokens": "its tokens were exhausted",
    "findings": "the review asked for changes",
    "critical": "the review found something critical",
    "beyond": "the model says that it is beyond it",
}
