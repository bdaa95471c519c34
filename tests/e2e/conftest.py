"""One server for the tests of a module, one of several processes, then the session's cluster; and clients of each."""

from collections.abc import Iterator

import pytest
from qdrant_client import QdrantClient

from tests.e2e.target import Target
from tests.support.cluster import Cluster
from tests.support.http import Http
from tests.support.server import Server


@pytest.fixture(scope="module")
def flags() -> list[str]:
    """Further flags of the server; a module may have its own."""
    return []


@pytest.fixture(scope="module", params=["server", "workers", pytest.param("cluster", marks=pytest.mark.kafka)])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, flags: list[str]
) -> Iterator[Target]:
    """Something that serves, without collections."""
    if request.param == "cluster":
        cluster: Cluster = request.getfixturevalue("cluster")
        yield cluster
        cluster.drop_all()
        return
    several = ["--workers", "2"] if request.param == "workers" else []
    with Server(tmp_path_factory.mktemp("server") / "data", [*flags, *several], grpc=True) as running:
        if several:
            running.examples = Cluster.examples
        yield running.start()


@pytest.fixture(scope="module")
def prefer_grpc() -> bool:
    """Whether the client speaks gRPC where it can; a module may ask for both."""
    return False


@pytest.fixture(scope="module")
def client(server: Target, prefer_grpc: bool) -> Iterator[QdrantClient]:
    """Qdrant's own client, as it is."""
    made = QdrantClient(url=server.url, grpc_port=server.grpc_port, prefer_grpc=prefer_grpc, timeout=60)
    yield made
    made.close()


@pytest.fixture
def http(server: Target) -> Iterator[Http]:
    """A plain HTTP connection."""
    with Http(server.port) as connection:
        yield connection
