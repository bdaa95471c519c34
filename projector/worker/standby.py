"""PartitionStandby: what a group that doesn't route keeps of one points partition, so that it can begin to at any time.

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
from projector.runner import ignore_rejected
from projector.state.store import PartitionState
from projector.worker.patience import when_writable
from projector.worker.routed import Routed
from projector.worker.routing_port import OpenRouting, Spawn

LOOK_SECONDS = 10.0
"""How often it is asked how far the router is."""

_logger = structlog.get_logger("headwater.router")


@dataclass(frozen=True, slots=True)
class StandbyOffice:
    """What the partitions of a process share."""

    routed: Routed
    spawn: Spawn
    look_seconds: float = LOOK_SECONDS


def standing_by(office: StandbyOffice) -> OpenRouting:
    """For the partitions of a group beside the one that routes."""

    async def open_routing(partition: int, state: PartitionState) -> PartitionStandby:
        return await PartitionStandby.open(office, partition, state)

    return open_routing


class PartitionStandby:
    """Implements ``routing_port.Routing``. Runs on one event loop."""

    def __init__(self, office: StandbyOffice, partition: int, state: PartitionState, routed: int) -> None:
        """See ``open``. ``routed``: below it, everything is dealt with."""
        self.reject: Reject = ignore_rejected
        self._office = office
        self._partition = partition
        self._state = state
        self._routed = routed
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, office: StandbyOffice, partition: int, state: PartitionState) -> Self:
        """Begin where the router stands, once Kafka says where that is. Raises LogDamagedError."""
        routed = await office.routed.offset_once_known(partition)
        await when_writable(lambda: state.forwarded(routed - 1), state.kv, f"the outbox of points-{partition}")
        standby = cls(office, partition, state, routed)
        standby._task = office.spawn(standby._look_now_and_then())
        return standby

    def route(self, offset: int) -> bool:
        """Whether the record at ``offset`` is yet to be forwarded, or its rejection to be sent."""
        return offset >= self._routed

    def applied(self, records: Sequence[LogRecord]) -> None:
        """The router is elsewhere."""

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._office.look_seconds)
            try:
                routed = await self._office.routed.offset(self._partition)
            except LogUnavailableError as error:
                _logger.info("how far the router is, is not known", partition=self._partition, reason=str(error))
                continue
            if routed > self._routed:
                self._routed = routed
                what = f"the outbox of points-{self._partition}"
                await when_writable(partial(self._state.forwarded, routed - 1), self._state.kv, what)
