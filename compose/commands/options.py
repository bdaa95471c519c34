"""Flags that several commands share, and the settings they make together with the environment."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from compose.command_line import option
from compose.errors import UserError
from compose.logging import configure_logging
from compose.reading_settings import read_settings
from compose.settings import Settings

if TYPE_CHECKING:
    from ingest.kafka.settings import KafkaSettings

Data = Annotated[Path | None, option("--data", help="Data folder (default: data, or HEADWATER_DATA).")]
Kafka = Annotated[
    str | None,
    option("--kafka", metavar="HOST:PORT", help="Kafka's brokers (HEADWATER_KAFKA__BOOTSTRAP_SERVERS)."),
]
Prefix = Annotated[
    str | None, option("--prefix", help="What the names of the topics in Kafka begin with (default headwater).")
]
Partitions = Annotated[
    int | None, option("--partitions", help="Points partitions; may grow, never shrink (default 1).")
]
Workers = Annotated[int | None, option("--workers", help="Processes that answer requests (default 1).")]
Group = Annotated[str | None, option("--group", help="The projector's consumer group (default <prefix>.projector).")]
Grpc = Annotated[bool | None, option("--grpc/--no-grpc", help="Whether to serve gRPC, too (default: yes).")]
GrpcPort = Annotated[int | None, option("--grpc-port", help="Port for gRPC (default 6334: that of REST + 1).")]
LogLevel = Annotated[str | None, option("--log-level", help="debug, info, warning or error.")]


def make_settings(*, kafka: str | None = None, prefix: str | None = None, **flags: Any) -> Settings:
    """Settings from flags that were given, over the environment; sets up logging. Raises UserError."""
    given = {name: value for name, value in flags.items() if value is not None}
    nested = {"bootstrap_servers": kafka, "prefix": prefix}
    if chosen := {name: value for name, value in nested.items() if value is not None}:
        given["kafka"] = chosen
    settings = read_settings(**given)
    try:
        configure_logging(settings.log_level)
    except ValueError as error:
        raise UserError(str(error)) from error
    return settings


def kafka_settings(settings: Settings) -> "KafkaSettings":
    """Where Kafka is, for commands that can't do without. Raises UserError."""
    if settings.kafka is None:
        raise UserError("say where Kafka is: --kafka HOST:PORT, or HEADWATER_KAFKA__BOOTSTRAP_SERVERS")
    return settings.kafka
