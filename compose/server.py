"""The all-in-one server: an embedded node behind HTTP, until a signal or a failure ends it."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

import structlog

from compose.app import create_app
from compose.embedded import EmbeddedNode
from compose.grpc.serving import serving_grpc
from compose.http.server import HttpServer, bind, freeze_garbage_collector, on_stop_signals, take_short_turns
from compose.http_options import make_access, make_cors, make_limits, make_tls, warn_if_open
from compose.listening import base_url, say_listening
from compose.services import make_services
from compose.settings import Settings
from compose.stall_meter import StallMeter

_logger = structlog.get_logger("headwater")

Started = Callable[[str], Awaitable[None]]
"""Runs beside the server once it is ready; gets its base URL."""


async def serve(settings: Settings, started: Started | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Raises when the node can't be opened, or fails while running."""
    tls = make_tls(settings)
    listener = bind(settings.host, settings.port)
    try:
        node = await EmbeddedNode.open(settings)
    except BaseException:
        listener.close()
        raise
    try:
        await _serve(settings, node, listener, tls, started)
    finally:
        await node.close()
        _logger.info("stopped")


async def _serve(
    settings: Settings,
    node: EmbeddedNode,
    listener: socket.socket,
    tls: ssl.SSLContext | None,
    started: Started | None,
) -> None:
    app = create_app(make_services(node), make_limits(settings), make_access(settings), make_cors(settings))
    server = HttpServer(app.answer, listener, tls=tls)
    warn_if_open(settings)
    on_stop_signals(lambda: _stop(server))
    url = base_url(listener, encrypted=tls is not None)
    async with serving_grpc(app, settings) as grpc_port:
        say_listening(url, data=str(settings.data), grpc_port=grpc_port)
        freeze_garbage_collector()
        take_short_turns()
        running = asyncio.create_task(node.run())
        serving = asyncio.create_task(server.run())
        extra = asyncio.create_task(_when_ready(node, started, url)) if started else None
        tasks = [t for t in (running, serving, extra) if t is not None]
        try:
            async with StallMeter():
                await first_end(tasks, extra)
        finally:
            server.stop()
            if extra is not None:
                extra.cancel()
            await asyncio.wait([serving])
            running.cancel()
            await asyncio.wait([running])


async def first_end(tasks: list[asyncio.Task[None]], extra: asyncio.Task[None] | None) -> None:
    """Return once one of ``tasks`` other than ``extra`` has ended. Raises what any of them raised."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if any(task is not extra for task in done):
            return


def _stop(server: HttpServer) -> None:
    _logger.info("stopping")
    server.stop()


async def _when_ready(node: EmbeddedNode, started: Started, url: str) -> None:
    await node.caught_up()
    await started(url)
