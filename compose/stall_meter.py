"""StallMeter: how long an event loop was held up, and by what.

A timer on the loop keeps a heartbeat. A thread looks at it: when a beat is overdue it takes the stack of the loop's
thread, which is where that is held. What the loop's thread merely waited for a processor isn't counted, as far as the
kernel tells: a loaded machine holds up everybody.
"""

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import NamedTuple, Self

import structlog
from prometheus_client import Counter, Gauge

LIMIT_SECONDS = 0.05
"""Nothing may hold a loop for longer."""
BEAT_SECONDS = 0.02
WARN_SECONDS = 10.0
"""Between warnings; each is about the longest stall since the one before."""
WINDOW_SECONDS = 60.0
WINDOWS = 5
"""The gauge is the longest stall of so many windows."""
_FRAMES = 12
_IDLE = frozenset({"threading.py", "queue.py", "thread.py", "selectors.py"})
"""Where threads wait for work."""

LONGEST = Gauge(
    "headwater_loop_stall_seconds",
    "The longest time that the event loop was held up, in the last five minutes",
    multiprocess_mode="livemax",
)
STALLS = Counter("headwater_loop_stalls_total", "How often the event loop was held up for more than 50 ms")

_logger = structlog.get_logger("headwater.loop")


class Stall(NamedTuple):
    """One stall; without the stacks where it ended before they were taken."""

    seconds: float
    stack: str = ""
    others: str = ""


class RunQueue:
    """How long a thread has waited for a processor."""

    def __init__(self) -> None:
        """For the calling thread."""
        path = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._file = path.open("rb", buffering=0) if path.exists() else None

    def waited(self) -> float:
        """Seconds so far; 0 where the kernel doesn't tell."""
        if self._file is None:
            return 0.0
        fields = os.pread(self._file.fileno(), 64, 0).split()
        return int(fields[1]) * 1e-9

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


class Recent:
    """The longest of the last minutes, of times that come in order."""

    def __init__(self) -> None:
        self._windows: deque[tuple[int, float]] = deque(maxlen=WINDOWS)

    def add(self, seconds: float, now: float) -> float:
        """Note a stall, or 0 for none, at ``now``; returns the longest."""
        window = int(now / WINDOW_SECONDS)
        if self._windows and self._windows[-1][0] == window:
            seconds = max(seconds, self._windows.pop()[1])
        self._windows.append((window, seconds))
        return max(longest for at, longest in self._windows if at > window - WINDOWS)


class StallMeter:
    """Measures the running loop for as long as it is open; an asynchronous context manager."""

    def __init__(self, limit: float = LIMIT_SECONDS, warn_seconds: float = WARN_SECONDS) -> None:
        self._limit = limit
        self._warn_seconds = warn_seconds
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._run_queue = RunQueue()
        self._waited = self._run_queue.waited()
        self._recent = Recent()
        self._longest = 0.0
        self._due = time.monotonic() + BEAT_SECONDS
        self._beats = 0
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)
        self._ended: deque[tuple[int, float]] = deque(maxlen=1000)
        """(beat that came late, seconds), for the thread to tell of."""
        self._closed = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="stall meter", daemon=True)

    async def __aenter__(self) -> Self:
        self._watchdog.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._closed.set()
        await asyncio.to_thread(self._watchdog.join)
        self._run_queue.close()

    def _beat(self) -> None:
        now = time.monotonic()
        waited = self._run_queue.waited()
        held = max(0.0, now - self._due - (waited - self._waited))
        longest = self._recent.add(held, now)
        if longest != self._longest:
            self._longest = longest
            LONGEST.set(longest)
        if held > self._limit:
            STALLS.inc()
            self._ended.append((self._beats, held))
        self._beats += 1
        self._waited = waited
        self._due = now + BEAT_SECONDS
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)

    def _watch(self) -> None:
        told = float("-inf")
        worst, count = Stall(0.0), 0
        sampled = -1
        taken = Stall(0.0)
        while not self._closed.wait(self._limit / 2):
            beats = self._beats
            if time.monotonic() - self._due > self._limit and sampled != beats:
                sampled = beats
                taken = self._sample()
            while self._ended:
                beat, seconds = self._ended.popleft()
                count += 1
                if seconds > worst.seconds:
                    worst = taken._replace(seconds=seconds) if beat == sampled else Stall(seconds)
            now = time.monotonic()
            if count and now - told >= self._warn_seconds:
                _warn(worst, count)
                told, worst, count = now, Stall(0.0), 0

    def _sample(self) -> Stall:
        frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]
        # With its own frame in what it knows, a frame is a cycle, which keeps what all threads were doing.
        del frames[threading.get_ident()]
        others = [
            place
            for thread, frame in frames.items()
            if thread != self._thread and not (place := _place(frame)).startswith(tuple(_IDLE))
        ]
        stack = " < ".join(_places(frames[self._thread])) if self._thread in frames else ""
        return Stall(0.0, stack, ", ".join(others))


def _warn(worst: Stall, count: int) -> None:
    _logger.warning(
        "the event loop was held up",
        seconds=round(worst.seconds, 3),
        stack=worst.stack,
        other_threads=worst.others,
        times=count,
    )


def _places(frame: FrameType | None) -> Iterator[str]:
    """Where the innermost frames are, innermost first."""
    for _ in range(_FRAMES):
        if frame is None:
            return
        yield _place(frame)
        frame = frame.f_back


def _place(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    package = f"{path.parent.name}/" if path.name not in _IDLE else ""
    return f"{package}{path.name}:{frame.f_lineno} {frame.f_code.co_name}"
