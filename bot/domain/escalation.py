"""What happens after an attempt failed (R-ESC): one pure function over its history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile
from types import MappingProxyType
from typing import Any, Literal

from bot.domain.providers import fallback
from bot.domain.task import Frozen, Priority, Rung

#: How an attempt ended. What stands in NOT_COUNTED does not count against the rung (R-ESC-4).
Outcome = Literal[
    "passed",  # it went on to approval
    "refused",  # the gate refused the change, or the edits did not apply
    "checks",  # its checks failed
    "tokens",  # its answer was cut off where its tokens ended
    "too_big",  # its question alone does not fit the rung's budget
    "day",  # the rung's tokens for the day are gone
    "findings",  # the review asked for changes
    "critical",  # the review found something critical
    "audit",  # a security review asked for as a task found something critical
    "person",  # a person asked for changes
    "beyond",  # the model said that the task is beyond it
    "security",  # the change touches security-critical paths, and haiku made it
    "interrupted",
    "provider",  # its provider failed: the outcome is unknown, or refused for good
    "busy",  # its provider refused it each time, for a passing reason
    "rest",  # its provider keeps failing, and rests
]

NOT_COUNTED: frozenset[str] = frozenset({"interrupted", "provider", "busy", "rest", "person", "passed", "day"})
LOST: frozenset[str] = frozenset({"interrupted", "provider", "busy"})
#: How urgent a task becomes that is next in its queue (R-ESC-5); only a person says that it is critical.
MORE_URGENT: Mapping[str, Priority] = MappingProxyType({"low": "normal", "normal": "high"})
#: The attempt needed more tokens than its rung has for one.
TOO_MANY_TOKENS: frozenset[str] = frozenset({"tokens", "too_big"})
#: What the next attempt builds on the same commit for, where it stays on the rung.
MENDABLE: frozenset[str] = frozenset({"findings", "critical"})
#: What may fail because the task is too large for one attempt. A review's findings are mended instead (R-ESC-3).
MAY_BE_TOO_LARGE: frozenset[str] = TOO_MANY_TOKENS | {"refused", "checks", "provider"}
#: Attempts lost in a row before a person has to look, although none of them counts.
MOST_LOST = 3
#: Attempts in a row whose outcome the provider left unknown, before another rung stands in.
MOST_UNKNOWN = 2
NEXT_RUNG: Mapping[Rung, Rung] = {Rung.HAIKU: Rung.SONNET, Rung.SONNET: Rung.OPUS, Rung.OPUS: Rung.MANUAL}
#: Seconds that a rung's model may take for one attempt (RULEBOOK, "Cast"): a failed one that took longer is too big.
TOO_LONG: Mapping[Rung, float] = {Rung.SONNET: 180.0}


class Attempt(Frozen):
    """One ended attempt. `signature` tells whether two failed the same way."""

    rung: Rung
    outcome: Outcome
    signature: str = ""
    seconds: float = 0.0  # that its model took
    tokens: int = 0  # charged for it


class Policy(Frozen):
    """What holds for the task. `max_attempts`: counted failures per rung, 3 where nothing is said (R-ESC-4)."""

    max_attempts: Mapping[Rung, int] = {}
    too_long: Mapping[Rung, float] = TOO_LONG
    security: bool = False  # the task is security-critical by now
    haiku_may: bool = False  # the matrix lets haiku do this type of task
    opus_approved: bool = False  # a person approved a further attempt at opus (R-ESC-8)


class Repair(Frozen):
    """Buy the attempt's one small repair call."""


class Again(Frozen):
    """A new attempt; `rung` differs from the last one where it escalates. `keep`: it builds on the last commit;
    `same_start`: on what the last one built on. `urgent`: it goes next in its queue. `complex`: the task is more
    complex than it looked."""

    rung: Rung
    keep: bool
    why: str
    rule: str
    same_start: bool = False
    urgent: bool = False
    complex: bool = False


class Stop(Frozen):
    """No automatic step remains: a blocker for a person. `propose` is the rung that needs their approval; `split`
    says that smaller tasks are the way."""

    why: str
    rule: str
    propose: Rung | None = None
    split: bool = False


Attempts = tuple[Attempt, ...]


