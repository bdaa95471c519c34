"""What the fold leaves to others: records that are not at home where they landed, and those that were rejected."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

from ingest.log import Log, LogRecord, Topic
from ingest.outcomes import Reject, Rejection
from projector.state.store import PartitionState
from projector.worker.rejected import send_rejected
from projector.worker.retry import when_available


class Relay(Protocol):
    """The router's part in one points partition."""

    @property
    def to_relay(self) -> Callable[[int], bool] | None:
        """What PartitionRunner asks of an offset: whether the router has yet to deal with it; None without one."""
        ...

    @property
    def reject(self) -> Reject:
        """Puts records that could not be applied where their producers find them."""
        ...

    def applied(self, records: Sequence[LogRecord]) -> None:
        """These records were applied, and the state's outbox may have entries for some of them."""
        ...

    async def close(self) -> None:
        """Stop: the state is about to be closed."""
        ...


OpenRelay = Callable[[int, PartitionState], Awaitable[Relay]]
"""Makes the relay of a points partition whose state was opened."""

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a task whose exception ends the process: a TaskGroup's ``create_task``."""


class NoRelay:
    """Where everything is at home where it is: ``reject`` is all there is to it."""

    def __init__(self, reject: Reject) -> None:
        self.reject = reject
        self.to_relay = None

    def applied(self, records: Sequence[LogRecord]) -> None:
        """Nobody waits for it."""

    async def close(self) -> None:
        """Nothing is open."""


def no_relay(log: Log) -> OpenRelay:
    """For a deployment in which every record is at home where it is: only rejections are sent."""

    async def open_relay(partition: int, state: PartitionState) -> Relay:
        return NoRelay(rejecter(log, Topic.POINTS))

    return open_relay


def rejecter(log: Log, topic: Topic) -> Reject:
    """Sends to the rejected topic, however long the log can't be reached: the fold goes no further without."""

    async def reject(rejections: Sequence[Rejection]) -> None:
        await when_available(lambda: send_rejected(log, topic, rejections), "the rejected topic")

    return reject
