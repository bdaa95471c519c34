"""HTTP/1.1 as uvicorn speaks it, with bounds on what a client may send before there is a request to bound.

httptools keeps a header until it is complete, however long it is, and uvicorn all headers until the last one.
"""

import asyncio
from typing import cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from compose.http.cycle import Cycle
from ingest.http.body import ARRIVED
from schemas.rest.envelope import encode_error

MAX_HEAD_BYTES = 64 << 10
"""A request line and its headers; also what may come between parts of a body, or behind it."""
HEAD_SECONDS = 30.0
"""How long a head may take to come, from its first byte."""
LINGER_SECONDS = 10.0
"""How long a refused client may go on sending: a connection closed on unread data loses the answer."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Counts bytes that came and are neither a whole head nor a body's."""

    _loose = 0
    _in_head = True
    _begun = False
    _refused = False
    _deadline: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """What the client sent."""
        if self._refused:
            return
        room = MAX_HEAD_BYTES - self._loose
        if self._in_head and len(data) > room:
            # In two pieces, so that a head is counted without the body that came along.
            self._take(data[:room])
            if self._in_head and self._loose:
                self._refuse()
            if self.transport.is_closing() or self._refused:
                return
            data = data[room:]
        self._take(data)
        if self._loose > MAX_HEAD_BYTES:
            self._refuse()
        elif self._begun and self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._on_deadline)

    def _take(self, data: bytes) -> None:
        self._loose += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        """The first byte of a head came."""
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._loose = 0
        self._in_head = self._begun = False
        self._end_deadline()
        parser, scope, before = self.parser, self.scope, self.cycle
        if parser is None:
            raise RuntimeError("a head came on a connection that is closed")
        url, version = httptools.parse_url(self.url), parser.get_http_version()
        path = url.path.decode("ascii")
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        cycle = self.cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if getattr(before, "response_complete", True):  # there is none before the first request
            self._start_asgi_task(cycle, self.app)  # type: ignore[arg-type]
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))  # type: ignore[arg-type]

    def on_body(self, body: bytes) -> None:
        """A part of the body came."""
        self._loose = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._loose = 0
        self._in_head = True
        cycle = self.cycle
        if len(cycle.body) <= HIGH_WATER_LIMIT and not cycle.waiting_for_100_continue:
            # Seen by an application that begins in the loop's next turn: of most requests, all is there by then.
            cycle.scope[ARRIVED] = bytes(cycle.body)  # type: ignore[literal-required]
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._end_deadline()
        super().connection_lost(exc)

    @property
    def _is_pending(self) -> bool:
        # Typed as always there, but there is none before the first request.
        cycle = cast("Cycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _refuse(self) -> None:
        if self._is_pending and (self._in_head or self.pipeline or self.cycle.response_started):
            # An answer now would be taken for that of an earlier request, or stand in the middle of it.
            self.transport.close()
            return
        self._refused = True
        self._end_deadline()
        if self._is_pending:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        message = f"Payload error: the request's head, or what follows its body, is larger than {MAX_HEAD_BYTES} bytes"
        body = encode_error(message, 0.0)
        self.transport.write(
            STATUS_LINE[431]
            + b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
            + body
        )
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _on_deadline(self) -> None:
        if self._is_pending:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._on_deadline)
        else:
            self.transport.close()
