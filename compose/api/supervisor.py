"""The supervisor of an api: binds the socket, keeps the workers alive, tells the others when one died."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

import compose
from compose.api.heartbeats import hangs
from compose.api.run_folder import run_folder
from compose.api.spec import REFUSED, STACK_SIGNAL, WorkerSpec
from compose.api.visibility_table import VisibilityTable
from compose.errors import UserError
from compose.http.server import AddressInUseError, bind, on_stop_signals
from compose.http_options import warn_if_open
from compose.listening import base_url, say_listening
from compose.metrics_folder import FOLDER_VARIABLE, forget_process
from compose.settings import Settings

STOP_SECONDS = 30.0
"""Longer than requests in flight and appends may take; a worker that still runs then is killed."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
STEADY_SECONDS = 30.0
"""A worker that lived so long is started again at once."""
STACK_SECONDS = 0.5
"""How long a worker that hangs has for saying where."""
BIND_SECONDS = 2.0
"""Workers whose supervisor was killed hold the socket for a moment."""
READY_LOOK_SECONDS = 0.1

_logger = structlog.get_logger("headwater.api")


async def supervise(settings: Settings) -> None:
    """Run an api until SIGINT or SIGTERM. Raises AddressInUseError, and UserError with what a worker refused."""
    listener, settings = await listen(settings)
    with listener, run_folder() as folder:
        supervisor = Supervisor(settings, listener, folder)
        warn_if_open(settings)
        saying = asyncio.create_task(_say(supervisor, listener, settings))
        try:
            await supervisor.run()
        finally:
            saying.cancel()
    _logger.info("stopped")


async def _say(supervisor: "Supervisor", listener: socket.socket, settings: Settings) -> None:
    # Without Kafka or a projector a worker answers that it is not ready, and why.
    await supervisor.listens()
    say_workers_listen(listener, settings)


def say_workers_listen(listener: socket.socket, settings: Settings) -> None:
    """Tell where the workers of these settings answer."""
    say_listening(
        base_url(listener, encrypted=settings.tls_cert is not None),
        data=str(settings.data),
        grpc_port=settings.port_of_grpc if settings.grpc else None,
        workers=settings.workers,
    )


async def listen(settings: Settings) -> tuple[socket.socket, Settings]:
    """The socket that workers answer REST on, and settings with the one port on which they answer gRPC.

    Raises AddressInUseError, also where they could not answer gRPC.
    """
    if settings.grpc:
        # Each worker listens there by itself: nobody else may.
        with await _bind(settings.host, settings.port_of_grpc) as probe:
            settings = settings.changed(grpc_port=probe.getsockname()[1])
    return await _bind(settings.host, settings.port), settings


async def _bind(host: str, port: int) -> socket.socket:
    give_up = asyncio.get_running_loop().time() + BIND_SECONDS
    while True:
        try:
            return bind(host, port)
        except AddressInUseError:
            if asyncio.get_running_loop().time() >= give_up:
                raise
        await asyncio.sleep(0.1)


