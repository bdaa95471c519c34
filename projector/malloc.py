"""How the C library's allocator keeps freed memory: little of it.

glibc raises its thresholds as large blocks come and go, request bodies and vectors here, and then keeps tens of
megabytes that nobody uses. Measured while loading 100,000 points of 100 dimensions: left alone a server held 131 to
144 MB of its own, with thresholds of 4 and 8 MiB 114 to 128 MB; with thresholds of 128 KiB 95 to 113 MB, but it spent
almost half as much processor time again on page faults. Of 200,000 points, with what else takes memory made less: with
4 and 8 MiB 110 to 126 MB, and 101 to 116 MB at rest; with those below 101 to 106 MB, and 74 to 77 MB at rest. The
processor time of the two is the same, but for what differs from run to run.

What is free between blocks in use stays, too, until somebody asks for it to be given back, which takes milliseconds for
tens of megabytes: that is done when a process has come to rest. After loading 60,000 points it was 22 MB.
"""

import ctypes
import platform
import time
from collections.abc import Callable
from threading import Thread

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_MMAP_BYTES = 1 << 20
_TRIM_BYTES = 4 << 20
_ARENAS = 2

LOOK_SECONDS = 2.0
BUSY_SECONDS = 0.1
"""A process that used as much processor time since the last look is not at rest."""


def _is_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"


def keep_little_free_memory() -> None:
    """Fix glibc's thresholds for this process; does nothing with another C library."""
    if not _is_glibc():
        return
    mallopt = ctypes.CDLL(None).mallopt
    for option, value in (
        (_M_ARENA_MAX, _ARENAS),
        (_M_TRIM_THRESHOLD, _TRIM_BYTES),
        (_M_MMAP_THRESHOLD, _MMAP_BYTES),
    ):
        if mallopt(ctypes.c_int(option), ctypes.c_int(value)) != 1:
            raise OSError(f"mallopt({option}, {value}) failed")


def give_back() -> None:
    """Give the system what is free, now; glibc's only. It takes milliseconds for tens of megabytes."""
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))


def give_back_at_rest() -> None:
    """From now on give the system what is free whenever this process has come to rest, on a thread; glibc's only."""
    if _is_glibc():
        Thread(target=_watch, args=(ctypes.CDLL(None).malloc_trim,), name="free memory", daemon=True).start()


class Rest:
    """Tells when a process comes to rest, by the processor time it used."""

    def __init__(self) -> None:
        self._used = 0.0
        self._was_busy = False

    def comes(self, used: float) -> bool:
        """Whether it is at rest and was not at the last look; ``used``: seconds of processor time by now."""
        busy = used - self._used >= BUSY_SECONDS
        comes = self._was_busy and not busy
        self._used, self._was_busy = used, busy
        return comes


def _watch(trim: Callable[[ctypes.c_size_t], int]) -> None:
    rest = Rest()
    while True:
        if rest.comes(time.process_time()):
            trim(ctypes.c_size_t(0))
        time.sleep(LOOK_SECONDS)
