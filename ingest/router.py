"""The router: what of foreign records is not at home where they landed goes to where it is.

What a record becomes carries its origin, a number for each home beside the record's partition and offset. A home skips
what is at or below the last origin it has had of that partition. So forwarding may be done again after a crash, as long
as what is on a home's partition is always a beginning of what was to be forwarded there, in order: nothing is written
before everything ahead of it is, and the same record becomes the same again. For the latter, which collection a name
stands for is resolved once (``resolve``), and who calls remembers it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from prometheus_client import Counter

from ingest.foreign import Destination
from ingest.forwarding import Outgoing, forwarded
from ingest.log import BatchLog, LogRecord, LogUnavailableError, RecordTooLargeError, Topic
from ingest.outcomes import Reject, Rejection, rejected
from ingest.ports import Catalog, CollectionEntry
from ingest.sharding import split_at
from ingest.writer import HEADERS, MAX_RECORD_BYTES
from schemas.errors import NotFoundError
from schemas.operations import Outcome

T = TypeVar("T")

Appended = Callable[[int, Sequence[LogRecord]], None]
"""Told of what is on the log now: the partition, and the records as any reader of the log finds them."""

TOGETHER_BYTES = 512 << 10
"""About how much is written to a home as one."""
RECORDS_A_TURN = 100
"""So many are decoded before others get their turn: some milliseconds of work."""
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0

FORWARDED = Counter("headwater_router_forwarded_total", "Foreign records forwarded to where they are at home")
REJECTED = Counter("headwater_router_rejected_total", "Foreign records that the router rejected")

_logger = structlog.get_logger("headwater.router")


@dataclass(frozen=True, slots=True)
class _Part:
    """What goes to one home as one record."""

    outgoing: int
    value: bytes


def ignore_appended(partition: int, records: Sequence[LogRecord]) -> None:
    """For who has no use for what was just written."""


class Router:
    """Forwards records of any partition. Everything is tried again for ever while the log can't be reached."""

    def __init__(
        self,
        log: BatchLog,
        catalog: Catalog,
        catalog_is_current: Callable[[], Awaitable[None]],
        reject: Reject,
        max_record_bytes: int = MAX_RECORD_BYTES,
        appended: Appended = ignore_appended,
    ) -> None:
        """``catalog_is_current`` returns once ``catalog`` has reached the end the catalog topic had when called.

        ``max_record_bytes`` is what ``log`` takes as one record. It has a part in what a record becomes, so it is
        to be the same for all routers that may forward the same.
        """
        self._appended = appended
        self._log = log
        self._catalog = catalog
        self._catalog_is_current = catalog_is_current
        self._reject = reject
        self._split_at = split_at(max_record_bytes, MAX_RECORD_BYTES)

    async def resolve(self, found: Sequence[Destination]) -> list[Destination]:
        """The same with the collection that each name stands for, in a catalog not older than this call.

        Those that name no collection stay as they are: ``forward_all`` rejects them.
        """
        if all(destination.uid is not None for destination in found):
            return list(found)
        await self._until_available("the end of the catalog is not known", self._catalog_is_current)
        return [destination if destination.uid is not None else self._resolved(destination) for destination in found]

    def _resolved(self, destination: Destination) -> Destination:
        try:
            entry = self._catalog.resolve(destination.name)
        except NotFoundError:
            return destination
        return Destination(destination.name, entry.uid, list(range(len(entry.shard_map))))

    async def forward(self, record: LogRecord, destination: Destination) -> None:
        """Resolve and forward one record."""
        (resolved,) = await self.resolve([destination])
        await self.forward_all([Outgoing(record, resolved)])

    async def forward_all(self, outgoing: Sequence[Outgoing]) -> None:
        """Write what ``outgoing``, which are resolved and in order, become to their homes, and reject what can't be.

        Returns once everything is on the log. Each home gets its records in the order of ``outgoing``.
        """
        entries = await self._entries(outgoing)
        homes: dict[int, list[_Part]] = {}
        refused: dict[int, Outcome] = {}
        for start in range(0, len(outgoing), RECORDS_A_TURN):
            some = outgoing[start : start + RECORDS_A_TURN]
            for number, found in enumerate(forwarded(some, entries, self._split_at), start):
                if isinstance(found, Outcome):
                    refused[number] = found
                    continue
                for partition, value in found:
                    homes.setdefault(partition, []).append(_Part(number, value))
            await asyncio.sleep(0)
        async with asyncio.TaskGroup() as group:
            chains = [group.create_task(self._write(partition, parts)) for partition, parts in homes.items()]
        for chain in chains:
            refused.update(chain.result())
        if refused:
            await self._refuse([Rejection(outgoing[number].record, [refused[number]]) for number in sorted(refused)])
        REJECTED.inc(len(refused))
        FORWARDED.inc(len(outgoing) - len(refused))

    async def _entries(self, outgoing: Sequence[Outgoing]) -> dict[int, CollectionEntry]:
        """The collections that ``outgoing`` are of, by uid; those that are gone are not among them."""
        wanted = {destination.uid: destination.name for _, destination in outgoing if destination.uid is not None}
        found = self._look_up(wanted)
        if len(found) < len(wanted):
            await self._until_available("the end of the catalog is not known", self._catalog_is_current)
            found = self._look_up(wanted)
        return found

    def _look_up(self, wanted: dict[int, str]) -> dict[int, CollectionEntry]:
        found: dict[int, CollectionEntry] = {}
        for uid, name in wanted.items():
            try:
                entry = self._catalog.resolve(name)
            except NotFoundError:
                continue
            if entry.uid == uid:
                found[uid] = entry
        if len(found) < len(wanted):
            # Named otherwise by now.
            found.update((entry.uid, entry) for entry in self._catalog.collections() if entry.uid in wanted)
        return found

    async def _write(self, partition: int, parts: Sequence[_Part]) -> dict[int, Outcome]:
        """Write ``parts`` in order; those too large for the log, by their place in what was to be forwarded."""
        refused: dict[int, Outcome] = {}
        waiting = list(_together(parts))[::-1]
        while waiting:
            some = waiting.pop()
            try:
                await self._append(partition, [part.value for part in some])
            except RecordTooLargeError as error:
                if len(some) == 1:
                    refused[some[0].outgoing] = rejected(error)
                else:
                    half = len(some) // 2
                    waiting += [some[half:], some[:half]]
        return refused

    async def _append(self, partition: int, values: Sequence[bytes]) -> None:
        # A time of our own, so that it is known here what the records on the log have.
        now = time.time_ns() // 1_000_000
        offset = await self._until_available(
            f"forwarding to partition {partition}",
            lambda: self._log.append_together(Topic.POINTS, partition, values, HEADERS, now),
        )
        records = [LogRecord(partition, offset + i, now, None, value, HEADERS) for i, value in enumerate(values)]
        self._appended(partition, records)

    async def _refuse(self, rejections: Sequence[Rejection]) -> None:
        await self._until_available("rejecting", lambda: self._reject(rejections))

    async def _until_available(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        pause = FIRST_PAUSE
        while True:
            try:
                return await attempt()
            except LogUnavailableError as error:
                _logger.warning("trying again", what=what, seconds=pause, reason=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _together(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Runs of ``parts`` of about TOGETHER_BYTES."""
    some: list[_Part] = []
    size = 0
    for part in parts:
        if some and size + len(part.value) > TOGETHER_BYTES:
            yield some
            some, size = [], 0
        some.append(part)
        size += len(part.value)
    if some:
        yield some
