"""Read your writes: wait until the views stand at the offsets that a client brings along."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from ingest.deadline import Deadline
from ingest.http.endpoint import Call
from ingest.http.limits import Limits
from ingest.http.offsets import CATALOG_PARTITION, OFFSETS_HEADER, Offset, parse_offsets
from ingest.log import LogUnavailableError, Topic
from query_api.ports import Readers
from schemas.errors import BadInputError, TimedOutError


class Freshness:
    """For the readers of one process: a token is good on any other, too."""

    def __init__(
        self, readers: Readers, partitions: Callable[[], int], recount: Callable[[], Awaitable[None]], limits: Limits
    ) -> None:
        """``partitions`` is the number of points partitions, ``recount`` has it brought up to date."""
        self._readers = readers
        self._partitions = partitions
        self._recount = recount
        self._limits = limits

    async def reach(self, call: Call) -> Deadline:
        """Return the request's deadline once what its token names is visible; at once when it has none.

        Raises BadInputError for a malformed token, TimedOutError.
        """
        deadline = call.deadline(self._limits)
        token = call.list_header(OFFSETS_HEADER)
        if token is None:
            return deadline
        offsets = parse_offsets(token)
        try:
            async with asyncio.timeout(deadline.left()):
                await self._check_partitions(offsets)
                await self._wait(offsets, deadline)
            return deadline
        except (TimeoutError, TimedOutError):
            raise TimedOutError(
                f"Timeout: the records named by {OFFSETS_HEADER.decode()} are not visible after "
                f"{deadline.seconds:g} seconds"
            ) from None

    async def _check_partitions(self, offsets: Sequence[Offset]) -> None:
        highest = max((partition for partition, _ in offsets), default=CATALOG_PARTITION)
        if highest >= self._partitions():
            with suppress(LogUnavailableError):
                await self._recount()
        if highest >= self._partitions():
            raise BadInputError(f"Wrong input: {OFFSETS_HEADER.decode()}: there is no partition {highest}")

    async def _wait(self, offsets: Sequence[Offset], deadline: Deadline) -> None:
        for partition, offset in offsets:
            topic, number = (Topic.CATALOG, 0) if partition == CATALOG_PARTITION else (Topic.POINTS, partition)
            await self._readers.reach(topic, number, offset, deadline)
