"""A limit on the bytes that are queued at one time."""

import asyncio
from collections import deque
from contextlib import suppress


class ByteBudget:
    """Grants bytes in the order they were asked for. A request larger than the whole budget is granted alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def taken(self) -> int:
        """Bytes granted and not given back."""
        return self._taken

    def take_now(self, size: int) -> bool:
        """Whether ``size`` bytes are granted at once; the caller then gives them back."""
        if self._waiting or not self._fits(size):
            return False
        self._taken += size
        return True

    async def take(self, size: int) -> None:
        """Return once ``size`` bytes are granted; the caller gives them back."""
        if self.take_now(size):
            return
        granted = asyncio.get_running_loop().create_future()
        self._waiting.append((size, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                # It may have been passed over already.
                with suppress(ValueError):
                    self._waiting.remove((size, granted))
                self._grant()
            else:
                self.give(size)
            raise

    def give(self, size: int) -> None:
        """Give ``size`` bytes back."""
        self._taken -= size
        if self._waiting:
            self._grant()

    def _fits(self, size: int) -> bool:
        return self._taken == 0 or self._taken + size <= self._limit

    def _grant(self) -> None:
        while self._waiting:
            size, granted = self._waiting[0]
            # Who is cancelled learns of it only in a later turn of the event loop: until then the request is here.
            if not granted.done():
                if not self._fits(size):
                    return
                self._taken += size
                granted.set_result(None)
            self._waiting.popleft()
