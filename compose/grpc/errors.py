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


def code_of(error: HeadwaterError) -> StatusCode:
    """The code of an error."""
    return CODES.get(error.status, StatusCode.INTERNAL)


def details_of(error: HeadwaterError) -> str:
    """Its text: there is no JSON in these calls."""
    return error.message.replace(" in JSON body", " in body")
