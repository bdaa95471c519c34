"""Several processes accepting from one socket: here several acceptors on one event loop."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.api.membership import Membership
from compose.api.visibility_table import VisibilityTable
from compose.http.balanced import TurnAcceptor
from tests.support.http import HOST

WORKERS = 3
CONNECTIONS = 30


class Accepting:
    """What one process accepts."""

    def __init__(self, table: VisibilityTable, worker: int, listener: socket.socket) -> None:
        self.membership = Membership(table, worker)
        self.membership.listens()
        self.accepted: list[socket.socket] = []
        self._listener = listener.dup()
        self._acceptor = TurnAcceptor(self._listener, self.accepted.append, self._is_next)

    def _is_next(self) -> bool:
        self.membership.note(len(self.accepted))
        return self.membership.is_next(len(self.accepted))

    def stop(self) -> None:
        self._acceptor.close()
        self._listener.close()
        for connection in self.accepted:
            connection.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0), backlog=CONNECTIONS) as made:
        yield made


def connect(listener: socket.socket, count: int) -> list[socket.socket]:
    return [socket.create_connection(listener.getsockname()) for _ in range(count)]


def test_each_process_gets_its_share_of_many_connections_at_once(tmp_path: Path, listener: socket.socket) -> None:
    async def check() -> None:
        table = VisibilityTable.create(tmp_path / "table", WORKERS)
        clients = connect(listener, CONNECTIONS)
        processes = [Accepting(table, worker, listener) for worker in range(WORKERS)]
        while sum(len(process.accepted) for process in processes) < CONNECTIONS:
            await asyncio.sleep(0.001)
        assert [len(process.accepted) for process in processes] == [CONNECTIONS // WORKERS] * WORKERS
        for process in processes:
            process.stop()
        for client in clients:
            client.close()

    asyncio.run(check())


def test_a_process_that_takes_nothing_is_not_waited_for_long(tmp_path: Path, listener: socket.socket) -> None:
    async def check() -> None:
        table = VisibilityTable.create(tmp_path / "table", 2)
        Membership(table, 1).listens()
        process = Accepting(table, 0, listener)
        clients = connect(listener, CONNECTIONS)
        while len(process.accepted) < CONNECTIONS:
            await asyncio.sleep(0.001)
        process.stop()
        for client in clients:
            client.close()

    asyncio.run(check())


def test_those_that_do_not_listen_do_not_count(tmp_path: Path) -> None:
    table = VisibilityTable.create(tmp_path / "table", 2)
    first, second = Membership(table, 0), Membership(table, 1)
    assert first.is_next(5)
    second.listens()
    assert not first.is_next(5)
    assert first.is_next(0)
    second.note(5)
    assert first.is_next(5)
