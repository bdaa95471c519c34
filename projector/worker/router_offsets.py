"""How far the router is: the committed offset of a consumer group of its own.

Everything below is forwarded or rejected. It never goes back, and a state that is rebuilt, or restored, does not route
again what is below it. States keep what is above, whether their own group routes or another one does.
"""

from dataclasses import dataclass
from typing import Protocol

import structlog

from ingest.kafka.groups import Offsets
from ingest.log import Log, Topic
from projector.worker.retry import when_available

_logger = structlog.get_logger("headwater.router")


class Progress(Protocol):
    """Where consumer groups stand; ``ingest.kafka.groups.GroupOffsets`` knows. Raises LogUnavailableError."""

    async def committed(self, group: str) -> Offsets:
        """Where ``group`` stands."""
        ...

    async def commit(self, group: str, offsets: Offsets) -> None:
        """Let ``group`` stand at ``offsets``."""
        ...


@dataclass(frozen=True, slots=True)
class RouterOffsets:
    """The progress of the router whose consumer group is ``group``, on the points topic of ``log``."""

    log: Log
    progress: Progress
    group: str

    async def offset(self, partition: int) -> int:
        """The offset below which everything is forwarded or rejected. Raises LogUnavailableError."""
        committed = (await self.progress.committed(self.group)).get((Topic.POINTS, partition), 0)
        end = await self.log.end_offset(Topic.POINTS, partition)
        if committed <= end:
            return committed
        # Of another log under the same names. Homes skip what they had, so beginning anew loses nothing.
        _logger.warning("routed further than the log goes", partition=partition, committed=committed, end=end)
        return 0

    async def offset_once_known(self, partition: int) -> int:
        """The same, however long Kafka can't be reached."""
        return await when_available(lambda: self.offset(partition), f"how far points-{partition} is routed")

    async def commit(self, partition: int, offset: int) -> None:
        """Let everything below ``offset`` be forwarded or rejected. Raises LogUnavailableError."""
        await self.progress.commit(self.group, {(Topic.POINTS, partition): offset})
