"""Slack's rate limits: so many calls a minute of each method, and about a post a second in each channel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from bot.local.slack.refusal import ratelimited

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}  # tier -> calls a minute
POSTS_PER_MINUTE = 60


@dataclass
class Bucket:
    tokens: float
    filled: float  # when, in seconds


class Rates:
    """Token buckets. Bursts up to a minute's worth pass (posts: `post_burst`), as Slack tolerates them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.enabled = True
        self.post_burst = 30
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def spend(self, method: str, tier: int) -> None:
        """Count a call of a method of `tier`; raises Refusal when it is one too many."""
        self._take(method, PER_MINUTE[tier], PER_MINUTE[tier])

    def spend_post(self, channel: str) -> None:
        """Count a post in a channel."""
        self._take(f"post in {channel}", POSTS_PER_MINUTE, self.post_burst)

    def _take(self, key: str, per_minute: int, burst: int) -> None:
        if not self.enabled:
            return
        now = self._clock()
        bucket = self._buckets.setdefault(key, Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.filled) * per_minute / 60)
        bucket.filled = now
        if bucket.tokens < 1:
            raise ratelimited(max(1, math.ceil((1 - bucket.tokens) * 60 / per_minute)))
        bucket.tokens -= 1
