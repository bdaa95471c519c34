"""Endpoints: a handler with its path and models, and the code around every handler."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import structlog
from msgspec import UNSET, Struct
from starlette.types import ASGIApp

from ingest.deadline import Deadline
from ingest.http.asgi import answer_by
from ingest.http.body import Body
from ingest.http.exchange import ClientGoneError, Exchange
from ingest.http.head import RawHeaders, list_header
from ingest.http.limits import InFlight, Limits
from ingest.http.query import CATALOG, NONE, READS, WRITES, Parameters, Params, ParamsParser
from ingest.http.tally import Tally
from schemas.errors import HeadwaterError, UnavailableError
from schemas.rest.decode import ParsedBody
from schemas.rest.envelope import Envelope, encode_error, encode_result
from schemas.rest.pieces import LARGE_BYTES, encode_pieces

JSON_TYPE = b"application/json"
_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})
RETRY_AFTER = b"retry-after"
GONE = 499
"""Counted where a client left before its answer, as web servers do; nobody gets to see it."""

_logger = structlog.get_logger("headwater.http")


async def _no_pieces() -> AsyncIterator[bytes]:
    for piece in ():
        yield piece


_NO_PIECES = _no_pieces()


class Call(Struct):
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


class Reply(Struct):
    """An answer: ``result`` goes into the envelope; where ``raw`` is given, that is the whole body instead.

    ``app``, where given, answers by itself, as what is sent in pieces does.
    ``explain``, how it was found, goes beside it. ``size``: about how many
    bytes it takes, where that may be many.
    """

    result: object = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 200
    raw: bytes | None = None
    content_type: bytes = JSON_TYPE
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
    """An endpoint as the server calls it."""

    def __init__(self, endpoint: Endpoint, limits: Limits, in_flight: InFlight) -> None:
        self._endpoint = endpoint
        self._handler = endpoint.handler
        self._takes_body = endpoint.body is not None
        self._reads = endpoint.reads
        self._limits = limits
        self._in_flight = in_flight
        self._parse = ParamsParser(endpoint.query).parse
        self._note = Tally(endpoint.method, endpoint.path).note

    async def answer(self, exchange: Exchange, path: Mapping[str, str]) -> None:
        """Answer one request, whatever the handler does; ``path`` has the parameters in its path."""
        started = perf_counter()
        body = Body(exchange, self._limits, self._in_flight)
        pieces: Sequence[bytearray] = ()
        try:
            reply = await self._reply(exchange, path, body)
            data = reply.raw
            if reply.size > LARGE_BYTES:
                *pieces, data = await _encode_pieces(reply, started)
            elif data is None:
                data = encode_result(reply.result, perf_counter() - started, reply.explain)
        except ClientGoneError:
            self._note(GONE, perf_counter() - started)
            return
        except HeadwaterError as error:
            reply, data = _refusal(error, perf_counter() - started)
        except Exception as error:
            _logger.exception("a request failed", method=self._endpoint.method, path=exchange.head.path)
            reply, data = _failure(error, perf_counter() - started)
        finally:
            body.release()
            exchange.leaving = None
        self._note(GONE if exchange.gone else reply.status, perf_counter() - started)
        if reply.app is not None:
            await answer_by(reply.app, exchange)
            return
        # What is left of a body that is read may be long: nobody waits for its end.
        takes = self._takes_body or self._endpoint.streams
        close = takes and not (exchange.arrived or exchange.head.expects)
        if pieces:
            await _answer_in_pieces(exchange, reply, (*pieces, data), close=close)
        else:
            exchange.answer(reply.status, reply.content_type, reply.headers, data, close=close)

    async def _reply(self, exchange: Exchange, path: Mapping[str, str], body: Body) -> Reply:
        head = exchange.head
        params = self._parse(head.query)
        data = await body.read() if self._takes_body else b""
        if self._reads:
            self._limits.check_read_body(data)
        call = Call(path, params, head.headers, data)
        if self._reads:
            exchange.leaving = call.cancel
        if self._endpoint.streams:
            call.pieces = body.pieces()
        return await self._handler(call)


async def _answer_in_pieces(
    exchange: Exchange, reply: Reply, pieces: Sequence[bytes | bytearray], *, close: bool
) -> None:
    headers = ((b"content-type", reply.content_type), *reply.headers)
    exchange.start(reply.status, headers, sum(map(len, pieces)), close=close)
    for piece in pieces:
        await exchange.write(piece)
    exchange.finish()


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
