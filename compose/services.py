"""What the routes stand on, for an embedded node."""

from importlib.metadata import version

from compose.app import Services
from compose.embedded import EmbeddedNode
from compose.settings import Settings
from ingest.http.limits import Limits


def make_services(node: EmbeddedNode) -> Services:
    """The services of a node."""
    return Services(node.log, node.catalog, node.views, node.views, node, version("headwater"))


def make_limits(settings: Settings) -> Limits:
    """The limits an operator set."""
    return Limits(max_body_bytes=settings.max_body_bytes, max_in_flight_bytes=settings.max_in_flight_bytes)
