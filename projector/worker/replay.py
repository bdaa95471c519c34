"""Replay: folding a log afresh into an empty state folder. Nothing is sent anywhere and nothing is served."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ingest.log import Log, Topic
from projector.catalog.state import CatalogState
from projector.catalog.store import CatalogStore
from projector.fold.effects import Cursor
from projector.folders import StateFolder
from projector.state.origin import LogTruncatedError
from projector.state.store import PartitionState
from projector.worker.catalog_runner import CatalogRunner, MarkerOffset
from projector.worker.following import READ_BYTES, Advance
from projector.worker.partition_runner import PartitionRunner, ignore_frame, ignore_rejected
from schemas.operations import Outcome


def _publish_nothing(
    offset: int, state: CatalogState, outcomes: Sequence[Outcome], markers: Sequence[MarkerOffset]
) -> None:
    """No one reads a replayed catalog."""


async def replay_partition(
    log: Log,
    partition: int,
    folder: Path,
    end: int,
    advance: Advance,
    *,
    read_bytes: int = READ_BYTES,
    pending: Cursor | None = None,
    routed: int | None = None,
) -> None:
    """Fold the records of a points partition below ``end`` into the RocksDB in ``folder``, a new one if there is none.

    With ``pending``, also the chunks of the next record that it says were applied. With ``routed``, the offset below
    which the router has dealt with everything, the state keeps what it has yet to deal with; None: there is no router.

    Raises LogTruncatedError when the log doesn't start at its beginning, or where the state in ``folder`` ends.
    """
    state = PartitionState.open(folder, log.identity)
    try:
        await _refuse_truncated(log, Topic.POINTS, partition, state.applied + 1)
        to_relay = None
        if routed is not None:
            state.forwarded(routed - 1)
            to_relay = routed.__le__
        runner = PartitionRunner(log, partition, state, ignore_frame, to_relay=to_relay, read_bytes=read_bytes)
        await runner.catch_up(end, advance)
        if pending is not None:
            records = await log.read(Topic.POINTS, partition, pending.offset, 1)
            await runner.apply(records[0], chunks=pending.chunk)
        await state.sync()
    finally:
        state.close()


async def replay_catalog(log: Log, folder: Path, end: int) -> None:
    """Fold the catalog's records below ``end`` into a new state in ``folder``; markers stay in the outbox.

    Raises LogTruncatedError when the log doesn't start at its beginning.
    """
    store = CatalogStore.open(folder, log.identity)
    try:
        await _refuse_truncated(log, Topic.CATALOG, 0, store.applied + 1)
        runner = CatalogRunner(log, store, _publish_nothing, ignore_rejected, send=False)
        await runner.catch_up(end)
        await store.sync()
    finally:
        store.close()


async def replay(log: Log, into: Path, advance: Advance, routed: Mapping[int, int] | None = None) -> None:
    """Fold the whole log, as it ends now, into ``into``, which becomes a state folder.

    ``routed``: as of ``replay_partition``, by partition. Raises LogTruncatedError.
    """
    folder = StateFolder(into)
    # Before anything is written.
    for topic in (Topic.CATALOG, Topic.POINTS):
        for partition in range(log.partitions(topic)):
            await _refuse_truncated(log, topic, partition, 0)
    await replay_catalog(log, folder.catalog, await log.end_offset(Topic.CATALOG, 0))
    done = 0
    for partition in range(log.partitions(Topic.POINTS)):
        end = await log.end_offset(Topic.POINTS, partition)
        before = done

        def step(applied: int, before: int = before) -> None:
            advance(before + applied)

        place = folder.rocksdb(partition)
        await replay_partition(log, partition, place, end, step, routed=None if routed is None else routed[partition])
        done += end


async def _refuse_truncated(log: Log, topic: Topic, partition: int, needed: int) -> None:
    start = await log.start_offset(topic, partition)
    if start > needed:
        message = f"the log of {topic}-{partition} starts at offset {start}: what came before can't be replayed."
        raise LogTruncatedError(message, topic, partition, start)
