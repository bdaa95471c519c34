"""Settings: what an operator may choose. ``compose.reading_settings`` reads them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from ingest.kafka.settings import KafkaSettings
else:
    KafkaSettings = Any  # pydantic, in which they are written, takes .06 s to load and 7 MB

LAST_PORT = 65535

Port = Annotated[int, Meta(ge=0, le=LAST_PORT)]


class Secret:
    """A text that is shown nowhere unless it is asked for."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret('**********')"

    def revealed(self) -> str:
        """The text."""
        return self._text


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may choose. Sizes in bytes, times in seconds unless named otherwise.

    Raises ValueError where two settings don't fit together; what each may be is checked where they are read.
    """

    host: str = "127.0.0.1"
    port: Port = 6333
    grpc: bool = True
    """Whether gRPC is served, too."""
    grpc_port: Port | None = None
    data: Path = Path("data")
    partitions: Annotated[int, Meta(ge=1, le=1024)] | None = None
    """Points partitions of the log; may grow, never shrink. None: as they are, 1 for a new log."""
    log_level: str = "info"
    max_body_bytes: Annotated[int, Meta(ge=1 << 10)] = 32 << 20
    max_collections: int = 4096
    """No further collection is created where there are so many."""
    max_in_flight_bytes: Annotated[int, Meta(ge=1 << 20)] = 256 << 20

    api_key: Secret | None = None
    """Clients must send it; None: everybody who reaches the port may do everything."""
    alt_api_key: Secret | None = None
    """Another one that is as good, so that keys can be rotated."""
    read_only_api_key: Secret | None = None
    """Whoever sends it may read."""
    alt_read_only_api_key: Secret | None = None
    tls_cert: Path | None = None
    """A certificate chain in PEM; with it and ``tls_key`` REST is served over TLS."""
    tls_key: Path | None = None
    cors_origins: tuple[str, ...] = ("*",)
    """Origins whose pages may call; ``["*"]``: all, ``[]``: none."""

    log_retention_bytes: Annotated[int, Meta(ge=1 << 16)] | None = None
    """The embedded log is shortened when its files take more: a snapshot is made and checked, and what that covers is
    deleted. None: the log keeps everything until ``headwater log truncate``."""

    snapshots_path: Path | None = None
    """Where snapshots of collections are, and from where files may be recovered; None: in the data folder. All workers
    of an api need the same."""

    cluster_enabled: bool = False
    """Routes about clustering answer as a Qdrant cluster of one node does, and collections may have shard keys."""

    kafka: KafkaSettings | None = None
    """The log is in Kafka; None: the embedded one in the data folder."""
    group: Annotated[str, Meta(min_length=1)] | None = None
    """The consumer group of a projector's workers; None: <prefix>.projector. Another group is a replica."""
    route: bool = True
    """Whether a projector's workers forward records that are not at home where they landed; one group does."""
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    """Processes that answer requests: of an api; of ``serve``, where one does everything by itself, several have
    another one beside them that writes."""
    worker_timeout: Annotated[float, Meta(ge=1.0)] = 15.0
    """One of several whose event loop shows no life for so long is killed, and another one is started."""
    admin_port: Port = 6335
    """Where a projector worker answers /metrics, /livez and /readyz; 0: any free port."""

    @property
    def port_of_grpc(self) -> int:
        """Where gRPC is served: the port after that of REST unless told otherwise, so that servers need one each."""
        if self.grpc_port is not None:
            return self.grpc_port
        return self.port + 1 if 0 < self.port < LAST_PORT else 0

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given together, or neither")
        for name in ("api_key", "alt_api_key", "read_only_api_key", "alt_read_only_api_key"):
            key: Secret | None = getattr(self, name)
            if key is not None and not key.revealed():
                raise ValueError(f"{name} is empty: nobody could be told from somebody without a key")
        if self.read_only_api_key is not None and self.api_key is None and self.alt_api_key is None:
            raise ValueError("read_only_api_key without api_key: nobody could write")

    def changed(self, **changes: Any) -> Self:
        """These, with other values for some."""
        return msgspec.structs.replace(self, **changes)

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
