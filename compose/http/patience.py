"""How long a connection waits for what its client does."""

import asyncio
from typing import Protocol

HEAD_SECONDS = 30.0
"""How long a head may take to come, from its first byte."""
LINGER_SECONDS = 10.0
"""How long a client may go on sending behind its last answer: a connection closed on unread data loses the answer."""
KEEP_ALIVE_SECONDS = 75.0
"""Longer than clients keep idle connections, so that they close them, not the server under a request."""
SOON_SECONDS = 0.02
"""How much later a request is begun, at most, whose body is expected right behind its head."""


class Awaiting(Protocol):
    """A connection."""

    transport: asyncio.Transport

    @property
    def busy(self) -> bool:
        """Whether there is something to answer."""
        ...

    @property
    def idle(self) -> bool:
        """Whether there is nothing to answer, and nothing of a request has come."""
        ...

    def on_late(self) -> None:
        """A body did not come right behind its head."""
        ...


class Patience:
    """The timers of one connection. They are left to ring where that is cheaper than to end them."""

    def __init__(self, connection: Awaiting) -> None:
        self._connection: Awaiting | None = connection
        self._loop = asyncio.get_running_loop()
        self._soon: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._idle_since = 0.0

    def expect_head(self) -> None:
        """A head has begun to come."""
        if self._deadline is None:
            self._deadline = self._loop.call_later(HEAD_SECONDS, self._on_deadline)

    def on_head(self) -> None:
        """It is complete."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def expect_body(self) -> None:
        """A short body has yet to come: tell the connection soon, unless it is to be told anyway."""
        if self._soon is None:
            # Left to ring where the body comes in time: most connections have another such request by then.
            self._soon = self._loop.call_later(SOON_SECONDS, self._on_soon)

    def on_answered(self) -> None:
        """There may be nothing more to do from now on."""
        self._idle_since = self._loop.time()
        if self._idle is None:
            self._idle = self._loop.call_later(KEEP_ALIVE_SECONDS, self._on_idle)

    def expect_no_more(self) -> None:
        """No other request is waited for."""
        for timer in (self._soon, self._deadline):
            if timer is not None:
                timer.cancel()
        self._soon = self._deadline = None

    def linger(self) -> None:
        """What comes behind the last answer isn't waited for without end."""
        self.expect_no_more()
        if self._connection is not None:
            self._deadline = self._loop.call_later(LINGER_SECONDS, self._connection.transport.close)

    def end(self) -> None:
        """The client is gone."""
        self.expect_no_more()
        if self._idle is not None:
            self._idle.cancel()
        self._connection = None  # else the two would keep each other until garbage is collected

    def _on_soon(self) -> None:
        self._soon = None
        if self._connection is not None:
            self._connection.on_late()

    def _on_deadline(self) -> None:
        self._deadline = None
        if self._connection is None:
            return
        if self._connection.busy:
            self.expect_head()
        else:
            self._connection.transport.close()

    def _on_idle(self) -> None:
        self._idle = None
        if self._connection is None or not self._connection.idle:
            return
        left = self._idle_since + KEEP_ALIVE_SECONDS - self._loop.time()
        if left <= 0.001:
            self._connection.transport.close()
        else:
            self._idle = self._loop.call_later(left, self._on_idle)
