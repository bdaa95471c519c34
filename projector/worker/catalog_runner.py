"""CatalogRunner: reads the catalog topic, folds, commits, sends the markers, publishes."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter

import structlog

from ingest.log import Log, LogRecord, LogUnavailableError, RecordTooLargeError, Topic
from ingest.outcomes import Reject, Rejection, rejected
from ingest.points_topic import is_of_request
from projector.catalog.effects import CatalogEffects
from projector.catalog.fold import fold_catalog
from projector.catalog.state import CatalogState, MarkerOffset
from projector.catalog.store import CatalogStore
from projector.worker.following import LogFollower
from projector.worker.retry import when_writable
from schemas.errors import BadInputError
from schemas.operations import Outcome
from schemas.records import CANONICAL_CONTENT_TYPE, CONTENT_TYPE_HEADER, Marker, decode_catalog_record, encode_record

READ_BYTES = 1 << 20
RETRY_SECONDS = 1.0
_HEADERS = ((CONTENT_TYPE_HEADER, CANONICAL_CONTENT_TYPE),)

Publish = Callable[[int, CatalogState, Sequence[Outcome], Sequence[MarkerOffset]], None]

_logger = structlog.get_logger("headwater.catalog")


def nothing_seen(partition: int) -> int:
    """For partitions of which nothing is known."""
    return 0


class CatalogRunner(LogFollower):
    """The one writer of the catalog's state.

    The catalog is published after its markers are on the partitions' logs, so whatever is then written to a new
    collection comes after the marker that opens it.
    """

    def __init__(
        self,
        log: Log,
        store: CatalogStore,
        publish: Publish,
        reject: Reject,
        *,
        seen: Callable[[int], int] = nothing_seen,
        send: bool = True,
    ) -> None:
        """``seen`` gives the highest marker sequence number a partition has applied; those are not sent again.

        Without ``send`` the markers stay in the outbox: a replay sends nothing.
        """
        super().__init__(log, Topic.CATALOG, 0, store, READ_BYTES)
        self._store = store
        self._publish = publish
        self._reject = reject
        self._seen = seen
        self._sends = send

    async def start(self) -> None:
        """Send what a crash kept in the outbox, and publish what is folded so far."""
        offsets = await self._send_outbox()
        self._publish(self._store.applied, self._store.state, (), offsets)

    async def apply_all(self, records: Sequence[LogRecord]) -> None:
        """Fold the log's next records one by one: commit each, send its markers, publish."""
        for record in records:
            await self._apply(record)

    async def _apply(self, record: LogRecord) -> None:
        effects = self._fold(record)
        outcomes = [] if effects.outcome.applied else [effects.outcome]
        if outcomes and not is_of_request(record):
            await self._reject([Rejection(record, outcomes)])
        await self._write(lambda: self._store.commit(effects, record.offset, record.value))
        offsets = await self._send_outbox()
        self._publish(record.offset, self._store.state, outcomes, offsets)

    def _fold(self, record: LogRecord) -> CatalogEffects:
        try:
            return fold_catalog(self._store.state, decode_catalog_record(record.value or b""))
        except BadInputError as error:
            return CatalogEffects(self._store.state, rejected(error))

    async def _send_outbox(self) -> list[MarkerOffset]:
        if not self._sends:
            return []
        waiting = sorted(self._store.outbox(), key=itemgetter(1, 0))
        sends = [self._send(partition, list(group)) for partition, group in groupby(waiting, key=itemgetter(1))]
        return [offset for offsets in await asyncio.gather(*sends) for offset in offsets]

    async def _send(self, partition: int, markers: Sequence[tuple[int, int, Marker]]) -> list[MarkerOffset]:
        # One at a time: a partition ignores a marker that comes after a later one.
        offsets: list[MarkerOffset] = []
        for seq, _, marker in markers:
            if seq <= self._seen(partition):
                await self._sent(seq)
            else:
                offsets.append((partition, await self._append(partition, seq, marker)))
        return offsets

    async def _sent(self, seq: int) -> None:
        await self._write(lambda: self._store.sent(seq))

    async def _write(self, write: Callable[[], None]) -> None:
        await when_writable(write, self._store.kv, "the state of the catalog")

    async def _append(self, partition: int, seq: int, marker: Marker) -> int:
        value = encode_record(marker)
        told = False
        while True:
            try:
                offset = await self._log.append(Topic.POINTS, partition, value, headers=_HEADERS)
            except LogUnavailableError as error:
                _logger.warning("marker waits for the log", partition=partition, seq=seq, reason=str(error))
            except (ValueError, RecordTooLargeError) as error:
                # The record said that there were more partitions than there are, or the topic takes less than others.
                # Its change is folded: until the topic is altered, the catalog can't go on, nor can it go back.
                if not told:
                    _logger.error("the catalog is held by a marker", partition=partition, seq=seq, reason=str(error))
                told = True
            else:
                await self._sent(seq)
                return offset
            await asyncio.sleep(RETRY_SECONDS)
