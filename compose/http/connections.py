"""The connections of one server, and what they share."""

import asyncio
from collections.abc import Callable
from email.utils import formatdate
from typing import Protocol

from compose.http.request_reader import Heads
from ingest.http.exchange import App
from ingest.http.under_way import UNDER_WAY


class Open(Protocol):
    """A connection."""

    @property
    def flushed(self) -> bool:
        """Whether it is being closed, and all that was said on it has been handed on."""
        ...

    def shut_down(self) -> None:
        """End with what was asked by now."""
        ...

    def abort(self) -> None:
        """End at once."""
        ...


class Connections:
    """Those that are open, and the requests that are being answered. ``app`` answers them."""

    def __init__(self, app: App, changed: Callable[[int], None] | None = None) -> None:
        """``changed`` is told how many there are whenever that is another number."""
        self.app = app
        self.heads = Heads()
        self.tasks: set[asyncio.Task[None]] = set()
        """What answers; it may have nothing to answer for now."""
        self.date = b""
        """The line of an answer's head that says the time."""
        self._open: set[Open] = set()
        self._changed = changed
        self._ending = False
        self.tell_time()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def under_way(self) -> int:
        """How many requests are being answered."""
        return len(self.tasks & UNDER_WAY)

    def tell_time(self) -> None:
        """It is a second later."""
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()

    def add(self, connection: Open) -> None:
        """One more; it ends at once where the others have been told to."""
        self._open.add(connection)
        if self._changed is not None:
            self._changed(len(self._open))
        if self._ending:
            connection.shut_down()

    def remove(self, connection: Open) -> None:
        """It has ended."""
        self._open.discard(connection)
        if self._changed is not None:
            self._changed(len(self._open))

    def shut_down(self) -> None:
        """Have all of them end once what was asked is answered."""
        self._ending = True
        for connection in tuple(self._open):
            connection.shut_down()

    async def ended(self, farewell: float | None = None) -> None:
        """Wait until there are none, and nothing is being answered.

        ``farewell``: for how many seconds clients are waited for that have got all they are to get. Over TLS they are
        expected to say that they saw the end, which some never do.
        """
        time = asyncio.get_running_loop().time
        since = time()
        while self._open or self.tasks:
            await asyncio.sleep(0.02)
            if farewell is None or self.under_way or not all(connection.flushed for connection in self._open):
                since = time()
            elif time() - since >= farewell:
                for connection in tuple(self._open):
                    connection.abort()

    def abort(self) -> None:
        """End all of them now."""
        for task in tuple(self.tasks):
            task.cancel()
            UNDER_WAY.discard(task)
        for connection in tuple(self._open):
            connection.abort()
