"""RocksDB as an ordered map of bytes with atomic batches: a typed, narrow door to rocksdict."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self, cast

from rocksdict import Checkpoint, Rdict, ReadOptions, WriteBatch

from projector.state.batch_sequence import PREFIX, BatchSequence
from projector.state.database import StateLock, close_database, open_database, try_disk
from projector.state.errors import REMEDY, StateDamagedError, StateLockedError, StateUnwritableError
from projector.threads import to_its_end

_IN_MEMORY = "rocksdb.cur-size-all-mem-tables"


class Batch:
    """Puts and deletes that are written together or not at all."""

    def __init__(self) -> None:
        self.raw = WriteBatch(raw_mode=True)
        """What rocksdict takes."""
        untyped: Any = self.raw
        self.put = untyped.put
        self.delete = untyped.delete
        self.delete_range = untyped.delete_range


class KeyValue:
    """An open RocksDB. Not for use from several threads at once, except ``sync``, ``flush`` and ``recover``.

    Once something could not be written, RocksDB writes nothing more, whatever the reason, until it is opened again:
    ``recover`` does that. Reads go on meanwhile.
    """

    def __init__(self, folder: Path, db: Rdict, write_buffer_mib: int = 8, cache_mib: int = 16) -> None:
        self.folder = folder
        self.unwritable: str | None = None
        """Why nothing can be written now; None while it can."""
        self.on_writable: Callable[[str | None], None] = lambda reason: None
        """Told when ``unwritable`` becomes a reason, and when it is None again."""
        self._sizes = write_buffer_mib, cache_mib
        self._alone = asyncio.Lock()
        self._closing = ExitStack()
        self._flushing: Thread | None = None
        self._use(db)
        self._sequence = BatchSequence(self.scan(PREFIX))
        if self._sequence.missing:
            raise StateDamagedError(
                f"{folder} lacks {self._sequence.missing} of its writes, and has later ones: its write-ahead log "
                f"(*.log) or its MANIFEST was cut. {REMEDY}"
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
        write_buffer_mib: int = 8,
        cache_mib: int = 16,
    ) -> Self:
        """Open or create. Where the disk takes no writes, with ``even_unwritable``, for reading until it ``recover``s.

        Raises StateLockedError, StateDamagedError, StateUnwritableError.
        """
        sizes = write_buffer_mib, cache_mib
        with ExitStack() as failed:
            if not read_only:
                lock = StateLock(folder)
                failed.callback(lock.release)
            try:
                kv = cls._whole(folder, open_database(folder, sizes, read_only=read_only), sizes)
            except StateUnwritableError as error:
                if not even_unwritable or not (folder / "CURRENT").exists():
                    raise
                kv = cls._whole(folder, open_database(folder, sizes, read_only=True), sizes)
                kv.unwritable = str(error)
            kv._closing = failed.pop_all()
            return kv

    @classmethod
    def _whole(cls, folder: Path, db: Rdict, sizes: tuple[int, int]) -> Self:
        try:
            return cls(folder, db, *sizes)
        except StateDamagedError:
            close_database(db)
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
        return StateDamagedError(f"{self.folder} can't be read: {error}. {REMEDY}")

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
        except Exception as error:
            raise self._unwritten(error) from error
        if self._sequence.written():
            self._flush_aside()

    def _flush_aside(self) -> None:
        # RocksDB lets the caller wait while it moves what was in memory before, also when told not to.
        self._flushed()
        self._flushing = Thread(target=self._flush_now, args=(self._db,), name="flush of a state")
        self._flushing.start()

    def _flush_now(self, db: Rdict) -> None:
        # What can't be written, or is damaged, is said by the next batch, too.
        with suppress(Exception):
            db.flush(False)

    def _flushed(self) -> None:
        if self._flushing is not None:
            self._flushing.join()
            self._flushing = None

    async def sync(self) -> None:
        """Make everything written so far survive power loss. Raises as ``write``."""
        async with self._alone:
            if self.unwritable is not None:
                raise StateUnwritableError(self.unwritable)
            try:
                await to_its_end(asyncio.to_thread(self._db.flush_wal, True))
            except Exception as error:
                raise self._unwritten(error) from error

    async def flush(self, least_bytes: int = 0) -> None:
        """Move what is in memory into table files, if it takes ``least_bytes``: the memory is given back, and little is
        left to do for ``checkpoint``.

        Raises as ``write``.
        """
        async with self._alone:
            if self.unwritable is not None:
                raise StateUnwritableError(self.unwritable)
            try:
                if (self._db.property_int_value(_IN_MEMORY) or 0) < least_bytes:
                    return
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
            await asyncio.to_thread(try_disk, self.folder, self._sizes[0])
            failed = self._db
            await asyncio.to_thread(self._flushed)
            self._use(await asyncio.to_thread(open_database, self.folder, self._sizes, read_only=True))
            await asyncio.to_thread(close_database, failed)
            reading = self._db
            # A scan that is not at its end keeps the old one open, and RocksDB then takes itself for another process.
            try:
                self._use(await asyncio.to_thread(open_database, self.folder, self._sizes))
            except StateLockedError as error:
                raise StateUnwritableError(str(error)) from error
            await asyncio.to_thread(close_database, reading)
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
        """Close the files and release the lock. Raises StateDamagedError, StateUnwritableError: what couldn't be
        moved into table files is in the write-ahead log.
        """
        self._flushed()
        with self._closing:
            if self.unwritable is None:
                try:
                    self._db.close()
                except Exception as error:
                    raise self._unwritten(error) from error
            else:
                close_database(self._db)

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
