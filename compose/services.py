"""What the routes stand on, for an embedded node."""

from importlib.metadata import version

from compose.app import Services
from compose.embedded import EmbeddedNode


def make_services(node: EmbeddedNode) -> Services:
    """The services of a node."""
    return Services(
        node.log,
        node.catalog,
        node.views,
        node.views,
        node.views,
        node,
        version("headwater"),
        snapshots=node.settings.collection_snapshots,
        data=node.settings.data,
        cluster_enabled=node.settings.cluster_enabled,
    )
