"""What answers the requests of one connection, one after another."""

import asyncio
from collections.abc import Callable

import structlog

from compose.http.connections import Connections
from compose.http.exchange import HttpExchange
from ingest.http.endpoint import JSON_TYPE
from ingest.http.exchange import ClientGoneError
from ingest.http.under_way import UNDER_WAY
from schemas.rest.envelope import encode_error

_logger = structlog.get_logger("headwater.http")


def _nothing() -> None:
    return


class Worker:
    """One task for all requests of a connection: to make one for each takes longer than to wake one."""

    def __init__(self, connections: Connections, close: Callable[[], None]) -> None:
        """``close`` ends the connection, where there is nobody to answer any more."""
        self.current: HttpExchange | None = None
        """What is being answered."""
        self._connections = connections
        self._close = close
        self._task: asyncio.Task[None] | None = None
        self._called: asyncio.Future[None] | None = None  # what it waits for when there is nothing to answer
        self._is_over = False

    def begin(self, exchange: HttpExchange) -> None:
        """Answer this; there is no ``current`` one."""
        self.current = exchange
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())
            self._connections.tasks.add(self._task)
        else:
            self._wake()
        UNDER_WAY.add(self._task)

    def end(self) -> None:
        """Begin nothing more: the client is gone."""
        self._is_over = True
        self._close = _nothing  # else the two would keep each other until garbage is collected
        self._wake()

    def _wake(self) -> None:
        if self._called is not None and not self._called.done():
            self._called.set_result(None)

    async def _work(self) -> None:
        task = asyncio.current_task()
        try:
            while not self._is_over:
                if (exchange := self.current) is None:
                    self._called = asyncio.get_running_loop().create_future()
                    await self._called
                    continue
                await self._answer(exchange)
                if self.current is exchange:
                    self.current = None  # its client has gone, or waits for the end of what is no answer
                if self.current is not None:
                    await asyncio.sleep(0)  # other connections have their turn between requests that came together
                elif task is not None:
                    UNDER_WAY.discard(task)
        finally:
            self.current = None
            if task is not None:
                self._connections.tasks.discard(task)
                UNDER_WAY.discard(task)

    async def _answer(self, exchange: HttpExchange) -> None:
        try:
            await self._connections.app(exchange)
            if not (exchange.answered or exchange.gone):
                raise RuntimeError("a request was left without its answer")
        except ClientGoneError:
            self._close()
        except (Exception, asyncio.CancelledError) as error:
            if self._task is None or self._task.cancelling():
                raise
            _logger.error("a request failed", method=exchange.head.method, path=exchange.head.path, exc_info=error)
            if exchange.begun:
                # Shorter than its head says: whoever reads it has to know.
                self._close()
            else:
                exchange.answer(500, JSON_TYPE, (), encode_error("Service internal error: see the server's log", 0.0))
