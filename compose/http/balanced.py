"""Sharing a listening socket evenly: several processes accept from it, each when it is its turn.

Left alone, an event loop that wakes first accepts all that wait: of 64 connections opened at once by a client's pool,
one of two processes was seen to get 63.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

import structlog

from compose.http.connections import Connections

DEFER_SECONDS = 0.002
"""How long a process with more connections than another leaves the next one to that."""
RETRY_SECONDS = 1.0
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_logger = structlog.get_logger("headwater.http")


class Balance(Protocol):
    """What processes know of one another's connections."""

    def note(self, connections: int) -> None:
        """This process has so many."""
        ...

    def is_next(self, connections: int) -> bool:
        """Whether no other process that accepts has fewer."""
        ...


class TurnAcceptor:
    """Accepts one connection at a time from a socket that others accept from, too. Runs on one event loop."""

    def __init__(self, listener: socket.socket, connect: Callable[[socket.socket], None], turn: Callable[[], bool]):
        """``connect`` takes what was accepted; ``turn`` says whether to leave the next one to others for a moment."""
        self._listener = listener
        self._connect = connect
        self._turn = turn
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._loop.add_reader(listener, self._on_readable)

    def close(self) -> None:
        """Accept no more."""
        self._loop.remove_reader(self._listener)
        if self._timer is not None:
            self._timer.cancel()

    def _on_readable(self) -> None:
        if self._turn():
            self._accept()
        else:
            self._pause(DEFER_SECONDS, self._accept)

    def _pause(self, seconds: float, after: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener)

        def go_on() -> None:
            self._timer = None
            self._loop.add_reader(self._listener, self._on_readable)
            after()

        self._timer = self._loop.call_later(seconds, go_on)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was faster, or the client gave up
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            _logger.error("no room for another connection", reason=error.strerror)
            self._pause(RETRY_SECONDS, lambda: None)
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connect(connection)


class BalancedAcceptor:
    """Accepts from a socket in turn with other processes, by the number of connections that each has."""

    def __init__(
        self,
        listener: socket.socket,
        balance: Balance,
        connections: Connections,
        protocol: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
    ) -> None:
        """For the running event loop."""
        self._balance = balance
        self._connections = connections
        self._protocol = protocol
        self._tls = tls
        self._connecting: set[asyncio.Task[None]] = set()
        self._acceptor = TurnAcceptor(listener, self._connect, self._is_next)

    def close(self) -> None:
        """Accept no more."""
        self._acceptor.close()

    def _is_next(self) -> bool:
        connections = len(self._connections) + len(self._connecting)
        self._balance.note(connections)
        return self._balance.is_next(connections)

    def _connect(self, connection: socket.socket) -> None:
        task = asyncio.create_task(self._serve_connection(connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _serve_connection(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection, ssl=self._tls)
        except OSError as error:
            connection.close()
            _logger.info("a connection was lost at once", reason=str(error))
