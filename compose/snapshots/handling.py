"""What routes about snapshots work with."""

from compose.snapshots.answering import Background
from compose.snapshots.folder import SnapshotsRoot
from compose.snapshots.restore import Restorer
from compose.snapshots.service import SnapshotMaker
from compose.snapshots.source import SnapshotSource
from ingest.ports import Catalog


class SnapshotHandling:
    """Routes that make, list, fetch, delete and recover snapshots."""

    def __init__(
        self, root: SnapshotsRoot, catalog: Catalog, maker: SnapshotMaker, restorer: Restorer, background: Background
    ) -> None:
        self._root = root
        self._catalog = catalog
        self._maker = maker
        self._restorer = restorer
        self._background = background
        self._source = SnapshotSource(root)
