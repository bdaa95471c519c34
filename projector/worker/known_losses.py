"""KnownLosses: what the states that are open here go on without, for metrics, readiness and the log."""

import structlog
from prometheus_client import Gauge

from ingest.log import Topic
from projector.catalog.store import CatalogStore
from projector.state.losses import Loss, tell
from projector.state.store import PartitionState

LOST = Gauge(
    "headwater_accepted_loss_offsets",
    "Offsets that a state goes on without, as they were gone from the log before they were applied",
    ["topic", "partition"],
    multiprocess_mode="livemax",
)

_logger = structlog.get_logger("headwater.state")


class KnownLosses:
    """A listener of the services of points and catalog."""

    def __init__(self) -> None:
        self._losses: dict[str, list[Loss]] = {}

    def add_partition(self, partition: int, state: PartitionState) -> None:
        """A partition is open."""
        self._add(Topic.POINTS, partition, state.losses)

    async def remove_partition(self, partition: int) -> None:
        """It is about to be closed."""
        self._losses.pop(f"{Topic.POINTS}-{partition}", None)

    def add_catalog(self, store: CatalogStore) -> None:
        """The catalog is open."""
        self._add(Topic.CATALOG, 0, store.losses)

    async def remove_catalog(self) -> None:
        """It is about to be closed."""
        self._losses.pop(f"{Topic.CATALOG}-0", None)

    def _add(self, topic: Topic, partition: int, losses: list[Loss]) -> None:
        LOST.labels(topic.value, str(partition)).set(sum(loss.offsets for loss in losses))
        if not losses:
            return
        where = f"{topic}-{partition}"
        self._losses[where] = losses
        _logger.warning("the state goes on without records that the log lost", where=where, lost=tell(losses))

    def sentence(self) -> str:
        """What is missing, for people; empty where nothing is."""
        if not self._losses:
            return ""
        return "without what the log lost: " + "; ".join(f"{w}, {tell(some)}" for w, some in self._losses.items())
