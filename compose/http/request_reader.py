"""Requests out of the bytes that a client sends. httptools parses a head once: most that come later are the same bytes.

httptools keeps a header until it is complete, however long it is: bytes that are neither a whole head nor a body's are
counted here.
"""

from typing import Protocol
from urllib.parse import unquote

import httptools

from ingest.http.head import Head, find_header

MAX_HEAD_BYTES = 64 << 10
"""A request line and its headers; also what may come between parts of a body, or behind it."""
REMEMBERED_BYTES = 1 << 10
"""Longer heads are parsed each time."""
REMEMBERED_HEADS = 512
PIECE_BYTES = 16 << 10
"""What is parsed at once: of tiny headers, chunks, or requests behind these, it takes some milliseconds."""
MANY_PARTS = 1000
"""Headers and chunks, after so many of which others have their turn."""
END = b"\r\n\r\n"
"""What every head ends with, and no head has within it."""


class InvalidRequestError(Exception):
    """What came is no HTTP. ``status`` is what an answer would say."""

    status = 400


class HeadTooLargeError(InvalidRequestError):
    """There is no end to a head, or to what follows a body."""

    status = 431


class Receiver(Protocol):
    """What is told of requests, in the order in which they came."""

    @property
    def full(self) -> bool:
        """Whether it wants no more requests for now."""
        ...

    def on_request(self, head: Head, body: bytes) -> None:
        """A whole request at once."""
        ...

    def on_head(self, head: Head) -> None:
        """A head, whose body follows."""
        ...

    def on_body(self, data: bytes) -> None:
        """A part of it."""
        ...

    def on_end(self) -> None:
        """All of it has come."""
        ...


