"""The exchange of one connection's request: what ``ingest.http.exchange`` describes, over a transport.

An answer's head waits for the first part of its body: one write carries both. Written apart, uvloop hands each to the
system at once: an answer costs two calls of the system, and wakes its reader twice.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from compose.http.answer_head import CHUNKED, CLOSE, GO_ON, WITHOUT_BODY, header_lines, opening, status_line
from compose.http.incoming import Flow, IncomingBody
from ingest.http.head import Head, RawHeaders

_JOINED_BYTES = 64 << 10
"""A longer part is not copied to be joined to the head."""


class Answering(Flow, Protocol):
    """The connection as an answer needs it."""

    @property
    def date(self) -> bytes:
        """The line of an answer's head that says the time."""
        ...

    def keeps_open(self) -> bool:
        """Whether another request may follow the one that is answered."""
        ...

    @property
    def write(self) -> Callable[[bytes | bytearray | memoryview], None]:
        """Sends it."""
        ...

    async def writable(self) -> None:
        """Wait until the client takes more."""
        ...

    def on_answered(self, *, close: bool) -> None:
        """The answer is complete. ``close``: nothing may follow."""
        ...


class HttpExchange:
    """One request and its answer. Implements ``ingest.http.exchange.Exchange``."""

    __slots__ = (
        "_answer_head",
        "_chunked",
        "_close",
        "_connection",
        "_left",
        "_remaining",
        "added",
        "admitted",
        "answered",
        "begun",
        "body",
        "gone",
        "head",
        "incoming",
        "leaving",
    )

    def __init__(self, connection: Answering, head: Head, body: bytes | None) -> None:
        """``body`` is None where it is still to come."""
        self.head = head
        self.body = body
        self.incoming: IncomingBody | None = None
        if body is None:
            self.incoming = IncomingBody(connection, self._go_on if head.expects else None)
        self.added: RawHeaders = ()
        self.leaving: Callable[[], None] | None = None
        self.admitted = False
        """Whether it is to be answered next, or has been."""
        self.begun = False
        """Whether something of the answer may have been sent."""
        self.answered = False
        """Whether all of it was."""
        self.gone = False
        """Whether nobody is there any more to be answered."""
        self._connection = connection
        self._answer_head = b""
        self._left: asyncio.Future[None] | None = None

    @property
    def arrived(self) -> bool:
        """Whether nothing of the request is still to come."""
        return self.incoming is None or self.incoming.complete

    def settle(self) -> None:
        """The body is complete before the request is begun: there will be nothing to receive."""
        if self.incoming is not None:
            self.body = self.incoming.take()
            self.incoming = None

    async def receive(self) -> bytes:
        """What came of the body since the last call. Raises ClientGoneError."""
        return self._received() if self.incoming is None else await self.incoming.receive()

    async def receive_rest(self) -> bytes:
        """All of the body that wasn't received yet. Raises ClientGoneError."""
        return self._received() if self.incoming is None else await self.incoming.receive_rest()

    async def left(self) -> None:
        """Wait until the client has gone."""
        if not self.gone:
            if self._left is None:
                self._left = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._left)

    def lose(self) -> None:
        """The client has gone."""
        self.gone = True
        if self.leaving is not None:
            self.leaving()
        if self.incoming is not None:
            self.incoming.lose()
        if self._left is not None and not self._left.done():
            self._left.set_result(None)

    def answer(
        self, status: int, kind: bytes, headers: RawHeaders, body: bytes | bytearray, *, close: bool = False
    ) -> None:
        """The whole answer; ``kind`` is its content type. Raises RuntimeError for a second one."""
        if self.gone:
            return
        self._begin()
        connection = self._connection
        close = close or self._closes()
        lines = header_lines((*headers, *self.added)) if headers or self.added else b""
        head = b"%b%b%b%bcontent-length: %d\r\n\r\n" % (
            opening(status, kind),
            connection.date,
            lines,
            CLOSE if close else b"",
            len(body),
        )
        if self.head.method == "HEAD":
            connection.write(head)
        elif len(body) <= _JOINED_BYTES:
            connection.write(head + body)
        else:
            connection.write(head)
            connection.write(body)
        self.answered = True
        connection.on_answered(close=close)

    def start(self, status: int, headers: RawHeaders, length: int | None, *, close: bool = False) -> None:
        """An answer whose body has ``length`` bytes, None where that isn't known. Raises RuntimeError."""
        self._begin()
        self._close = close or self._closes()
        self._chunked = length is None and status not in WITHOUT_BODY and self.head.version != "1.0"
        self._remaining = length
        self._answer_head = b"%b%b%b%b%b\r\n" % (
            status_line(status),
            self._connection.date,
            header_lines((*headers, *self.added)),
            CLOSE if self._close else b"",
            CHUNKED if self._chunked else b"" if length is None else b"content-length: %d\r\n" % length,
        )

    async def write(self, piece: bytes | bytearray | memoryview) -> None:
        """A piece of the body, once the client takes it. Raises RuntimeError for more than the length allows."""
        await self._connection.writable()
        if self.gone:
            return
        if self._remaining is not None and self.head.method != "HEAD":
            self._remaining -= len(piece)
            if self._remaining < 0:
                raise RuntimeError("the answer's body is longer than its length")
        self._send(b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked and piece else piece)

    def finish(self) -> None:
        """The body is complete. Raises RuntimeError where it is shorter than its length."""
        if self.gone:
            return
        if self._remaining and self.head.method != "HEAD":
            raise RuntimeError("the answer's body is shorter than its length")
        self._send(b"0\r\n\r\n" if self._chunked else b"")
        self.answered = True
        self._connection.on_answered(close=self._close)

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        head, self._answer_head = self._answer_head, b""
        if self.head.method == "HEAD":
            data = b""
        if head and len(data) <= _JOINED_BYTES:
            self._connection.write(b"%b%b" % (head, data))
            return
        if head:
            self._connection.write(head)
        if data:
            self._connection.write(data)

    def _received(self) -> bytes:
        data, self.body = self.body, b""
        return data or b""

    def _begin(self) -> None:
        if self.begun:
            raise RuntimeError("a request has one answer")
        self.begun = True

    def _closes(self) -> bool:
        # Who was never told to go on may send the body yet, or another request in its place.
        withheld = self.incoming is not None and self.incoming.withheld and not self.incoming.complete
        return withheld or not self.head.keep_alive or not self._connection.keeps_open()

    def _go_on(self) -> None:
        if not self.begun:
            self._connection.write(GO_ON)
