"""Errors in Qdrant's shape, for what no endpoint answers."""

from collections.abc import Mapping

from starlette.responses import Response

from schemas.rest.envelope import encode_error


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that says ``message``."""
    return Response(encode_error(message, 0.0), status, headers, media_type="application/json")
