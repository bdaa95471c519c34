"""LogEnds: how many records of a partition are not visible yet, asked so that nobody waits for Kafka for long."""

import asyncio

from ingest.log import Log, LogUnavailableError, Topic

ANSWER_SECONDS = 1.0
READ_BYTES = 1
RETRY_SECONDS = 5.0
"""After Kafka did not answer, what was last heard is good enough for so long."""


class LogEnds:
    """The ends of the points partitions, as last heard."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._ends: dict[int, int] = {}
        self._silent_until = float("-inf")

    async def queued(self, partition: int, visible: int) -> int:
        """How many records after offset ``visible`` there are, counting offsets; 0 when there is no record."""
        now = asyncio.get_running_loop().time()
        if now >= self._silent_until:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await self._ask(partition, visible)
            except (TimeoutError, LogUnavailableError):
                self._silent_until = now + RETRY_SECONDS
        return max(0, self._ends.get(partition, 0) - 1 - visible)

    async def _ask(self, partition: int, visible: int) -> int:
        end = self._ends[partition] = await self._log.end_offset(Topic.POINTS, partition)
        if end - 1 <= visible or not await self._log.read(Topic.POINTS, partition, visible + 1, READ_BYTES):
            # The last offsets may be without a record.
            return 0
        return end - 1 - visible
