"""A client per test."""

from collections.abc import Iterator

import pytest

from tests.rest.client import Rest


@pytest.fixture
def rest() -> Iterator[Rest]:
    client = Rest()
    yield client
    client.close()


@pytest.fixture
def sharded() -> Iterator[Rest]:
    """Three partitions, and a collection ``c`` of five shards in them."""
    client = Rest(partitions=3)
    client.create(vectors={"size": 2, "distance": "Dot"}, shard_number=5)
    yield client
    client.close()
