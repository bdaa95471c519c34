"""What a call does to its handler: how long it may take, and what is left when nobody waits any more."""

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import pytest
from prometheus_client import REGISTRY

from compose.grpc.server import GrpcServer
from compose.http.access import Access
from ingest.http.endpoint import Call, Endpoint, Handler, Reply
from ingest.http.limits import InFlight, Limits
from ingest.http.tally import give_all
from schemas.errors import RateLimitedError
from schemas.rest.reads import RetrieveRequest
from schemas.rest.responses import UpdateResult, UpdateStatus
from tests.support.http import HOST

READ, CHANGE = "/qdrant.Points/Get", "/qdrant.Points/Upsert"
_PATH = "/collections/{collection_name}/points"
NAMED = b"\x0a\x01c"
LIMITS = Limits(default_wait_seconds=600.0)
PATIENCE = 300
"""Seconds that a client waits at most: more than a busy machine takes for a call, and less than the default."""


@asynccontextmanager
async def serving(
    handler: Handler, in_flight: InFlight, limits: Limits = LIMITS, access: Access | None = None
) -> AsyncGenerator[Any]:
    """A channel to a server whose methods all have this handler."""
    endpoints = [
        Endpoint("POST", _PATH, handler, "", "", body=RetrieveRequest, reads=True),
        Endpoint("PUT", _PATH, handler, "", "", writes=True),
    ]
    server = GrpcServer(endpoints, access or Access(), limits, in_flight)
    port = server.listen(HOST, 0, (None, None))
    await server.start()
    async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
        yield channel
    await server.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


def cancelled(path: str) -> float:
    """How many calls were counted that nobody waited for."""
    give_all()
    labels = {"method": "GRPC", "path": path, "status": "CANCELLED"}
    return REGISTRY.get_sample_value("headwater_http_responses_total", labels) or 0.0


@pytest.mark.parametrize(("path", "goes_on"), [(READ, False), (CHANGE, True)])
def test_a_read_that_is_cancelled_stops_and_a_change_goes_on(path: str, goes_on: bool) -> None:
    in_flight = InFlight(1 << 20)
    calls: list[Call] = []
    ended: list[str] = []
    free = asyncio.Event()

    async def handle(call: Call) -> Reply:
        call.deadline(LIMITS)
        calls.append(call)
        try:
            await free.wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        ended.append("done")
        return Reply(UpdateResult(0, UpdateStatus.COMPLETED))

    async def run() -> None:
        async with serving(handle, in_flight) as channel:
            asked = channel.unary_unary(path)(NAMED)
            await until(lambda: bool(calls))
            assert in_flight.held > 0
            asked.cancel()
            if goes_on:
                await asyncio.sleep(0.05)
                assert not ended
                free.set()
            await until(lambda: bool(ended))
            assert ended == ["done" if goes_on else "cancelled"]
            await until(lambda: in_flight.held == 0)
            # Work on a thread looks at this.
            assert (calls[0].deadline(LIMITS).left() > 0) is goes_on

    before = cancelled(path)
    asyncio.run(run())
    assert cancelled(path) == before + 1


@pytest.mark.parametrize("path", [READ, CHANGE])
def test_a_call_may_take_as_long_as_its_client_waits(path: str) -> None:
    left: list[float] = []

    async def handle(call: Call) -> Reply:
        left.append(call.deadline(LIMITS).left())
        return Reply([] if path == READ else UpdateResult(0, UpdateStatus.COMPLETED))

    async def run() -> None:
        async with serving(handle, InFlight(1 << 20)) as channel:
            await channel.unary_unary(path)(NAMED, timeout=PATIENCE)
            await channel.unary_unary(path)(NAMED)

    asyncio.run(run())
    # What a client waits for is sent as whole seconds, rounded up from a clock that it read before.
    assert 0 < left[0] <= PATIENCE + 1 < left[1] <= LIMITS.default_wait_seconds


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    async def handle(_: Call) -> Reply:
        raise RateLimitedError("Rate limiting exceeded", retry_after=17)

    async def run() -> None:
        async with serving(handle, InFlight(1 << 20)) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(READ)(NAMED)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert dict(caught.value.trailing_metadata() or ()) == {"retry-after": "17"}

    asyncio.run(run())


def test_what_is_held_is_bounded() -> None:
    async def handle(_: Call) -> Reply:
        return Reply([])

    async def run() -> None:
        in_flight = InFlight(1 << 10)
        async with serving(handle, in_flight) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(READ)(NAMED + b"\x9a\x06\xe8\x07" + b"x" * 1000)
            assert caught.value.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
            await channel.unary_unary(READ)(NAMED)
            assert in_flight.held == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    ("access", "code"),
    [
        (Access(), grpc.StatusCode.DEADLINE_EXCEEDED),
        (Access(["secret-key"]), grpc.StatusCode.UNAUTHENTICATED),
    ],
    ids=["allowed", "without a key"],
)
def test_a_message_that_does_not_come_is_not_waited_for_without_end(access: Access, code: grpc.StatusCode) -> None:
    async def handle(_: Call) -> Reply:
        raise AssertionError("there is no message")

    async def run() -> None:
        in_flight = InFlight(1 << 20)
        # Who has no key is told at once, the other after a while.
        limits = Limits(body_seconds=0.05 if code is grpc.StatusCode.DEADLINE_EXCEEDED else 3600.0)
        async with serving(handle, in_flight, limits, access) as channel:
            asked = channel.stream_unary(READ)()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await asked
            assert caught.value.code() is code
            assert in_flight.held == 0

    asyncio.run(run())


class _Large:
    """Something that a handler knows."""


def test_what_a_refused_call_brought_is_not_kept() -> None:
    known: list[weakref.ref[_Large]] = []

    async def handle(_: Call) -> Reply:
        large = _Large()
        known.append(weakref.ref(large))
        raise RateLimitedError("Rate limiting exceeded", retry_after=17)

    async def run() -> None:
        async with serving(handle, InFlight(1 << 20)) as channel:
            for path in (READ, CHANGE):
                with pytest.raises(grpc.aio.AioRpcError):
                    await channel.unary_unary(path)(NAMED)
            await until(lambda: all(each() is None for each in known))

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()
    assert len(known) == 2
