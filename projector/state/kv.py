"""RocksDB as an ordered map of bytes with atomic batches: a typed, narrow door to rocksdict."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    Checkpoint,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
)

from projector.threads import to_its_end

_MIB = 1 << 20
_REMEDY = (
    "If that can't be mended, restore a snapshot (headwater snapshot restore), or move the state folder away to "
    "rebuild the state from the log."
)


class StateLockedError(Exception):
    """Another process has this state open; its LOCK is the fence."""


class StateDamagedError(Exception):
    """RocksDB refuses its files. The message names them, and what can be done."""


class Batch:
    """Puts and deletes that are written together or not at all."""

    def __init__(self) -> None:
        self._batch = WriteBatch(raw_mode=True)
        self.put = cast("Any", self._batch).put
        self.delete = cast("Any", self._batch).delete
        self.delete_range = cast("Any", self._batch).delete_range

    @property
    def raw(self) -> WriteBatch:
        """What rocksdict takes."""
        return self._batch


def _options(write_buffer_mib: int, cache_mib: int) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    # Two memtables of this size bound what an unflushed state holds in memory.
    options.set_write_buffer_size(write_buffer_mib * _MIB)
    options.set_max_write_buffer_number(2)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(1 * _MIB)
    options.set_compression_type(DBCompressionType.lz4())
    # The default mode cuts a log damaged in the middle without a word; this one cuts a torn tail only.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    blocks = BlockBasedOptions()
    blocks.set_block_cache(Cache(cache_mib * _MIB))
    blocks.set_bloom_filter(10, block_based=False)
    options.set_block_based_table_factory(blocks)
    return options


class KeyValue:
    """An open RocksDB. Not for use from several threads at once, except ``sync``."""

    def __init__(self, folder: Path, db: Rdict) -> None:
        self.folder = folder
        self._db = db
        self._get = cast("Any", db).get

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False, write_buffer_mib: int = 16, cache_mib: int = 16) -> Self:
        """Open or create. Raises StateLockedError, StateDamagedError."""
        access = AccessType.read_only() if read_only else AccessType.read_write()
        if not read_only:
            folder.mkdir(parents=True, exist_ok=True)
        try:
            return cls(folder, Rdict(str(folder), _options(write_buffer_mib, cache_mib), access_type=access))
        except Exception as error:
            # rocksdict raises bare exceptions; only the text tells a held lock, named as a file, from damage.
            if "/LOCK: " in str(error):
                raise StateLockedError(f"{folder} is open in another process") from error
            raise StateDamagedError(f"{folder} can't be opened: {error}. {_REMEDY}") from error

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``. Raises StateDamagedError."""
        try:
            return self._get(key)
        except Exception as error:
            raise self._damaged(error) from error

    def number(self, key: bytes) -> int:
        """The value of ``key`` as a big-endian number, 0 when there is none. Raises StateDamagedError."""
        value = self.get(key)
        return 0 if value is None else int.from_bytes(value, "big")

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of ``keys``, in order. Raises StateDamagedError."""
        get = self._get
        try:
            return [get(key) for key in keys]
        except Exception as error:
            raise self._damaged(error) from error

    def scan(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Keys with ``prefix`` at or after ``start``, in order, with their values.

        Raises StateDamagedError: RocksDB's iterators end at what they can't read, and only their status says why.
        """
        within = ReadOptions()
        if prefix:
            within.set_iterate_upper_bound(after_prefix(prefix))
        try:
            found = cast("Any", self._db).iter(within)
            key, value, valid, advance = found.key, found.value, found.valid, found.next
            found.seek(start or prefix)
            more = valid()
        except Exception as error:
            raise self._damaged(error) from error
        while more:
            yield key(), value()
            advance()
            more = valid()
        try:
            found.status()
        except Exception as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> StateDamagedError:
        # rocksdict raises bare exceptions; their text names the table file.
        return StateDamagedError(f"{self.folder} can't be read: {error}. {_REMEDY}")

    def write(self, batch: Batch) -> None:
        """Write the batch atomically; it survives the process's death at once, power loss after ``sync``."""
        self._db.write(batch.raw)

    async def sync(self) -> None:
        """Make everything written so far survive power loss."""
        await to_its_end(asyncio.to_thread(self._db.flush_wal, True))

    async def flush(self) -> None:
        """Move what is in memory into table files, so that little is left to do for ``checkpoint``."""
        await asyncio.to_thread(self._db.flush)

    def checkpoint(self, into: Path) -> None:
        """Make ``into``, which must not exist, a RocksDB that holds what this one does now; they share table files.

        Raises StateDamagedError, saying what RocksDB says.
        """
        try:
            Checkpoint(self._db).create_checkpoint(str(into))
        except Exception as error:
            # rocksdict has no class of its own, not even for a full disk.
            raise StateDamagedError(f"no checkpoint of the state in {into}: {error}") from error

    def close(self) -> None:
        """Close the files and release the lock."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def after_prefix(prefix: bytes) -> bytes:
    """The first key above all that begin with ``prefix``, of which one byte must not be 0xff."""
    short = prefix.rstrip(b"\xff")
    return short[:-1] + bytes([short[-1] + 1])
