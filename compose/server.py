"""The all-in-one server: an embedded node behind HTTP, until a signal or a failure ends it."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Generator

import structlog
import uvicorn

from compose.app import create_app
from compose.embedded import EmbeddedNode
from compose.services import make_limits, make_services
from compose.settings import Settings

GRACE_SECONDS = 5
GC_THRESHOLDS = (20_000, 20, 20)
KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep idle connections, so that they close them, not the server under a request."""
_logger = structlog.get_logger("headwater")

Started = Callable[[str], Awaitable[None]]
"""Runs beside the server once it is ready; gets its base URL."""


class AddressInUseError(Exception):
    """Something else listens on the address."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # uvicorn raises a caught signal again once it has stopped, which would end the process before the node closes.
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises AddressInUseError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise AddressInUseError(f"can't listen on {host}:{port}: {error.strerror}") from error
        raise


async def serve(settings: Settings, started: Started | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Raises when the node can't be opened, or fails while running."""
    listener = bind(settings.host, settings.port)
    try:
        node = await EmbeddedNode.open(settings)
    except BaseException:
        listener.close()
        raise
    try:
        await _serve(settings, node, listener, started)
    finally:
        await node.close()
        _logger.info("stopped")


async def _serve(settings: Settings, node: EmbeddedNode, listener: socket.socket, started: Started | None) -> None:
    config = uvicorn.Config(
        create_app(make_services(node), make_limits(settings)),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, server)
    host, port = listener.getsockname()[:2]
    _logger.info("listening", host=host, port=port, data=str(settings.data))
    # What is loaded now stays; without it in the collector's generations, full collections are short.
    gc.collect()
    gc.freeze()
    # A request makes a few hundred objects and no cycles; at the default it pays for a collection of the youngest.
    gc.set_threshold(*GC_THRESHOLDS)
    running = asyncio.create_task(node.run())
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    extra = asyncio.create_task(_when_ready(node, started, f"http://{host}:{port}")) if started else None
    tasks = [t for t in (running, serving, extra) if t is not None]
    try:
        await _first_end(tasks, extra)
    finally:
        server.should_exit = True
        if extra is not None:
            extra.cancel()
        await asyncio.wait([serving])
        running.cancel()
        await asyncio.wait([running])


async def _first_end(tasks: list[asyncio.Task[None]], extra: asyncio.Task[None] | None) -> None:
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if any(task is not extra for task in done):
            return


def _stop(server: uvicorn.Server) -> None:
    _logger.info("stopping")
    server.should_exit = True


async def _when_ready(node: EmbeddedNode, started: Started, url: str) -> None:
    await node.caught_up()
    await started(url)
