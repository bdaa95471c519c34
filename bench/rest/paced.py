"""Writes at a pace, from a process of their own: what searches meanwhile has this process's interpreter to itself."""

import multiprocessing
import selectors
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Self

from bench.raw_http import Connection

CONNECTIONS = 4
"""Over which a writer whose requests take longer than their pace goes on."""
READY_SECONDS = 120.0


@dataclass(frozen=True)
class Pace:
    """Requests a second, of so many points each."""

    per_second: float
    points: int


@dataclass(frozen=True)
class Written:
    """Points a second, and seconds of each request from its sending to its answer."""

    points_per_second: float
    latencies: list[float]


class PacedWriter:
    """Writes once it is told to begin; a context manager that ends its process."""

    def __init__(self, port: int, requests: Sequence[bytes], pace: Pace, longest: float) -> None:
        """Returns once the process is ready. After ``longest`` seconds it sends no more, whatever is left."""
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_write, args=(there, port, list(requests), pace, longest), daemon=True)
        self._process.start()
        there.close()
        if not self._pipe.poll(READY_SECONDS):
            raise TimeoutError("the writer did not start")
        self._pipe.recv()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def begin(self) -> None:
        """Write from now on."""
        self._pipe.send(None)

    def ended(self) -> bool:
        """Whether everything that was sent is answered and no more will be, or the process has failed."""
        return self._pipe.poll()

    def written(self) -> Written:
        """Wait for the end, and say what it took. Raises EOFError if the process failed."""
        return self._pipe.recv()


def _write(pipe: Pipe, port: int, requests: Sequence[bytes], pace: Pace, longest: float) -> None:
    free = [Connection(port) for _ in range(CONNECTIONS)]
    sent: dict[Connection, float] = {}
    latencies: list[float] = []
    following = 0
    pipe.send(None)
    pipe.recv()
    begun = now = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        while (goes_on := following < len(requests) and now < begun + longest) or sent:
            due = begun + following / pace.per_second
            if goes_on and free and now >= due:
                connection = free.pop()
                sent[connection] = now
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.socket.sendall(requests[following])
                following += 1
            else:
                for key, _ in selector.select(max(0.0, due - now) if goes_on and free else None):
                    answered: Connection = key.data
                    if answered.receive() is not None:
                        latencies.append(time.perf_counter() - sent.pop(answered))
                        selector.unregister(answered.socket)
                        free.append(answered)
            now = time.perf_counter()
    seconds = max(now - begun, following / pace.per_second)
    pipe.send(Written(following * pace.points / seconds, latencies))
