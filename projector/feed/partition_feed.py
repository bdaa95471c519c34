"""PartitionFeed: what the projector of a partition tells the readers in other processes."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, Self

from projector.feed.directory import ShardDirectory
from projector.feed.format import FeedKind, FeedSource
from projector.feed.messages import PointsCheckpoint, encode
from projector.feed.pause_note import PauseNote
from projector.feed.recent import KEPT_OFFSETS, Recent
from projector.feed.writer import FeedWriter
from projector.fold.effects import ShardMeta
from projector.folders import StateFolder
from projector.frames import Changes, Closed, Frame, Resealed, ShardId
from projector.segments.manifest import read_manifest
from schemas.ids import PointId, ids_to_wire
from schemas.operations import Outcome

FILE_BYTES = 64 << 20
"""A file that is this large takes no further record."""
PENDING_BYTES = 4 << 20
"""Frames of so many bytes are written without waiting for a flush."""
CHUNK_POINTS = 500
"""How many points a frame of those has that bring what the manifests lack."""
CHUNK_BYTES = 1 << 20
"""And of how many bytes: the last of them may be larger."""


class FeedState(Protocol):
    """What a feed asks of a partition's state."""

    @property
    def applied(self) -> int:
        """The applied offset."""
        ...

    def shards(self) -> Mapping[ShardId, ShardMeta]:
        """All shards at home here."""
        ...

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> Sequence[bytes | None]:
        """Stored points by id."""
        ...

    def changed_since(self, shard: ShardId, offset: int) -> Sequence[PointId]:
        """The distinct ids changed after ``offset``, which is a manifest's."""
        ...

    def outcomes_since(self, offset: int) -> Iterable[tuple[int, list[Outcome]]]:
        """(offset, outcomes) of the records at or after ``offset`` with a rejected operation, by offset."""
        ...


