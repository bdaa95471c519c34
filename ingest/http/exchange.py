"""One request and its answer, as the server hands them to what answers."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from ingest.http.head import Head, RawHeaders


class ClientGoneError(Exception):
    """The client closed the connection before its body was complete; there is nobody to answer."""


class Exchange(Protocol):
    """One request, and the one answer it gets: by ``answer``, or piece by piece: ``start``, ``write``, ``finish``.

    What is said to a client that has gone is forgotten.
    """

    head: Head
    body: bytes | None
    """The whole body, where all of it had come before the request was begun; else it has to be received."""
    added: RawHeaders
    """Headers that the answer has, whoever gives it."""
    leaving: Callable[[], None] | None
    """Called when the client goes before it has its whole answer."""

    @property
    def gone(self) -> bool:
        """Whether the client has."""
        ...

    @property
    def arrived(self) -> bool:
        """Whether nothing of the request is still to come."""
        ...

    async def receive(self) -> bytes:
        """What came of the body since the last call, waiting where nothing did; empty at its end.

        Raises ClientGoneError.
        """
        ...

    async def receive_rest(self) -> bytes:
        """All of the body that wasn't received yet, however long it is. Raises ClientGoneError."""
        ...

    async def left(self) -> None:
        """Wait until the client has gone."""
        ...

    def answer(
        self, status: int, kind: bytes, headers: RawHeaders, body: bytes | bytearray, *, close: bool = False
    ) -> None:
        """The whole answer; ``kind`` is its content type. ``close``: the connection ends with it."""
        ...

    def start(self, status: int, headers: RawHeaders, length: int | None, *, close: bool = False) -> None:
        """An answer whose body has ``length`` bytes, None where that isn't known.

        ``close``: the connection ends with it. The head goes out with the first piece.
        """
        ...

    async def write(self, piece: bytes | bytearray | memoryview) -> None:
        """A piece of the body, once the client takes it. Raises RuntimeError for more than the length allows."""
        ...

    def finish(self) -> None:
        """The body is complete. Raises RuntimeError where it is shorter than its length."""
        ...


App = Callable[[Exchange], Awaitable[None]]
"""Answers requests. The answer is finished when it returns, but for clients that have gone."""
