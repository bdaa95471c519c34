"""CatalogFeedFollower: the catalog in a process that only reads."""

from projector.catalog.follower import CatalogFollower
from projector.folders import StateFolder


class CatalogFeedFollower(CatalogFollower):
    """A CatalogFollower that follows the feed. Runs on one event loop."""

    def __init__(self, folder: StateFolder, identity: str) -> None:
        """``folder`` need not hold anything yet. ``identity`` is the log's. Raises OSError."""
        raise NotImplementedError

    async def loaded(self) -> None:
        """Return once the catalog is as it was at the feed's end when it was first read."""
        raise NotImplementedError

    async def run(self) -> None:
        """Follow the feed for ever; ``close`` after it was cancelled."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the feed."""
        raise NotImplementedError
