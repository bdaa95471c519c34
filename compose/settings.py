"""Settings: from flags, from HEADWATER_* environment variables, else defaults."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.kafka.settings import KafkaSettings


class Settings(BaseSettings):
    """What an operator may choose. Sizes in bytes, times in seconds unless named otherwise.

    What is nested is named with two underscores in the environment: ``HEADWATER_KAFKA__BOOTSTRAP_SERVERS``.
    """

    model_config = SettingsConfigDict(env_prefix="HEADWATER_", env_nested_delimiter="__")

    host: str = "127.0.0.1"
    port: int = Field(default=6333, ge=0, le=65535)
    data: Path = Path("data")
    partitions: int | None = Field(default=None, ge=1, le=1024)
    """Points partitions of the log; may grow, never shrink. None: as they are, 1 for a new log."""
    log_level: str = "info"
    max_body_bytes: int = Field(default=32 << 20, ge=1 << 10)
    max_in_flight_bytes: int = Field(default=256 << 20, ge=1 << 20)

    kafka: KafkaSettings | None = None
    """The log is in Kafka; None: the embedded one in the data folder."""
    group: str | None = Field(default=None, min_length=1)
    """The consumer group of a projector's workers; None: <prefix>.projector. Another group is a replica."""
    route: bool = True
    """Whether a projector's workers forward records that are not at home where they landed; one group does."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes of an api."""
    worker_timeout: float = Field(default=15.0, ge=1.0)
    """A process of an api whose event loop shows no life for so long is killed, and another one is started."""
    admin_port: int = Field(default=6335, ge=0, le=65535)
    """Where a projector worker answers /metrics, /livez and /readyz; 0: any free port."""

    @model_validator(mode="after")
    def _partitions_are_of_either_log(self) -> Self:
        if self.kafka is not None and self.kafka.partitions is None and self.partitions is not None:
            self.kafka = self.kafka.model_copy(update={"partitions": self.partitions})
        return self

    @property
    def consumer_group(self) -> str:
        """The name of the projector's consumer group in Kafka. Raises ValueError without ``kafka``."""
        if self.kafka is None:
            raise ValueError("there are consumer groups in Kafka only")
        return self.group or f"{self.kafka.prefix}.projector"


class DataFolder:
    """Where things are in a data folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "log"
        self.state = root / "state"
        self.snapshots = root / "snapshots"
