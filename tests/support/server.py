"""Real server processes: each on a free port, and gone when the test is."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.http import Http
from tests.support.launching import Launch, Running, launch
from tests.support.processes import MARK, marked_processes, resident_bytes
from tests.support.waiting import pause_after

HOST = "127.0.0.1"
_QUIET = {"HEADWATER_GRPC": "false"}
"""Servers run side by side: those that are asked over gRPC have ports of their own."""
START_SECONDS = 120.0
STOP_SECONDS = 60.0


class ServerError(AssertionError):
    """The server did not do what it was told to; the message ends with the last it wrote."""


def free_port() -> int:
    """A TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def snapshots_in(data: Path) -> Path:
    """Where a data folder has the snapshots of collections."""
    return data / "collection-snapshots" / "collections"


def headwater(*arguments: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
    """Run the command line and wait for its end; stdout and stderr are captured."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        running = launch(arguments, {}, output, errors)
        try:
            code = running.wait(timeout)
        except subprocess.TimeoutExpired:
            running.kill()
            raise
        return subprocess.CompletedProcess(arguments, code, output.read_text(), errors.read_text())


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class HeadwaterProcess:
    """One ``headwater COMMAND`` at a time, always on the same port; a context manager.

    Every process carries a mark that the processes it starts inherit, so that leaving the context ends them all,
    whether the server was stopped, killed or never came up.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        port: int,
        output: Path,
        environment: Mapping[str, str] | None = None,
        launch: Launch = launch,
    ) -> None:
        """``port`` is where /readyz answers; what the processes write goes to the end of the file ``output``."""
        self._launch = launch
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self.output = output
        self._arguments = list(arguments)
        self._mark = uuid.uuid4().hex
        self._environment = {**_QUIET, **(environment or {}), MARK: self._mark}
        self._process: Running | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The id of the process that was started last."""
        if self._process is None:
            raise ServerError("the server was never started")
        return self._process.pid

    def launch(self) -> None:
        """Start a process, without waiting for anything."""
        self._process = self._launch(self._arguments, self._environment, self.output, self.output)

    def start(self) -> Self:
        """Start a process and wait until /readyz says that it is ready."""
        self.launch()
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Wait until /readyz answers 200. Raises ServerError when the process ends instead, or takes too long."""
        began = time.monotonic()
        while (waited := time.monotonic() - began) < START_SECONDS:
            code = self.poll()
            if code is not None:
                raise ServerError(f"the server ended with exit code {code}\n{self.last_output()}")
            if self._is_ready():
                return
            time.sleep(pause_after(waited))
        raise ServerError(f"the server was not ready after {START_SECONDS:.0f} s\n{self.last_output()}")

    def _is_ready(self) -> bool:
        try:
            with Http(self.port, timeout=5.0) as http:
                return http.get("/readyz").status == 200
        except OSError:
            return False

    def poll(self) -> int | None:
        """The exit code, None while the process runs."""
        if self._process is None:
            raise ServerError("the server was never started")
        return self._process.poll()

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.poll() is None

    def wait_end(self) -> int:
        """Wait until the process has ended by itself; its exit code."""
        if self._process is None:
            raise ServerError("the server was never started")
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise ServerError(f"the server still runs after {STOP_SECONDS:.0f} s\n{self.last_output()}") from None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to stop and wait until it has; its exit code."""
        os.kill(self.pid, how)
        return self.wait_end()

    def kill(self) -> None:
        """kill -9, the server process alone: what it started is on its own."""
        if self._process is None:
            raise ServerError("the server was never started")
        self._process.kill()
        self._process.wait()

    def processes(self) -> list[int]:
        """Ids of all processes that run: the server's, and those it started."""
        marked = marked_processes(self._mark)
        # What is forked shows its mark only after a moment.
        return marked if self._process is None or not self.alive() else sorted({self._process.pid, *marked})

    def close(self) -> None:
        """End every process that was started, and those they started."""
        while running := self.processes():
            for pid in running:
                _end(pid)
            if self._process is not None:
                self._process.wait()
            time.sleep(0.01)

    def last_output(self, size: int = 4000) -> str:
        """The end of what all processes wrote so far."""
        if not self.output.exists():
            return ""
        return self.output.read_bytes()[-size:].decode(errors="replace")


class Server(HeadwaterProcess):
    """``headwater serve`` over one data folder."""

    examples = 1.0

    def __init__(
        self,
        data: Path,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        launch: Launch = launch,
        grpc: bool = False,
    ) -> None:
        """``grpc``: whether it is to answer on ``grpc_port``, too."""
        port, self.grpc_port = free_port(), free_port()
        command = ["serve", "--host", HOST, "--port", str(port), "--data", str(data), *arguments]
        if grpc:
            command += ["--grpc", "--grpc-port", str(self.grpc_port)]
        super().__init__(command, port, data.with_name(data.name + ".output"), environment, launch)
        self.data = data
        self.snapshots = snapshots_in(data)

    def resident_bytes(self) -> int:
        """The resident memory of the server, of all its processes."""
        return sum(map(resident_bytes, self.processes()))
