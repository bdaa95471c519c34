"""The application: every endpoint, over the services it needs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from compose.cluster.endpoints import cluster_endpoints
from compose.dashboard.routes import DashboardRoutes
from compose.dashboard.status import Lags, StatusReader
from compose.http.access import Access
from compose.http.application import HeadwaterApp
from compose.http.cors import Cors
from compose.http.quotas import QuotaRoutes
from compose.http.ready import ReadyCatalog
from compose.http.service import Readiness, ServiceRoutes
from compose.quotas import Quotas
from compose.snapshots.endpoints import snapshot_endpoints
from ingest.catalog_writer import CatalogWriter
from ingest.http.limits import Limits
from ingest.log import Log, Topic
from ingest.ports import Catalog, Visibility
from ingest.routes.collections import CollectionWriteRoutes
from ingest.routes.indexes import IndexRoutes
from ingest.routes.points import PointWriteRoutes
from ingest.sharding import split_at
from ingest.strict.rates import RateLimits
from ingest.strict.writes import StrictWrites
from ingest.writer import PointsWriter
from query_api.answering import Answering
from query_api.freshness import Freshness
from query_api.ports import Readers
from query_api.reading import Reader
from query_api.routes.collections import CollectionReadRoutes
from query_api.routes.facet import FacetRoutes
from query_api.routes.matrix import MatrixRoutes
from query_api.routes.optimizations import OptimizationRoutes
from query_api.routes.points import PointReadRoutes
from query_api.routes.queries import QueryRoutes
from query_api.sizes import ShardSizes


async def no_recount() -> None:
    """For logs that always know their partitions."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes stand on. ``version`` is Headwater's own; ``recount`` has the log count its partitions.

    ``log_record_bytes`` is what the log takes as one record of points, None where that is more than anybody writes.
    """

    log: Log
    catalog: Catalog
    visibility: Visibility
    readers: Readers
    lags: Lags
    readiness: Readiness
    version: str
    recount: Callable[[], Awaitable[None]] = no_recount
    log_record_bytes: int | None = None
    snapshots: Path = Path("collection-snapshots")
    """The folder for snapshots of collections."""
    data: Path = Path("data")
    """The data folder: where quotas are kept, and whose disk they are about."""
    cluster_enabled: bool = False
    """Whether routes about clustering answer as a cluster of one; collections have shard keys then."""


def create_app(
    services: Services, limits: Limits | None = None, access: Access | None = None, cors: Cors | None = None
) -> HeadwaterApp:
    """The application. Clients may ask for as much as ``limits`` says, defaults when None.

    Without ``access`` no keys are asked for; without ``cors`` pages of every origin may call.
    """
    limits = limits or Limits()
    log, visibility = services.log, services.visibility
    catalog = ReadyCatalog(services.catalog, services.readiness)
    freshness = Freshness(services.readers, lambda: log.partitions(Topic.POINTS), services.recount, limits)
    rates = RateLimits()
    reader = Reader(catalog, services.readers, freshness, limits, rates)
    strict = StrictWrites(ShardSizes(services.readers), rates)
    answering = Answering(reader)
    writer = CatalogWriter(log, catalog, visibility, limits.max_collections)
    quotas = Quotas(services.data)
    points = PointsWriter(log, visibility, _record_bytes(services, limits), quotas.check)
    endpoints = [
        *ServiceRoutes(services.catalog, services.readiness, services.version, log.identity).endpoints(),
        *cluster_endpoints(catalog, writer, limits, log.identity, enabled=services.cluster_enabled),
        *CollectionReadRoutes(catalog, services.readers, freshness, reader, log.identity).endpoints(),
        *CollectionWriteRoutes(writer, limits).endpoints(),
        *IndexRoutes(catalog, writer, limits, strict).endpoints(),
        *PointReadRoutes(reader, answering).endpoints(),
        *QueryRoutes(reader, answering).endpoints(),
        *MatrixRoutes(reader).endpoints(),
        *FacetRoutes(reader).endpoints(),
        *OptimizationRoutes(catalog, services.readers).endpoints(),
        *QuotaRoutes(quotas).endpoints(),
        *DashboardRoutes(
            StatusReader(log, catalog, services.readers, services.lags), services.readiness, services.version
        ).endpoints(),
        *PointWriteRoutes(catalog, points, limits, strict).endpoints(),
        *snapshot_endpoints(services.snapshots, catalog, writer, points, services.readers, log.identity),
    ]
    return HeadwaterApp(endpoints, limits, services.version, access, cors)


def _record_bytes(services: Services, limits: Limits) -> int:
    takes = services.log_record_bytes
    return limits.max_record_bytes if takes is None else split_at(takes, limits.max_record_bytes)
