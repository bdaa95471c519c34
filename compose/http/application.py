"""HeadwaterApp: calls endpoints directly, and says of everything else that there is no such thing."""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from urllib.parse import unquote_to_bytes

from prometheus_client import Counter
from starlette.types import ASGIApp

from compose.http.access import Access
from compose.http.cors import Cors
from compose.http.errors import answer_error
from compose.http.guarded import endpoint_tree, refused
from ingest.http.asgi import answer_by
from ingest.http.endpoint import JSON_TYPE, Endpoint
from ingest.http.exchange import Exchange
from ingest.http.limits import InFlight, Limits

UNKNOWN = Counter("headwater_http_unknown_total", "Requests for what there is no route for", ["method"])
PAGES = ("/openapi.json", "/docs", "/redoc", "/docs-assets")
"""The OpenAPI document, the pages that show it, and what those load."""
_REPLACED = "\ufffd"
_NO_TEXT = "Deserialize error in path parameters: it is not UTF-8"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class HeadwaterApp:
    """Answers by endpoints. Keys and origins are looked at here.

    FastAPI documents the endpoints. Its own layers take longer than a search in a small collection, and importing it
    takes as long as all the rest of a start: it comes with the first request for one of the ``PAGES``.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        limits: Limits,
        version: str,
        access: Access | None = None,
        cors: Cors | None = None,
    ) -> None:
        """Without ``access`` no keys are asked for; without ``cors`` every origin may call."""
        self.endpoints = tuple(endpoints)
        self._version = version
        self.limits = limits
        self.access = access or Access()
        self._cors = cors or Cors()
        self.in_flight = InFlight(limits.max_in_flight_bytes)
        self._tree = endpoint_tree(endpoints, limits, self.in_flight)

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        head = exchange.head
        if (origin := head.origin) is not None and self._cors.allows(origin):
            headers = self._cors.preflight(head, origin)
            if headers is not None:
                exchange.answer(200, JSON_TYPE, headers, b"")
                return
            exchange.added = self._cors.allowed(origin)
        path = head.path
        found = self._tree.find(head.method, path)
        if self.access.restricted and refused(self.access, exchange, found):
            return
        if _REPLACED in path and not _is_utf8(head.raw_path):
            # Two names would be one: what can't be read as UTF-8 is replaced by the same character.
            answer_error(exchange, 400, _NO_TEXT)
        elif found is not None:
            await found.answer(exchange, found.parameters)
        elif head.method in ("GET", "HEAD") and path.startswith(PAGES):
            await answer_by(await asyncio.to_thread(lambda: self._pages), exchange)
        else:
            answer_error(exchange, 404, _not_found(head.method, path))

    @cached_property
    def _pages(self) -> ASGIApp:
        from compose.http.pages import create_pages

        return create_pages(self.endpoints, self._version, _not_found)


def _is_utf8(raw_path: bytes) -> bool:
    try:
        unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        return False
    return True


def _not_found(method: str, path: str) -> str:
    UNKNOWN.labels(method if method in _METHODS else "other").inc()
    return f"Not found: there is no {method} {path}"
