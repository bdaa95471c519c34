"""The outbox: what of this partition's records is not at home here, until the router has dealt with it."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from ingest.foreign import Destination
from projector.state import keys
from projector.state.kv import Batch, KeyValue

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Destination)


class Outbox:
    """Entries by offset; each is written in the batch of the record that it is about."""

    def __init__(self, kv: KeyValue) -> None:
        self._kv = kv
        self._first = 0
        self.newest = -1
        """The offset of the newest entry that was put since this was made; -1 when none was."""

    def put(self, batch: Batch, offset: int, destination: Destination) -> None:
        """Let ``batch`` put an entry."""
        batch.put(keys.outbox_key(offset), _encode(destination))

    def remember(self, offset: int) -> None:
        """The batch that puts an entry at ``offset`` was written."""
        self.newest = offset

    def replace(self, entries: Sequence[tuple[int, Destination]]) -> None:
        """Let some entries say something else from now on."""
        batch = Batch()
        for offset, destination in entries:
            batch.put(keys.outbox_key(offset), _encode(destination))
        self._kv.write(batch)

    def entries(self, start: int, limit: int) -> list[tuple[int, Destination]]:
        """The first ``limit`` entries at or after ``start``."""
        found = self._kv.scan(keys.OUTBOX_PREFIX, keys.outbox_key(max(start, self._first)))
        return [(keys.outbox_offset(key), _decoder.decode(value)) for key, value in islice(found, limit)]

    def remove(self, offset: int) -> None:
        """Remove the entries at or below ``offset``; none when it is -1."""
        batch = Batch()
        # One by one, and never from the beginning: RocksDB looks at every range, and every entry, that was deleted.
        for key, _ in self._kv.scan(keys.OUTBOX_PREFIX, keys.outbox_key(self._first)):
            if keys.outbox_offset(key) > offset:
                break
            batch.delete(key)
        self._kv.write(batch)
        self._first = max(self._first, offset + 1)
