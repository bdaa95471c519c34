"""SegmentBuilder: builds segments in processes of their own, so that serving never waits for one."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

import projector
from projector.segments.errors import BuildFailedError, SegmentDamagedError
from projector.segments.messages import GRAPHS, Advanced, Built, Reply
from projector.segments.spec import BuildResult, BuildSpec

IDLE_SECONDS = 10.0
ENDING_SECONDS = 1.0
"""How long a process that says nothing more may take to end by itself."""
_MAX_LINE = 1 << 20
_CHANNELS = 4
"""Pairs of descriptors that the start of a process takes: for its input, its output, its end, and what went wrong."""

_replies: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)

Progress = Callable[[float], None]


def _ignore(fraction: float) -> None:
    """For callers that don't ask for progress."""


class SegmentBuilder:
    """Builds with graphs and builds without have a process each, started when needed.

    So a seal, which takes part of a second, does not wait for a graph, which may take minutes.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """``idle_seconds``: a process without work ends after this long."""
        self._plain = BuilderProcess(idle_seconds)
        self._graphs = BuilderProcess(idle_seconds, GRAPHS)

    async def build(self, spec: BuildSpec, progress: Progress = _ignore) -> BuildResult:
        """Build a segment and return what it is; the folder is complete and durable then.

        Builds of a kind wait for one another. Raises BuildFailedError, or SegmentDamagedError where a source is the
        reason; the target isn't there then. Cancelling it stops the build.
        """
        process = self._graphs if spec.graph else self._plain
        return await process.build(spec, progress)

    @property
    def pids(self) -> list[int]:
        """The processes that are running now."""
        return [p.pid for p in (self._plain, self._graphs) if p.pid is not None]

    def let_go(self, *, graph: bool) -> None:
        """End the process that builds with graphs, or the one that builds without, unless it works, without waiting for
        its end.
        """
        (self._graphs if graph else self._plain).let_go()

    async def close(self) -> None:
        """End the processes, running builds with them."""
        await self._plain.close()
        await self._graphs.close()


class BuilderProcess:
    """One builder process at a time, and one build at a time in it."""

    def __init__(self, idle_seconds: float, *arguments: str) -> None:
        """``arguments``: the worker's."""
        self._idle_seconds = idle_seconds
        self._arguments = arguments
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process's id while there is one."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def build(self, spec: BuildSpec, progress: Progress) -> BuildResult:
        """See SegmentBuilder."""
        async with self._lock:
            if self._closed:
                raise BuildFailedError(f"{spec.target}: the builder is closed")
            self._stop_waiting()
            process = self._process
            if process is None or process.returncode is not None:
                process = self._process = await _start(spec.target, self._arguments)
            try:
                result = await _converse(process, spec, progress)
            except (OSError, EOFError, msgspec.MsgspecError) as error:
                # Most likely it has just ended; to kill it then would take its exit code from asyncio.
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), ENDING_SECONDS)
                await self._kill(process)
                reason = f"the builder process ended with code {process.returncode}"
                raise BuildFailedError(f"{spec.target}: {reason}") from error
            except asyncio.CancelledError:
                # It must not go on writing to the target.
                await self._kill(process)
                raise
            finally:
                if self._process is not None:
                    self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._let_go)
            return result

    def let_go(self) -> None:
        """See SegmentBuilder."""
        if not self._lock.locked():
            self._stop_waiting()
            self._let_go()

    async def close(self) -> None:
        """End the process, for good."""
        self._closed = True
        self._stop_waiting()
        if self._process is not None:
            await self._kill(self._process)

    async def _kill(self, process: asyncio.subprocess.Process) -> None:
        if self._process is process:
            self._process = None
        if process.returncode is None:
            process.kill()
        await process.wait()

    def _let_go(self) -> None:
        """End the process by ending its input; it is idle."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()

    def _stop_waiting(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None


async def _start(target: str, arguments: Sequence[str]) -> asyncio.subprocess.Process:
    """Raises BuildFailedError."""
    try:
        return await _spawn(arguments)
    except OSError as error:
        raise BuildFailedError(f"{target}: no builder process could be started: {_why(error)}") from error


def _why(error: OSError) -> str:
    """Why no process could be started: where it lacks descriptors, uvloop says "Unknown error -1"."""
    opened: list[int] = []
    try:
        for _ in range(_CHANNELS):
            opened += os.pipe()
    except OSError as found:
        return str(found)
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return str(error)


async def _spawn(arguments: Sequence[str]) -> asyncio.subprocess.Process:
    root = Path(projector.__file__).parents[1]
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "projector.segments.worker",
        str(os.getpid()),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,  # Ctrl-C is for the parent, which then ends it
        limit=_MAX_LINE,
    )


async def _converse(process: asyncio.subprocess.Process, spec: BuildSpec, progress: Progress) -> BuildResult:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    process.stdin.write(msgspec.json.encode(spec) + b"\n")
    await process.stdin.drain()
    while True:
        line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        reply = _replies.decode(line)
        match reply:
            case Advanced():
                progress(reply.fraction)
            case Built():
                return reply.result
            case _ if reply.damaged is not None:
                raise SegmentDamagedError(reply.reason, reply.damaged)
            case _:
                raise BuildFailedError(f"{spec.target}: {reply.reason}")
