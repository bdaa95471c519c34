"""PartitionState: the durable state of one partition, and the fold's reader of it.

A record's effects, its outcomes, the list of changed ids and its offset are one batch. A record at or below the
applied offset is never applied again, and reading starts at applied + 1: that is all there is to exactly-once.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import msgspec
from crc32c import crc32c

from ingest.log import LogRecord
from projector.fold.effects import Cursor, Effects, ShardMeta
from projector.frames import ShardId
from projector.state import keys
from projector.state.kv import Batch, KeyValue
from projector.state.origin import StateMismatchError, check_origin
from schemas.ids import PointId, WireId, from_key, ids_from_wire, ids_to_wire, to_key
from schemas.operations import Outcome

KEPT_OUTCOMES = 10_000
"""Outcomes of records with a rejected operation are kept for this many offsets, for clients that still wait."""

_meta_decoder = msgspec.msgpack.Decoder(ShardMeta)
_cursor_decoder = msgspec.msgpack.Decoder(Cursor)
_ids_decoder = msgspec.msgpack.Decoder(list[WireId])
_outcomes_decoder = msgspec.msgpack.Decoder(list[Outcome])
_encode = msgspec.msgpack.Encoder().encode


class TooManyChangedError(Exception):
    """More points changed than the caller wants to hold."""


class PartitionState:
    """Owned by one projector; ``KeyValue``'s LOCK is the fence."""

    def __init__(self, kv: KeyValue) -> None:
        self._kv = kv
        self._shards = dict(self._load_shards())
        self._applied = kv.number(keys.APPLIED) - 1
        self._marker_seq = kv.number(keys.MARKER_SEQ)
        self._cursor, self._pending_checksum = _cursor(kv.get(keys.CURSOR))
        self._with_outcomes = deque(keys.outcome_offset(key) for key, _ in kv.scan(keys.OUTCOME_PREFIX))

    @classmethod
    def open(cls, folder: Path, identity: str, *, read_only: bool = False) -> Self:
        """Open or create the state of a partition of the log ``identity``.

        Raises StateMismatchError, StateLockedError, StateDamagedError.
        """
        kv = KeyValue.open(folder, read_only=read_only)
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
        return dict(self._shards)

    def shard(self, shard: ShardId) -> ShardMeta | None:
        """One shard's meta."""
        return self._shards.get(shard)

    def points(self, shard: ShardId, ids: Sequence[PointId]) -> list[bytes | None]:
        """Stored points by id."""
        prefix = keys.points_prefix(shard)
        return self._kv.get_many([prefix + to_key(i) for i in ids])

    def scan(self, shard: ShardId, after: PointId | None) -> Iterator[tuple[PointId, bytes]]:
        """The shard's points above ``after``, in id order."""
        prefix = keys.points_prefix(shard)
        start = None if after is None else keys.point_key(shard, after) + b"\x00"
        for key, value in self._kv.scan(prefix, start):
            yield from_key(key[keys.POINT_ID_AT :]), value

    def commit(self, effects: Effects, offset: int, value: bytes | None) -> None:
        """Write ``effects`` of the record at ``offset``, whose bytes are ``value``, in one batch."""
        batch = Batch()
        shard = effects.shard
        if shard is not None:
            self._put_shard(batch, shard, effects, offset)
        if effects.marker_seq is not None:
            batch.put(keys.MARKER_SEQ, effects.marker_seq.to_bytes(8, "big"))
        if effects.cursor is not None:
            batch.put(keys.CURSOR, _checksum(value).to_bytes(4, "big") + _encode(effects.cursor))
        else:
            batch.delete(keys.CURSOR)
            batch.put(keys.APPLIED, (offset + 1).to_bytes(8, "big"))
            batch.put(keys.LAST_CHECKSUM, _checksum(value).to_bytes(4, "big"))
            if any(not outcome.applied for outcome in effects.outcomes):
                self._put_outcomes(batch, effects.outcomes, offset)
        self._kv.write(batch)
        self._remember(effects, offset, value)

    def _put_shard(self, batch: Batch, shard: ShardId, effects: Effects, offset: int) -> None:
        if effects.closed:
            for prefix in (keys.points_prefix(shard), keys.changed_prefix(shard)):
                batch.delete_range(prefix, _after_prefix(prefix))
            batch.delete(keys.shard_key(shard))
            batch.delete(keys.sealed_key(shard))
            return
        if effects.meta is not None:
            batch.put(keys.shard_key(shard), _encode(effects.meta))
        if not effects.points:
            return
        prefix = keys.points_prefix(shard)
        for point_id, value in effects.points.items():
            if value is None:
                batch.delete(prefix + to_key(point_id))
            else:
                batch.put(prefix + to_key(point_id), value)
        batch.put(keys.changed_key(shard, offset, effects.chunk), _encode(ids_to_wire(effects.points)))

    def _put_outcomes(self, batch: Batch, outcomes: Sequence[Outcome], offset: int) -> None:
        batch.put(keys.outcome_key(offset), _encode(outcomes))
        self._with_outcomes.append(offset)
        # One by one: RocksDB looks at every range that was deleted, and they would be as many as rejected records.
        while self._with_outcomes[0] < offset - KEPT_OUTCOMES:
            batch.delete(keys.outcome_key(self._with_outcomes.popleft()))

    def _remember(self, effects: Effects, offset: int, value: bytes | None) -> None:
        if effects.shard is not None and effects.closed:
            self._shards.pop(effects.shard, None)
        elif effects.shard is not None and effects.meta is not None:
            self._shards[effects.shard] = effects.meta
        if effects.marker_seq is not None:
            self._marker_seq = effects.marker_seq
        self._cursor = effects.cursor
        self._pending_checksum = _checksum(value)
        if effects.cursor is None:
            self._applied = offset

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
        if shard not in self._shards:
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
        value = self._kv.get(keys.outcome_key(offset))
        return [] if value is None else _outcomes_decoder.decode(value)

    async def sync(self) -> None:
        """Make what was committed survive power loss."""
        await self._kv.sync()

    def close(self) -> None:
        """Release the files and the lock."""
        self._kv.close()

    def _load_shards(self) -> Iterator[tuple[ShardId, ShardMeta]]:
        for key, value in self._kv.scan(keys.SHARD_PREFIX):
            yield keys.shard_from_bytes(key[len(keys.SHARD_PREFIX) :]), _meta_decoder.decode(value)


def _cursor(value: bytes | None) -> tuple[Cursor | None, int]:
    return (None, 0) if value is None else (_cursor_decoder.decode(value[4:]), int.from_bytes(value[:4], "big"))


def _checksum(value: bytes | None) -> int:
    return crc32c(value or b"")


def _after_prefix(prefix: bytes) -> bytes:
    return (int.from_bytes(prefix, "big") + 1).to_bytes(len(prefix), "big")
