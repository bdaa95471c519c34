"""Waiting for what others hold: a state that another process has open, a log that can't be reached now."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from ingest.log import LogUnavailableError, LogUnreachableError
from projector.state.kv import StateLockedError

T = TypeVar("T")

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 1.0
LINE_SECONDS = 5.0

_logger = structlog.get_logger("headwater.worker")


class Patience:
    """The pauses between attempts, each twice the last, and a line in the log every few seconds meanwhile."""

    def __init__(self, what: str) -> None:
        """``what`` is being waited for."""
        self._what = what
        self._pause = FIRST_PAUSE
        self._since = time.monotonic()
        self._told = float("-inf")

    async def pause(self, reason: Exception) -> None:
        """Wait before the next attempt; the last one failed because of ``reason``."""
        now = time.monotonic()
        if now - self._told >= LINE_SECONDS:
            self._told = now
            # That nothing answers is told in one place, not by each partition.
            write = _logger.debug if isinstance(reason, LogUnreachableError) else _logger.warning
            write("waiting", what=self._what, seconds=round(now - self._since, 1), reason=str(reason))
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


async def when_unlocked(attempt: Callable[[], T], what: str) -> T:
    """What ``attempt`` returns, once no other process has open what it opens. Waits for ever: cancel it."""
    patience = Patience(what)
    while True:
        try:
            return attempt()
        except StateLockedError as error:
            await patience.pause(error)


async def when_available(attempt: Callable[[], Awaitable[T]], what: str) -> T:
    """What ``attempt`` returns, once the log can be reached. Waits for ever: cancel it."""
    patience = Patience(what)
    while True:
        try:
            return await attempt()
        except LogUnavailableError as error:
            await patience.pause(error)