def after_failure(failed: Outcome, *, repaired: bool, can_repair: bool) -> Repair | None:
    """Whether the running attempt still gets its one repair call (R-ESC-4)."""
    repairable = failed in ("refused", "checks")
    return Repair() if repairable and can_repair and not repaired else None


def proposed_in(detail: Mapping[str, Any]) -> Rung | None:
    """The rung that a person has to allow, of the detail of the event that blocked a task."""
    return Rung(detail["propose"]) if detail.get("propose") else None


def next_step(history: Attempts, policy: Policy) -> Again | Stop:
    """What to do after the last attempt of `history` failed: the first of CASES that has an answer. It is never to
    wait: failing checks take the next step, or raise a blocker, at once (R-ESC-7)."""
    answers = (case(history, policy) for case in CASES)
    step = next(answer for answer in answers if answer is not None)
    if isinstance(step, Again) and step.rung is Rung.OPUS and not policy.opus_approved:
        return Stop(why=f"{step.why}; every attempt at opus needs a person's approval", rule="R-ESC-8",
                    propose=Rung.OPUS)  # fmt: skip
    return step


def _security(history: Attempts, policy: Policy) -> Again | Stop | None:
    last = history[-1]
    if last.outcome == "security" or (policy.security and last.rung is Rung.HAIKU):  # R-ESC-5, R-SEC-1
        why = "it touches security-critical code, which haiku may not"
        return Again(rung=Rung.SONNET, keep=False, why=why, rule="R-ESC-5")
    return None


def _person(history: Attempts, policy: Policy) -> Again | Stop | None:
    last = history[-1]
    if last.outcome != "person":
        return None
    return Again(rung=last.rung, keep=True, why="a person asked for changes", rule="R-ESC-8")


def _too_long(history: Attempts, policy: Policy) -> Again | Stop | None:
    """R-ESC-2: also where no answer came at all in that time; the next would take as long."""
    last = history[-1]
    if last.outcome not in MAY_BE_TOO_LARGE or last.seconds <= policy.too_long.get(last.rung, float("inf")):
        return None
    return Stop(why=f"{last.rung} took {last.seconds / 60:.0f} minutes and did not make it; smaller tasks may",
                rule="R-ESC-2", propose=NEXT_RUNG.get(last.rung), split=True)  # fmt: skip


def _lost(history: Attempts, policy: Policy) -> Again | Stop | None:
    last = history[-1]
    if last.outcome not in LOST:
        return None
    lost = list(takewhile(lambda a: a.outcome in LOST, reversed(history)))
    if len(lost) >= MOST_LOST:
        return Stop(why=f"{MOST_LOST} attempts in a row were lost ({last.signature})", rule="R-ESC-4")
    unknown = list(takewhile(lambda a: a.outcome == "provider" and a.rung is last.rung, lost))
    stand_in = fallback(last.rung, security=policy.security, haiku_may=policy.haiku_may)
    if stand_in and (last.outcome == "busy" or len(unknown) >= MOST_UNKNOWN):
        why = f"the provider fails at {last.rung}, and {stand_in} stands in"
        return Again(rung=stand_in, keep=False, same_start=True, why=why, rule="R-ESC-4")
    why = f"the last attempt was lost ({last.outcome})"
    return Again(rung=last.rung, keep=False, same_start=True, why=why, rule="R-ESC-4")


def _rest(history: Attempts, policy: Policy) -> Again | Stop | None:
    """Back to the rung that the task was on before its provider began to fail; haiku gets no security task so."""
    if history[-1].outcome != "rest":
        return None
    failing = takewhile(lambda a: a.outcome in LOST or a.outcome == "rest", reversed(history))
    home = list(failing)[-1].rung
    if policy.security and home is Rung.HAIKU:  # R-SEC-1
        home = Rung.SONNET
    return Again(rung=home, keep=False, same_start=True, why="its provider rests", rule="R-ESC-4")


def _day_is_gone(history: Attempts, policy: Policy) -> Again | Stop | None:
    last = history[-1]
    if last.outcome != "day":
        return None
    if last.rung is Rung.HAIKU:
        return Again(rung=Rung.SONNET, keep=False, same_start=True, urgent=True, rule="R-ESC-5",
                     why="haiku's tokens for the day are gone, so it is next at sonnet")  # fmt: skip
    return Stop(why=f"{last.rung}'s tokens for the day are gone", rule="R-BUD-3")


