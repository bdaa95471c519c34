"""The catalog behind a gate: while the node catches up, nothing is there yet, which isn't the same as not found."""

from collections.abc import Mapping, Sequence

from compose.http.service import Readiness
from ingest.ports import Catalog, CollectionEntry
from schemas.errors import UnavailableError


class ReadyCatalog:
    """Implements ``ingest.ports.Catalog``; raises UnavailableError until the node is ready."""

    def __init__(self, catalog: Catalog, readiness: Readiness) -> None:
        self._catalog = catalog
        self._readiness = readiness
        self._was_ready = False

    def _check(self) -> None:
        if self._was_ready:
            return
        self._was_ready, sentence = self._readiness.ready()
        if not self._was_ready:
            raise UnavailableError(f"Not ready yet: {sentence}")

    def resolve(self, name: str) -> CollectionEntry:
        """The collection that a name or alias stands for. Raises NotFoundError."""
        self._check()
        return self._catalog.resolve(name)

    def staged(self, name: str) -> CollectionEntry | None:
        """The collection that is staged for the name of a collection, None when there is none."""
        self._check()
        return self._catalog.staged(name)

    def collections(self) -> Sequence[CollectionEntry]:
        """All collections, by name."""
        self._check()
        return self._catalog.collections()

    def aliases(self) -> Mapping[str, str]:
        """Alias -> collection name."""
        self._check()
        return self._catalog.aliases()
