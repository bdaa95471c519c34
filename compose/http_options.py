"""What clients may do, as an operator set it: limits, keys, origins, TLS."""

import ssl

import structlog

from compose.errors import UserError
from compose.http.access import Access
from compose.http.cors import Cors
from compose.reading_settings import unread_credentials
from compose.settings import Secret, Settings
from ingest.http.limits import Limits

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_logger = structlog.get_logger("headwater")


def make_limits(settings: Settings) -> Limits:
    """How much clients may ask for."""
    return Limits(
        max_body_bytes=settings.max_body_bytes,
        max_in_flight_bytes=settings.max_in_flight_bytes,
        max_collections=settings.max_collections,
    )


def make_access(settings: Settings) -> Access:
    """The keys that clients must send."""
    return Access(
        _given(settings.api_key, settings.alt_api_key),
        _given(settings.read_only_api_key, settings.alt_read_only_api_key),
    )


def make_cors(settings: Settings) -> Cors:
    """The origins whose pages may call."""
    return Cors(settings.cors_origins)


def make_tls(settings: Settings) -> ssl.SSLContext | None:
    """How connections are encrypted; None: not at all. Raises UserError."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"tls_cert {settings.tls_cert} and tls_key {settings.tls_key} can't be used: {error}"
        ) from error
    return context


def warn_if_open(settings: Settings) -> None:
    """Say so where everybody who reaches the address may do everything, or an operator may think of keys as set."""
    if unread := unread_credentials():
        _logger.warning(
            "keys and certificates are read from variables that begin with HEADWATER_ only",
            unread=list(unread),
            remedy=f"set {', '.join(unread.values())}",
        )
    if settings.host not in _LOOPBACK and not make_access(settings).restricted:
        _logger.warning(
            "no API key is set: whoever reaches this address may read and change everything",
            host=settings.host,
            remedy="set HEADWATER_API_KEY, or listen on 127.0.0.1",
        )


def _given(*keys: Secret | None) -> list[str]:
    return [key.revealed() for key in keys if key is not None]
