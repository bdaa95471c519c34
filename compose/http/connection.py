"""One connection of a client: its requests are begun one after another, each when those before it are answered."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from compose.http.answer_head import CLOSE, opening
from compose.http.backpressure import Backpressure
from compose.http.connections import Connections
from compose.http.exchange import HttpExchange
from compose.http.patience import Patience
from compose.http.request_reader import InvalidRequestError, RequestReader
from compose.http.worker import Worker
from ingest.http.endpoint import JSON_TYPE
from ingest.http.head import Head
from schemas.rest.envelope import encode_error

MAX_WAITING = 32
"""Requests that came behind one that is answered; more are not looked at before these are begun."""
SOON_BYTES = 64 << 10
"""A body no longer than that is expected right behind its head."""


class Connection(asyncio.Protocol):
    """Hands requests to the application, and its answers to the client."""

    transport: asyncio.Transport

    def __init__(self, connections: Connections) -> None:
        self.write: Callable[[bytes | bytearray | memoryview], None]
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader(self, connections.heads)
        self._waiting: deque[HttpExchange] = deque()  # to be answered after it
        self._coming: HttpExchange | None = None  # whose body is not complete; neither of these at first
        self._worker = Worker(connections, self._close)
        self._patience = Patience(self)
        self._blocked: Backpressure | None = None  # until the client takes more
        self._is_reading = True
        self._is_read_on = False  # whether it is, in a moment
        self._ending = self._refused = self._lingering = False

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self.transport = cast("asyncio.Transport", transport)
        self.write = self.transport.write
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """What the client sent."""
        if self._refused:
            return
        try:
            self._reader.feed(data)
        except InvalidRequestError as error:
            self._refuse(error)
            return
        if self._coming is not None and not (self._coming.admitted or self._lingering):
            self._expect(self._coming)
        if self._reader.in_head:
            self._patience.expect_head()
        if self._reader.held and self._is_reading:
            self.transport.pause_reading()
            self._read_on_soon()

    def pause_writing(self) -> None:
        """The client doesn't take what it was sent."""
        self._blocked = Backpressure(self.transport)

    def resume_writing(self) -> None:
        """It does again."""
        self._unblock()
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._connections.remove(self)
        self._reader.close()
        self._patience.end()
        for exchange in (self._worker.current, self._coming, *self._waiting):
            if exchange is not None:
                exchange.lose()
        self._waiting.clear()
        self._coming = None
        self._unblock()
        self._worker.end()

    # What the reader tells.

    def on_request(self, head: Head, body: bytes) -> None:
        """A whole request at once."""
        self._admit(HttpExchange(self, head, body))

    def on_head(self, head: Head) -> None:
        """A head, whose body follows."""
        self._patience.on_head()
        self._coming = HttpExchange(self, head, None)

    def on_body(self, data: bytes) -> None:
        """A part of it."""
        if self._coming is not None and self._coming.incoming is not None:
            self._coming.incoming.add(data)

    def on_end(self) -> None:
        """All of it has come."""
        exchange, self._coming = self._coming, None
        if exchange is None or exchange.incoming is None:
            return
        exchange.incoming.end()
        if self._lingering:
            self._close()
        elif not exchange.admitted:
            exchange.settle()
            self._admit(exchange)

    @property
    def full(self) -> bool:
        """Whether enough requests wait for their turn."""
        return len(self._waiting) >= MAX_WAITING

    # What the client's time to do something needs.

    @property
    def busy(self) -> bool:
        """Whether there is something to answer."""
        return self._worker.current is not None or bool(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to answer, and nothing of a request has come."""
        is_answered = self._coming is None or self._coming.answered
        return is_answered and not (self.busy or self._reader.in_head)

    def on_late(self) -> None:
        """A body did not come right behind its head."""
        if self._coming is not None and not self._coming.admitted:
            self._admit(self._coming)

    # What an answer needs.

    @property
    def date(self) -> bytes:
        """The line of an answer's head that says the time."""
        return self._connections.date

    def keeps_open(self) -> bool:
        """Whether another request may follow the one that is answered."""
        return not self._ending or self._has_more()

    async def writable(self) -> None:
        """Wait until the client takes more."""
        if self._blocked is not None:
            await self._blocked.wait()

    def on_answered(self, *, close: bool) -> None:
        """The answer is complete."""
        exchange, self._worker.current = self._worker.current, None
        if close or (self._ending and not self._has_more()):
            self._end()
            return
        if exchange is not None and exchange.incoming is not None:
            exchange.incoming.discard()
        self._patience.on_answered()
        if self._waiting:
            self._advance()
        if not self._is_reading:
            self.resume_reading()

    def pause_reading(self) -> None:
        """Read no more for now."""
        if self._is_reading:
            self._is_reading = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on, unless requests wait."""
        if not self._is_reading and not self._waiting and not self.transport.is_closing():
            self._is_reading = True
            if self._reader.held:
                self._read_on_soon()
            else:
                self.transport.resume_reading()

    # What the server needs.

    @property
    def flushed(self) -> bool:
        """Whether it is being closed, and all that was said on it has been handed on."""
        return self.transport.is_closing() and not self.transport.get_write_buffer_size()

    def shut_down(self) -> None:
        """End with what was asked by now."""
        self._ending = True
        is_answered = self._coming is None or self._coming.answered or self._lingering
        if self._worker.current is None and is_answered and not self._has_more():
            self.transport.close()

    def abort(self) -> None:
        """End at once."""
        self.transport.abort()

    def _has_more(self) -> bool:
        return bool(self._waiting or self._reader.held)

    def _read_on_soon(self) -> None:
        if not self._is_read_on:
            self._is_read_on = True
            self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        """Take more of what came, if it is still wanted."""
        self._is_read_on = False
        if not self._is_reading or self.transport.is_closing():
            return
        self.data_received(b"")
        if self._reader.held:
            return
        if self._is_reading:
            self.transport.resume_reading()
        if self._ending and not self._lingering:
            self.shut_down()

    def _expect(self, exchange: HttpExchange) -> None:
        """The body of a request isn't there yet: begin it, or leave it for a moment."""
        length = exchange.head.length
        if exchange.head.expects or length is None or length > SOON_BYTES:
            self._admit(exchange)
        else:
            self._patience.expect_body()

    def _admit(self, exchange: HttpExchange) -> None:
        exchange.admitted = True
        if self._worker.current is None and self._blocked is None:
            self._worker.begin(exchange)
        else:
            self._waiting.append(exchange)
            self.pause_reading()

    def _advance(self) -> None:
        if self._waiting and self._worker.current is None and self._blocked is None:
            self._worker.begin(self._waiting.popleft())
            self.resume_reading()

    def _end(self) -> None:
        """Close behind the last answer, but not on a body that is still coming."""
        incoming = None if self._coming is None else self._coming.incoming
        if incoming is None or incoming.withheld:
            self._close()
            return
        incoming.discard()
        self._waiting.clear()
        self._linger()

    def _linger(self) -> None:
        self._ending = self._lingering = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.resume_reading()
        self._patience.linger()

    def _close(self) -> None:
        self._waiting.clear()
        self._reader.close()
        self.transport.close()

    def _refuse(self, error: InvalidRequestError) -> None:
        if self._lingering:
            self._close()
            return
        self._refused = self._ending = True
        self._patience.expect_no_more()
        coming, self._coming = self._coming, None
        if coming is not None:
            coming.lose()
            if coming in self._waiting:
                self._waiting.remove(coming)
        if coming is not None and coming is self._worker.current:
            self._worker.current = None
            if coming.begun:
                self.transport.close()
                return
        if self.busy:
            # An answer now would be taken for that of an earlier request, behind which the connection ends.
            return
        body = encode_error(str(error), 0.0)
        top = opening(error.status, JSON_TYPE)
        self.transport.write(b"%b%b%bcontent-length: %d\r\n\r\n%b" % (top, self.date, CLOSE, len(body), body))
        self._linger()

    def _unblock(self) -> None:
        if self._blocked is not None:
            self._blocked.end()
            self._blocked = None
