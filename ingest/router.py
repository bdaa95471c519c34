"""The router: what of foreign records is not at home where they landed goes to where it is.

What a record becomes carries its origin, a number for each home beside the record's partition and offset. A home skips
what is at or below the last origin it has had of that partition. So forwarding may be done again after a crash, as long
as what is on a home's partition is always a beginning of what was to be forwarded there, in order: nothing is written
before everything ahead of it is, and the same record becomes the same again. For the latter, which collection a name
stands for is settled once (``settle``), and who calls remembers it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import structlog
from prometheus_client import Counter

from ingest.foreign import Elsewhere, ForeignWrite, decode_points_record
from ingest.log import BatchLog, LogRecord, LogUnavailableError, RecordTooLargeError, Topic
from ingest.ports import Catalog, CollectionEntry
from ingest.sharding import records_of
from ingest.writer import HEADERS, MAX_RECORD_BYTES, encode
from schemas.errors import BadInputError, HeadwaterError, NotFoundError
from schemas.operations import Outcome
from schemas.records import Origin, PointsRecord

T = TypeVar("T")

Reject = Callable[[LogRecord, Sequence[Outcome]], Awaitable[None]]
"""Puts a record that could not be forwarded, or not wholly, where its producer finds it."""

TOGETHER_BYTES = 512 << 10
"""About how much is written to a home as one."""
RECORDS_A_TURN = 16
"""So many are decoded before others get their turn."""
MAX_NAME_SHOWN = 255
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0

FORWARDED = Counter("headwater_router_forwarded_total", "Foreign records forwarded to where they are at home")
REJECTED = Counter("headwater_router_rejected_total", "Foreign records that the router rejected")

_logger = structlog.get_logger("headwater.router")


class Stray(NamedTuple):
    """A foreign record of the points topic, and what of it is not at home where it landed."""

    record: LogRecord
    elsewhere: Elsewhere


@dataclass(frozen=True, slots=True)
class _Part:
    """What goes to one home as one record."""

    stray: int
    value: bytes


class Router:
    """Forwards strays of any partition. Everything is tried again for ever while the log can't be reached."""

    def __init__(
        self,
        log: BatchLog,
        catalog: Catalog,
        catalog_is_current: Callable[[], Awaitable[None]],
        reject: Reject,
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        """``catalog_is_current`` returns once ``catalog`` has reached the end the catalog topic had when called."""
        self._log = log
        self._catalog = catalog
        self._catalog_is_current = catalog_is_current
        self._reject = reject
        self._max_record_bytes = max_record_bytes

    async def settle(self, found: Sequence[Elsewhere]) -> list[Elsewhere]:
        """The same with the collection that each name stands for, in a catalog not older than this call.

        Those that name no collection stay as they are: ``forward_all`` rejects them.
        """
        if all(elsewhere.uid is not None for elsewhere in found):
            return list(found)
        await self._until_available("the end of the catalog is not known", self._catalog_is_current)
        return [elsewhere if elsewhere.uid is not None else self._settled(elsewhere) for elsewhere in found]

    def _settled(self, elsewhere: Elsewhere) -> Elsewhere:
        try:
            entry = self._catalog.resolve(elsewhere.name)
        except NotFoundError:
            return elsewhere
        return Elsewhere(elsewhere.name, entry.uid, list(range(len(entry.shard_map))))

    async def forward(self, record: LogRecord, elsewhere: Elsewhere) -> None:
        """Settle and forward one record."""
        (settled,) = await self.settle([elsewhere])
        await self.forward_all([Stray(record, settled)])

    async def forward_all(self, strays: Sequence[Stray]) -> None:
        """Write what ``strays``, which are settled and in order, become to their homes, and reject what can't be.

        Returns once everything is on the log. Each home gets its records in the strays' order.
        """
        entries = await self._entries(strays)
        homes: dict[int, list[_Part]] = {}
        refused: dict[int, Outcome] = {}
        for number, stray in enumerate(strays):
            if number % RECORDS_A_TURN == 0:
                await asyncio.sleep(0)
            try:
                for partition, value in self._records(stray, entries.get(stray.elsewhere.uid)):
                    homes.setdefault(partition, []).append(_Part(number, value))
            except HeadwaterError as error:
                refused[number] = Outcome(reason=error.message, status=error.status)
        async with asyncio.TaskGroup() as group:
            chains = [group.create_task(self._write(partition, parts)) for partition, parts in homes.items()]
        for chain in chains:
            refused.update(chain.result())
        async with asyncio.TaskGroup() as group:
            for number, outcome in sorted(refused.items()):
                group.create_task(self._refuse(strays[number].record, outcome))
        REJECTED.inc(len(refused))
        FORWARDED.inc(len(strays) - len(refused))

    async def _entries(self, strays: Sequence[Stray]) -> dict[int | None, CollectionEntry]:
        """The collections that ``strays`` are of, by uid; those that are gone are not among them."""
        wanted = {elsewhere.uid: elsewhere.name for _, elsewhere in strays if elsewhere.uid is not None}
        found = self._look_up(wanted)
        if len(found) < len(wanted):
            await self._until_available("the end of the catalog is not known", self._catalog_is_current)
            found = self._look_up(wanted)
        return found

    def _look_up(self, wanted: dict[int, str]) -> dict[int | None, CollectionEntry]:
        found: dict[int | None, CollectionEntry] = {}
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

    def _records(self, stray: Stray, entry: CollectionEntry | None) -> list[tuple[int, bytes]]:
        """(home, record) in order. Raises what is wrong with the record."""
        record, elsewhere = stray
        if entry is None:
            raise NotFoundError(f"Not found: Collection `{_shown(elsewhere.name)}` doesn't exist!")
        operations = _decode(record).operations(entry.config)
        shards = set(elsewhere.shards or ())
        counts: dict[int, int] = {}
        records: list[tuple[int, bytes]] = []
        for shard, ops in records_of(operations, len(entry.shard_map), self._max_record_bytes):
            if shard not in shards:
                continue
            home = entry.shard_map[shard]
            index = counts.get(home, 0)
            counts[home] = index + 1
            origin = Origin(record.partition, record.offset, index)
            records.append((home, encode(PointsRecord(uid=entry.uid, shard=shard, ops=ops, origin=origin))))
        return records

    async def _write(self, partition: int, parts: Sequence[_Part]) -> dict[int, Outcome]:
        """Write ``parts`` in order; those too large for the log, by stray."""
        refused: dict[int, Outcome] = {}
        waiting = list(_together(parts))[::-1]
        while waiting:
            some = waiting.pop()
            try:
                await self._append(partition, [part.value for part in some])
            except RecordTooLargeError as error:
                if len(some) == 1:
                    refused[some[0].stray] = Outcome(reason=error.message, status=error.status)
                else:
                    half = len(some) // 2
                    waiting += [some[half:], some[:half]]
        return refused

    async def _append(self, partition: int, values: Sequence[bytes]) -> None:
        await self._until_available(
            f"forwarding to partition {partition}",
            lambda: self._log.append_together(Topic.POINTS, partition, values, HEADERS),
        )

    async def _refuse(self, record: LogRecord, outcome: Outcome) -> None:
        await self._until_available("rejecting", lambda: self._reject(record, [outcome]))

    async def _until_available(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        pause = FIRST_PAUSE
        while True:
            try:
                return await attempt()
            except LogUnavailableError as error:
                _logger.warning("trying again", what=what, seconds=pause, reason=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _decode(record: LogRecord) -> ForeignWrite:
    decoded = decode_points_record(record)
    if not isinstance(decoded, ForeignWrite):
        raise BadInputError("a canonical record is not forwarded: it names its shard")
    return decoded


def _shown(name: str) -> str:
    """Any name may turn up in a foreign record, and the reason goes into a header."""
    return name if len(name) <= MAX_NAME_SHOWN else f"{name[:MAX_NAME_SHOWN]}..."


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
