"""HeadwaterApp: calls endpoints directly, and says of everything else that there is no such thing."""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from urllib.parse import unquote_to_bytes

from prometheus_client import Counter
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from compose.http.access import Access
from compose.http.cors import Cors
from compose.http.errors import error_response
from compose.http.guarded import endpoint_tree, refusal
from ingest.http.body import find_header
from ingest.http.endpoint import Endpoint
from ingest.http.limits import InFlight, Limits

UNKNOWN = Counter("headwater_http_unknown_total", "Requests for what there is no route for", ["method"])
PAGES = ("/openapi.json", "/docs", "/redoc", "/docs-assets")
"""The OpenAPI document, the pages that show it, and what those load."""
_REPLACED = "\ufffd"
_NO_TEXT = "Deserialize error in path parameters: it is not UTF-8"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class HeadwaterApp:
    """An ASGI application of endpoints. Keys and origins are looked at here.

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        origin = find_header(scope["headers"], b"origin")
        if origin is not None and self._cors.allows(origin):
            headers = self._cors.preflight(scope, origin)
            if headers is not None:
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body"})
                return
            send = self._cors.sender(send, origin)
        found = self._tree.find(scope["method"], scope["path"])
        if self.access.restricted and (answer := refusal(self.access, scope, found)) is not None:
            await answer(scope, receive, send)
            return
        if _REPLACED in scope["path"] and not _is_utf8(scope):
            # Two names would be one: what can't be read as UTF-8 is replaced by the same character.
            await error_response(400, _NO_TEXT)(scope, receive, send)
            return
        if found is None:
            await self._answer_rest(scope, receive, send)
            return
        scope["path_params"] = found.parameters
        await found.app(scope, receive, send)

    async def _answer_rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if method in ("GET", "HEAD") and path.startswith(PAGES):
            pages = await asyncio.to_thread(lambda: self._pages)
            await pages(scope, receive, send)
            return
        await _not_found(method, path)(scope, receive, send)

    @cached_property
    def _pages(self) -> ASGIApp:
        from compose.http.pages import create_pages

        return create_pages(self.endpoints, self._version, _not_found)


def _is_utf8(scope: Scope) -> bool:
    try:
        unquote_to_bytes(scope["raw_path"]).decode()
    except UnicodeDecodeError:
        return False
    return True


def _not_found(method: str, path: str) -> Response:
    UNKNOWN.labels(method if method in _METHODS else "other").inc()
    return error_response(404, f"Not found: there is no {method} {path}")
