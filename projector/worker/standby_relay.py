"""StandbyRelay: what a group that doesn't route keeps of one points partition, so that it can begin to at any time.

Nothing is forwarded or rejected here. What the router of another group has yet to deal with stays in the state: records
that are not at home here in the outbox, those that were rejected with their outcomes.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import structlog

from ingest.log import LogRecord, LogUnavailableError
from ingest.outcomes import Reject
from projector.state.store import PartitionState
from projector.worker.partition_runner import ignore_rejected
from projector.worker.relay import OpenRelay, Spawn
from projector.worker.retry import when_writable
from projector.worker.router_offsets import RouterOffsets

LOOK_SECONDS = 10.0
"""How often it is asked how far the router is."""

_logger = structlog.get_logger("headwater.router")


@dataclass(frozen=True, slots=True)
class StandbyResources:
    """What the partitions of a process share."""

    router_offsets: RouterOffsets
    spawn: Spawn
    look_seconds: float = LOOK_SECONDS


def standby_relays(shared: StandbyResources) -> OpenRelay:
    """For the partitions of a group beside the one that routes."""

    async def open_relay(partition: int, state: PartitionState) -> StandbyRelay:
        return await StandbyRelay.open(shared, partition, state)

    return open_relay


class StandbyRelay:
    """Implements ``relay.Relay``. Runs on one event loop."""

    def __init__(self, shared: StandbyResources, partition: int, state: PartitionState, relayed: int) -> None:
        """See ``open``. ``relayed``: below it, everything is dealt with."""
        self.reject: Reject = ignore_rejected
        self._shared = shared
        self._partition = partition
        self._state = state
        self._relayed = relayed
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, shared: StandbyResources, partition: int, state: PartitionState) -> Self:
        """Begin where the router stands, once Kafka says where that is. Raises LogDamagedError."""
        relayed = await shared.router_offsets.offset_once_known(partition)
        await when_writable(lambda: state.forwarded(relayed - 1), state.kv, f"the outbox of points-{partition}")
        standby = cls(shared, partition, state, relayed)
        standby._task = shared.spawn(standby._look_now_and_then())
        return standby

    def to_relay(self, offset: int) -> bool:
        """Whether the record at ``offset`` is yet to be forwarded, or its rejection to be sent."""
        return offset >= self._relayed

    def applied(self, records: Sequence[LogRecord]) -> None:
        """The router runs in another group."""

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._shared.look_seconds)
            try:
                relayed = await self._shared.router_offsets.offset(self._partition)
            except LogUnavailableError as error:
                _logger.info("how far the router is, is not known", partition=self._partition, reason=str(error))
                continue
            if relayed > self._relayed:
                self._relayed = relayed
                what = f"the outbox of points-{self._partition}"
                await when_writable(partial(self._state.forwarded, relayed - 1), self._state.kv, what)
