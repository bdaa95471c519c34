"""Everything about snapshots, put together."""

from pathlib import Path

from compose.snapshots.answering import Background
from compose.snapshots.folder import SnapshotsRoot
from compose.snapshots.restore import Restorer
from compose.snapshots.routes import SnapshotRoutes
from compose.snapshots.service import SnapshotMaker
from compose.snapshots.shard_routes import ShardSnapshotRoutes
from ingest.catalog_writer import CatalogWriter
from ingest.http.endpoint import Endpoint
from ingest.ports import Catalog
from ingest.writer import PointsWriter
from query_api.ports import Readers
from query_api.routes.collections import peer_id


def snapshot_endpoints(
    folder: Path, catalog: Catalog, writer: CatalogWriter, points: PointsWriter, readers: Readers, identity: str
) -> list[Endpoint]:
    """The routes about snapshots, which are kept in ``folder``. ``identity`` is the log's."""
    root, background = SnapshotsRoot(folder), Background()
    maker = SnapshotMaker(root, catalog, readers, peer_id(identity))
    restorer = Restorer(catalog, writer, points, readers)
    return [
        *SnapshotRoutes(root, catalog, maker, restorer, background).endpoints(),
        *ShardSnapshotRoutes(root, catalog, maker, restorer, background).endpoints(),
    ]
