"""A call's message as a request of REST."""

from typing import Any

import msgspec
from google.protobuf.message import DecodeError, Message

from compose.grpc.parameters import CallParameters
from compose.grpc.routes import PATH_FIELDS, Route
from ingest.http.endpoint import Call, Endpoint
from ingest.http.head import RawHeaders
from ingest.http.limits import Limits
from schemas.errors import BadInputError, UnprocessableError
from schemas.rest.decode import UNCOUNTED_BYTES, ParsedBody

_BESIDE_THE_BODY = (*CallParameters.FIELDS, "collection_name", "vector_name")


class RequestReader:
    """Reads the messages of one method."""

    def __init__(self, name: str, route: Route, endpoint: Endpoint, message: type[Message], limits: Limits) -> None:
        """``name`` is the method's, with its service."""
        self._message = message
        self._make_body = route.body
        self._limits = limits
        self._reads = endpoint.reads
        self._path = [field for field in PATH_FIELDS if f"{{{field}}}" in route.path]
        self._parameters = CallParameters(message, endpoint.writes, waits=name.startswith("/qdrant.Snapshots/"))

    def read(self, data: bytes, headers: RawHeaders) -> Call:
        """The request that a message is. Raises BadInputError, UnprocessableError."""
        try:
            message: Any = self._message.FromString(data)
        except DecodeError as error:
            raise BadInputError(f"The message is no {self._message.DESCRIPTOR.name}") from error
        path = {name: getattr(message, name) for name in self._path}
        _check_name(path)
        params = self._parameters.read(message)
        if self._make_body is None:
            return Call(path, params, headers, b"")
        body = self._make_body(message)
        for name in _BESIDE_THE_BODY:
            body.pop(name, None)
        if self._reads and len(data) > UNCOUNTED_BYTES:
            self._limits.check_read_body(msgspec.json.encode(body))
        return Call(path, params, headers, ParsedBody(body, data))


def _check_name(path: dict[str, str]) -> None:
    name = path.get("collection_name")
    if name == "":
        raise UnprocessableError(
            'Validation error in JSON body: [collection_name: value "" invalid, must be from 1 to 255 characters]'
        )
    if name is not None and "/" in name:
        raise UnprocessableError(
            'Validation error in JSON body: [collection_name: collection name cannot contain "/" char]'
        )
