"""CatalogFollower: the catalog as it is visible, and waiting for a catalog record and its markers."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from ingest.ports import CollectionEntry
from projector.catalog.state import CatalogState, CollectionMeta, MarkerOffset
from projector.waiters import Waiters
from schemas.config import CUSTOM_SHARDING, is_hidden, staged_name
from schemas.errors import NotFoundError
from schemas.operations import Outcome

KEPT_MARKERS = 10_000


class CatalogFollower:
    """Implements ``ingest.ports.Catalog``. Runs on one event loop."""

    def __init__(self) -> None:
        self._state = CatalogState()
        self._entries: dict[str, CollectionEntry] = {}
        self._by_name: list[CollectionEntry] | None = None
        self._markers: OrderedDict[int, Sequence[MarkerOffset]] = OrderedDict()
        self.waiters = Waiters(-1)

    def publish(
        self, offset: int, state: CatalogState, outcomes: Sequence[Outcome], markers: Sequence[MarkerOffset]
    ) -> None:
        """The catalog at ``offset`` is ``state``; its last record caused ``markers``."""
        if state is not self._state:
            self._take(state)
        if markers:
            self.remember_markers(offset, markers)
        self.waiters.advance(offset, outcomes)

    def remember_markers(self, offset: int, markers: Sequence[MarkerOffset]) -> None:
        """The catalog record at ``offset``, which may be visible later, caused ``markers``."""
        self._markers[offset] = markers
        if len(self._markers) > KEPT_MARKERS:
            self._markers.popitem(last=False)

    def markers_of(self, offset: int) -> Sequence[MarkerOffset]:
        """The markers that the catalog record at ``offset`` caused, where they are on the log."""
        return self._markers.get(offset, ())

    def resolve(self, name: str) -> CollectionEntry:
        """The collection that a name or alias stands for. Raises NotFoundError."""
        entry = None if is_hidden(name) else self._entries.get(name)
        entry = entry or self._entries.get(self._state.aliases.get(name, ""))
        if entry is None:
            raise NotFoundError(f"Not found: Collection `{name}` doesn't exist!")
        return entry

    def staged(self, name: str) -> CollectionEntry | None:
        """The collection that is staged for the name of a collection, None when there is none."""
        return self._entries.get(staged_name(name))

    def collections(self) -> Sequence[CollectionEntry]:
        """All collections, by name."""
        if self._by_name is None:
            self._by_name = [entry for name, entry in sorted(self._entries.items()) if not is_hidden(name)]
        return self._by_name

    def aliases(self) -> Mapping[str, str]:
        """Alias -> collection name."""
        return self._state.aliases

    def _take(self, state: CatalogState) -> None:
        old, self._state = self._state.collections, state
        for name in old.keys() - state.collections.keys():
            del self._entries[name]
        for name, meta in state.collections.items():
            if meta.config.sharding_method == CUSTOM_SHARDING and meta.key is None:
                first, *keys = state.family(name)
                self._entries[name] = _entry(first, tuple(map(_entry, keys)))
            elif old.get(name) is not meta:
                self._entries[name] = _entry(meta)
        self._by_name = None


def _entry(meta: CollectionMeta, keys: tuple[CollectionEntry, ...] = ()) -> CollectionEntry:
    return CollectionEntry(meta.uid, meta.name, meta.config, tuple(meta.shard_map), keys, meta.key, meta.first)
