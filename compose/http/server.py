"""HttpServer: HTTP over a socket that listens already, and what else a serving process sets up."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import ssl
import sys
from collections.abc import Callable

import structlog

from compose.http.balanced import Balance, BalancedAcceptor
from compose.http.connection import Connection
from compose.http.connections import Connections
from ingest.http.exchange import App
from ingest.http.tally import give_all

GRACE_SECONDS = 5
FAREWELL_SECONDS = 0.5
"""How much of that clients have who only have to say, over TLS, that they saw the end."""
GC_THRESHOLDS = (20_000, 20, 20)
TURN_SECONDS = 0.0005
"""So long the event loop waits at most for a thread that computes in the interpreter, each time that it comes back."""
BACKLOG = 2048

_logger = structlog.get_logger("headwater.http")


class AddressInUseError(Exception):
    """Something else listens on the address, or this machine hasn't got it."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises AddressInUseError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except UnicodeError as error:
        raise AddressInUseError(f"can't listen on {host}:{port}: that is no name of a host") from error
    except OSError as error:
        unusable = error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)
        if unusable or isinstance(error, socket.gaierror):
            raise AddressInUseError(f"can't listen on {host}:{port}: {error.strerror}") from error
        raise


class HttpServer:
    """Answers requests on one socket."""

    def __init__(
        self,
        app: App,
        listener: socket.socket,
        balance: Balance | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``balance`` where other processes accept from the same socket; ``tls`` where connections are encrypted."""
        self._connections = Connections(app, None if balance is None else balance.note)
        self._listener = listener
        self._balance = balance
        self._tls = tls
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Serve until ``stop``; requests in flight then have some seconds to finish."""
        accepting = await self._accept()
        try:
            while not self._stopped.is_set():
                self._connections.tell_time()
                give_all()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), 1.0)
        finally:
            accepting.close()
            self._listener.close()
            await self._end()
            give_all()

    def stop(self) -> None:
        """Take no more requests."""
        self._stopped.set()

    async def _accept(self) -> BalancedAcceptor | asyncio.Server:
        def protocol() -> Connection:
            return Connection(self._connections)

        if self._balance is not None:
            return BalancedAcceptor(self._listener, self._balance, self._connections, protocol, self._tls)
        loop = asyncio.get_running_loop()
        return await loop.create_server(protocol, sock=self._listener, ssl=self._tls, backlog=BACKLOG)

    async def _end(self) -> None:
        connections = self._connections
        connections.shut_down()
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await connections.ended(FAREWELL_SECONDS)
        except TimeoutError:
            requests, opened = connections.under_way, len(connections)
            _logger.warning("not all was answered or taken in time", requests=requests, connections=opened)
            connections.abort()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_SECONDS):
                    await connections.ended()


def on_stop_signals(stop: Callable[[], None]) -> None:
    """Call ``stop`` on SIGINT and SIGTERM. For the running event loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def take_short_turns() -> None:
    """Have the event loop get the interpreter soon where threads are computing in it. To be called once."""
    sys.setswitchinterval(TURN_SECONDS)


def freeze_garbage_collector() -> None:
    """Collect seldom, and not what is loaded by now. To be called once, when everything is there."""
    # What is loaded now stays; without it in the collector's generations, full collections are short.
    gc.collect()
    gc.freeze()
    # A request makes a few hundred objects and no cycles; at the default it pays for a collection of the youngest.
    gc.set_threshold(*GC_THRESHOLDS)
