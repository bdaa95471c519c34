"""Workers and builders that a server under test starts, forked: to import all they need takes two seconds of CPU."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support import fork_server

MODULES = ("compose.api.worker", "projector.segments.worker")


class ForkedProcess:
    """What of ``asyncio.subprocess.Process`` is used."""

    def __init__(
        self,
        pid: int,
        end: socket.socket,
        stdin: asyncio.StreamWriter | None,
        stdout: asyncio.StreamReader | None,
        kept: object,
    ) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self._kept = kept  # the other direction of ``stdout``, whose end would be that of both
        self.returncode: int | None = None
        self._ended = asyncio.create_task(self._end(end))

    async def _end(self, end: socket.socket) -> None:
        with end:
            self.returncode = int(await asyncio.get_running_loop().sock_recv(end, 16) or b"-9")

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        await asyncio.shield(self._ended)
        if self.returncode is None:
            raise AssertionError("it has ended")
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Raises ProcessLookupError."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Raises ProcessLookupError."""
        self.send_signal(signal.SIGKILL)


def fork_workers(address: str) -> None:
    """Let the fork server at an address start whichever of ``MODULES`` this process would start."""
    start = asyncio.create_subprocess_exec

    async def fork_or_start(program: str, *arguments: str, **options: Any) -> Any:
        if program == sys.executable and arguments[:1] == ("-m",) and arguments[1] in MODULES:
            return await _fork(address, arguments[1], arguments[2:], **options)
        return await start(program, *arguments, **options)

    asyncio.create_subprocess_exec = fork_or_start


async def _fork(
    address: str,
    module: str,
    arguments: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: int,
    stdout: int | None = None,
    pass_fds: Sequence[int] = (),
    start_new_session: bool = False,
    limit: int = 1 << 16,
) -> ForkedProcess:
    if stdin != asyncio.subprocess.PIPE:
        raise AssertionError("its input is a pipe")
    # Its own end of each is closed here; sockets, as asyncio has streams of those.
    mine, its_input = socket.socketpair()
    output: asyncio.StreamReader | None = None
    unused: asyncio.StreamWriter | None = None
    # The parent of what is forked is the fork server.
    arguments = [fork_server.PARENT if one == str(os.getpid()) else one for one in arguments]
    with its_input:
        _, writer = await asyncio.open_connection(sock=mine)
        if stdout is None:
            end = _order(address, module, arguments, env, start_new_session, its_input.fileno(), 1, pass_fds)
        else:
            reading, its_output = socket.socketpair()
            with its_output:
                output, unused = await asyncio.open_connection(sock=reading, limit=limit)
                places = its_input.fileno(), its_output.fileno()
                end = _order(address, module, arguments, env, start_new_session, *places, pass_fds)
    end.setblocking(False)
    pid = int(await asyncio.get_running_loop().sock_recv(end, 16) or b"0")
    if pid == 0:
        raise OSError("the fork server is gone")
    return ForkedProcess(pid, end, writer, output, unused)


def _order(
    address: str,
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    new_session: bool,
    stdin: int,
    stdout: int,
    others: Sequence[int],
) -> socket.socket:
    what = fork_server.order(module, arguments, environment, new_session, [0, 1, 2, *others])
    return fork_server.request(address, what, [stdin, stdout, 2, *others])
