"""The body of a request that had not all come when the request was begun."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ingest.http.exchange import ClientGoneError

HIGH_WATER_BYTES = 64 << 10
"""So much of a body waits to be received before the client is made to wait."""


class Flow(Protocol):
    """Whether more is read from a connection."""

    def pause_reading(self) -> None:
        """Read no more for now."""
        ...

    def resume_reading(self) -> None:
        """Go on."""
        ...


class IncomingBody:
    """Gathers what comes; ``receive`` and ``receive_rest`` take it. For one reader."""

    def __init__(self, flow: Flow, go_on: Callable[[], None] | None) -> None:
        """``go_on`` tells a client to send the body that waits for that."""
        self.complete = False
        """Whether all of it has come."""
        self._flow = flow
        self._go_on = go_on
        self._parts: list[bytes] = []
        self._size = 0
        self._wants_all = self._unwanted = self._lost = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def withheld(self) -> bool:
        """Whether the client still waits to be told that it may send."""
        return self._go_on is not None

    def add(self, data: bytes) -> None:
        """A part has come."""
        if self._unwanted:
            return
        self._parts.append(data)
        self._size += len(data)
        if self._wants_all:
            return
        if self._size > HIGH_WATER_BYTES:
            self._flow.pause_reading()
        self._wake()

    def end(self) -> None:
        """All of it has come."""
        self.complete = True
        self._wake()

    def lose(self) -> None:
        """No more will come of it."""
        self._lost = True
        self._wake()

    def discard(self) -> None:
        """What is still to come is not wanted any more."""
        self._unwanted = True
        self._parts.clear()
        self._go_on = None

    def take(self) -> bytes:
        """What came since the last call."""
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return data

    async def receive(self) -> bytes:
        """As ``Exchange.receive``."""
        self._begin()
        while not self._size:
            if self._lost:
                raise ClientGoneError
            if self.complete:
                return b""
            await self._wait()
        data = self.take()
        self._flow.resume_reading()
        return data

    async def receive_rest(self) -> bytes:
        """As ``Exchange.receive_rest``."""
        self._begin()
        self._wants_all = True
        try:
            while not self.complete:
                if self._lost:
                    raise ClientGoneError
                self._flow.resume_reading()
                await self._wait()
        finally:
            self._wants_all = False
        return self.take()

    def _begin(self) -> None:
        if self._go_on is not None:
            self._go_on()
            self._go_on = None

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
