"""The OpenAPI document and the pages that show it. All they load comes from the server itself, without internet."""

import inspect
from collections.abc import Callable, Mapping, Sequence

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from compose.http.openapi import Schema, describe
from ingest.http.endpoint import Endpoint
from schemas.rest.envelope import encode_error

TITLE = "Headwater"
DESCRIPTION = "A vector database whose write path is a log and whose read path is a fold of it."
OPENAPI_PATH = "/openapi.json"
ASSETS_PATH = "/docs-assets"

_logger = structlog.get_logger("headwater.http")


def create_pages(endpoints: Sequence[Endpoint], version: str, not_found: Callable[[str, str], str]) -> ASGIApp:
    """FastAPI with the document of ``endpoints``; ``not_found`` says that there is no such method and path."""
    operations, schemas = describe(endpoints)

    async def answer_http_exception(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise AssertionError("registered for this exception only") from error
        if error.status_code in (404, 405):
            return _error(404, not_found(request.method, request.url.path))
        what = f"{request.method} {request.url.path}"
        return _error(error.status_code, f"{error.detail}: {what}", error.headers)

    async def answer_failure(request: Request, error: Exception) -> Response:
        _logger.error("a page failed", method=request.method, path=request.url.path, exc_info=error)
        return _error(500, "Service internal error: see the server's log")

    app = FastAPI(
        title=TITLE,
        description=DESCRIPTION,
        version=version,
        redirect_slashes=False,
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        exception_handlers={HTTPException: answer_http_exception, Exception: answer_failure},
    )
    app.router.routes.extend(_page_routes())
    app.router.routes.extend(map(_documented, endpoints, operations))
    app.openapi().setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    return app


def _documented(endpoint: Endpoint, operation: Schema) -> APIRoute:
    return APIRoute(
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


async def _placeholder() -> None:
    # FastAPI looks at its parameters and its docstring: those of the operation are in ``openapi_extra`` instead.
    raise AssertionError("the endpoint's own application answers")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode_error(message, 0.0), status, headers, media_type="application/json")


def _page_routes() -> list[BaseRoute]:
    async def swagger_ui(request: Request) -> Response:
        root = _root(request)
        return get_swagger_ui_html(
            title=TITLE,
            openapi_url=root + OPENAPI_PATH,
            swagger_js_url=f"{root}{ASSETS_PATH}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{ASSETS_PATH}/swagger-ui.css",
            swagger_favicon_url=f"{root}{ASSETS_PATH}/favicon.png",
        )

    async def redoc(request: Request) -> Response:
        root = _root(request)
        return get_redoc_html(
            title=TITLE,
            openapi_url=root + OPENAPI_PATH,
            redoc_js_url=f"{root}{ASSETS_PATH}/redoc.standalone.js",
            redoc_favicon_url=f"{root}{ASSETS_PATH}/favicon.png",
            with_google_fonts=False,
        )

    return [
        Route("/docs", swagger_ui, include_in_schema=False),
        Route("/redoc", redoc, include_in_schema=False),
        Mount(ASSETS_PATH, StaticFiles(packages=[("fastapi_offline", "static")])),
    ]


def _root(request: Request) -> str:
    # A proxy may serve the paths below one of its own.
    return str(request.scope.get("root_path", "")).rstrip("/")
