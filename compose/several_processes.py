"""The all-in-one server in several processes: this one has the embedded node, its workers answer requests.

They are those of an api: they read what the node writes for them, segments and feeds, and append to its log over
connections that it hands on to them.
"""

import asyncio
import socket
from pathlib import Path

import structlog

from compose.api.supervisor import Supervisor, listen, say_workers_listen
from compose.embedded import EmbeddedNode
from compose.http.server import freeze_garbage_collector, take_short_turns
from compose.http_options import make_tls, warn_if_open
from compose.listening import base_url
from compose.server import Started, first_end
from compose.settings import Settings
from compose.stall_meter import StallMeter
from ingest.embedded.served import LogServer

_logger = structlog.get_logger("headwater")


async def serve(settings: Settings, folder: Path, started: Started | None = None) -> None:
    """As ``compose.server.serve``, with ``settings.workers`` workers; ``folder`` is for what these share."""
    settings = settings.changed(kafka=None)
    make_tls(settings)  # what is wrong with it is said before anything is opened
    listener, settings = await listen(settings)
    with listener:
        node = await EmbeddedNode.open(settings, feeds=True)
        try:
            await _serve(settings, node, listener, folder, started)
        finally:
            await node.close()
            _logger.info("stopped")


async def _serve(
    settings: Settings, node: EmbeddedNode, listener: socket.socket, folder: Path, started: Started | None
) -> None:
    server = LogServer(node.log)
    supervisor = Supervisor(settings, listener, folder, server.connect)
    warn_if_open(settings)
    freeze_garbage_collector()
    take_short_turns()
    running = asyncio.create_task(node.run())
    supervising = asyncio.create_task(supervisor.run())
    extra = asyncio.create_task(_when_ready(supervisor, listener, settings, started))
    try:
        async with StallMeter():
            await first_end([running, supervising, extra], extra)
    finally:
        extra.cancel()
        # The workers first, whose requests in flight need the node.
        supervising.cancel()
        await asyncio.wait([supervising])
        await server.close()
        running.cancel()
        await asyncio.wait([running])


async def _when_ready(
    supervisor: Supervisor, listener: socket.socket, settings: Settings, started: Started | None
) -> None:
    await supervisor.ready()
    say_workers_listen(listener, settings)
    if started is not None:
        await started(base_url(listener, encrypted=settings.tls_cert is not None))
