"""A server that is asked over gRPC, for the tests of a module."""

from collections.abc import Iterator

import pytest

from tests.grpc.channel import Calls
from tests.support.server import Server


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Settings of the server; a module may have its own."""
    return {}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Calls]:
    with Server(tmp_path_factory.mktemp("grpc") / "data", environment=environment, grpc=True) as server:
        server.start()
        with Calls(server.grpc_port) as made:
            yield made
