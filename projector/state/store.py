"""PartitionState: the durable state of one partition, and the fold's reader of it.

A record's effects, its outcomes, the list of changed ids and its offset are one batch. A record at or below the
applied offset is never applied again, and reading starts at applied + 1: that is all there is to exactly-once.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import msgspec
from crc32c import crc32c

from ingest.foreign import Destination
from ingest.log import LogRecord
from projector.fold.effects import Cursor, Effects, Home, ShardEffects, ShardMeta
from projector.frames import ShardId
from projector.state import keys
from projector.state.fold_history import FoldSpan, fold_history
from projector.state.kept_outcomes import KeptOutcomes
from projector.state.kv import Batch, KeyValue, after_prefix
from projector.state.losses import Loss, put_loss, read_losses
from projector.state.origin import StateMismatchError, check_origin
from projector.state.outbox import Outbox
from projector.state.shards import Shards
from schemas.ids import PointId, WireId, from_key, ids_from_wire, ids_to_wire, to_keys
from schemas.operations import Outcome
from schemas.records import Origin

_cursor_decoder = msgspec.msgpack.Decoder(Cursor)
_ids_decoder = msgspec.msgpack.Decoder(list[WireId])
_origin_decoder = msgspec.msgpack.Decoder(Origin)
_encode = msgspec.msgpack.Encoder().encode


class TooManyChangedError(Exception):
    """More points changed than the caller wants to hold."""


class PartitionState:
    """Owned by one projector; ``KeyValue``'s LOCK is the fence."""

    def __init__(self, kv: KeyValue) -> None:
        self._kv = kv
        self._shards = Shards(kv)
        self._outbox = Outbox(kv)
        self._outcomes = KeptOutcomes(kv)
        self._watermarks = dict(_watermarks(kv))
        self._applied = kv.number(keys.APPLIED) - 1
        self._marker_seq = kv.number(keys.MARKER_SEQ)
        self._cursor, self._pending_checksum = _cursor(kv.get(keys.CURSOR))

    @classmethod
    def open(cls, folder: Path, identity: str, *, read_only: bool = False, even_unwritable: bool = False) -> Self:
        """Open or create the state of a partition of the log ``identity``; ``even_unwritable`` as KeyValue.

        Raises StateMismatchError, StateLockedError, StateDamagedError, StateUnwritableError.
        """
        kv = KeyValue.open(folder, read_only=read_only, even_unwritable=even_unwritable)
        try:
            check_origin(kv, folder, identity, read_only=read_only)
            return cls(kv)
        except BaseException:
            kv.close()
            raise

    @property
    def applied(self) -> int:
        """The highest offset whose effect is in the state; -1 when none."""
        return self._applied

    @property
    def last_checksum(self) -> int | None:
        """crc32c of the value of the record at the applied offset; None when nothing was applied."""
        value = self._kv.get(keys.LAST_CHECKSUM)
        return None if value is None else int.from_bytes(value, "big")

    @property
    def folds(self) -> list[FoldSpan]:
        """The versions of the fold that wrote it, oldest first."""
        return fold_history(self._kv)

    @property
    def losses(self) -> list[Loss]:
        """The ranges of the log that it goes on without."""
        return read_losses(self._kv)

    def accept_loss(self, until: int, at_ms: int) -> Loss:
        """Go on after offset ``until`` without what is before; accepted at ``at_ms``, milliseconds since 1970."""
        batch = Batch()
        loss = put_loss(batch, self._kv, until, at_ms)
        self._kv.write(batch)
        self._applied, self._cursor = until, None
        return loss

    @property
    def marker_seq(self) -> int:
        """The highest marker sequence number applied; 0 when none."""
        return self._marker_seq

    @property
    def cursor(self) -> Cursor | None:
        """Where the record after the applied offset goes on, when part of it was applied."""
        return self._cursor

    def check_next(self, record: LogRecord | None) -> None:
        """Raise StateMismatchError when part of a record was applied, but ``record``, the log's next, is another."""
        cursor = self._cursor
        if cursor is None:
            return
        if record is None or record.offset != cursor.offset or _checksum(record.value) != self._pending_checksum:
            raise StateMismatchError(
                f"part of the record at offset {cursor.offset} was applied, but the log doesn't hold it any more. "
                "Restore the log, or move the state folder away to rebuild the state from what the log holds."
            )

    def shards(self) -> dict[ShardId, ShardMeta]:
        """All shards at home here."""
        return dict(self._shards.metas)

    def shard(self, shard: ShardId) -> ShardMeta | None:
        """One shard's meta."""
        return self._shards.metas.get(shard)

    def home(self, name: str) -> Home | None:
        """The collection of that name, None when none of its shards is at home here."""
        return self._shards.home(name)

    def watermark(self, partition: int) -> Origin | None:
        """The last origin in ``partition`` of which a forwarded record was applied."""
        return self._watermarks.get(partition)

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> list[bytes | None]:
        """Stored points by id."""
        return self._kv.get_many(to_keys(keys.points_prefix(shard), ids))

    def scan(self, shard: ShardId, after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        """The shard's points above ``after``, in id order."""
        prefix = keys.points_prefix(shard)
        start = None if after is None else keys.point_key(shard, after) + b"\x00"
        for key, value in self._kv.scan(prefix, start):
            yield from_key(key[keys.POINT_ID_AT :]), value

    def commit(self, effects: Effects, value: bytes | None) -> None:
        """Write what records do, of which the last has the bytes ``value``, in one batch."""
        batch = Batch()
        for shard in effects.shards:
            self._put_shard(batch, shard, effects.offset, effects.chunk)
        if effects.marker_seq is not None:
            batch.put(keys.MARKER_SEQ, effects.marker_seq.to_bytes(8, "big"))
        if effects.cursor is not None:
            batch.put(keys.CURSOR, _checksum(value).to_bytes(4, "big") + _encode(effects.cursor))
        else:
            if self._cursor is not None:
                batch.delete(keys.CURSOR)
            batch.put(keys.APPLIED, (effects.offset + 1).to_bytes(8, "big"))
            batch.put(keys.LAST_CHECKSUM, _checksum(value).to_bytes(4, "big"))
        for offset, destination in effects.outbox:
            self._outbox.put(batch, offset, destination)
        for origin in effects.watermarks.values():
            batch.put(keys.watermark_key(origin.partition), _encode(origin))
        for offset, outcomes in effects.refused.items():
            self._outcomes.put(batch, offset, outcomes)
        self._kv.write(batch)
        # Only now: a batch that was not written is made anew.
        self._remember(effects, value)

    def _put_shard(self, batch: Batch, effects: ShardEffects, offset: int, chunk: int) -> None:
        shard = effects.shard
        if effects.closed:
            for prefix in (keys.points_prefix(shard), keys.changed_prefix(shard)):
                batch.delete_range(prefix, after_prefix(prefix))
            batch.delete(keys.shard_key(shard))
            batch.delete(keys.sealed_key(shard))
            return
        if effects.meta is not None:
            batch.put(keys.shard_key(shard), _encode(effects.meta))
        if not effects.points:
            return
        ids = list(effects.points)
        for key, value in zip(to_keys(keys.points_prefix(shard), ids), effects.points.values(), strict=True):
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(keys.changed_key(shard, offset, chunk), _encode(ids_to_wire(ids)))

    def _remember(self, effects: Effects, value: bytes | None) -> None:
        for shard in effects.shards:
            self._shards.remember(shard)
        if effects.marker_seq is not None:
            self._marker_seq = effects.marker_seq
        self._cursor = effects.cursor
        self._watermarks.update(effects.watermarks)
        if effects.cursor is not None:
            self._pending_checksum = _checksum(value)
            return
        self._applied = effects.offset
        for offset, _ in effects.outbox:
            self._outbox.remember(offset)
        if effects.refused:
            self._outcomes.remember(effects.offset)

    def changed_since(self, shard: ShardId, offset: int, limit: int | None = None) -> list[PointId]:
        """The distinct ids changed after ``offset``; only those above ``sealed`` are still known.

        Raises TooManyChangedError when there are more than ``limit``.
        """
        start = keys.changed_key(shard, offset + 1, 0)
        found: dict[PointId, None] = {}
        for _, value in self._kv.scan(keys.changed_prefix(shard), start):
            found.update(dict.fromkeys(ids_from_wire(_ids_decoder.decode(value))))
            if limit is not None and len(found) > limit:
                raise TooManyChangedError(f"more than {limit} points changed since offset {offset}")
        return list(found)

    def sealed(self, shard: ShardId) -> int:
        """The offset up to which changed ids were dropped; -1 when none were."""
        return self._kv.number(keys.sealed_key(shard)) - 1

    def drop_changed(self, shard: ShardId, offset: int) -> None:
        """Forget which ids changed at or below ``offset``: segments hold them."""
        if shard not in self._shards.metas:
            return
        batch = Batch()
        start = keys.changed_key(shard, self.sealed(shard) + 1, 0)
        if start >= keys.changed_key(shard, offset + 1, 0):
            return
        batch.delete_range(start, keys.changed_key(shard, offset + 1, 0))
        batch.put(keys.sealed_key(shard), (offset + 1).to_bytes(8, "big"))
        self._kv.write(batch)

    def outcomes(self, offset: int) -> list[Outcome]:
        """The outcomes of the record at ``offset`` if one of its operations was rejected; empty otherwise."""
        return self._outcomes.of(offset)

    def outcomes_since(self, offset: int) -> Iterator[tuple[int, list[Outcome]]]:
        """(offset, outcomes) of the records at or after ``offset`` of which an operation was rejected, in order.

        Those of records long past are no longer there (``kept_outcomes.KEPT_OUTCOMES``).
        """
        return self._outcomes.since(offset)

    def outbox(self, start: int, limit: int = 1000) -> list[tuple[int, Destination]]:
        """(offset, what is not at home here) of the first ``limit`` entries of the outbox at or after ``start``."""
        return self._outbox.entries(start, limit)

    @property
    def newest_in_outbox(self) -> int:
        """The offset of the newest entry put into the outbox since the state was opened; -1 when none was."""
        return self._outbox.newest

    def resolved(self, entries: Sequence[tuple[int, Destination]]) -> None:
        """Keep which collection the router found for entries of the outbox: it must be the same the next time."""
        self._outbox.replace(entries)

    def forwarded(self, offset: int) -> None:
        """The router has dealt with the records at or below ``offset``: remove their entries from the outbox.

        From then on, outcomes of records above ``offset`` are kept, as it has yet to send those that were rejected.
        """
        self._outbox.remove(offset)
        self._outcomes.needed_from = offset + 1

    @property
    def kv(self) -> KeyValue:
        """Where it is kept: whether that can be written, and recovering."""
        return self._kv

    @property
    def folder(self) -> Path:
        """Where the RocksDB is."""
        return self._kv.folder

    async def sync(self) -> None:
        """Make what was committed survive power loss."""
        await self._kv.sync()

    async def flush(self, least_bytes: int = 0) -> None:
        """Make ``checkpoint`` short, and give back what is in memory if that takes ``least_bytes``."""
        await self._kv.flush(least_bytes)

    def checkpoint(self, into: Path) -> None:
        """Copy the state as it is now to ``into``; table files are shared. Raises StateDamagedError."""
        self._kv.checkpoint(into)

    def close(self) -> None:
        """Release the files and the lock."""
        self._kv.close()


def _watermarks(kv: KeyValue) -> Iterator[tuple[int, Origin]]:
    for _, value in kv.scan(keys.WATERMARK_PREFIX):
        origin = _origin_decoder.decode(value)
        yield origin.partition, origin


def _cursor(value: bytes | None) -> tuple[Cursor | None, int]:
    return (None, 0) if value is None else (_cursor_decoder.decode(value[4:]), int.from_bytes(value[:4], "big"))


def _checksum(value: bytes | None) -> int:
    return crc32c(value or b"")
