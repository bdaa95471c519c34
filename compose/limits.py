"""How much clients may ask for, as an operator set it."""

from compose.settings import Settings
from ingest.http.limits import Limits


def make_limits(settings: Settings) -> Limits:
    """The limits of an application."""
    return Limits(max_body_bytes=settings.max_body_bytes, max_in_flight_bytes=settings.max_in_flight_bytes)
