"""One server for the tests of a module, and clients of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from tests.support.http import Http
from tests.support.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with an empty data folder."""
    folder: Path = tmp_path_factory.mktemp("server")
    with Server(folder / "data") as running:
        yield running.start()


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[QdrantClient]:
    """Qdrant's own client, as it is."""
    made = QdrantClient(url=server.url, timeout=60)
    yield made
    made.close()


@pytest.fixture
def http(server: Server) -> Iterator[Http]:
    """A plain HTTP connection."""
    with Http(server.port) as connection:
        yield connection