class PartitionFeed:
    """One generation of a partition's feed. Used on the event loop that folds."""

    def __init__(
        self,
        directory: ShardDirectory,
        applied: int,
        outcomes: Recent[list[Outcome]],
        folder: StateFolder,
        source: FeedSource,
        file_bytes: int,
    ) -> None:
        """Use ``open``."""
        self._directory = directory
        self._applied = applied
        self._outcomes = outcomes
        self._file_bytes = file_bytes
        self._between_records = True
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._needs: deque[dict[ShardId, int]] = deque()
        """For each file but the first, which shards' manifests have yet to reach what its checkpoint needs."""
        self._writer = FeedWriter(folder.feed(source.partition), source, self._checkpoint())
        self._note: PauseNote | None = None

    @classmethod
    async def open(
        cls, folder: StateFolder, partition: int, identity: str, state: FeedState, *, file_bytes: int = FILE_BYTES
    ) -> Self:
        """Begin a generation with everything that the shards' manifests lack; only then readers leave the last one.

        After ``open_views``, before the next record is applied; no record may be half applied. ``identity`` is the
        log's. Raises ManifestDamagedError, OSError.
        """
        directory = ShardDirectory()
        changed: dict[ShardId, Sequence[PointId]] = {}
        for shard, meta in state.shards().items():
            # In one go, as the list of changed ids is cut when there is a new manifest.
            manifest = read_manifest(folder.shard(partition, shard))
            sealed = -1 if manifest is None else manifest.offset
            changed[shard] = state.changed_since(shard, sealed)
            directory.add(shard, meta.name, meta.config, meta.shard_map, sealed)
            await asyncio.sleep(0)
        oldest = state.applied - KEPT_OFFSETS
        outcomes = Recent(oldest, state.outcomes_since(oldest + 1))
        source = FeedSource(FeedKind.POINTS, partition, identity)
        feed = cls(directory, state.applied, outcomes, folder, source, file_bytes)
        try:
            await feed._begin(state, changed)
            feed._note = PauseNote(folder.pause_note(partition))
        except BaseException:
            feed._writer.close()
            raise
        return feed

    def on_frame(self, frame: Frame) -> None:
        """Take in a frame of the runner; readers get it with the next ``flush``, or when many bytes wait for it."""
        self._take(frame)
        if self._pending_bytes >= PENDING_BYTES:
            # What the disk doesn't take now waits for ``flush``, which says so.
            with suppress(OSError):
                self.flush()

    def flush(self) -> None:
        """Write what waits and wake the readers; costs nothing when nothing waits.

        Raises OSError; what was not written goes on waiting.
        """
        if not self._pending:
            return
        self._write()
        if self._writer.size >= self._file_bytes and self._between_records:
            self._writer.roll(self._checkpoint())
            self._needs.append(self._directory.unsealed())
        self._cut()

    def resealed(self, shard: ShardId, offset: int) -> None:
        """A shard has a new manifest, which stands at ``offset``: ``Optimizer.add(..., on_published=feed.resealed)``.

        Raises OSError.
        """
        if shard not in self._directory:
            return
        self._directory.sealed(shard, offset)
        for needs in self._needs:
            if needs.get(shard, offset + 1) <= offset:
                del needs[shard]
        self._pend(Frame(self._applied, [Resealed(shard, offset)], final=False))
        self.flush()

    def paused(self, reason: str | None) -> None:
        """Let readers know why nothing is applied now; None: it is."""
        if self._note is not None:
            self._note.say(reason)

    def close(self) -> None:
        """Write what waits and close the files; readers may go on reading them. Raises OSError."""
        try:
            self.flush()
        finally:
            self._writer.close()
            if self._note is not None:
                self._note.close()
                self._note = None

    async def _begin(self, state: FeedState, changed: Mapping[ShardId, Sequence[PointId]]) -> None:
        for shard, ids in changed.items():
            for chunk, points in _chunks(state, shard, ids):
                self._take(Frame(self._applied, [Changes(shard, ids_to_wire(chunk), points)], final=False))
                if self._pending_bytes >= PENDING_BYTES:
                    self._write()
                await asyncio.sleep(0)
        self._take(Frame(self._applied, []))
        self._write()
        self._writer.show()

    def _take(self, frame: Frame) -> None:
        self._pend(frame)
        self._directory.take(frame)
        for event in frame.events:
            if isinstance(event, Closed):
                for needs in self._needs:
                    needs.pop(event.shard, None)
        self._between_records = frame.final
        if frame.outcomes:
            self._outcomes.add(frame.offset, frame.outcomes)
        if not frame.final:
            return
        self._applied = frame.offset
        self._outcomes.advance(frame.offset)

    def _pend(self, frame: Frame) -> None:
        payload = encode(frame)
        self._pending.append(payload)
        self._pending_bytes += len(payload)

    def _write(self) -> None:
        self._writer.write(self._pending)
        self._pending = []
        self._pending_bytes = 0

    def _cut(self) -> None:
        """Drop the files that no reader begins with: all manifests have what the file after them needs."""
        while self._needs and not self._needs[0]:
            self._writer.drop_first()
            self._needs.popleft()

    def _checkpoint(self) -> bytes:
        return encode(
            PointsCheckpoint(
                self._applied, self._directory.open_shards(), self._outcomes.known_after, list(self._outcomes.items())
            )
        )


def _chunks(
    state: FeedState, shard: ShardId, ids: Sequence[PointId]
) -> Iterator[tuple[Sequence[PointId], list[bytes | None]]]:
    """``ids`` in pieces, with their stored points."""
    start = size = 0
    points: list[bytes | None] = []
    for at, point_id in enumerate(ids):
        (point,) = state.points(shard, [point_id])
        points.append(point)
        size += len(point or b"")
        if len(points) == CHUNK_POINTS or size >= CHUNK_BYTES:
            yield ids[start : at + 1], points
            start, size, points = at + 1, 0, []
    if points:
        yield ids[start:], points
