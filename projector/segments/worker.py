"""The builder process: ``python -m projector.segments.worker <pid of the parent> [graphs]``.

Reads one BuildSpec a line from its standard input and answers on its standard output (``messages``). It is niced, so
that it takes only the processor time that serving leaves, and it ends with its parent, or when its input ends.
"""

import ctypes
import os
import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from projector.malloc import give_back, give_back_at_rest
from projector.segments.build import build_segment
from projector.segments.errors import SegmentDamagedError
from projector.segments.messages import GRAPHS, Advanced, Built, Failed, Reply
from projector.segments.spec import BuildSpec
from schemas.errors import HeadwaterError

NICENESS = 10
AUTOGROUP = Path("/proc/self/autogroup")
_TRIES, _PAUSE_SECONDS = 5, 0.15
_PR_SET_PDEATHSIG = 1

_spec_decoder = msgspec.json.Decoder(BuildSpec)


def main() -> None:
    """Serve builds until the input ends."""
    end_with_parent(int(sys.argv[1]))
    give_way(of_sessions=GRAPHS in sys.argv[2:])
    give_back_at_rest()
    replies = _take_output()
    specs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, specs), daemon=True).start()
    while True:
        spec = _spec_decoder.decode(specs.get())
        _send(replies, _build(spec, replies))
        # The next build may come at once, and the process not be at rest for as long as points come.
        give_back()


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, where the kernel can (Linux)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)


def give_way(*, of_sessions: bool) -> None:
    """Leave processor time to others.

    ``of_sessions``: also where Linux shares it evenly between sessions. A seal is not to wait for that: it is short,
    and until it is done the tail takes ever more memory.
    """
    os.nice(NICENESS)
    # Where Linux shares cores evenly between sessions niceness counts only within one, and this process has its own.
    if not of_sessions or os.getsid(0) != os.getpid():
        return
    for _ in range(_TRIES):
        with suppress(OSError):
            try:
                AUTOGROUP.write_text(str(NICENESS))
            except BlockingIOError:  # of all users one at a time is let in, every tenth of a second
                time.sleep(_PAUSE_SECONDS)
                continue
        return


def _take_output() -> BinaryIO:
    """Standard output for replies alone: whatever a library prints goes to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def _read(lines: BinaryIO, specs: "queue.SimpleQueue[bytes]") -> None:
    for line in lines:
        specs.put(line)
    # Ends a running build too: nobody waits for it any more.
    os._exit(0)


def _build(spec: BuildSpec, replies: BinaryIO) -> Reply:
    try:
        return Built(build_segment(spec, lambda fraction: _send(replies, Advanced(fraction))))
    except SegmentDamagedError as error:
        return Failed(error.message, error.folder)
    except (HeadwaterError, OSError, ValueError, MemoryError, RuntimeError) as error:
        return Failed(f"{type(error).__name__}: {error}")


def _send(replies: BinaryIO, reply: Reply) -> None:
    try:
        replies.write(msgspec.json.encode(reply) + b"\n")
        replies.flush()
    except BrokenPipeError:
        # The parent is gone, and has nothing said of a build that it gave up.
        os._exit(0)


if __name__ == "__main__":
    main()
