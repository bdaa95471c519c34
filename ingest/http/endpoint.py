"""Endpoints: a handler with its path and models, and the code around every handler."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import structlog
from msgspec import UNSET
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.deadline import Deadline
from ingest.http.body import Body, ClientGoneError, RawHeaders, list_header
from ingest.http.limits import InFlight, Limits
from ingest.http.query import CATALOG, NONE, READS, WRITES, Parameters, Params, ParamsParser
from schemas.errors import HeadwaterError, UnavailableError
from schemas.rest.decode import ParsedBody
from schemas.rest.envelope import Envelope, encode_error, encode_result
from schemas.rest.pieces import LARGE_BYTES, encode_pieces

RESPONSES = Counter("headwater_http_responses_total", "Answers given", ["method", "path", "status"])
SECONDS = Histogram(
    "headwater_http_seconds",
    "Time from a request's head to its answer",
    ["method", "path"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
JSON_TYPE = (b"content-type", b"application/json")
_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})
RETRY_AFTER = b"retry-after"

_logger = structlog.get_logger("headwater.http")


async def _no_pieces() -> AsyncIterator[bytes]:
    for piece in ():
        yield piece


_NO_PIECES = _no_pieces()


@dataclass(slots=True)
class Call:
    """A request as handlers see it. ``body`` is empty for endpoints that take none, or take it in ``pieces``.

    ``patience``: how many seconds the client waits, where it says so otherwise than by a parameter. ``rendering``: how
    points are answered, where not as JSON (``query_api.rendering``).
    """

    path: Mapping[str, str]
    params: Params
    headers: RawHeaders
    body: bytes | ParsedBody
    pieces: AsyncIterator[bytes] = _NO_PIECES
    patience: float | None = None
    rendering: object = None
    _deadline: Deadline | None = None

    @property
    def collection(self) -> str:
        """The collection's name or alias in the path."""
        return self.path["collection_name"]

    def deadline(self, limits: Limits) -> Deadline:
        """When its time is up; the time begins when it is asked for first."""
        if self._deadline is None:
            self._deadline = limits.deadline(self.params.timeout, self.patience)
        return self._deadline

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        if self._deadline is not None:
            self._deadline.end()

    def list_header(self, name: bytes) -> bytes | None:
        """A header whose value is a list, None when there is none; ``name`` in lower case."""
        return list_header(self.headers, name)


@dataclass(slots=True)
class Reply:
    """An answer: ``result`` goes into the envelope; where ``raw`` is given, that is the whole body instead.

    ``app``, where given, answers by itself, as what is sent in pieces does.
    ``explain``, how it was found, goes beside it. ``size``: about how many
    bytes it takes, where that may be many.
    """

    result: object = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 200
    raw: bytes | None = None
    content_type: bytes | None = None
    app: ASGIApp | None = None
    explain: object = UNSET
    size: int = 0


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route. ``body`` and ``result`` are the models that decode and encode; the OpenAPI page shows the same.

    ``reads``, ``writes`` and ``timeout`` say which query parameters it takes, ``parameters`` which others.
    ``enveloped`` is False for answers that are not wrapped in ``result``, ``status`` and ``time``. One that
    ``streams`` takes its body in pieces, which are not counted and may be any number.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    result: Any = None
    body: Any = None
    reads: bool = False
    writes: bool = False
    timeout: bool = False
    parameters: Parameters = field(default_factory=lambda: NONE)
    enveloped: bool = True
    media_type: str = "application/json"
    streams: bool = False

    @property
    def query(self) -> Parameters:
        """Every query parameter it takes."""
        common = WRITES if self.writes else READS if self.reads else CATALOG if self.timeout else NONE
        return {**common, **self.parameters}


class EndpointApp:
    """An endpoint as an ASGI application."""

    def __init__(self, endpoint: Endpoint, limits: Limits, in_flight: InFlight) -> None:
        self._endpoint = endpoint
        self._limits = limits
        self._in_flight = in_flight
        self._params = ParamsParser(endpoint.query)
        self._seconds = SECONDS.labels(endpoint.method, endpoint.path)
        self._answers = {200: RESPONSES.labels(endpoint.method, endpoint.path, "200")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever the handler does."""
        started = perf_counter()
        body = Body(scope, receive, self._limits, self._in_flight)
        pieces: Sequence[bytearray] = ()
        try:
            reply = await self._reply(scope, body)
            data = reply.raw
            if reply.size > LARGE_BYTES:
                *pieces, data = await _encode_pieces(reply, started)
            elif data is None:
                data = encode_result(reply.result, perf_counter() - started, reply.explain)
        except ClientGoneError:
            return
        except HeadwaterError as error:
            reply, data = _refusal(error, perf_counter() - started)
        except Exception as error:
            _logger.exception("a request failed", method=self._endpoint.method, path=scope["path"])
            reply, data = _failure(error, perf_counter() - started)
        finally:
            body.release()
        self._count(reply.status, perf_counter() - started)
        if reply.app is not None:
            await reply.app(scope, receive, send)
            return
        await self._send(reply, pieces, data, body, send)

    async def _reply(self, scope: Scope, body: Body) -> Reply:
        params = self._params.parse(scope["query_string"])
        data = await body.read() if self._endpoint.body is not None else b""
        if self._endpoint.reads:
            self._limits.check_read_body(data)
        call = Call(scope["path_params"], params, scope["headers"], data)
        if self._endpoint.streams:
            call.pieces = body.pieces()
        return await self._endpoint.handler(call)

    async def _send(
        self, reply: Reply, pieces: Sequence[bytearray], last: bytes | bytearray, body: Body, send: Send
    ) -> None:
        kind = JSON_TYPE if reply.content_type is None else (b"content-type", reply.content_type)
        length = len(last)
        for piece in pieces:
            length += len(piece)
        headers = [kind, (b"content-length", b"%d" % length), *reply.headers]
        draining = (self._endpoint.body is not None or self._endpoint.streams) and body.unread
        if draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": last, "more_body": draining})
        if draining:
            await body.drain()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _count(self, status: int, seconds: float) -> None:
        counter = self._answers.get(status)
        if counter is None:
            counter = RESPONSES.labels(self._endpoint.method, self._endpoint.path, str(status))
            self._answers[status] = counter
        counter.inc()
        self._seconds.observe(seconds)


async def _encode_pieces(reply: Reply, started: float) -> list[bytearray]:
    """The answer's JSON; others have their turn between its pieces."""
    pieces: list[bytearray] = []
    for piece in encode_pieces(Envelope(reply.result, "ok", perf_counter() - started, reply.explain)):
        pieces.append(piece)
        await asyncio.sleep(0)
    return pieces


def _failure(error: Exception, seconds: float) -> tuple[Reply, bytes]:
    if isinstance(error, OSError) and error.errno in _NO_DESCRIPTORS:
        reason = f"Service unavailable: {error.strerror}: the limit of open files (ulimit -n) has to be raised"
        return _refusal(UnavailableError(reason), seconds)
    return Reply(status=500), encode_error("Service internal error: see the server's log", seconds)


def _refusal(error: HeadwaterError, seconds: float) -> tuple[Reply, bytes]:
    if error.status == 500:
        _logger.error("a request was refused without a kind of its own", reason=error.message)
    headers = () if error.retry_after is None else ((RETRY_AFTER, b"%d" % error.retry_after),)
    return Reply(status=error.status, headers=headers), encode_error(error.message, seconds)
