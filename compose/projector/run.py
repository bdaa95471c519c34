"""The worker's process: from its settings until a signal or a failure ends it."""

import asyncio
import socket

import structlog

from compose.errors import UserError
from compose.http.server import HttpServer, bind, freeze_garbage_collector, on_stop_signals
from compose.library_logs import forward_library_logs
from compose.projector.admin import Status, create_admin_app
from compose.projector.node import ProjectorNode
from compose.settings import Settings
from compose.stall_meter import StallMeter
from ingest.http.asgi import answered_by

_logger = structlog.get_logger("headwater")


async def run_projector(settings: Settings) -> None:
    """Fold until SIGINT or SIGTERM. Raises when the worker can't be started, or fails while running."""
    if settings.kafka is None:
        raise UserError("a projector folds what is in Kafka: say where it is")
    forward_library_logs()
    listener = bind(settings.host, settings.admin_port)
    try:
        node = await ProjectorNode.open(settings, settings.kafka)
    except BaseException:
        listener.close()
        raise
    try:
        await _run(settings, node, listener)
    finally:
        await node.close()
        _logger.info("stopped")


async def _run(settings: Settings, node: ProjectorNode, listener: socket.socket) -> None:
    admin = HttpServer(answered_by(create_admin_app(Status(node.ready, node.partitions))), listener)
    stopped = asyncio.Event()
    on_stop_signals(stopped.set)
    host, port = listener.getsockname()[:2]
    _logger.info("projector", group=settings.consumer_group, data=str(settings.data), admin=f"http://{host}:{port}")
    freeze_garbage_collector()
    tasks = [asyncio.create_task(work) for work in (node.run(), admin.run(), _on(stopped))]
    try:
        async with StallMeter():
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        admin.stop()
        tasks[0].cancel()
        tasks[2].cancel()
        await asyncio.wait(tasks)


async def _on(stopped: asyncio.Event) -> None:
    await stopped.wait()
    _logger.info("stopping")
