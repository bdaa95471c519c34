"""RocksDB as an ordered map of bytes with atomic batches: a typed, narrow door to rocksdict."""

import asyncio
import errno
import os
import resource
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
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

from projector.state.batch_sequence import PREFIX, BatchSequence
from projector.threads import to_its_end

_MIB = 1 << 20
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)
"""Why RocksDB may not open its files, or make one, without their being damaged."""
_LIMIT_SHARE, _FEWEST_FILES, _MOST_FILES = 8, 32, 1024
"""Of the files that the process may have open, so great a share is for each state's tables."""
_SPARE_BYTES = 8 * _MIB
"""Beside what is in memory, RocksDB writes a manifest, its options and a log file when it is opened."""
_REMEDY = (
    "If that can't be mended, restore a snapshot (headwater snapshot restore), or move the state folder away to "
    "rebuild the state from the log."
)


class StateLockedError(Exception):
    """Another process has this state open; its LOCK is the fence."""


class StateDamagedError(Exception):
    """RocksDB refuses its files. The message names them, and what can be done."""


class StateUnwritableError(OSError):
    """The disk doesn't take what is to be written: it is full, read-only or failing. See ``recover``."""


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
    options.set_max_open_files(_most_open_files())
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
    """An open RocksDB. Not for use from several threads at once, except ``sync``, ``flush`` and ``recover``.

    Once something could not be written, RocksDB writes nothing more, whatever the reason, until it is opened again:
    ``recover`` does that. Reads go on meanwhile.
    """

    def __init__(self, folder: Path, db: Rdict, write_buffer_mib: int = 16, cache_mib: int = 16) -> None:
        self.folder = folder
        self.unwritable: str | None = None
        """Why nothing can be written now; None while it can."""
        self.on_writable: Callable[[str | None], None] = lambda reason: None
        """Told when ``unwritable`` becomes a reason, and when it is None again."""
        self._sizes = write_buffer_mib, cache_mib
        self._alone = asyncio.Lock()
        self._use(db)
        self._sequence = BatchSequence(self.scan(PREFIX))
        if self._sequence.missing:
            raise StateDamagedError(
                f"{folder} lacks {self._sequence.missing} of its writes, and has later ones: its write-ahead log "
                f"(*.log) or its MANIFEST was cut. {_REMEDY}"
            )

    def _use(self, db: Rdict) -> None:
        self._db = db
        self._get = cast("Any", db).get

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        read_only: bool = False,
        even_unwritable: bool = False,
        write_buffer_mib: int = 16,
        cache_mib: int = 16,
    ) -> Self:
        """Open or create. Where the disk takes no writes, with ``even_unwritable``, for reading until it ``recover``s.

        Raises StateLockedError, StateDamagedError, StateUnwritableError.
        """
        sizes = write_buffer_mib, cache_mib
        try:
            return cls._whole(folder, _open(folder, sizes, read_only=read_only), sizes)
        except StateUnwritableError as error:
            if not even_unwritable or not (folder / "CURRENT").exists():
                raise
            kv = cls._whole(folder, _open(folder, sizes, read_only=True), sizes)
            kv.unwritable = str(error)
            return kv

    @classmethod
    def _whole(cls, folder: Path, db: Rdict, sizes: tuple[int, int]) -> Self:
        try:
            return cls(folder, db, *sizes)
        except StateDamagedError:
            _close(db)
            raise

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
        """Write the batch atomically; it survives the process's death at once, power loss after ``sync``.

        Raises StateDamagedError, StateUnwritableError. After the latter, and ``recover``, the batch is there or not:
        it is to be written again.
        """
        if self.unwritable is not None:
            raise StateUnwritableError(self.unwritable)
        self._sequence.number(batch)
        try:
            self._db.write(batch.raw)
            if self._sequence.written():
                self._db.flush(False)
        except Exception as error:
            raise self._unwritten(error) from error

    async def sync(self) -> None:
        """Make everything written so far survive power loss. Raises as ``write``."""
        async with self._alone:
            if self.unwritable is not None:
                raise StateUnwritableError(self.unwritable)
            try:
                await to_its_end(asyncio.to_thread(self._db.flush_wal, True))
            except Exception as error:
                raise self._unwritten(error) from error

    async def flush(self) -> None:
        """Move what is in memory into table files, so that little is left to do for ``checkpoint``.

        Raises as ``write``.
        """
        async with self._alone:
            if self.unwritable is not None:
                raise StateUnwritableError(self.unwritable)
            try:
                await to_its_end(asyncio.to_thread(self._db.flush))
            except Exception as error:
                raise self._unwritten(error) from error

    async def recover(self) -> None:
        """Open for writing again, where writing failed; reads go on meanwhile.

        Raises StateUnwritableError while the disk takes no writes, StateDamagedError.
        """
        # Cancelled within, it would leave a database open that nobody has.
        await to_its_end(self._recover())

    async def _recover(self) -> None:
        async with self._alone:
            if self.unwritable is None:
                return
            await asyncio.to_thread(_try_disk, self.folder, self._sizes[0])
            failed = self._db
            self._use(await asyncio.to_thread(_open, self.folder, self._sizes, read_only=True))
            await asyncio.to_thread(_close, failed)
            reading = self._db
            # A scan that is not at its end keeps the old one open, and RocksDB then takes itself for another process.
            try:
                self._use(await asyncio.to_thread(_open, self.folder, self._sizes))
            except StateLockedError as error:
                raise StateUnwritableError(str(error)) from error
            await asyncio.to_thread(_close, reading)
            self.unwritable = None
            self.on_writable(None)

    def _unwritten(self, error: Exception) -> Exception:
        if "Corruption" in str(error):
            return self._damaged(error)
        if self.unwritable is None:
            self.unwritable = f"{self.folder} can't be written: {error}"
            self.on_writable(self.unwritable)
        return StateUnwritableError(self.unwritable)

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
        if self.unwritable is None:
            self._db.close()
        else:
            _close(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(folder: Path, sizes: tuple[int, int], *, read_only: bool = False) -> Rdict:
    """Raises StateLockedError, StateDamagedError, StateUnwritableError."""
    access = AccessType.read_only() if read_only else AccessType.read_write()
    try:
        if not read_only:
            folder.mkdir(parents=True, exist_ok=True)
        return Rdict(str(folder), _options(*sizes), access_type=access)
    except Exception as error:
        # rocksdict raises bare exceptions; only the text tells a held lock, named as a file, from damage.
        text = str(error)
        unwritable = any(_says(text, code) for code in _UNWRITABLE)
        if "/LOCK: " in text and not unwritable:
            raise StateLockedError(f"{folder} is open in another process") from error
        if unwritable:
            raise StateUnwritableError(f"{folder} can't be opened for writing: {error}") from error
        raise StateDamagedError(f"{folder} can't be opened: {error}. {_REMEDY}") from error


def _most_open_files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_FILES
    return min(max(soft // _LIMIT_SHARE, _FEWEST_FILES), _MOST_FILES)


def _says(text: str, code: int) -> bool:
    return os.strerror(code) in text


def _close(db: Rdict) -> None:
    # What it says is what its writes said before: that it could not write.
    with suppress(Exception):
        db.close()


def _try_disk(folder: Path, write_buffer_mib: int) -> None:
    """Raise StateUnwritableError unless the disk takes what RocksDB writes when it is opened."""
    needed = 2 * write_buffer_mib * _MIB + _SPARE_BYTES
    probe = folder / "probe.tmp"
    try:
        if (free := shutil.disk_usage(folder).free) < needed:
            raise StateUnwritableError(f"{folder}: only {free >> 20} MiB are free, {needed >> 20} MiB are needed")
        try:
            with probe.open("wb") as file:
                file.write(bytes(_MIB))
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)
    except StateUnwritableError:
        raise
    except OSError as error:
        raise StateUnwritableError(f"{folder} can't be written: {error}") from error


def after_prefix(prefix: bytes) -> bytes:
    """The first key above all that begin with ``prefix``, of which one byte must not be 0xff."""
    short = prefix.rstrip(b"\xff")
    return short[:-1] + bytes([short[-1] + 1])
