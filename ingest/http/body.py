"""Read a request's body within limits, and end refused ones so that the client still gets its answer."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Message, Receive, Scope

from ingest.http.limits import InFlight, Limits
from schemas.errors import BadInputError, TimedOutError, TooLargeError

DRAIN_SECONDS = 10.0
DRAIN_BYTES = 1 << 30

ARRIVED = "headwater.body"
"""Where in a request's scope the server puts a body that came along with its head: there is nothing to wait for."""

RawHeaders = list[tuple[bytes, bytes]]


class ClientGoneError(Exception):
    """The client closed the connection before its body was complete; there is nobody to answer."""


def find_header(headers: RawHeaders, name: bytes) -> bytes | None:
    """The value of the first header called ``name``, in lower case."""
    for key, value in headers:
        if key == name:
            return value
    return None


def list_header(headers: RawHeaders, name: bytes) -> bytes | None:
    """All values of headers called ``name``, in lower case, as one list: whoever passes them on may split it."""
    found: bytes | None = None
    for key, value in headers:
        if key == name:
            found = value if found is None else b"%b,%b" % (found, value)
    return found


class Body:
    """One request's body, counted among those in flight until it is released."""

    def __init__(self, scope: Scope, receive: Receive, limits: Limits, in_flight: InFlight) -> None:
        self._headers: RawHeaders = scope["headers"]
        self._arrived: bytes | None = scope.get(ARRIVED)
        self._receive = receive
        self._limits = limits
        self._in_flight = in_flight
        self._held = 0
        self._complete = False

    async def read(self) -> bytes:
        """The whole body, refused as soon as it is known to be too large.

        Raises TooLargeError, OverloadedError, TimedOutError, BadInputError, ClientGoneError.
        """
        if (data := self._arrived) is not None:
            self._check(len(data))
            self._hold(len(data))
            self._complete = True
            return data
        length = self._declared_length()
        if length is not None:
            self._check(length)
            self._hold(length)
            if length == 0:
                self._complete = True
                return b""
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await self._read()
        except TimeoutError:
            raise TimedOutError("Timeout: the request's body did not arrive in time") from None

    async def _read(self) -> bytes:
        data = self._take(await self._receive())
        if self._complete:
            self._hold(len(data))
            return data
        parts, size = [data], len(data)
        while not self._complete:
            # What is read beyond the declared length (there is none for a chunked body) is held as it comes.
            self._check(size)
            self._hold(size)
            data = self._take(await self._receive())
            parts.append(data)
            size += len(data)
        self._check(size)
        self._hold(size)
        return b"".join(parts)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes, however long it is. Raises TimedOutError, ClientGoneError."""
        while not self._complete:
            try:
                async with asyncio.timeout(self._limits.body_seconds):
                    message = await self._receive()
            except TimeoutError:
                raise TimedOutError("Timeout: the request's body did not go on in time") from None
            yield self._take(message)

    def _declared_length(self) -> int | None:
        value = find_header(self._headers, b"content-length")
        if value is None:
            return None
        if not value.isdigit():
            raise BadInputError("Wrong input: the Content-Length header is not a number")
        return int(value)

    def _check(self, size: int) -> None:
        limit = self._limits.max_body_bytes
        if size > limit:
            raise TooLargeError(f"Payload error: the request's body is larger than {limit} bytes")

    def _hold(self, size: int) -> None:
        if size > self._held:
            self._in_flight.take(size - self._held)
            self._held = size

    def _take(self, message: Message) -> bytes:
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        self._complete = not message.get("more_body", False)
        data: bytes = message.get("body", b"")
        return data

    @property
    def unread(self) -> bool:
        """Whether the client may still be sending."""
        return not self._complete and find_header(self._headers, b"expect") is None

    async def drain(self) -> None:
        """Throw away what is still coming, for a while: a connection closed on unread data loses the answer."""
        size = 0
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._complete and size < DRAIN_BYTES:
                    size += len(self._take(await self._receive()))
        except (TimeoutError, ClientGoneError):
            return

    def release(self) -> None:
        """No longer count it."""
        self._in_flight.give_back(self._held)
        self._held = 0
