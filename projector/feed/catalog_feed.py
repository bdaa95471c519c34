"""CatalogFeed: the catalog for readers in other processes."""

from collections.abc import Sequence

from projector.catalog.runner import MarkerOffset
from projector.catalog.state import CatalogState
from projector.folders import StateFolder
from schemas.operations import Outcome


class CatalogFeed:
    """One generation of the catalog's feed. ``publish`` is what a CatalogRunner publishes to."""

    def __init__(self, folder: StateFolder, identity: str) -> None:
        """Nothing is written before the first ``publish``, which begins the generation. ``identity`` is the log's."""
        raise NotImplementedError

    def publish(
        self, offset: int, state: CatalogState, outcomes: Sequence[Outcome], markers: Sequence[MarkerOffset]
    ) -> None:
        """The catalog at ``offset`` is ``state``; its last record caused ``markers``. Raises OSError."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file; readers may go on reading it."""
        raise NotImplementedError
