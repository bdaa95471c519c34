"""A log with records on it, and a runner that folds it into a state folder."""

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TypeVar

from ingest.log import Log, Topic
from ingest.outcomes import Rejection
from projector.fold.chunk import ChunkLimit
from projector.fold.fold import DEFAULT_LIMIT
from projector.frames import Frame
from projector.state.digest import ShardDigest, digest_shard
from projector.state.store import PartitionState
from projector.worker.following import READ_BYTES
from projector.worker.partition_runner import PartitionRunner
from schemas.operations import Outcome
from schemas.records import PartitionRecord, encode_record
from tests.support.memory_log import MemoryLog

T = TypeVar("T")


def run(awaitable: Awaitable[T]) -> T:
    """Run to the end on an event loop of its own."""

    async def main() -> T:
        return await awaitable

    return asyncio.run(main())


def log_of(*records: PartitionRecord | bytes | None) -> MemoryLog:
    """A log with these records, or raw values, in points partition 0."""
    log = MemoryLog()
    for record in records:
        put(log, record)
    return log


def put(log: MemoryLog, record: PartitionRecord | bytes | None) -> int:
    """Append to points partition 0; the offset."""
    value = record if record is None or isinstance(record, bytes) else encode_record(record)
    return log.put(Topic.POINTS, 0, value)


def open_state(folder: Path) -> PartitionState:
    """The state of a MemoryLog's partition."""
    return PartitionState.open(folder, "memory")


class Projector:
    """A runner and what came out of it: frames, and what was rejected."""

    def __init__(
        self,
        log: Log,
        state: PartitionState,
        *,
        read_bytes: int = READ_BYTES,
        chunk_points: int = DEFAULT_LIMIT.points,
        chunk_bytes: int = DEFAULT_LIMIT.bytes,
    ) -> None:
        self.frames: list[Frame] = []
        self.rejected: list[tuple[int, Sequence[Outcome]]] = []
        self.runner = PartitionRunner(
            log,
            0,
            state,
            self.frames.append,
            reject=self._reject,
            read_bytes=read_bytes,
            chunk=ChunkLimit(chunk_points, chunk_bytes),
        )

    async def _reject(self, rejections: Sequence[Rejection]) -> None:
        self.rejected += [(record.offset, outcomes) for record, outcomes in rejections]


def fold_all(log: MemoryLog, folder: Path, **options: int) -> Projector:
    """Fold the log as far as it goes; the projector, stopped."""
    state = open_state(folder)
    try:
        projector = Projector(log, state, **options)
        run(_to_the_end(log, projector))
    finally:
        state.close()
    return projector


async def _to_the_end(log: Log, projector: Projector) -> None:
    await projector.runner.catch_up(await log.end_offset(Topic.POINTS, 0))


def digests(folder: Path) -> list[ShardDigest]:
    """The digests of all shards."""
    state = open_state(folder)
    try:
        return [digest_shard(state, shard) for shard in sorted(state.shards())]
    finally:
        state.close()
