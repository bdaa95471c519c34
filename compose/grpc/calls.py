"""One call: its message becomes a request of REST, and what its handler answers becomes the response."""

import asyncio
from time import perf_counter
from typing import Any

import grpc
import msgspec
import structlog
from google.protobuf.message import DecodeError, Message

from compose.grpc.errors import code_of, details_of
from compose.grpc.fields import Json, read_fields
from compose.grpc.routes import PATH_FIELDS, Route
from compose.http.access import Access
from compose.http.rights import required_right
from ingest.http.body import RawHeaders
from ingest.http.endpoint import RESPONSES, SECONDS, Call, Endpoint, Reply
from ingest.http.limits import InFlight, Limits
from ingest.http.query import Params
from schemas.errors import BadInputError, HeadwaterError, UnprocessableError

_QUERY_FIELDS = ("wait", "ordering", "timeout", "read_consistency")
"""Fields of requests that REST has behind the path."""
_METHOD = "GRPC"
INLINE_BYTES = 64 << 10
"""What takes more is converted on a thread, so as not to hold the event loop for more than some milliseconds."""
_logger = structlog.get_logger("headwater.grpc")

Context = Any
"""A ``grpc.aio.ServicerContext`` of bytes."""


class CallHandler:
    """Answers the calls of one method."""

    def __init__(
        self,
        name: str,
        route: Route,
        endpoint: Endpoint,
        messages: tuple[type[Message], type[Message]],
        access: Access,
        limits: Limits,
        in_flight: InFlight,
    ) -> None:
        """``name`` is the method's, with its service; ``messages``: of the request, and of the response."""
        self._name = name
        self._route = route
        self._endpoint = endpoint
        self._request, self._response = messages
        self._access = access
        self._limits = limits
        self._in_flight = in_flight
        self._right = required_right(endpoint.method, endpoint.path)
        self._seconds = SECONDS.labels(_METHOD, name)

    async def answer(self, data: bytes, context: Context) -> bytes:
        """Answer one call, whatever the handler does."""
        started = perf_counter()
        headers = _headers(context)
        try:
            self._access.check(headers, self._right)
            answer, reply = await self._respond(data, headers, started)
        except HeadwaterError as error:
            code, details = code_of(error), details_of(error)
        except Exception as error:
            _logger.exception("a call failed", method=self._name, exc_info=error)
            code, details = grpc.StatusCode.INTERNAL, "Service internal error: see the server's log"
        else:
            self._count("OK", started)
            if reply.headers:
                context.set_trailing_metadata([(name.decode(), value.decode()) for name, value in reply.headers])
            return answer
        self._count(code.name, started)
        await context.abort(code, details)
        raise AssertionError("abort raises")

    async def _respond(self, data: bytes, headers: RawHeaders, started: float) -> tuple[bytes, Reply]:
        held = len(data)
        self._in_flight.take(held)
        try:
            large = len(data) > INLINE_BYTES
            call = await asyncio.to_thread(self._call, data, headers) if large else self._call(data, headers)
            # Numbers take more as JSON than in a message.
            self._in_flight.take(len(call.body))
            held += len(call.body)
            reply = await self._endpoint.handler(call)
        finally:
            self._in_flight.give_back(held)
        result = reply.raw if reply.raw is not None else msgspec.json.encode(reply.result)
        if len(result) > INLINE_BYTES:
            return await asyncio.to_thread(self._encode, result, started), reply
        return self._encode(result, started), reply

    def _encode(self, result: bytes, started: float) -> bytes:
        response: Any = self._response()
        self._route.answer(msgspec.json.decode(result), response)
        if hasattr(response, "time"):
            response.time = perf_counter() - started
        encoded: bytes = response.SerializeToString()
        return encoded

    def _call(self, data: bytes, headers: RawHeaders) -> Call:
        try:
            message: Any = self._request.FromString(data)
        except DecodeError as error:
            raise BadInputError(f"The message is no {self._request.DESCRIPTOR.name}") from error
        path = {name: getattr(message, name) for name in PATH_FIELDS if f"{{{name}}}" in self._route.path}
        _check_name(path)
        body = b""
        if self._route.body is not None:
            body = msgspec.json.encode(self._body(self._route.body(message)))
            if self._endpoint.reads:
                self._limits.check_read_body(body)
        return Call(path, self._params(message), headers, body)

    def _body(self, body: Json) -> Json:
        for name in (*_QUERY_FIELDS, "collection_name", "vector_name"):
            body.pop(name, None)
        return body

    def _params(self, message: Any) -> Params:
        names = {field.name for field in message.DESCRIPTOR.fields}
        others = [name for name in names if name not in _QUERY_FIELDS]
        asked = read_fields(message, *others)
        if asked.get("timeout") == 0 and not self._endpoint.writes:
            raise UnprocessableError("Validation error in JSON body: [timeout: value 0 invalid, must be 1 or larger]")
        wait = asked.get("wait", self._name.startswith("/qdrant.Snapshots/"))
        return Params(wait=wait, declined=asked.get("wait") is False, timeout=asked.get("timeout"))

    def _count(self, code: str, started: float) -> None:
        RESPONSES.labels(_METHOD, self._name, code).inc()
        self._seconds.observe(perf_counter() - started)


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


def _headers(context: Context) -> RawHeaders:
    found = context.invocation_metadata() or ()
    return [
        (name.lower().encode(), value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape"))
        for name, value in found
    ]
