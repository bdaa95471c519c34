import asyncio
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

from aiokafka.cluster import ClusterMetadata
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.api import Request, Response

class ConnectionGroup:
    DEFAULT: int

class AIOKafkaClient:
    cluster: ClusterMetadata
    _conns: dict[tuple[int, int], AIOKafkaConnection]
    @property
    def hosts(self) -> list[tuple[str, int, int]]: ...  # host, port, address family
    def __init__(
        self,
        *,
        bootstrap_servers: str | list[str] = ...,
        client_id: str = ...,
        metadata_max_age_ms: int = ...,
        request_timeout_ms: int = ...,
        retry_backoff_ms: int = ...,
        ssl_context: SSLContext | None = ...,
        security_protocol: str = ...,
        connections_max_idle_ms: int | None = ...,
        sasl_mechanism: str = ...,
        sasl_plain_username: str | None = ...,
        sasl_plain_password: str | None = ...,
    ) -> None: ...
    async def bootstrap(self) -> None: ...
    async def close(self) -> None: ...
    def get_random_node(self) -> int | None: ...
    def set_topics(self, topics: Iterable[str]) -> asyncio.Future[bool]: ...
    def force_metadata_update(self) -> asyncio.Future[bool]: ...
    async def send(self, node_id: int, request: Request[Any], *, group: int = ...) -> Response: ...
