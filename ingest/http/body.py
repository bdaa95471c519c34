"""Read a request's body within limits."""

import asyncio
from collections.abc import AsyncIterator

from ingest.http.exchange import Exchange
from ingest.http.limits import InFlight, Limits
from ingest.http.unpacking import THREADS, codec_of, is_short, rooms, unpack
from schemas.errors import TimedOutError, TooLargeError


class Body:
    """One request's body, counted among those in flight until it is released."""

    __slots__ = ("_exchange", "_held", "_in_flight", "_limits")

    def __init__(self, exchange: Exchange, limits: Limits, in_flight: InFlight) -> None:
        self._exchange = exchange
        self._limits = limits
        self._in_flight = in_flight
        self._held = 0

    async def read(self) -> bytes:
        """The whole body, unpacked, refused as soon as it is known to be too large.

        Raises TooLargeError, OverloadedError, TimedOutError, ClientGoneError; BadInputError where it is not packed as
        its head says.
        """
        data = await self._read()
        encoding = self._exchange.head.encoding
        codec = None if encoding is None or not data else codec_of(encoding)
        return data if codec is None else await self._unpack(codec, data)

    async def _read(self) -> bytes:
        if (data := self._exchange.body) is not None:
            self._check(len(data))
            self._hold(len(data))
            return data
        length = self._exchange.head.length
        if length is not None:
            self._check(length)
            self._hold(length)
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                # What a chunked body has is held as it comes.
                return await (self._read_chunks() if length is None else self._exchange.receive_rest())
        except TimeoutError:
            raise TimedOutError("Timeout: the request's body did not arrive in time") from None

    async def _unpack(self, codec: str, data: bytes) -> bytes:
        for room in rooms(codec, len(data), self._limits.max_body_bytes):
            self._hold(len(data) + room)
            if is_short(codec, len(data), room):
                unpacked = unpack(codec, data, room)
            else:
                unpacked = await asyncio.get_running_loop().run_in_executor(THREADS, unpack, codec, data, room)
            if unpacked is not None:
                self.release()
                self._hold(len(unpacked))
                return unpacked
        raise TooLargeError(self._too_large())

    async def _read_chunks(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while data := await self._exchange.receive():
            parts.append(data)
            size += len(data)
            self._check(size)
            self._hold(size)
        return b"".join(parts)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes, however long it is. Raises TimedOutError, ClientGoneError."""
        while True:
            try:
                async with asyncio.timeout(self._limits.body_seconds):
                    data = await self._exchange.receive()
            except TimeoutError:
                raise TimedOutError("Timeout: the request's body did not go on in time") from None
            if not data:
                return
            yield data

    def _check(self, size: int) -> None:
        if size > self._limits.max_body_bytes:
            raise TooLargeError(self._too_large())

    def _too_large(self) -> str:
        return f"Payload error: the request's body is larger than {self._limits.max_body_bytes} bytes"

    def _hold(self, size: int) -> None:
        if size > self._held:
            self._in_flight.take(size - self._held)
            self._held = size

    def release(self) -> None:
        """No longer count it."""
        if self._held:
            self._in_flight.give_back(self._held)
            self._held = 0