def _tokens(history: Attempts, policy: Policy) -> Again | Stop | None:
    last = history[-1]
    if last.outcome not in TOO_MANY_TOKENS:
        return None
    if last.rung is Rung.HAIKU:
        rule = "R-ESC-1" if last.outcome == "tokens" else "R-ESC-5"
        return Again(rung=Rung.SONNET, keep=False, why=WHY[last.outcome], rule=rule, complex=True)
    if last.rung is Rung.SONNET:
        why = f"{WHY[last.outcome]} at sonnet; smaller tasks may fit"
        return Stop(why=why, rule="R-ESC-2", propose=Rung.OPUS, split=True)
    return Stop(why=f"{WHY[last.outcome]} at {last.rung}", rule="R-ESC-4", propose=NEXT_RUNG.get(last.rung))


def _critical(history: Attempts, policy: Policy) -> Again | Stop | None:
    last = history[-1]
    if last.outcome == "audit":  # R-ESC-6: opus deep review plus recommendation
        return Stop(why="the security review found something critical", rule="R-ESC-6", propose=Rung.OPUS)
    if last.outcome == "critical" and last.rung is Rung.HAIKU:  # R-ESC-3: sonnet mends it, gemini looks again
        return Again(rung=Rung.SONNET, keep=True, why=WHY["critical"], rule="R-ESC-3")
    return None


def _same_rung(history: Attempts, policy: Policy) -> Again | Stop | None:
    last = history[-1]
    if _rung_is_spent(history, policy):
        return None
    rule = "R-ESC-3" if last.outcome == "critical" else "R-ESC-4"
    return Again(rung=last.rung, keep=last.outcome in MENDABLE, why=WHY[last.outcome], rule=rule)


def _next_rung(history: Attempts, policy: Policy) -> Again | Stop | None:
    last = history[-1]
    why = f"{_rung_is_spent(history, policy)} at {last.rung}"
    if last.rung is Rung.HAIKU:
        poor = all(a.outcome in MENDABLE for a in _here(history))
        if poor and last.outcome != "beyond":  # every one of them was reviewed, and none was good enough
            return Again(rung=Rung.SONNET, keep=False, why=f"the quality stays poor: {why}", rule="R-ESC-5")
        return Again(rung=Rung.SONNET, keep=False, why=why, rule="R-ESC-1", complex=last.outcome == "beyond")
    if last.rung is Rung.SONNET:
        return Stop(why=why, rule="R-ESC-6", propose=Rung.OPUS)
    return Stop(why=why, rule="R-ESC-4", propose=NEXT_RUNG.get(last.rung))  # a person is the last rung


#: In this order: safety first, then what does not count, then what more of the same cannot mend.
CASES: tuple[Callable[[Attempts, Policy], Again | Stop | None], ...] = (
    _security,
    _person,
    _too_long,
    _lost,
    _rest,
    _day_is_gone,
    _tokens,
    _critical,
    _same_rung,
    _next_rung,
)


def _here(history: Attempts) -> list[Attempt]:
    """The attempts that count against the last one's rung."""
    return [a for a in history if a.rung is history[-1].rung and a.outcome not in NOT_COUNTED]


def _rung_is_spent(history: Attempts, policy: Policy) -> str | None:
    """Why this rung gets no further attempt, or None (R-ESC-4)."""
    here = _here(history)
    if here[-1].outcome == "beyond":
        return "the model says that it is beyond it"
    if len(here) >= policy.max_attempts.get(here[-1].rung, 3):
        return f"{len(here)} attempt{'s' if len(here) > 1 else ''} failed"
    if len(here) >= 2 and here[-1].signature and here[-1].signature == here[-2].signature:
        return "two attempts failed the same way"
    return None


WHY: Mapping[str, str] = {
    "refused": "the change was refused",
    "checks": "its checks failed",
    "tokens": "its tokens were exhausted",
    "too_big": "it is too big for the budget of one attempt",
    "findings": "the review asked for changes",
    "critical": "the review found something critical",
    "beyond": "the model says that it is beyond it",
}
