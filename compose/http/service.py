"""Endpoints about the service itself: what it is, whether it is well, its metrics."""

from datetime import UTC, datetime
from typing import Protocol

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST

from compose.http.metrics import exposition
from ingest.http.endpoint import Call, Endpoint, Handler, Reply
from ingest.ports import Catalog

QDRANT_VERSION = "1.19.0"
"""The release of Qdrant whose REST contract this is; its clients compare their own version with it."""
TITLE = "headwater - vector database"
TAG = "Service"


class Readiness(Protocol):
    """Whether reads and writes can be answered."""

    def ready(self) -> tuple[bool, str]:
        """Ready or not, and a sentence for people."""
        ...


class VersionInfo(msgspec.Struct):
    """What runs here. ``version`` is the release of Qdrant whose contract is served."""

    title: str
    version: str
    headwater: str


class AppTelemetry(msgspec.Struct):
    """The process."""

    name: str
    version: str
    startup: datetime


class CollectionsTelemetry(msgspec.Struct):
    """The collections."""

    number_of_collections: int


class Telemetry(msgspec.Struct):
    """What is known about this server. Nothing is sent anywhere."""

    id: str
    app: AppTelemetry
    collections: CollectionsTelemetry


class ServiceRoutes:
    """The routes about the service. ``identity`` is the log's."""

    def __init__(self, catalog: Catalog, readiness: Readiness, version: str, identity: str) -> None:
        self._catalog = catalog
        self._readiness = readiness
        self._version = version
        self._identity = identity
        self._started = datetime.now(UTC)
        self._root_body = msgspec.json.encode(VersionInfo(TITLE, QDRANT_VERSION, version))

    def endpoints(self) -> list[Endpoint]:
        """Root, health, metrics, telemetry."""
        return [
            Endpoint("GET", "/", self._root, "Service info", TAG, result=VersionInfo, enveloped=False),
            _text_endpoint("/healthz", self._alive, "Health check"),
            _text_endpoint("/livez", self._alive, "Liveness check"),
            _text_endpoint("/readyz", self._ready, "Readiness check"),
            _text_endpoint("/metrics", self._metrics, "Prometheus metrics"),
            Endpoint("GET", "/telemetry", self._telemetry, "Telemetry", TAG, result=Telemetry),
        ]

    async def _root(self, _: Call) -> Reply:
        return Reply(raw=self._root_body)

    async def _alive(self, _: Call) -> Reply:
        return _text(b"headwater is alive")

    async def _ready(self, _: Call) -> Reply:
        ready, sentence = self._readiness.ready()
        return _text(sentence.encode(), 200 if ready else 503)

    async def _metrics(self, _: Call) -> Reply:
        return Reply(raw=exposition(), content_type=CONTENT_TYPE_LATEST.encode())

    async def _telemetry(self, _: Call) -> Reply:
        app = AppTelemetry("headwater", self._version, self._started)
        return Reply(Telemetry(self._identity, app, CollectionsTelemetry(len(self._catalog.collections()))))


def _text(text: bytes, status: int = 200) -> Reply:
    return Reply(status=status, raw=text, content_type=b"text/plain; charset=utf-8")


def _text_endpoint(path: str, handler: Handler, summary: str) -> Endpoint:
    return Endpoint("GET", path, handler, summary, TAG, enveloped=False, media_type="text/plain")
