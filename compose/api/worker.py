"""A worker of an api: ``python -m compose.api.worker``, started by the supervisor, which tells it what to do.

It ends when it is told to, when its supervisor ends, or by an exception; the supervisor then starts another one.
"""

import asyncio
import faulthandler
import gc
import math
import os
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib import import_module
from importlib.metadata import version
from typing import BinaryIO

import structlog
import uvloop

from compose.api.catching_up import STALLED_SECONDS
from compose.api.feeds import FolderFeeds
from compose.api.membership import Membership
from compose.api.node import ApiNode
from compose.api.opening import WorkerLog, open_kafka, wait_for_state
from compose.api.spec import REFUSED, STACK_SIGNAL, WorkerSpec
from compose.api.startup import Health, Startup
from compose.api.visibility_table import TooManyPartitionsError, VisibilityTable
from compose.app import Services, create_app
from compose.errors import UserError, expected_errors, first_error
from compose.grpc.serving import serving_grpc
from compose.http.server import HttpServer, freeze_garbage_collector, on_stop_signals, take_short_turns
from compose.http.starting import StartingApp, SwitchedApp
from compose.http_options import make_access, make_cors, make_limits, make_tls
from compose.library_logs import forward_library_logs
from compose.logging import configure_logging
from compose.settings import DataFolder
from compose.stall_meter import StallMeter
from ingest.embedded.served import RemoteLog
from ingest.log import LogUnavailableError, LogUnreachableError, Topic
from projector.folders import StateFolder
from projector.malloc import give_back_at_rest, keep_little_free_memory

_VERSION = version("headwater")
_logger = structlog.get_logger("headwater.api")


def main() -> None:
    """Run one worker."""
    gc.freeze()  # what was imported stays: the collector need not look at it even once
    faulthandler.register(STACK_SIGNAL)
    orders = sys.stdin.buffer
    spec = WorkerSpec.read(orders)
    configure_logging(spec.settings.log_level)
    forward_library_logs()
    keep_little_free_memory()
    give_back_at_rest()
    if spec.log is None:
        import_module("ingest.kafka.log")  # later that would hold up the event loop
    try:
        uvloop.run(Worker(spec).run(orders))
    except Exception as error:
        if not _is_for_user(error):
            raise
        spec.refusal.write_text(str(error))
        sys.exit(REFUSED)


def _is_for_user(error: Exception) -> bool:
    if isinstance(error, LogUnavailableError):
        return False
    return isinstance(error, (*expected_errors(), TooManyPartitionsError, PermissionError))


class Worker:
    """One worker: it takes requests from the start if no other worker answers yet, else once it is ready."""

    def __init__(self, spec: WorkerSpec) -> None:
        """Raises OSError."""
        self._folder = StateFolder(DataFolder(spec.settings.data).state)
        self._spec = spec
        self._limits = make_limits(spec.settings)
        self._access = make_access(spec.settings)
        self._membership = Membership(VisibilityTable.open(spec.table), spec.worker)
        self._startup = Startup(self._membership)
        self._app = SwitchedApp(StartingApp(self._startup, self._limits, _VERSION, self._access).answer)
        self._http = HttpServer(
            self._app.answer, socket.socket(fileno=spec.listener), self._membership, make_tls(spec.settings)
        )
        self._serving: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    async def run(self, orders: BinaryIO) -> None:
        """Serve until a signal; end when ``orders`` does, which the supervisor holds open. Raises what fails."""
        on_stop_signals(self._stopped.set)
        _on_end_of(orders, self._orphaned)
        if not self._membership.others_ready():
            self._membership.start()
            self._listen()
        beating = asyncio.create_task(self._membership.beat())
        working = asyncio.create_task(self._work())
        working.add_done_callback(lambda _: self._stopped.set())
        async with StallMeter():
            await self._stopped.wait()
        self._http.stop()
        if self._serving is not None:
            await asyncio.wait({self._serving})
        self._membership.leave()
        working.cancel()
        await asyncio.wait({working})
        beating.cancel()
        for task in (working, self._serving):
            error = None if task is None or task.cancelled() else task.exception()
            if error is not None:
                raise first_error(error)

    def _orphaned(self) -> None:
        _logger.error("the supervisor is gone", worker=self._spec.worker)
        # At once: the workers of the next one don't know of this one, nor does it wait for them.
        os._exit(1)

    def _listen(self) -> None:
        if self._serving is None:
            self._membership.listens()
            self._serving = asyncio.create_task(self._http.run())
            self._serving.add_done_callback(lambda _: self._stopped.set())

    async def _work(self) -> None:
        log = await self._open_log()
        try:
            await wait_for_state(self._folder, self._startup.say)
            await self._follow(log)
        finally:
            await log.close()

    async def _open_log(self) -> WorkerLog:
        if self._spec.log is not None:
            return await RemoteLog.open(socket.socket(fileno=self._spec.log))
        if self._spec.settings.kafka is None:
            raise UserError("an api writes to Kafka: say where it is")
        return await open_kafka(self._spec.settings.kafka.for_clients(), self._startup.say)

    async def _follow(self, log: WorkerLog) -> None:
        feeds = FolderFeeds(self._folder, log.identity)
        # Where the process that folds is this one's parent, it gets on, or both end.
        stalled_seconds = STALLED_SECONDS if self._spec.log is None else math.inf
        node = ApiNode(
            log, feeds, self._membership, self._startup, recount=log.recount, stalled_seconds=stalled_seconds
        )
        self._startup.watch(Health(lambda: log.fault, lambda: log.trouble, lambda: node.lag.trouble))
        try:
            services = Services(
                log,
                node.catalog,
                node.views,
                node.views,
                node.views,
                self._startup,
                _VERSION,
                node.recount,
                log.max_record_bytes(Topic.POINTS),
                self._spec.settings.collection_snapshots,
                self._spec.settings.data,
                self._spec.settings.cluster_enabled,
            )
            app = create_app(services, self._limits, self._access, make_cors(self._spec.settings))
            self._app.app = app.answer
            freeze_garbage_collector()
            take_short_turns()
            async with AsyncExitStack() as calls, asyncio.TaskGroup() as group:
                group.create_task(node.run())
                if isinstance(log, RemoteLog):
                    group.create_task(_end_with(log))
                await node.ready()
                self._listen()
                await calls.enter_async_context(serving_grpc(app, self._spec.settings, shared=True))
                self._membership.answers()
        finally:
            node.close()


async def _end_with(log: RemoteLog) -> None:
    await log.gone()
    raise LogUnreachableError(log.trouble)


def _on_end_of(file: BinaryIO, act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not os.read(file.fileno(), 1024):
            loop.remove_reader(file)
            act()

    loop.add_reader(file, read)


if __name__ == "__main__":
    main()
