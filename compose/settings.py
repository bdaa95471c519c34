"""Settings: from flags, from HEADWATER_* environment variables, else defaults."""

from pathlib import Path
from typing import Any, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.kafka.settings import KafkaSettings

LAST_PORT = 65535


def _or_qdrants(name: str, qdrants: str, default: Any = None) -> Any:
    """A setting that is also read from the variable that Qdrant has for it."""
    choices = AliasChoices(name, f"HEADWATER_{name.upper()}", f"QDRANT__{qdrants}")
    return Field(default=default, validation_alias=choices)


class Settings(BaseSettings):
    """What an operator may choose. Sizes in bytes, times in seconds unless named otherwise.

    What is nested is named with two underscores in the environment: ``HEADWATER_KAFKA__BOOTSTRAP_SERVERS``.
    """

    model_config = SettingsConfigDict(env_prefix="HEADWATER_", env_nested_delimiter="__", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=6333, ge=0, le=LAST_PORT)
    grpc: bool = True
    """Whether gRPC is served, too."""
    grpc_port: int | None = Field(
        default=None,
        ge=0,
        le=LAST_PORT,
        validation_alias=AliasChoices("grpc_port", "HEADWATER_GRPC_PORT", "QDRANT__SERVICE__GRPC_PORT"),
    )
    data: Path = Path("data")
    partitions: int | None = Field(default=None, ge=1, le=1024)
    """Points partitions of the log; may grow, never shrink. None: as they are, 1 for a new log."""
    log_level: str = "info"
    max_body_bytes: int = Field(default=32 << 20, ge=1 << 10)
    max_collections: int = _or_qdrants("max_collections", "STORAGE__MAX_COLLECTIONS", default=4096)
    """No further collection is created where there are so many."""
    max_in_flight_bytes: int = Field(default=256 << 20, ge=1 << 20)

    api_key: SecretStr | None = _or_qdrants("api_key", "SERVICE__API_KEY")
    """Clients must send it; None: everybody who reaches the port may do everything."""
    alt_api_key: SecretStr | None = _or_qdrants("alt_api_key", "SERVICE__ALT_API_KEY")
    """Another one that is as good, so that keys can be rotated."""
    read_only_api_key: SecretStr | None = _or_qdrants("read_only_api_key", "SERVICE__READ_ONLY_API_KEY")
    """Whoever sends it may read."""
    alt_read_only_api_key: SecretStr | None = _or_qdrants("alt_read_only_api_key", "SERVICE__ALT_READ_ONLY_API_KEY")
    tls_cert: Path | None = _or_qdrants("tls_cert", "TLS__CERT")
    """A certificate chain in PEM; with it and ``tls_key`` REST is served over TLS."""
    tls_key: Path | None = _or_qdrants("tls_key", "TLS__KEY")
    cors_origins: tuple[str, ...] = ("*",)
    """Origins whose pages may call; ``["*"]``: all, ``[]``: none."""

    log_retention_bytes: int | None = Field(default=None, ge=1 << 16)
    """The embedded log is shortened when its files take more: a snapshot is made and checked, and what that covers is
    deleted. None: the log keeps everything until ``headwater log truncate``."""

    snapshots_path: Path | None = _or_qdrants("snapshots_path", "STORAGE__SNAPSHOTS_PATH")
    """Where snapshots of collections are, and from where files may be recovered; None: in the data folder. All workers
    of an api need the same."""

    cluster_enabled: bool = _or_qdrants("cluster_enabled", "CLUSTER__ENABLED", default=False)
    """Routes about clustering answer as a Qdrant cluster of one node does, and collections may have shard keys."""

    kafka: KafkaSettings | None = None
    """The log is in Kafka; None: the embedded one in the data folder."""
    group: str | None = Field(default=None, min_length=1)
    """The consumer group of a projector's workers; None: <prefix>.projector. Another group is a replica."""
    route: bool = True
    """Whether a projector's workers forward records that are not at home where they landed; one group does."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that answer requests: of an api; of ``serve``, where one does everything by itself, several have
    another one beside them that writes."""
    worker_timeout: float = Field(default=15.0, ge=1.0)
    """One of several whose event loop shows no life for so long is killed, and another one is started."""
    admin_port: int = Field(default=6335, ge=0, le=65535)
    """Where a projector worker answers /metrics, /livez and /readyz; 0: any free port."""

    @property
    def port_of_grpc(self) -> int:
        """Where gRPC is served: the port after that of REST unless told otherwise, so that servers need one each."""
        if self.grpc_port is not None:
            return self.grpc_port
        return self.port + 1 if 0 < self.port < LAST_PORT else 0

    @model_validator(mode="after")
    def _partitions_are_of_either_log(self) -> Self:
        if self.kafka is not None and self.kafka.partitions is None and self.partitions is not None:
            self.kafka = self.kafka.model_copy(update={"partitions": self.partitions})
        return self

    @model_validator(mode="after")
    def _keys_are_texts_and_tls_is_whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given together, or neither")
        for name in ("api_key", "alt_api_key", "read_only_api_key", "alt_read_only_api_key"):
            key: SecretStr | None = getattr(self, name)
            if key is not None and not key.get_secret_value():
                raise ValueError(f"{name} is empty: nobody could be told from somebody without a key")
        if self.read_only_api_key is not None and self.api_key is None and self.alt_api_key is None:
            raise ValueError("read_only_api_key without api_key: nobody could write")
        return self

    @property
    def collection_snapshots(self) -> Path:
        """The folder for snapshots of collections."""
        return self.snapshots_path or DataFolder(self.data).collection_snapshots

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
        self.collection_snapshots = root / "collection-snapshots"
