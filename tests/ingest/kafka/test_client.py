"""What a request comes to whose connection is gone."""

import asyncio
from typing import Any, cast

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.api import Request

from ingest.kafka.client import KafkaClient

NODE, LANE = 1, 2


class Gone:
    """A connection whose transport is closed, before anybody noticed."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.closed = False

    def connected(self) -> bool:
        return True

    def send(self, request: object, *, expect_response: bool) -> None:
        raise self._error

    def close(self, reason: object = None) -> None:
        self.closed = True


@pytest.mark.parametrize(
    "error",
    [RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"), KeyError(NODE)],
    ids=["uvloop's", "already forgotten"],
)
def test_a_closed_transport_is_a_connection_that_broke(error: Exception) -> None:
    asyncio.run(_sent_to(Gone(error)))


async def _sent_to(gone: Gone) -> None:
    client = KafkaClient(bootstrap_servers="localhost:1")
    client._conns[NODE, LANE] = cast("AIOKafkaConnection", gone)
    with pytest.raises(KafkaConnectionError, match="broker 1 broke"):
        await client.send(NODE, cast("Request[Any]", object()), group=LANE)
    assert gone.closed
    client._conns.clear()
    await client.close()
