"""Endpoints about the service itself: what it is, whether it is well, its metrics."""

from datetime import UTC, datetime
from typing import Protocol

import msgspec
import xxhash
from prometheus_client import CONTENT_TYPE_LATEST

from compose.http.metrics import exposition
from ingest.http.endpoint import Call, Endpoint, Handler, Reply
from ingest.http.query import NONE, Parameters, read_count, read_flag
from ingest.ports import Catalog, CollectionEntry
from schemas.rest.collection_info import CollectionConfigResult, render_config

QDRANT_VERSION = "1.19.0"
"""The release of Qdrant whose REST contract this is; its clients compare their own version with it."""
TITLE = "qdrant - vector search engine"
"""Clients and tools know Qdrant's REST contract by it; ``commit`` says what serves it here."""
_LEVEL_COLLECTIONS = 1
_LEVEL_CONFIGS = 3
"""As in Qdrant: the higher ``details_level``, the more is told."""
_ANONYMIZE = {"anonymize": read_flag}
_TELEMETRY = {**_ANONYMIZE, "details_level": read_count}
TAG = "Service"


class Readiness(Protocol):
    """Whether reads and writes can be answered."""

    def ready(self) -> tuple[bool, str]:
        """Ready or not, and a sentence for people."""
        ...


class VersionInfo(msgspec.Struct):
    """Whose contract is served, in which release; ``commit`` names the release of Headwater that serves it."""

    title: str
    version: str
    commit: str


class AppTelemetry(msgspec.Struct):
    """The process."""

    name: str
    version: str
    startup: datetime


class CollectionTelemetry(msgspec.Struct, omit_defaults=True):
    """One collection; its configuration from details level 3 on."""

    id: str
    config: CollectionConfigResult | msgspec.UnsetType = msgspec.UNSET


class CollectionsTelemetry(msgspec.Struct, omit_defaults=True):
    """The collections, one by one from details level 1 on."""

    number_of_collections: int
    collections: list[CollectionTelemetry] | msgspec.UnsetType = msgspec.UNSET


class ClusterTelemetry(msgspec.Struct):
    """There are no peers that know of each other: partitions are spread by the log."""

    enabled: bool


class IssuesResult(msgspec.Struct):
    """What could be better, as far as the server can tell."""

    issues: list[str]


class Telemetry(msgspec.Struct):
    """What is known about this server. Nothing is sent anywhere."""

    id: str
    app: AppTelemetry
    collections: CollectionsTelemetry
    cluster: ClusterTelemetry


class ServiceRoutes:
    """The routes about the service. ``identity`` is the log's."""

    def __init__(self, catalog: Catalog, readiness: Readiness, version: str, identity: str) -> None:
        self._catalog = catalog
        self._readiness = readiness
        self._version = version
        self._identity = identity
        self._started = datetime.now(UTC)
        self._root_body = msgspec.json.encode(VersionInfo(TITLE, QDRANT_VERSION, f"headwater {version}"))

    def endpoints(self) -> list[Endpoint]:
        """Root, health, metrics, telemetry."""
        return [
            Endpoint("GET", "/", self._root, "Service info", TAG, result=VersionInfo, enveloped=False),
            _text_endpoint("/healthz", self._alive, "Health check"),
            _text_endpoint("/livez", self._alive, "Liveness check"),
            _text_endpoint("/readyz", self._ready, "Readiness check"),
            _text_endpoint("/metrics", self._metrics, "Prometheus metrics", _ANONYMIZE),
            Endpoint("GET", "/telemetry", self._telemetry, "Telemetry", TAG, result=Telemetry, parameters=_TELEMETRY),
            Endpoint("GET", "/issues", self._issues, "Issues", TAG, result=IssuesResult),
            Endpoint("DELETE", "/issues", self._clear_issues, "Clear issues", TAG, result=bool),
        ]

    async def _root(self, _: Call) -> Reply:
        return Reply(raw=self._root_body)

    async def _alive(self, _: Call) -> Reply:
        return _text(b"healthz check passed")

    async def _ready(self, _: Call) -> Reply:
        ready, sentence = self._readiness.ready()
        # Clients of Qdrant may look for this sentence.
        said = sentence.removeprefix("ready")
        return _text(f"all shards are ready{said}".encode()) if ready else _text(sentence.encode(), 503)

    async def _metrics(self, _: Call) -> Reply:
        return Reply(raw=exposition(), content_type=CONTENT_TYPE_LATEST.encode())

    async def _telemetry(self, call: Call) -> Reply:
        level: int = call.params.others.get("details_level", 0)
        anonymous: bool = call.params.others.get("anonymize", False)
        entries = self._catalog.collections()
        told = CollectionsTelemetry(len(entries))
        if level >= _LEVEL_COLLECTIONS:
            told.collections = [_collection(entry, level, anonymous) for entry in entries]
        identity = _anonymous(self._identity) if anonymous else self._identity
        app = AppTelemetry("headwater", self._version, self._started)
        return Reply(Telemetry(identity, app, told, ClusterTelemetry(False)))

    async def _issues(self, _: Call) -> Reply:
        return Reply(IssuesResult([]))

    async def _clear_issues(self, _: Call) -> Reply:
        return Reply(True)


def _collection(entry: CollectionEntry, level: int, anonymous: bool) -> CollectionTelemetry:
    told = CollectionTelemetry(_anonymous(entry.name) if anonymous else entry.name)
    if level >= _LEVEL_CONFIGS and not anonymous:
        told.config = render_config(entry.config)
    return told


def _anonymous(text: str) -> str:
    return xxhash.xxh64_hexdigest(text.encode())


def _text(text: bytes, status: int = 200) -> Reply:
    return Reply(status=status, raw=text, content_type=b"text/plain; charset=utf-8")


def _text_endpoint(path: str, handler: Handler, summary: str, parameters: Parameters = NONE) -> Endpoint:
    return Endpoint("GET", path, handler, summary, TAG, parameters=parameters, enveloped=False, media_type="text/plain")
