"""HttpServer: uvicorn over a socket that listens already, and what else a serving process sets up."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp

from compose.http.balanced import Balance, BalancedServer
from compose.http.protocol import BoundedProtocol

GRACE_SECONDS = 5
GC_THRESHOLDS = (20_000, 20, 20)
TURN_SECONDS = 0.0005
"""So long the event loop waits at most for a thread that computes in the interpreter, each time that it comes back."""
KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep idle connections, so that they close them, not the server under a request."""
BACKLOG = 2048


class AddressInUseError(Exception):
    """Something else listens on the address."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises AddressInUseError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise AddressInUseError(f"can't listen on {host}:{port}: {error.strerror}") from error
        raise


class _WithoutSignals(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # uvicorn raises a caught signal again once it has stopped, which would end the process before it has closed.
        yield


class _BalancedWithoutSignals(_WithoutSignals, BalancedServer):
    """Both."""


class HttpServer:
    """Answers requests on one socket."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        balance: Balance | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``balance`` where other processes accept from the same socket; ``tls`` where connections are encrypted."""
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        )
        self._server = _WithoutSignals(config) if balance is None else _BalancedWithoutSignals(config, balance)
        self._listener = listener

    async def run(self) -> None:
        """Serve until ``stop``; requests in flight then have some seconds to finish."""
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Take no more requests."""
        self._server.should_exit = True


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
