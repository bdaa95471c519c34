"""HeadwaterApp: FastAPI for what is documented, unknown or wrong; endpoints themselves are called directly."""

import inspect
from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from prometheus_client import Counter
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from compose.http.access import Access
from compose.http.cors import Cors
from compose.http.errors import error_response
from compose.http.openapi import Schema, describe
from compose.http.pages import OPENAPI_PATH, page_routes
from compose.http.rights import required_right
from compose.http.route_tree import RouteTree
from ingest.http.endpoint import Endpoint, EndpointApp
from ingest.http.limits import InFlight, Limits
from schemas.errors import HeadwaterError

DESCRIPTION = "A vector database whose write path is a log and whose read path is a fold of it."

UNKNOWN = Counter("headwater_http_unknown_total", "Requests for what there is no route for", ["method"])
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

_logger = structlog.get_logger("headwater.http")


class HeadwaterApp(FastAPI):
    """Calls an endpoint without FastAPI's own layers, which take longer than a search in a small collection.

    FastAPI answers the rest: the OpenAPI pages and unknown paths. Middleware added to it sees only those; keys and
    origins are looked at here.
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
        super().__init__(
            title="Headwater",
            description=DESCRIPTION,
            version=version,
            redirect_slashes=False,
            openapi_url=OPENAPI_PATH,
            docs_url=None,
            redoc_url=None,
            exception_handlers={HTTPException: _answer_http_exception, Exception: _answer_failure},
        )
        self.router.routes.extend(page_routes(self.title))
        self.endpoints = tuple(endpoints)
        self._access = access or Access()
        self._cors = cors or Cors()
        self._tree = RouteTree()
        in_flight = InFlight(limits.max_in_flight_bytes)
        operations, self._schemas = describe(endpoints)
        for endpoint, operation in zip(endpoints, operations, strict=True):
            app = EndpointApp(endpoint, limits, in_flight)
            right = required_right(endpoint.method, endpoint.path)
            self._tree.add(endpoint.method, endpoint.path, app, right)
            self.router.routes.append(_DocumentedRoute(endpoint, app, operation))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        origin = self._cors.origin(scope["headers"])
        if origin is not None:
            headers = self._cors.preflight(scope, origin)
            if headers is not None:
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body"})
                return
            send = self._cors.sender(send, origin)
        found = self._tree.find(scope["method"], scope["path"])
        if self._access.restricted:
            try:
                self._access.check(scope["headers"], None if found is None else found.right)
            except HeadwaterError as error:
                await error_response(error.status, error.message)(scope, receive, send)
                return
        if found is None:
            await super().__call__(scope, receive, send)
            return
        scope["path_params"] = found.parameters
        await found.app(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self.openapi_schema is None:
            document = super().openapi()
            document.setdefault("components", {}).setdefault("schemas", {}).update(self._schemas)
        return super().openapi()


class _DocumentedRoute(APIRoute):
    """An endpoint as FastAPI knows it: for the OpenAPI page and for answering wrong methods."""

    def __init__(self, endpoint: Endpoint, app: ASGIApp, operation: Schema) -> None:
        super().__init__(
            endpoint.path,
            _placeholder,
            methods=[endpoint.method],
            summary=endpoint.summary,
            description=inspect.getdoc(endpoint.body) or "",
            tags=[endpoint.tag],
            operation_id=endpoint.summary.lower().replace(" ", "_"),
            openapi_extra=operation,
            response_class=Response,
        )
        self.app = app


async def _placeholder() -> None:
    # FastAPI looks at its parameters and its docstring: those of the operation are in ``openapi_extra`` instead.
    raise AssertionError("the endpoint's own application answers")


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise AssertionError("registered for this exception only") from error
    what = f"{request.method} {request.url.path}"
    if error.status_code in (404, 405):
        UNKNOWN.labels(request.method if request.method in _METHODS else "other").inc()
        return error_response(404, f"Not found: there is no {what}")
    return error_response(error.status_code, f"{error.detail}: {what}", error.headers)


async def _answer_failure(request: Request, error: Exception) -> Response:
    _logger.error("a request failed", method=request.method, path=request.url.path, exc_info=error)
    return error_response(500, "Service internal error: see the server's log")
