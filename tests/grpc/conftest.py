"""A server that is asked over gRPC, for the tests of a module."""

from collections.abc import Iterator

import pytest

from tests.grpc.channel import Calls
from tests.support.server import Server, free_port


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Settings of the server; a module may have its own."""
    return {}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Calls]:
    port = free_port()
    arguments = ["--grpc", "--grpc-port", str(port)]
    with Server(tmp_path_factory.mktemp("grpc") / "data", arguments, environment) as server:
        server.start()
        with Calls(port) as made:
            yield made
