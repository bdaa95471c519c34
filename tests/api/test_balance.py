"""Several processes accepting from one socket: here several acceptors on one event loop."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from compose.api.membership import Membership
from compose.api.visibility_table import VisibilityTable
from compose.http.balanced import TurnAcceptor
from compose.http.server import HttpServer
from compose.http.starting import StartingApp
from ingest.http.limits import Limits
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


class Alone:
    """The only process that accepts; also its readiness."""

    def __init__(self) -> None:
        self.accepted = 0

    def note(self, connections: int) -> None:
        """There is nobody to be told."""

    def is_next(self, connections: int) -> bool:
        self.accepted += 1
        return True

    def ready(self) -> tuple[bool, str]:
        return False, "starting"


def test_a_connection_that_is_made_while_the_server_stops_is_not_kept(tmp_path: Path, listener: socket.socket) -> None:
    """Requests would go on over it until they are cut off."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_tls.load_cert_chain(tmp_path / "server.pem")
    client_tls = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))

    async def check() -> None:
        alone = Alone()
        where = listener.getsockname()
        server = HttpServer(StartingApp(alone, Limits(), "0").answer, listener, alone, server_tls)
        serving = asyncio.create_task(server.run())
        busy_reader, busy = await asyncio.open_connection(*where, ssl=client_tls)
        busy.write(b"POST /any HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n")
        late_reader, late = await asyncio.open_connection(*where)
        while alone.accepted < 2:
            await asyncio.sleep(0.01)
        server.stop()
        while listener.fileno() >= 0:
            await asyncio.sleep(0.01)
        with suppress(OSError):  # it may be closed before anything is asked
            await late.start_tls(client_tls, server_hostname=HOST)
            late.write(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
            await late_reader.read()  # to its end: the client is not to ask for more
        busy.write(b"{}")
        assert (await busy_reader.readline()).startswith(b"HTTP/1.1 503")
        await serving
        busy.close()
        late.close()

    asyncio.run(check())
