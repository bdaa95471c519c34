"""``headwater api``: Qdrant's REST API over Kafka and what projectors fold from it."""

import asyncio
from typing import Annotated

from compose.command_line import option
from compose.commands.options import (
    Data,
    Grpc,
    GrpcPort,
    Kafka,
    LogLevel,
    Partitions,
    Prefix,
    Workers,
    kafka_settings,
    make_settings,
)


def api(
    host: Annotated[str | None, option(help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[int | None, option(help="Port to listen on (default 6333).")] = None,
    grpc: Grpc = None,
    grpc_port: GrpcPort = None,
    workers: Workers = None,
    data: Data = None,
    kafka: Kafka = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
    log_level: LogLevel = None,
) -> None:
    """Serve Qdrant's REST API: writes go to Kafka, reads come from the data folder that a projector writes."""
    settings = make_settings(
        host=host,
        port=port,
        grpc=grpc,
        grpc_port=grpc_port,
        workers=workers,
        data=data,
        kafka=kafka,
        prefix=prefix,
        partitions=partitions,
        log_level=log_level,
    )
    kafka_settings(settings)
    from compose.api.supervisor import supervise
    from compose.descriptors import raise_descriptor_limit

    raise_descriptor_limit()
    asyncio.run(supervise(settings))
