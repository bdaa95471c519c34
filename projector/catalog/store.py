"""The catalog's durable state: collections, aliases and the outbox of markers, one RocksDB.

The markers that a record causes wait in the outbox, written in the same batch as the catalog's change, until the
partitions' logs hold them. After a crash they are sent again; partitions ignore sequence numbers they have seen.
"""

from dataclasses import replace
from pathlib import Path
from typing import Self

import msgspec
from crc32c import crc32c

from projector.catalog.effects import CatalogEffects
from projector.catalog.state import CatalogState, CollectionMeta
from projector.state.kv import Batch, KeyValue
from projector.state.losses import Loss, put_loss, read_losses
from projector.state.origin import check_origin
from schemas.config import MAX_SHARDS
from schemas.records import Marker, decode_partition_record, encode_record

_APPLIED = b"m/applied"
_LAST_CHECKSUM = b"m/last"
_SEQ = b"m/seq"
_COLLECTION = b"k"
_ALIAS = b"a"
_OUTBOX = b"q"

_meta_decoder = msgspec.msgpack.Decoder(CollectionMeta)
_encode = msgspec.msgpack.Encoder().encode


class CatalogStore:
    """Owned by one catalog runner."""

    def __init__(self, kv: KeyValue) -> None:
        self._kv = kv
        collections = {key[1:].decode(): _meta_decoder.decode(value) for key, value in kv.scan(_COLLECTION)}
        aliases = {key[1:].decode(): value.decode() for key, value in kv.scan(_ALIAS)}
        self._state = CatalogState(collections, aliases, kv.number(_SEQ))
        self._applied = kv.number(_APPLIED) - 1

    @classmethod
    def open(cls, folder: Path, identity: str, *, read_only: bool = False, even_unwritable: bool = False) -> Self:
        """Open or create; ``even_unwritable`` as KeyValue.

        Raises StateMismatchError, StateLockedError, StateDamagedError, StateUnwritableError.
        """
        kv = KeyValue.open(
            folder, read_only=read_only, even_unwritable=even_unwritable, write_buffer_mib=2, cache_mib=2
        )
        try:
            check_origin(kv, folder, identity, read_only=read_only)
            return cls(kv)
        except BaseException:
            kv.close()
            raise

    @property
    def state(self) -> CatalogState:
        """The catalog at the applied offset."""
        return self._state

    @property
    def applied(self) -> int:
        """The highest catalog offset whose effect is in the state; -1 when none."""
        return self._applied

    @property
    def last_checksum(self) -> int | None:
        """crc32c of the value of the record at the applied offset; None when nothing was applied."""
        value = self._kv.get(_LAST_CHECKSUM)
        return None if value is None else int.from_bytes(value, "big")

    @property
    def losses(self) -> list[Loss]:
        """The ranges of the log that it goes on without."""
        return read_losses(self._kv)

    def accept_loss(self, until: int, at_ms: int) -> Loss:
        """Go on after offset ``until`` without what is before; accepted at ``at_ms``, milliseconds since 1970."""
        batch = Batch()
        loss = put_loss(batch, self._kv, until, at_ms)
        # Each lost record may have sent a marker for each shard of a collection. Partitions that had them would take
        # no other with the same number.
        self._state = replace(self._state, seq=self._state.seq + loss.offsets * MAX_SHARDS)
        batch.put(_SEQ, self._state.seq.to_bytes(8, "big"))
        self._kv.write(batch)
        self._applied = until
        return loss

    def outbox(self) -> list[tuple[int, int, Marker]]:
        """(sequence number, partition, marker) of those not yet known to be on the log, in order."""
        found: list[tuple[int, int, Marker]] = []
        for key, value in self._kv.scan(_OUTBOX):
            marker = decode_partition_record(value[4:])
            if not isinstance(marker, Marker):
                raise AssertionError("the outbox holds markers only")
            found.append((int.from_bytes(key[1:], "big"), int.from_bytes(value[:4], "big"), marker))
        return found

    def commit(self, effects: CatalogEffects, offset: int, value: bytes | None) -> None:
        """Write the effects of the record at ``offset`` in one batch."""
        batch = Batch()
        old, new = self._state, effects.state
        for name in old.collections.keys() - new.collections.keys():
            batch.delete(_COLLECTION + name.encode())
        for name, meta in new.collections.items():
            if old.collections.get(name) is not meta:
                batch.put(_COLLECTION + name.encode(), _encode(meta))
        for alias in old.aliases.keys() - new.aliases.keys():
            batch.delete(_ALIAS + alias.encode())
        for alias, name in new.aliases.items():
            if old.aliases.get(alias) != name:
                batch.put(_ALIAS + alias.encode(), name.encode())
        for partition, marker in effects.markers:
            key = _OUTBOX + marker.seq.to_bytes(8, "big")
            batch.put(key, partition.to_bytes(4, "big") + encode_record(marker))
        batch.put(_SEQ, new.seq.to_bytes(8, "big"))
        batch.put(_APPLIED, (offset + 1).to_bytes(8, "big"))
        batch.put(_LAST_CHECKSUM, crc32c(value or b"").to_bytes(4, "big"))
        self._kv.write(batch)
        self._state = new
        self._applied = offset

    def sent(self, seq: int) -> None:
        """The marker ``seq`` is on the log."""
        batch = Batch()
        batch.delete(_OUTBOX + seq.to_bytes(8, "big"))
        self._kv.write(batch)

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

    async def flush(self) -> None:
        """Make ``checkpoint`` short."""
        await self._kv.flush()

    def checkpoint(self, into: Path) -> None:
        """Copy the state as it is now to ``into``; table files are shared. Raises StateDamagedError."""
        self._kv.checkpoint(into)

    def close(self) -> None:
        """Release the files and the lock."""
        self._kv.close()
