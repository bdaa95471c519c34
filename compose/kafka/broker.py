"""A Kafka broker as a process: formatted, started, waited for, stopped, killed, started again."""

import json
import os
import signal
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from compose.kafka.jars import find_java, kafka_jars
from compose.kafka.properties import HOST, server_properties

START_SECONDS = 120.0
STOP_SECONDS = 30.0
STARTED = b"Kafka Server started"
"""What the broker logs once it takes requests."""
_HEAP = ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
)


class BrokerError(Exception):
    """The broker did not do what it was told to; the message ends with the last it logged."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The broker's two ports; they are the same after a restart."""

    port: int
    controller_port: int


class KafkaBroker:
    """One broker over one folder: ``server.properties``, ``broker.json``, ``kafka.pid``, ``kafka.log`` and ``data``.

    It runs in a session of its own and outlives the process that started it, until it is stopped or killed.
    """

    def __init__(self, folder: Path, ports: Ports, pid: int | None) -> None:
        """See ``start`` and ``find``."""
        self._folder = folder
        self._ports = ports
        self._pid = pid
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, folder: Path, port: int | None = None) -> Self:
        """Start the broker of ``folder``, a new one if there is none, and wait until it takes requests.

        ``port`` is where it listens; None: where it did before, else a free one. Raises BrokerError (also when it
        runs already), MissingToolError, FetchError.
        """
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        found = cls.find(folder)
        if found is not None and found.running:
            raise BrokerError(f"a broker runs already in {folder}, on {found.bootstrap} (process {found.pid})")
        ports = _ports(found._ports if found is not None else None, port)
        broker = cls(folder, ports, None)
        broker._write_files()
        broker._launch()
        return broker

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """The broker of ``folder``, running or not; None where none was ever started."""
        folder = folder.resolve()
        try:
            ports = Ports(**json.loads((folder / "broker.json").read_text()))
        except FileNotFoundError:
            return None
        try:
            pid = int((folder / "kafka.pid").read_text())
        except FileNotFoundError:
            pid = None
        # The id may have been given to another process since.
        listed = _ps("args", pid) if pid is not None else ""
        return cls(folder, ports, pid if str(folder / "server.properties") in listed else None)

    @property
    def bootstrap(self) -> str:
        """host:port, for clients."""
        return f"{HOST}:{self._ports.port}"

    @property
    def pid(self) -> int | None:
        """The id of the process; None once it was stopped."""
        return self._pid

    @property
    def log(self) -> Path:
        """What the broker writes."""
        return self._folder / "kafka.log"

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        if self._pid is None:
            return False
        if self._process is not None and self._process.poll() is not None:
            return False
        # A zombie has ended, though while its threads still end even its parent can't collect it.
        return _ps("stat", self._pid)[:1] not in ("", "Z")

    def stop(self) -> None:
        """Ask the broker to stop and wait until it has; one that doesn't is killed. Nothing if it doesn't run."""
        if self.running:
            self._signal(signal.SIGTERM)
            if not self._ended(STOP_SECONDS):
                self._signal(signal.SIGKILL)
        self._forget()

    def kill(self) -> None:
        """Kill the broker on the spot (kill -9). Nothing if it doesn't run."""
        if self.running:
            self._signal(signal.SIGKILL)
        self._forget()

    def restart(self) -> None:
        """Start the broker again on the same port, with what it has stored; stop it first if it runs."""
        self.stop()
        self._launch()

    def _write_files(self) -> None:
        (self._folder / "broker.json").write_text(json.dumps(asdict(self._ports)))
        text = server_properties(self._folder / "data", self._ports.port, self._ports.controller_port)
        (self._folder / "server.properties").write_text(text)

    def _launch(self) -> None:
        java, jars, properties = str(find_java()), kafka_jars(), str(self._folder / "server.properties")
        command = [java, *_HEAP, *_LOGGING, "-cp", f"{jars}/*"]
        with self.log.open("ab") as output:
            if not (self._folder / "data" / "meta.properties").exists():
                self._format([*command, "kafka.tools.StorageTool"], properties)
            began = output.tell()
            self._process = subprocess.Popen(
                [*command, "kafka.Kafka", properties],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid = self._process.pid
        (self._folder / "kafka.pid").write_text(str(self._pid))
        try:
            self._wait_started(began)
        except BaseException:
            self.kill()
            raise

    def _format(self, tool: list[str], properties: str) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # As one word: an id may begin with a dash.
        command = [*tool, "format", "--standalone", f"--cluster-id={cluster}", "--config", properties]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        if done.returncode:
            raise BrokerError(f"the storage could not be formatted:\n{done.stdout}{done.stderr}")

    def _wait_started(self, began: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with self.log.open("rb") as written:
                written.seek(began)
                if STARTED in written.read():
                    return
            if self._process is None or self._process.poll() is not None:
                raise BrokerError(f"the broker ended while it started\n{self.last_output()}")
            time.sleep(0.05)
        raise BrokerError(f"the broker was not ready after {START_SECONDS:.0f} s\n{self.last_output()}")

    def last_output(self, size: int = 4000) -> str:
        """The end of what the broker wrote."""
        return self.log.read_bytes()[-size:].decode(errors="replace") if self.log.exists() else ""

    def _signal(self, which: signal.Signals) -> None:
        if self._pid is not None:
            os.kill(self._pid, which)

    def _ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _forget(self) -> None:
        if not self._ended(STOP_SECONDS):
            raise BrokerError(f"process {self._pid} doesn't end")
        self._pid = None
        self._process = None
        (self._folder / "kafka.pid").unlink(missing_ok=True)


def _ps(column: str, pid: int) -> str:
    command = ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _ports(before: Ports | None, port: int | None) -> Ports:
    if before is not None and port in (None, before.port):
        return before
    with ExitStack() as stack:
        free = [stack.enter_context(socket.socket()) for _ in range(2)]
        for probe in free:
            probe.bind((HOST, 0))
        chosen: list[int] = [probe.getsockname()[1] for probe in free]
    return Ports(port or chosen[0], chosen[1])
