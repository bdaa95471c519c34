"""Waiting: for a state that another process has open, a log that can't be reached now, a disk that takes no writes."""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from prometheus_client import Gauge

from ingest.log import LogUnavailableError, LogUnreachableError
from projector.state.errors import StateDamagedError, StateLockedError, StateUnwritableError
from projector.state.kv import KeyValue
from projector.threads import OpenT, open_aside

T = TypeVar("T")

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 1.0
LINE_SECONDS = 5.0

PAUSED = Gauge("headwater_paused", "What waits for a disk to take writes again", ["what"], multiprocess_mode="livemax")

_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE})
"""Of a disk that may take writes again later, or of a process that may open files again later."""

_logger = structlog.get_logger("headwater.worker")


class Pauses:
    """The pauses between attempts, each twice the last, and a line in the log every few seconds meanwhile."""

    def __init__(self, what: str) -> None:
        """``what`` is being waited for."""
        self._what = what
        self._pause = FIRST_PAUSE
        self._since = time.monotonic()
        self._told = float("-inf")

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return round(time.monotonic() - self._since, 1)

    async def pause(self, reason: Exception) -> None:
        """Wait before the next attempt; the last one failed because of ``reason``."""
        now = time.monotonic()
        if now - self._told >= LINE_SECONDS:
            self._told = now
            # That nothing answers is told in one place, not by each partition.
            write = _logger.debug if isinstance(reason, LogUnreachableError) else _logger.warning
            write("waiting", what=self._what, seconds=self.seconds, reason=str(reason))
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


async def when_unlocked(opening: Callable[[], OpenT], what: str) -> OpenT:
    """What ``opening`` returns, on a thread, once no other process has it open. Waits for ever: cancel it."""
    pauses = Pauses(what)
    while True:
        try:
            return await open_aside(opening)
        except StateLockedError as error:
            await pauses.pause(error)


async def when_available(attempt: Callable[[], Awaitable[T]], what: str) -> T:
    """What ``attempt`` returns, once the log can be reached. Waits for ever: cancel it."""
    pauses = Pauses(what)
    while True:
        try:
            return await attempt()
        except LogUnavailableError as error:
            await pauses.pause(error)


async def when_writable(write: Callable[[], T], kv: KeyValue, what: str) -> T:
    """What ``write`` returns, which writes to ``kv``, once the disk takes it. Waits for ever: cancel it.

    Each attempt that fails leaves what ``write`` reads as it was, and the next one writes the same.
    """
    try:
        return write()
    except StateUnwritableError as error:
        reason = error
    pauses = Pauses(what)
    PAUSED.labels(what).inc()
    try:
        while True:
            await pauses.pause(reason)
            try:
                await kv.recover()
                written = write()
            except StateUnwritableError as error:
                reason = error
            else:
                _logger.info("going on", what=what, seconds=pauses.seconds)
                return written
    finally:
        PAUSED.labels(what).dec()


async def keep_writable(kv: KeyValue, what: str) -> None:
    """Let ``kv`` recover whenever it can't be written, whether something waits to be written or not. For ever."""
    while True:
        await asyncio.sleep(LONGEST_PAUSE)
        if kv.unwritable is None:
            continue
        try:
            await kv.recover()
        except StateUnwritableError as error:
            _logger.debug("not writable yet", what=what, reason=str(error))
        except StateDamagedError as error:
            _logger.error("not to be written again", what=what, reason=str(error))


async def when_room(
    attempt: Callable[[], Awaitable[T]], what: str, tell: Callable[[str | None], None] = lambda reason: None
) -> T:
    """What ``attempt`` returns, once the disk takes what it writes. Waits for ever: cancel it.

    ``tell`` is told of the reason when it begins to wait, and of None when it has waited.
    """
    pauses: Pauses | None = None
    try:
        while True:
            try:
                return await attempt()
            except OSError as error:
                if not isinstance(error, StateUnwritableError) and error.errno not in _DISK_ERRORS:
                    raise
                if pauses is None:
                    pauses = Pauses(what)
                    PAUSED.labels(what).inc()
                    tell(f"{what} can't be written: {error}")
                await pauses.pause(error)
    finally:
        if pauses is not None:
            PAUSED.labels(what).dec()
            tell(None)
