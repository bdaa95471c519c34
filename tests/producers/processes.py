"""Producers as anybody runs them, each in a process of its own: Kafka's Java client, and aiokafka.

    with JavaProducer(broker.bootstrap, settings.topic(Topic.POINTS)) as producer:
        for message in messages:
            producer.send(message)
        acks = producer.finish()  # one for each message, in the order they were sent

Both choose partitions as their clients do by default: by a hash of the key (the same in both), where there is no key
as they like. Both are idempotent and go on trying while the broker is down, so a test may kill it meanwhile.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from compose.kafka.jars import MissingToolError, find_java, kafka_jars
from tests.producers.messages import Ack, Message, to_line
from tests.support.waiting import TIMEOUT_SECONDS

ROOT = Path(__file__).parents[2]
_CLIP = 4000


class ProducerError(AssertionError):
    """The producer's process did not do what it was told to; the message ends with what it wrote."""


class LineProducer:
    """A process that takes messages as lines and says where each went. Used from one thread; a context manager."""

    def __init__(self, command: list[str]) -> None:
        self._acks: dict[int, Ack] = {}
        self._changed = threading.Condition()
        self._sent = 0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by kill)
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both are pipes")
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def send(self, message: Message) -> int:
        """Give one message to the producer, and return its number, counted from 0. Waits while its buffer is full.

        Raises ProducerError when the process has ended.
        """
        try:
            self._stdin.write(to_line(message))
            # Without this a message would wait here for others to come.
            self._stdin.flush()
        except OSError as error:
            raise self._failed("ended before its input did") from error
        self._sent += 1
        return self._sent - 1

    def send_all(self, messages: Iterable[Message]) -> list[Ack]:
        """Send messages, wait until they are acknowledged, and return where they are, in order."""
        numbers = [self.send(message) for message in messages]
        self.flush()
        return [self._acks[number] for number in numbers]

    def flush(self) -> None:
        """Wait until everything sent so far is acknowledged. Raises ProducerError when that doesn't happen."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with self._changed:
            while len(self._acks) < self._sent:
                if not self._reading.is_alive():
                    raise self._failed("ended without acknowledging everything")
                if time.monotonic() > deadline:
                    raise self._failed(f"has {self._sent - len(self._acks)} messages that are never acknowledged")
                self._changed.wait(0.1)

    def finish(self) -> list[Ack]:
        """End the input, wait for the process to end, and return where each message is. Raises ProducerError."""
        self.flush()
        self._stdin.close()
        if self._process.wait(TIMEOUT_SECONDS):
            raise self._failed(f"ended with exit code {self._process.returncode}")
        return [self._acks[number] for number in range(self._sent)]

    def acks(self) -> dict[int, Ack]:
        """What is acknowledged so far: the number of a message -> where it is."""
        with self._changed:
            return dict(self._acks)

    def kill(self) -> None:
        """End the process at once (kill -9), if it runs; what it had not sent is lost."""
        self._process.kill()
        self._process.wait()
        self._reading.join()
        self._stdout.close()
        self._errors.close()
        # What is left in the buffer of a pipe that nobody reads any more.
        with suppress(BrokenPipeError):
            self._stdin.close()

    def _read(self) -> None:
        for line in self._stdout:
            number, where = line.split()
            partition, offset = where.split(b":")
            with self._changed:
                self._acks[int(number)] = Ack(int(partition), int(offset))
                self._changed.notify_all()

    def _failed(self, what: str) -> ProducerError:
        self._errors.seek(0)
        return ProducerError(f"the producer {what}\n{self._errors.read()[-_CLIP:].decode(errors='replace')}")


class JavaProducer(LineProducer):
    """``Producer.java``, on Kafka's own client. Raises MissingToolError where there is no JDK."""

    def __init__(self, bootstrap: str, topic: str, **properties: str) -> None:
        """``properties`` are the client's, with underscores for dots: ``linger_ms="20"``."""
        java = find_java()
        if not _has_compiler(java):
            raise MissingToolError(
                f"{java} can't run Java sources: a JDK is needed (on Debian and Ubuntu: apt install "
                "openjdk-17-jdk-headless)"
            )
        command = [str(java), "-cp", f"{kafka_jars()}/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        command += [str(Path(__file__).with_name("Producer.java")), bootstrap, topic]
        super().__init__([*command, *(f"{name.replace('_', '.')}={value}" for name, value in properties.items())])


class PythonProducer(LineProducer):
    """``aiokafka_producer.py``, on aiokafka's producer."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        super().__init__([sys.executable, "-m", "tests.producers.aiokafka_producer", bootstrap, topic])


def _has_compiler(java: Path) -> bool:
    modules = subprocess.run([java, "--list-modules"], capture_output=True, text=True, check=False)
    return "jdk.compiler" in modules.stdout
