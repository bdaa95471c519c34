"""Runs a module and notes where its main thread is: python bench/sampling.py OUTPUT MODULE [ARGUMENT ...].

Every few milliseconds of processor time that the main thread uses its Python stack is noted, with that time: what a
call used that is no Python counts for the function that called it. SIGUSR2 writes "function (file);function (file)
microseconds" to OUTPUT, a line each, outermost first, and begins anew. Time of other threads is in a stack of its own.
"""

import ctypes
import os
import runpy
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

PERIOD = 0.002
OTHER = "other threads"
_TO_A_THREAD = 4
"""SIGEV_THREAD_ID."""


class Sampler:
    """Stacks by code objects, and the microseconds of each."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._stacks: Counter[tuple[CodeType, ...]] = Counter()
        self._others = 0.0
        self._main = time.thread_time()
        self._whole = time.process_time()

    def sample(self, number: int, frame: FrameType | None) -> None:
        """Note where the main thread is. A handler of signals."""
        main, whole = time.thread_time(), time.process_time()
        stack: list[CodeType] = []
        while frame is not None:
            stack.append(frame.f_code)
            frame = frame.f_back
        used = main - self._main
        self._stacks[tuple(reversed(stack))] += round(used * 1e6)
        self._others += whole - self._whole - used
        self._main, self._whole = main, whole

    def write(self, number: int, frame: FrameType | None) -> None:
        """Write what was noted, and begin anew. A handler of signals."""
        self.sample(number, frame)
        # The other signal may come meanwhile.
        stacks, self._stacks = self._stacks, Counter()
        others, self._others = self._others, 0.0
        lines = [
            f"{';'.join(f'{code.co_qualname} ({_short(code.co_filename)})' for code in stack)} {us}"
            for stack, us in stacks.items()
        ]
        unfinished = self._output.with_suffix(".unfinished")
        unfinished.write_text("\n".join([*lines, f"{OTHER} {round(others * 1e6)}"]) + "\n")
        os.replace(unfinished, self._output)


def _short(path: str) -> str:
    """Relative to what it was imported from."""
    for place in sorted(sys.path, key=len, reverse=True):
        if place and path.startswith(place + os.sep):
            return path[len(place) + 1 :]
    return path


class _Event(ctypes.Structure):
    """sigevent, as Linux has it for 64 bits."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("rest", ctypes.c_int * 11),
    )


class _Times(ctypes.Structure):
    """itimerspec."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns"))


def _begin_signals() -> None:
    """Have signals come by the processor time of this thread: by that of the process they came while others ran."""
    libc = ctypes.CDLL(None, use_errno=True)
    timer = ctypes.c_void_p()
    event = _Event(None, signal.SIGPROF, _TO_A_THREAD, threading.get_native_id())
    period = round(PERIOD * 1e9)
    times = _Times(0, period, 0, period)
    made = libc.timer_create(time.CLOCK_THREAD_CPUTIME_ID, ctypes.byref(event), ctypes.byref(timer))
    if made != 0 or libc.timer_settime(timer, 0, ctypes.byref(times), None) != 0:
        raise OSError(ctypes.get_errno(), "a timer of processor time")


def main() -> None:
    """See the module's docstring."""
    sampler = Sampler(Path(sys.argv[1]))
    signal.signal(signal.SIGPROF, sampler.sample)
    signal.signal(signal.SIGUSR2, sampler.write)
    _begin_signals()
    sys.argv = sys.argv[2:]
    # Modules are found from where it was started, not beside this file.
    sys.path[0] = os.getcwd()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
