"""HeadwaterApp: FastAPI for what is documented, unknown or wrong; endpoints themselves are called directly."""

import inspect
from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from compose.http.openapi import Schema, describe
from compose.http.route_tree import RouteTree
from ingest.http.endpoint import Endpoint, EndpointApp
from ingest.http.limits import InFlight, Limits
from schemas.rest.envelope import encode_error

DESCRIPTION = "A vector database whose write path is a log and whose read path is a fold of it."

_logger = structlog.get_logger("headwater.http")


class HeadwaterApp(FastAPI):
    """Calls an endpoint without FastAPI's own layers, which take longer than a search in a small collection.

    FastAPI answers the rest: the OpenAPI pages, unknown paths, wrong methods. Middleware added to it sees only those.
    """

    def __init__(self, endpoints: Sequence[Endpoint], limits: Limits, version: str) -> None:
        super().__init__(
            title="Headwater",
            description=DESCRIPTION,
            version=version,
            redirect_slashes=False,
            exception_handlers={HTTPException: _answer_http_exception, Exception: _answer_failure},
        )
        self._tree = RouteTree()
        in_flight = InFlight(limits.max_in_flight_bytes)
        operations, self._schemas = describe(endpoints)
        for endpoint, operation in zip(endpoints, operations, strict=True):
            app = EndpointApp(endpoint, limits, in_flight)
            self._tree.add(endpoint.method, endpoint.path, app)
            self.router.routes.append(_DocumentedRoute(endpoint, app, operation))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            found = self._tree.find(scope["method"], scope["path"])
            if found is not None:
                app, scope["path_params"] = found
                await app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

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
    message = f"Not found: there is no {what}" if error.status_code == 404 else f"{error.detail}: {what}"
    return _error(error.status_code, message, error.headers)


async def _answer_failure(request: Request, error: Exception) -> Response:
    _logger.error("a request failed", method=request.method, path=request.url.path, exc_info=error)
    return _error(500, "Service internal error: see the server's log")


def _error(status: int, message: str, headers: Any = None) -> Response:
    return Response(encode_error(message, 0.0), status, headers, media_type="application/json")
