"""Opening, and closing, the RocksDB behind a state."""

import errno
import fcntl
import os
import resource
import shutil
from contextlib import suppress
from pathlib import Path

from rocksdict import AccessType, BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, Options, Rdict

from projector.state.errors import REMEDY, StateDamagedError, StateLockedError, StateUnwritableError

_MIB = 1 << 20
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)
"""Why RocksDB may not open its files, or make one, without their being damaged."""
_LIMIT_SHARE, _FEWEST_FILES, _MOST_FILES = 8, 32, 1024
"""Of the files that the process may have open, so great a share is for each state's tables."""
_MERGED_FILES = 8
"""Tables that came from memory are merged once there are so many."""
_LEVELS = 7
"""The first has what was in memory, which is merged into the next one soon: it is compressed there, and only there."""
_SPARE_BYTES = 8 * _MIB
"""Beside what is in memory, RocksDB writes a manifest, its options and a log file when it is opened."""


class StateLock:
    """An flock on a state's folder, which is made where it isn't there.

    The system releases it when the process ends, however it ends.

    RocksDB's own lock comes too late: whoever finds it taken has by then renamed the holder's information log and
    deleted older ones, and one that opens the state meanwhile fails for want of them.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises StateLockedError when it is taken, StateUnwritableError, StateDamagedError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise _unopened(folder, error) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise StateLockedError(f"{folder} is open in another process") from error

    def release(self) -> None:
        """Let others take the lock."""
        os.close(self._fd)


def _options(write_buffer_mib: int, cache_mib: int) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    # Memtables of this size bound what an unflushed state holds in memory: one that is written to, and one that moves
    # to a table. Where that fails for want of room on the disk, the log of a third is what finds none, and says so.
    # Without a third one writes would wait for room, without end and on the event loop.
    options.set_write_buffer_size(write_buffer_mib * _MIB)
    # Small buffers make many small files: merged no sooner, they cost as little processor time as large ones.
    options.set_level_zero_file_num_compaction_trigger(_MERGED_FILES)
    options.set_max_write_buffer_number(3)
    options.set_max_background_jobs(2)
    # There is one writer: it need not insert as several do.
    options.set_allow_concurrent_memtable_write(False)
    options.set_keep_log_file_num(2)
    options.set_max_open_files(_most_open_files())
    options.set_max_log_file_size(1 * _MIB)
    options.set_compression_per_level([DBCompressionType.none(), *[DBCompressionType.lz4()] * (_LEVELS - 1)])
    # The default mode cuts a log damaged in the middle without a word; this one cuts a torn tail only.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    blocks = BlockBasedOptions()
    blocks.set_block_cache(Cache(cache_mib * _MIB))
    blocks.set_bloom_filter(10, block_based=False)
    options.set_block_based_table_factory(blocks)
    return options


def open_database(folder: Path, sizes: tuple[int, int], *, read_only: bool = False) -> Rdict:
    """Open, or for writing create, with ``sizes`` of write buffer and cache in MiB.

    Raises StateLockedError, StateDamagedError, StateUnwritableError.
    """
    access = AccessType.read_only() if read_only else AccessType.read_write()
    try:
        return Rdict(str(folder), _options(*sizes), access_type=access)
    except Exception as error:
        raise _unopened(folder, error) from error


def _unopened(folder: Path, error: Exception) -> Exception:
    # rocksdict raises bare exceptions; only the text tells a held lock, named as a file, from damage.
    text = str(error)
    if any(_says(text, code) for code in _UNWRITABLE):
        return StateUnwritableError(f"{folder} can't be opened for writing: {error}")
    if "/LOCK: " in text:
        return StateLockedError(f"{folder} is open in another process")
    return StateDamagedError(f"{folder} can't be opened: {error}. {REMEDY}")


def _most_open_files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_FILES
    return min(max(soft // _LIMIT_SHARE, _FEWEST_FILES), _MOST_FILES)


def _says(text: str, code: int) -> bool:
    return os.strerror(code) in text


def close_database(db: Rdict) -> None:
    """Close what may have failed to write."""
    # What it says is what its writes said before: that it could not write.
    with suppress(Exception):
        db.close()


def try_disk(folder: Path, write_buffer_mib: int) -> None:
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
