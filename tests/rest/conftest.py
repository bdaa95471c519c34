"""A client per test: over a node in memory, and over Kafka, a projector and an api of several workers."""

from collections.abc import Iterator

import pytest

from tests.rest.client import ClusterRest, MemoryRest, Rest

PARTITIONS = 3
"""As many as the session's cluster has."""
TARGETS = ["memory", pytest.param("cluster", marks=pytest.mark.kafka)]


@pytest.fixture(params=TARGETS)
def rest(request: pytest.FixtureRequest) -> Iterator[Rest]:
    client = _client(request)
    yield client
    client.close()


@pytest.fixture(params=TARGETS)
def sharded(request: pytest.FixtureRequest) -> Iterator[Rest]:
    """Three partitions, and a collection ``c`` of five shards in them."""
    client = _client(request, PARTITIONS)
    client.create(vectors={"size": 2, "distance": "Dot"}, shard_number=5)
    yield client
    client.close()


@pytest.fixture
def memory() -> Iterator[MemoryRest]:
    """In memory only: for what a test does to the node itself."""
    client = MemoryRest()
    yield client
    client.close()


def _client(request: pytest.FixtureRequest, partitions: int = 1) -> Rest:
    if request.param == "memory":
        return MemoryRest(partitions)
    return ClusterRest(request.getfixturevalue("cluster"))
