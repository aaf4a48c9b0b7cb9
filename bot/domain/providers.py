"""How providers fail, and what is done about it: waits, stand-ins and rests. Pure, so that a replay decides the same.

    a passing refusal (429, 529, overload)    tried again in the stage, after a wait; then the stand-in, then a blocker
    an unknown outcome (5xx, time-out)        charged, a wait, and a new attempt; twice in a row: the stand-in
    many of either without one answer         the provider rests; what needs it waits, and one call tries it again

A review has no stand-in (decision): one by sonnet could never permit a merge (R-SEC-4), so it would be paid for and
change nothing. The review waits instead, and is asked for again by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from types import MappingProxyType
from zlib import crc32

from bot.domain.task import Frozen, Rung


class Provider(StrEnum):
    """Who stands behind the rungs; the value is what people are shown."""

    ANTHROPIC = "Anthropic"
    GEMINI = "Gemini"


PROVIDER_OF: Mapping[Rung, Provider] = MappingProxyType(
    {
        Rung.HAIKU: Provider.ANTHROPIC,
        Rung.SONNET: Provider.ANTHROPIC,
        Rung.OPUS: Provider.ANTHROPIC,
        Rung.GEMINI: Provider.GEMINI,
    }
)


class Patience(Frozen):
    """How long Orch bears with a provider. Seconds."""

    tries: int = 4  # of one call within its stage
    backoff_seconds: float = 2.0  # the first wait is at most this, each next one at most twice the last
    longest_seconds: float = 30.0  # of any wait within a stage, whatever the provider asks for
    failures: int = 5  # so many within the window, without an answer between them, and the provider rests
    window_seconds: float = 300.0
    rest_seconds: tuple[float, ...] = (60.0, 120.0, 300.0)  # the first rest, the next, and every later one
    batch_poll_seconds: float = 60.0  # between two looks at a batch
    forget_seconds: float = 1_800.0  # a failure older than this, with none after it, says nothing any more


def backoff_seconds(try_no: int, retry_after: float | None, seed: str, patience: Patience) -> float:
    """How long to wait after try `try_no` (1 = the first) failed: full jitter, on top of what the provider asked for.
    The jitter comes from the seed (the call's id), so that a replayed stage waits the same."""
    ceiling = min(patience.longest_seconds, patience.backoff_seconds * 2.0 ** (try_no - 1))
    jitter: float = crc32(seed.encode()) / 2**32 * ceiling
    return min(patience.longest_seconds, max(0.0, retry_after or 0.0)) + jitter


def fallback(rung: Rung, *, security: bool, haiku_may: bool) -> Rung | None:
    """Who stands in for a rung whose provider fails; never below the floor (R-SEC-1). `haiku_may`: the matrix lets
    haiku do this type of task. Gemini has none (see above), and opus none that a person approved (R-ESC-8)."""
    if rung is Rung.HAIKU:
        return Rung.SONNET
    if rung is Rung.SONNET and haiku_may and not security:
        return Rung.HAIKU
    return None


class CallOutcome(Frozen):
    """How one call ended for its provider: answered, or refused or unknown for a reason of the provider's."""

    at: datetime
    answered: bool


class Healthy(Frozen):
    """Calls go out as they come."""


class Resting(Frozen):
    """No call goes out until then."""

    until: datetime
    since: datetime  # of the first failure
    failures: int


class Trying(Frozen):
    """The rest is over: one call tries the provider again, the others wait for how it ends."""

    since: datetime
    failures: int


Health = Healthy | Resting | Trying


def health(history: Iterable[CallOutcome], now: datetime, patience: Patience) -> Health:
    """Where a provider stands, from its calls' outcomes, oldest first. An answer clears everything."""
    run: list[datetime] = []  # failures since the last answer
    rests, until = 0, None
    for outcome in history:
        if outcome.answered or (run and outcome.at - run[-1] > timedelta(seconds=patience.forget_seconds)):
            run, rests, until = [], 0, None
        if outcome.answered:
            continue
        run.append(outcome.at)
        if until is None:
            recent = [at for at in run if outcome.at - at <= timedelta(seconds=patience.window_seconds)]
            if len(recent) >= patience.failures:
                until = outcome.at + _rest(0, patience)
        elif outcome.at >= until:  # the call that tried it again failed; others that were under way do not count
            rests += 1
            until = outcome.at + _rest(rests, patience)
    if until is None or now - run[-1] > timedelta(seconds=patience.forget_seconds):
        return Healthy()
    if now < until:
        return Resting(until=until, since=run[0], failures=len(run))
    return Trying(since=run[0], failures=len(run))


def _rest(number: int, patience: Patience) -> timedelta:
    return timedelta(seconds=patience.rest_seconds[min(number, len(patience.rest_seconds) - 1)])


class Rest(Frozen):
    """What a provider's rest means for the tasks that need it: they wait for `why`, but for `probes` of them."""

    provider: Provider
    why: str
    probes: int = 0


def rest_of(provider: Provider, state: Health, zone: tzinfo, *, being_tried: bool) -> Rest | None:
    """None for a healthy provider. `being_tried`: a call or an attempt that tries it again is under way."""
    match state:
        case Resting(until=until):
            to_minute = until + timedelta(seconds=-until.timestamp() % 60)
            why = f"waiting for {provider}, resting until {to_minute.astimezone(zone):%H:%M}"
            return Rest(provider=provider, why=why)
        case Trying():
            why = f"waiting for {provider}, which one call is trying again"
            return Rest(provider=provider, why=why, probes=0 if being_tried else 1)
        case _:
            return None