class Heads:
    """Heads that came before, by their bytes. Those of a server's connections share one."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}
        self.find = self._known.get

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, data: bytes, head: Head) -> None:
        """``data`` are all the bytes of ``head``."""
        if len(self._known) >= REMEMBERED_HEADS:
            self._known.clear()
        self._known[data] = head


class RequestReader:
    """The requests of one connection. What follows the last one, by which the connection ends, is not looked at."""

    def __init__(self, receiver: Receiver, heads: Heads) -> None:
        self.held = b""
        """What came and was left for a later turn."""
        self._receiver: Receiver | None = receiver
        self._heads = heads
        self._parser: httptools.HttpRequestParser | None = None
        self._missing = 0  # of the body of a head that was not parsed just now
        self._body = 0  # what is to be parsed of a body whose length is known
        self._parts = 0  # headers and chunks that were parsed in this turn
        self._loose = 0  # bytes since the last that were a head or a body
        self._in_message = False
        self.in_head = False
        """Whether a head has begun to come and isn't complete."""
        self._upgrading = self._over = False
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head: Head | None = None  # the last that was parsed

    def close(self) -> None:
        """Let go of whoever is told."""
        self._receiver = self._parser = None
        self.held = b""

    def feed(self, data: bytes = b"") -> None:
        """Take what was left and what came, as much as may be taken in one turn of the event loop.

        Raises InvalidRequestError; nothing may be fed after that.
        """
        if self.held:
            data = self.held + data
            self.held = b""
        at, size = 0, len(data)
        self._parts = 0
        while at < size and not self._over and (receiver := self._receiver) is not None:
            if at and (self._parts >= MANY_PARTS or receiver.full):
                self.held = data[at:]
                return
            if self._missing:
                part = data[at : at + self._missing]
                at += len(part)
                self._missing -= len(part)
                receiver.on_body(part)
                if not self._missing:
                    receiver.on_end()
                continue
            end = 0
            if not (self._in_message or self._loose):
                end = data.find(END, at, at + REMEMBERED_BYTES) + len(END)
                if end >= len(END) and (head := self._heads.find(data[at:end])) is not None:
                    at = end + head.length if head.length is not None else end
                    if at <= size:
                        receiver.on_request(head, data[end:at])
                        continue
                    self._missing = at - size
                    receiver.on_head(head)
                    if end < size:
                        receiver.on_body(data[end:])
                    return
            at = self._parse(data, at)

    def _parse(self, data: bytes, at: int) -> int:
        """Have some of ``data`` parsed, from ``at`` on; where it stopped."""
        size = len(data)
        is_fresh = not (self._in_message or self._loose)
        stop = min(size, at + (self._body or PIECE_BYTES))
        if is_fresh or self.in_head:
            # No further than the head's end, so that a head is counted, and remembered, without what came along.
            end = data.find(END, at, stop)
            stop = min(stop if end < 0 else end + len(END), at + MAX_HEAD_BYTES - self._loose)
        piece, before = data[at:stop], self._head
        self._loose += len(piece)
        stop = at + self._feed(piece)
        if self._loose > MAX_HEAD_BYTES or (self._loose == MAX_HEAD_BYTES and stop < size):
            raise HeadTooLargeError(
                f"Payload error: the request's head, or what follows its body, is larger than {MAX_HEAD_BYTES} bytes"
            )
        head = self._head
        if is_fresh and head is not None and head is not before and len(piece) <= REMEMBERED_BYTES and _is_usual(head):
            self._heads.remember(piece, head)
        return stop

    def _feed(self, piece: bytes) -> int:
        """How much of it was taken."""
        if self._parser is None:
            self._parser = httptools.HttpRequestParser(self)
            # What follows the last request is thrown away here.
            self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            return self._go_on_without_upgrade(upgrade.args[0])
        except httptools.HttpParserError as error:
            raise InvalidRequestError(f"Bad request: this is no HTTP: {error}") from error
        return len(piece)

    def _go_on_without_upgrade(self, taken: int) -> int:
        # The parser takes what follows for another protocol; nobody answered that it is spoken here.
        head, receiver = self._head, self._receiver
        self._upgrading = False
        if head is None or receiver is None or head.length is None:
            raise InvalidRequestError("Bad request: no other protocol is spoken here")
        if head.length:
            self._missing = head.length
        else:
            self._over = not head.keep_alive
            receiver.on_end()
        return taken

    def on_message_begin(self) -> None:
        """Of httptools: the first byte of a head."""
        self._in_message = self.in_head = True
        self._url = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        """Of httptools: a part of the first line."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of httptools: one header."""
        self._parts += 1
        self._headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Of httptools: the head is complete."""
        self._loose = 0
        self.in_head = False
        parser, receiver = self._parser, self._receiver
        if parser is None or receiver is None or self._over:
            return
        headers = tuple(self._headers)
        url, version = httptools.parse_url(self._url), parser.get_http_version()
        raw_path = url.path or b"/"
        path = raw_path.decode("ascii")
        length = find_header(headers, b"content-length")
        chunked = find_header(headers, b"transfer-encoding") is not None
        self._upgrading = parser.should_upgrade()
        self._head = Head(
            method=parser.get_method().decode("ascii"),
            path=unquote(path) if "%" in path else path,
            raw_path=raw_path,
            query=url.query or b"",
            headers=headers,
            length=None if chunked else int(length or 0),
            version=version,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            expects=version != "1.0" and (find_header(headers, b"expect") or b"").lower() == b"100-continue",
            origin=find_header(headers, b"origin"),
            encoding=find_header(headers, b"content-encoding"),
        )
        self._body = self._head.length or 0
        receiver.on_head(self._head)

    def on_body(self, data: bytes) -> None:
        """Of httptools: a part of a body."""
        self._loose = 0
        self._parts += 1
        self._body = max(0, self._body - len(data))
        if not self._over and self._receiver is not None:
            self._receiver.on_body(data)

    def on_message_complete(self) -> None:
        """Of httptools: a request is complete."""
        self._loose = 0
        self._in_message = False
        head, receiver = self._head, self._receiver
        if self._over or self._upgrading or head is None or receiver is None:
            return
        self._over = not head.keep_alive
        receiver.on_end()


def _is_usual(head: Head) -> bool:
    return head.keep_alive and not head.expects and head.length is not None
