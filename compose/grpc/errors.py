"""gRPC's codes for what can be wrong: one table, from the status that REST answers."""

from grpc import StatusCode

from schemas.errors import HeadwaterError

CODES = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    405: StatusCode.UNIMPLEMENTED,
    408: StatusCode.DEADLINE_EXCEEDED,
    409: StatusCode.ALREADY_EXISTS,
    413: StatusCode.RESOURCE_EXHAUSTED,
    422: StatusCode.INVALID_ARGUMENT,
    429: StatusCode.RESOURCE_EXHAUSTED,
    503: StatusCode.UNAVAILABLE,
    507: StatusCode.RESOURCE_EXHAUSTED,
}

MOST_DETAILS = 1000
"""Characters. They travel among the metadata, of which clients take 8 KiB, and some become nine bytes there."""


def code_of(error: HeadwaterError) -> StatusCode:
    """The code of an error."""
    return CODES.get(error.status, StatusCode.INTERNAL)


def details_of(error: HeadwaterError) -> str:
    """Its text: there is no JSON in these calls."""
    text = error.message.replace(" in JSON body", " in body")
    return text if len(text) <= MOST_DETAILS else f"{text[:MOST_DETAILS]}..."
