"""The pages that show the OpenAPI document. All they load comes from the server itself: they work without internet."""

from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

OPENAPI_PATH = "/openapi.json"
ASSETS_PATH = "/docs-assets"


def page_routes(title: str) -> list[BaseRoute]:
    """Swagger UI at /docs, Redoc at /redoc, and what they load."""

    async def swagger_ui(request: Request) -> Response:
        root = _root(request)
        return get_swagger_ui_html(
            title=title,
            openapi_url=root + OPENAPI_PATH,
            swagger_js_url=f"{root}{ASSETS_PATH}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{ASSETS_PATH}/swagger-ui.css",
            swagger_favicon_url=f"{root}{ASSETS_PATH}/favicon.png",
        )

    async def redoc(request: Request) -> Response:
        root = _root(request)
        return get_redoc_html(
            title=title,
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
