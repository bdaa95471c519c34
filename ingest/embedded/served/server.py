"""LogServer: lets other processes use the log that this one has open."""

import asyncio
import socket
from contextlib import suppress

import structlog

from ingest.embedded.served.channel import BrokenChannelError, Channel, open_channel
from ingest.embedded.served.protocol import Cancel, Failed, Request, Welcome, decode_request, size_of
from ingest.log import Log, Topic

_logger = structlog.get_logger("headwater.log")


class LogServer:
    """Answers for a log on its event loop, over any number of connections. The log stays its owner's to close."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._connections: set[asyncio.Task[None]] = set()

    def connect(self) -> socket.socket:
        """One end of a new connection, for ``RemoteLog.open`` in another process; the caller closes it here."""
        mine, theirs = socket.socketpair()
        task = asyncio.create_task(self._serve(mine))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        return theirs

    async def close(self) -> None:
        """End all connections. What was asked for and isn't answered may be done or not."""
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _serve(self, connected: socket.socket) -> None:
        channel = await open_channel(connected, decode_request)
        running: dict[int, asyncio.Task[None]] = {}
        try:
            await channel.send(Welcome(self._log.identity, {topic: self._log.partitions(topic) for topic in Topic}))
            while (request := await channel.receive()) is not None:
                if isinstance(request, Cancel):
                    if request.id in running:
                        running[request.id].cancel()
                    continue
                task = running[request.id] = asyncio.create_task(self._answer(channel, request))
                task.add_done_callback(lambda _, done=request.id: running.pop(done))
        except ConnectionError:
            return
        except BrokenChannelError as error:
            _logger.error("a process that uses the log is not understood", reason=str(error))
        finally:
            for task in running.values():
                task.cancel()
            channel.close()

    async def _answer(self, channel: Channel[Request | Cancel], request: Request) -> None:
        try:
            answer = await request.carry_out(self._log)
        except Exception as error:
            answer = Failed.of(request.id, error)
            if not answer.kind:
                _logger.exception("the log failed for another process")
        with suppress(ConnectionError):  # it is gone, and learns what is on the log from there
            try:
                await channel.send(answer, size_of(answer))
            except ValueError as error:
                # It is larger than the other side takes, which would wait for it.
                _logger.exception("an answer for another process can't be sent")
                await channel.send(Failed.of(request.id, error))
