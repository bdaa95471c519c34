import asyncio
from enum import IntEnum
from ssl import SSLContext

class CloseReason(IntEnum):
    CONNECTION_BROKEN = ...

class AIOKafkaConnection:
    def close(self, reason: CloseReason | None = ...) -> asyncio.Future[None]: ...

async def create_conn(
    host: str,
    port: int,
    *,
    client_id: str = ...,
    request_timeout_ms: int = ...,
    ssl_context: SSLContext | None = ...,
    security_protocol: str = ...,
    sasl_mechanism: str | None = ...,
    sasl_plain_username: str | None = ...,
    sasl_plain_password: str | None = ...,
) -> AIOKafkaConnection: ...
