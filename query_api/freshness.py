"""Read your writes: wait until the views stand at the offsets that a client brings along."""

import asyncio
from collections.abc import Callable, Sequence

from ingest.http.endpoint import Call
from ingest.http.limits import Limits
from ingest.http.params import CATALOG_PARTITION, OFFSETS_HEADER, Offset, parse_offsets
from ingest.log import Topic
from ingest.ports import Visibility
from schemas.errors import TimedOutError


class Freshness:
    """``partitions`` gives the number of points partitions."""

    def __init__(self, visibility: Visibility, partitions: Callable[[], int], limits: Limits) -> None:
        self._visibility = visibility
        self._partitions = partitions
        self._limits = limits

    async def reach(self, call: Call) -> None:
        """Return once what the call's token names is visible; at once when it has none.

        Raises BadInputError for a malformed token, TimedOutError.
        """
        token = call.header(OFFSETS_HEADER)
        if token is None:
            return
        offsets = parse_offsets(token, self._partitions())
        seconds = self._limits.wait_seconds(call.params.timeout)
        try:
            async with asyncio.timeout(seconds):
                await self._wait(offsets, seconds)
        except (TimeoutError, TimedOutError):
            raise TimedOutError(
                f"Timeout: the records named by {OFFSETS_HEADER.decode()} are not visible after {seconds:g} seconds"
            ) from None

    async def _wait(self, offsets: Sequence[Offset], seconds: float) -> None:
        for partition, offset in offsets:
            topic, number = (Topic.CATALOG, 0) if partition == CATALOG_PARTITION else (Topic.POINTS, partition)
            await self._visibility.wait(topic, number, offset, seconds)
