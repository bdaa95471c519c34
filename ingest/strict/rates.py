"""Rates: how many reads and writes of a collection one process takes in a minute."""

import math
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Literal

from schemas.errors import RateLimitedError

MAX_COUNTED = 8192
"""Of more rates, those used least recently are forgotten: they begin anew."""


class _Bucket:
    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at


class RateLimits:
    """A bucket of tokens for each collection's reads and writes: it holds a minute's, and fills at an even pace."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """``clock`` gives seconds."""
        self._clock = clock
        self._buckets: OrderedDict[tuple[int, str], _Bucket] = OrderedDict()

    def take(self, uid: int, kind: Literal["Read", "Write"], a_minute: int | None, cost: int) -> None:
        """Count ``cost`` requests of a collection; None is no limit. Raises RateLimitedError."""
        if a_minute is None:
            return
        now = self._clock()
        bucket = self._buckets.pop((uid, kind), None) or _Bucket(a_minute, now)
        bucket.tokens = min(float(a_minute), bucket.tokens + (now - bucket.at) * a_minute / 60)
        bucket.at = now
        self._buckets[uid, kind] = bucket
        if len(self._buckets) > MAX_COUNTED:
            self._buckets.popitem(last=False)
        if bucket.tokens < cost:
            raise _too_many(kind, a_minute, cost, bucket.tokens)
        bucket.tokens -= cost


def _too_many(kind: str, a_minute: int, cost: int, tokens: float) -> RateLimitedError:
    seconds = math.ceil((cost - tokens) * 60 / a_minute)
    if cost > a_minute:
        rest = f"more than the {a_minute} of a minute: send fewer in one request"
    else:
        rest = f"but only {int(tokens)} were available. Retry after {seconds}s"
    return RateLimitedError(
        f"Rate limiting exceeded: {kind} rate limit exceeded: Operation requires {cost} tokens {rest}", seconds
    )
