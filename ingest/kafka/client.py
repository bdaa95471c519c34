"""aiokafka's client, with every lost connection told as a KafkaError."""

from typing import Any

from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import CloseReason
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.api import Request, Response


class KafkaClient(AIOKafkaClient):
    """As its base, on uvloop too."""

    async def send(self, node_id: int, request: Request[Any], *, group: int = ConnectionGroup.DEFAULT) -> Response:
        """The answer of a broker. Raises KafkaError.

        The base expects an OSError of a transport that is closed already. uvloop raises RuntimeError; and a request
        whose answer is late finds the connection that it would close gone, a KeyError.
        """
        try:
            return await super().send(node_id, request, group=group)
        except (RuntimeError, KeyError) as error:
            if (connection := self._conns.get((node_id, group))) is not None:
                connection.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"the connection to broker {node_id} broke: {error}") from error
