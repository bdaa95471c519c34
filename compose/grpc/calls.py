"""One call: its message is read, a handler of REST has it, and what that answers becomes the response."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

import grpc
import grpc.aio
import msgspec
import structlog
from google.protobuf.message import Message

from compose.grpc.encoded import joined
from compose.grpc.errors import code_of, details_of
from compose.grpc.parsed_size import ParsedSizes
from compose.grpc.rendering import MessageRendering
from compose.grpc.requests import RequestReader
from compose.grpc.routes import Route
from compose.http.access import Access
from compose.http.rights import Right, required_right
from ingest.http.endpoint import RETRY_AFTER, Endpoint, Reply
from ingest.http.head import RawHeaders
from ingest.http.limits import InFlight, Limits
from ingest.http.tally import Tally
from schemas.errors import BadInputError, HeadwaterError, TimedOutError

P = ParamSpec("P")
T = TypeVar("T")

_aio: Any = grpc.aio
_END = _aio.EOF
_METHOD = "GRPC"
INLINE_BYTES = 64 << 10
"""What takes more is converted on a thread, so as not to hold the event loop for more than some milliseconds."""
COMPRESSED_BYTES = 1 << 10
"""Smaller answers are not compressed."""
_COMPRESSION = (b"accept-encoding", b"gzip")
"""gRPC's libraries all say that they take compressed answers, whether or not those who use them want any."""
_logger = structlog.get_logger("headwater.grpc")

Context = Any
"""A ``grpc.aio.ServicerContext`` of bytes."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """How a call ends that isn't answered."""

    code: grpc.StatusCode
    details: str
    trailing: tuple[tuple[str, str], ...] = ()


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
        sizes: ParsedSizes,
        parsing: asyncio.Lock,
    ) -> None:
        """``name`` is the method's, with its service; ``messages``: of the request, and of the response.

        ``parsing`` is held by one large message at a time, of all calls: threads that do so keep one another, and the
        event loop, from the interpreter.
        """
        self._name = name
        self._route = route
        self._endpoint = endpoint
        self._request, self._response = messages
        self._reader = RequestReader(name, route, endpoint, self._request, limits)
        self._access = access
        self._limits = limits
        self._in_flight = in_flight
        self._sizes = sizes
        self._parsing = parsing
        self._right = required_right(endpoint.method, endpoint.path)
        self._stoppable = self._right is not Right.MANAGE
        self._timed = "time" in self._response.DESCRIPTOR.fields_by_name
        self._tally = Tally(_METHOD, name)
        self._running: set[asyncio.Task[tuple[bytes, Reply]]] = set()

    async def answer(self, _: object, context: Context) -> bytes:
        """Answer one call, whatever the handler does.

        It is read as if it might have several messages: those who may not call have theirs left unread, and one that
        doesn't come is not waited for without end.
        """
        started = perf_counter()
        try:
            answered = await self._outcome(context, started)
        except asyncio.CancelledError:
            self._count("CANCELLED", started)
            raise
        if isinstance(answered, _Refusal):
            self._count(answered.code.name, started)
            # What this raises keeps all that is known here, in a cycle: no message may be.
            await context.abort(answered.code, answered.details, answered.trailing)
            raise AssertionError("abort raises")
        self._count("OK", started)
        return answered

    async def _outcome(self, context: Context, started: float) -> "bytes | _Refusal":
        headers = _headers(context)
        try:
            self._access.check(headers, self._right)
            data = await self._message(context)
            answer, reply = await self._answered(data, headers, context.time_remaining(), started)
        except HeadwaterError as error:
            waits = () if error.retry_after is None else ((RETRY_AFTER.decode(), str(error.retry_after)),)
            return _Refusal(code_of(error), details_of(error), waits)
        except Exception as error:
            _logger.exception("a call failed", method=self._name, exc_info=error)
            return _Refusal(grpc.StatusCode.INTERNAL, "Service internal error: see the server's log")
        if reply.headers:
            context.set_trailing_metadata([(name.decode(), value.decode()) for name, value in reply.headers])
        if len(answer) > COMPRESSED_BYTES and _COMPRESSION in headers:
            context.set_compression(grpc.Compression.Gzip)
            # Only what is sent by itself says which compression it is.
            await context.send_initial_metadata(())
        return answer

    async def _message(self, context: Context) -> bytes:
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                data = await context.read()
        except TimeoutError as error:
            raise TimedOutError(f"No message came within {self._limits.body_seconds:g} seconds") from error
        if data is _END:
            raise BadInputError("A call without a message")
        return data

    async def _answered(
        self, data: bytes, headers: RawHeaders, patience: float | None, started: float
    ) -> tuple[bytes, Reply]:
        """Respond; a change goes on when the client has gone, as it may have begun, a read stops."""
        responding = self._respond(data, headers, patience, started)
        if self._stoppable:
            return await responding
        task = asyncio.create_task(responding)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._left)
            raise
        finally:
            # An error would know its own task: a cycle, with the message in it.
            del task

    def _left(self, task: asyncio.Task[tuple[bytes, Reply]]) -> None:
        """Say what nobody else will."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, HeadwaterError):
            _logger.error("a call failed that was cancelled", method=self._name, exc_info=error)

    async def _respond(
        self, data: bytes, headers: RawHeaders, patience: float | None, started: float
    ) -> tuple[bytes, Reply]:
        rendering = MessageRendering(self._limits.max_answer_bytes) if self._route.rendered else None
        is_long = len(data) > INLINE_BYTES
        # What is made of a message takes as much again, or more where it is of small parts.
        held = 2 * len(data)
        self._in_flight.take(held)
        try:
            more = max(0, await _run(is_long, self._sizes.size, self._request, data) - held)
            self._in_flight.take(more)
            held += more
            async with self._parsing if is_long else nullcontext():
                call = await _run(is_long, self._reader.read, data, headers)
            call.patience = patience
            call.rendering = rendering
            try:
                reply = await self._endpoint.handler(call)
            except asyncio.CancelledError:
                call.cancel()
                raise
        finally:
            self._in_flight.give_back(held)
        if rendering is not None:
            result, size = reply.result, rendering.size
        else:
            result = reply.raw if reply.raw is not None else msgspec.json.encode(reply.result)
            size = len(result)
        return await _run(size > INLINE_BYTES, self._encode, result, started), reply

    def _encode(self, result: Any, started: float) -> bytes:
        response: Any = self._response()
        points = self._route.answer(result if self._route.rendered else msgspec.json.decode(result), response)
        if self._timed:
            response.time = perf_counter() - started
        encoded: bytes = response.SerializeToString()
        return encoded if points is None else joined([*points, encoded])

    def _count(self, code: str, started: float) -> None:
        self._tally.note(code, perf_counter() - started)


async def _run(is_long: bool, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """Do some work, on a thread where it takes long."""
    return await asyncio.to_thread(work, *args, **named) if is_long else work(*args, **named)


def _headers(context: Context) -> RawHeaders:
    found = context.invocation_metadata() or ()
    return [
        (name.lower().encode(), value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape"))
        for name, value in found
    ]
