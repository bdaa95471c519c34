"""An HTTP/1.1 client that costs next to nothing: requests are made beforehand, answers are not parsed while timed.

Python's HTTP clients take longer than the server they ask, so they would measure themselves.
"""

import re
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CHUNK = 1 << 16


class RequestError(Exception):
    """The answer was not 200, or the connection ended."""


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """A whole request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """A kept connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        self._needed = -1
        self._body_start = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def ask(self, prepared: bytes) -> bytes:
        """Send a request and return the answer's body."""
        self.socket.sendall(prepared)
        while (body := self.receive()) is None:
            pass
        return body

    def receive(self) -> bytes | None:
        """Take what has come; the body once the answer is complete. Raises RequestError unless it is a 200."""
        data = self.socket.recv(_CHUNK)
        if not data:
            raise RequestError("the server closed the connection")
        self._received += data
        if self._needed < 0 and not self._read_head():
            return None
        if len(self._received) < self._needed:
            return None
        body = bytes(self._received[self._body_start : self._needed])
        failed = not self._received.startswith(b"HTTP/1.1 200")
        self._received.clear()
        self._needed = -1
        if failed:
            raise RequestError(body[:500].decode(errors="replace"))
        return body

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = _LENGTH.search(self._received, 0, end)
        if length is None:
            raise RequestError("an answer without a length")
        self._body_start = end + 4
        self._needed = self._body_start + int(length[1])
        return True


def timed(port: int, requests: Sequence[bytes]) -> tuple[list[float], list[bytes]]:
    """Ask one request after another on one connection: seconds of each, and the bodies."""
    seconds: list[float] = []
    bodies: list[bytes] = []
    clock: Callable[[], float] = time.perf_counter
    with Connection(port) as connection:
        for prepared in requests:
            begun = clock()
            bodies.append(connection.ask(prepared))
            seconds.append(clock() - begun)
    return seconds, bodies


@dataclass(frozen=True)
class Throughput:
    """Several connections at once: seconds of each request, of the clock in all, and of the client's processor."""

    latencies: list[float]
    seconds: float
    client_seconds: float

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return len(self.latencies) / self.seconds

    @property
    def client_share(self) -> float:
        """Of one core, what the client took: near 1 it is the client that was measured."""
        return self.client_seconds / self.seconds

    def __add__(self, other: "Throughput") -> "Throughput":
        """Two runs as one."""
        return Throughput(
            self.latencies + other.latencies,
            self.seconds + other.seconds,
            self.client_seconds + other.client_seconds,
        )


def repeated(requests: Sequence[bytes], ended: Callable[[], bool]) -> Iterator[bytes]:
    """The requests again and again, until it has ended."""
    for prepared in cycle(requests):
        if ended():
            return
        yield prepared


def lasting(requests: Sequence[bytes], seconds: float) -> Iterator[bytes]:
    """The requests again and again for so long, counted from the first that is taken."""
    deadline = time.perf_counter() + seconds
    yield from repeated(requests, lambda: time.perf_counter() >= deadline)


def throughput(port: int, requests: Iterable[bytes], connections: int) -> Throughput:
    """All requests with ``connections`` of them in flight, from one thread."""
    waiting = iter(requests)
    clock: Callable[[], float] = time.perf_counter
    latencies: list[float] = []
    sent: dict[Connection, float] = {}
    with ExitStack() as opened:
        selector = opened.enter_context(selectors.DefaultSelector())
        kept = [opened.enter_context(Connection(port)) for _ in range(connections)]
        processor, begun = time.thread_time(), clock()
        for connection, prepared in zip(kept, waiting, strict=False):
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.socket.sendall(prepared)
            sent[connection] = clock()
        while sent:
            for key, _ in selector.select():
                answered: Connection = key.data
                if answered.receive() is None:
                    continue
                now = clock()
                latencies.append(now - sent.pop(answered))
                following = next(waiting, None)
                if following is not None:
                    answered.socket.sendall(following)
                    sent[answered] = now
        return Throughput(latencies, clock() - begun, time.thread_time() - processor)