class Supervisor:
    """``folder`` is for what the workers share while they run."""

    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        folder: Path,
        connect: Callable[[], socket.socket] | None = None,
    ) -> None:
        """``connect`` makes a worker's connection to the embedded log; None: the log is in Kafka. Raises OSError."""
        self._connect = connect
        self._settings = settings
        self._listener = listener
        self._folder = folder
        self._table = VisibilityTable.create(folder / "visible", settings.workers)
        self._metrics = folder / "metrics"
        self._metrics.mkdir(exist_ok=True)
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Keep the workers alive until a signal. Raises UserError."""
        on_stop_signals(self._stop)
        try:
            async with asyncio.TaskGroup() as group:
                for worker in range(self._settings.workers):
                    group.create_task(self._keep(worker))
        except* UserError as refusals:
            raise refusals.exceptions[0] from None

    async def listens(self) -> None:
        """Return once a worker takes connections; it may answer that it isn't ready."""
        while not any(self._table.listens(worker) for worker in range(self._settings.workers)):
            await asyncio.sleep(READY_LOOK_SECONDS)

    async def ready(self) -> None:
        """Return once all workers answer requests."""
        while not all(self._table.answers(worker) for worker in range(self._settings.workers)):
            await asyncio.sleep(READY_LOOK_SECONDS)

    def _stop(self) -> None:
        _logger.info("stopping")
        self._stopping.set()

    async def _keep(self, worker: int) -> None:
        """Run one worker after another."""
        time = asyncio.get_running_loop().time
        pause = FIRST_PAUSE
        settings = self._settings
        while not self._stopping.is_set():
            started = time()
            try:
                process = await self._start(worker, settings)
            except OSError as error:
                pause = min(2 * pause, LONGEST_PAUSE)
                _logger.error(
                    "a worker could not be started; it is tried again",
                    worker=worker,
                    reason=str(error),
                    pause_seconds=pause,
                )
                await self._sleep(pause)
                continue
            try:
                code = await self._wait(worker, process)
            except BaseException:
                await _end(process)
                raise
            finally:
                self._table.clear(worker)
                forget_process(self._metrics, process.pid)
            if self._stopping.is_set():
                return
            if code == REFUSED:
                raise UserError(self._refusal(worker).read_text())
            pause = FIRST_PAUSE if time() - started >= STEADY_SECONDS else min(2 * pause, LONGEST_PAUSE)
            _logger.error("a worker ended; it is started again", worker=worker, code=code, pause_seconds=pause)
            await self._sleep(pause)
            settings = _as_they_are(settings)

    async def _wait(self, worker: int, process: asyncio.subprocess.Process) -> int:
        """Its exit code, once it has ended: by itself, because all stop, or because it hung."""
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        hanging = asyncio.create_task(hangs(self._table, worker, self._settings.worker_timeout))
        try:
            await asyncio.wait({ended, stopping, hanging}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and stopping.done():
                await _end(process)
            elif not ended.done():
                _logger.error("a worker hangs and is killed", worker=worker, seconds=self._settings.worker_timeout)
                await _kill(process)
            return await ended
        finally:
            stopping.cancel()
            hanging.cancel()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _refusal(self, worker: int) -> Path:
        return self._folder / f"refusal-{worker}"

    async def _start(self, worker: int, settings: Settings) -> asyncio.subprocess.Process:
        root = Path(compose.__file__).parents[1]
        path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
        listener = self._listener.fileno()
        log = None if self._connect is None else self._connect()
        handed_on = None if log is None else log.fileno()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "compose.api.worker",
                stdin=asyncio.subprocess.PIPE,
                pass_fds=(listener,) if handed_on is None else (listener, handed_on),
                env={**os.environ, "PYTHONPATH": path, FOLDER_VARIABLE: str(self._metrics)},
                start_new_session=True,  # Ctrl-C is for the supervisor, which then stops them
            )
        finally:
            if log is not None:
                log.close()
        spec = WorkerSpec(settings, worker, listener, self._folder / "visible", self._refusal(worker), handed_on)
        if process.stdin is None:
            raise AssertionError("its input is a pipe")
        # It stays open: its end tells the worker that the supervisor is gone.
        process.stdin.write(spec.encode())
        return process


def _as_they_are(settings: Settings) -> Settings:
    """The settings for a worker that comes later: by now there may be more partitions than were asked for."""
    kafka = settings.kafka
    return settings.changed(kafka=kafka and kafka.model_copy(update={"partitions": None}))


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill a worker that hangs, after it has written where."""
    process.send_signal(STACK_SIGNAL)
    await asyncio.sleep(STACK_SECONDS)
    if process.returncode is None:
        process.kill()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Have a worker stop, or kill it."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        _logger.error("a worker did not stop and is killed", pid=process.pid)
        process.kill()
        await process.wait()
