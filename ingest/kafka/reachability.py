"""Reachability: whether Kafka answers at all, told once when it goes and once when it is back."""

import time
from functools import cache

import structlog
from prometheus_client import Gauge

GONE_SECONDS = 1.0
"""A connection that breaks is made anew, and a leader moves, in less."""

REACHABLE = Gauge("headwater_kafka_reachable", "1 while Kafka answers, else 0", multiprocess_mode="livemin")

_logger = structlog.get_logger("headwater.kafka")


class Reachability:
    """What the connections of a process to one cluster find, together. ``gone_seconds``: as GONE_SECONDS."""

    def __init__(self, servers: str, gone_seconds: float = GONE_SECONDS) -> None:
        self._servers = servers
        self._gone_seconds = gone_seconds
        self._failing_since: float | None = None
        self._told = False
        REACHABLE.set(1)

    @property
    def is_gone(self) -> bool:
        """Whether nothing has been answered for a while, though something was asked."""
        return self._told

    def trouble(self) -> str:
        """That Kafka doesn't answer, and for how long; empty when it does."""
        if not self._told or self._failing_since is None:
            return ""
        seconds = round(time.monotonic() - self._failing_since)
        return f"Kafka at {self._servers} has not answered for {seconds} s"

    def heard(self) -> None:
        """A broker answered."""
        since, self._failing_since = self._failing_since, None
        if self._told and since is not None:
            _logger.info("Kafka is back", servers=self._servers, gone_seconds=round(time.monotonic() - since, 1))
            REACHABLE.set(1)
        self._told = False

    def failed(self, reason: str) -> None:
        """No broker answered a request, because of ``reason``."""
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        elif not self._told and now - self._failing_since >= self._gone_seconds:
            self._told = True
            REACHABLE.set(0)
            _logger.warning("Kafka can't be reached", servers=self._servers, reason=reason)


@cache
def reachability_of(servers: str) -> Reachability:
    """That of the cluster with these bootstrap servers."""
    return Reachability(servers)
