"""Mapping a file into memory without keeping a descriptor for it.

The interpreter's mmap keeps a duplicate of the file's descriptor, numpy's memmap too: a few thousand segments would use
up what a process may have open. The mapping itself needs none.
"""

import ctypes
import mmap
import os
import weakref
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

ScalarT = TypeVar("ScalarT", bound=np.generic)
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_map = _libc.mmap
_map.restype = ctypes.c_void_p
_map.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_unmap = _libc.munmap
_unmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

_advise = _libc.madvise
_advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_lock = _libc.mlock
_lock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_unlock = _libc.munlock
_unlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class MappedFile(NamedTuple):
    """The bytes of a file, and the device and number by which it is known."""

    data: memoryview
    file: tuple[int, int]


def map_file(path: Path) -> MappedFile:
    """A whole file, read-only. The mapping lasts as long as anything refers to its data, or to a part of it.

    Raises OSError, and ValueError for a file that is empty.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        length = status.st_size
        if not length:
            raise ValueError("is empty")
        address = _map(None, length, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, 0)
        if address == _FAILED:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)
    mapped = (ctypes.c_ubyte * length).from_address(address)
    # Not at the interpreter's end: threads may still be reading, and the kernel unmaps everything anyway.
    weakref.finalize(mapped, _unmap, address, length).atexit = False
    array = np.frombuffer(memoryview(mapped), np.uint8)
    array.flags.writeable = False
    return MappedFile(array.data, (status.st_dev, status.st_ino))


def advise(data: memoryview, advice: int) -> None:
    """Tell the system of mapped bytes what mmap's ``MADV_`` numbers say."""
    start, length = _whole_pages(data)
    if length > 0:
        _advise(start, length, advice)


def lock(data: memoryview) -> bool:
    """Read mapped bytes in and hold them in memory until ``unlock``; processes share them.

    False where the system refuses that.
    """
    return _lock(np.frombuffer(data, np.uint8).ctypes.data, len(data)) == 0


def unlock(data: memoryview) -> None:
    """No longer hold them."""
    start, length = _whole_pages(data)
    if length > 0:
        _unlock(start, length)


def _whole_pages(data: memoryview) -> tuple[int, int]:
    """Address and length, without the pages at the ends: those are others', too, and may be locked by them."""
    address = np.frombuffer(data, np.uint8).ctypes.data if len(data) else 0
    start = -(-address // mmap.PAGESIZE) * mmap.PAGESIZE
    return start, (address + len(data)) // mmap.PAGESIZE * mmap.PAGESIZE - start


class LeftOnDisk:
    """A mapped array of which a little is read now and then, here and there, and which is not to fill the memory.

    What lies beside a value that is asked for is not read with it, and once ``MOST`` bytes may have been read the pages
    are given back: the system may keep them, but they are not this process's any more.
    """

    MOST = 16 << 20
    AROUND = 1 << 20
    """Linux maps what lies beside a page and is cached along with it, whatever it was told about how values are read:
    about so much for each row that was read, measured."""

    def __init__(self, mapped: NDArray[Any]) -> None:
        """``mapped``: [rows, ...]."""
        self._mapped = mapped.reshape(-1).view(np.uint8).data
        self._row_bytes = self.AROUND + mapped.nbytes // max(1, len(mapped))
        self._read = 0
        advise(self._mapped, mmap.MADV_RANDOM)

    def read(self, rows: int) -> None:
        """To be told how many rows were read. May come from any thread: a count that is lost changes little."""
        self._read += rows * self._row_bytes
        if self._read >= self.MOST:
            self._read = 0
            advise(self._mapped, mmap.MADV_DONTNEED)


def kept_in_memory(mapped: NDArray[ScalarT]) -> NDArray[ScalarT]:
    """The same values, read in now, and never to be read again while anything refers to them.

    What is mapped is locked, which processes that map the same file share. Where the system refuses that, as it does
    above what a process may lock, they are copied.
    """
    if mapped.nbytes == 0 or _lock(mapped.ctypes.data, mapped.nbytes) == 0:
        return mapped
    copied = mapped.copy()
    copied.flags.writeable = False
    return copied
