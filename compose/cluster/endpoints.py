"""Everything about clustering, put together."""

from compose.cluster import standalone
from compose.cluster.distributed import DistributedRoutes
from compose.cluster.shard_keys import ShardKeyRoutes
from ingest.catalog_writer import CatalogWriter
from ingest.http.endpoint import Endpoint
from ingest.http.limits import Limits
from ingest.ports import Catalog
from query_api.routes.collections import peer_id


def cluster_endpoints(
    catalog: Catalog, writer: CatalogWriter, limits: Limits, identity: str, *, enabled: bool
) -> list[Endpoint]:
    """The routes about clustering, which is ``enabled`` or not. ``identity`` is the log's."""
    peer = peer_id(identity)
    keys = ShardKeyRoutes(catalog, writer, limits, peer)
    if not enabled:
        return [keys.listing(), *standalone.endpoints()]
    return [keys.listing(), *keys.changing(), *DistributedRoutes(catalog, keys, limits, peer).endpoints()]
