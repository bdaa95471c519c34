"""What asks or sends from a thread of its own, until it is told to stop or the server is gone."""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass


class CrashError(AssertionError):
    """Something acknowledged is lost, something else is there, or the server misbehaves."""


@dataclass(frozen=True)
class Habits:
    """How a thread goes about it.

    With ``outages`` an answer that leaves open whether the request took effect ends it, as the end of the connection
    does. ``pause`` is the time between requests, in seconds; after ``most`` of them it has done enough.
    """

    outages: bool = False
    pause: float = 0.0
    most: int = sys.maxsize


class ClientThread:
    """A thread at a time; ``failure`` is what went wrong in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.failure: str | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, run: Callable[[], None]) -> None:
        """Start a thread that does ``run``, which ends when ``_stop`` is set."""
        self._stop.clear()
        self._thread = threading.Thread(target=run, name=self.name)
        self._thread.start()

    def stop(self) -> None:
        """End after what is in flight."""
        self._stop.set()

    def join(self) -> None:
        """Wait for the thread. Raises CrashError for what went wrong in it."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self.failure is not None:
            raise CrashError(f"{self.name}: {self.failure}")
