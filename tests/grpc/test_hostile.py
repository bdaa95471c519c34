"""What no proper client sends, or does: every connection but its own goes on, and memory isn't held."""

import re
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import grpc
import pytest

from compose.grpc.messages import message_named
from compose.grpc.numbers import write_varint
from tests.grpc.channel import Calls
from tests.grpc.frames import (
    DATA,
    END_STREAM,
    HEADERS,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    RawConnection,
    frame,
    message,
    request,
)
from tests.support.server import Server

LIST = "/qdrant.Collections/List"
CREATE = {"collection_name": "c", "vectors_config": {"params": {"size": 2, "distance": "Dot"}}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Server(tmp_path_factory.mktemp("grpc") / "data", grpc=True) as running:
        yield running.start()


@pytest.fixture(scope="module")
def calls(server: Server) -> Any:
    with Calls(server.grpc_port) as made:
        assert made.call("Collections/Create", CREATE).code == "OK"
        yield made


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 1000,
        PREFACE + b"\xff" * 100,
        PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 0x4, 1, b"\xff\xff\xff\xff\xff"),
        PREFACE + frame(SETTINGS, 0, 0) + frame(DATA, END_STREAM, 0, b"data of no stream"),
        PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, 0, 0, b"odd"),
    ],
    ids=["http/1.1", "zeros", "a frame of 16 MiB", "headers that are none", "data of no stream", "odd settings"],
)
def test_what_is_no_http_harms_nobody_else(calls: Calls, sent: bytes) -> None:
    with RawConnection(calls.port, sent):
        assert calls.send(LIST, b"").code == "OK"
    assert calls.send(LIST, b"").code == "OK"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (message(1, b"\xff\xff"), grpc.StatusCode.INVALID_ARGUMENT),
        (message(1, b"", length=1 << 31), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (message(1, b"not gzip", compressed=1), grpc.StatusCode.INTERNAL),
    ],
    ids=["no message", "says it has 2 GiB", "says it is compressed"],
)
def test_malformed_messages(calls: Calls, data: bytes, status: grpc.StatusCode) -> None:
    with RawConnection(calls.port) as connection:
        connection.send(request(1, "/qdrant.Collections/Get") + data)
        assert status_of(connection) == status.value[0]
    assert calls.send(LIST, b"").code == "OK"


@pytest.mark.parametrize(
    "path",
    [
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
def test_malformed_messages_to_what_libraries_answer(calls: Calls, path: str) -> None:
    with RawConnection(calls.port) as connection:
        connection.send(request(1, path) + message(1, b"\xff\xff"))
        assert status_of(connection) == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert calls.send("/grpc.health.v1.Health/Check", b"").code == "OK"


def status_of(connection: RawConnection) -> int:
    """How the first call ended."""
    answered = connection.frames()
    trailers = b"".join(payload for kind, stream, payload in answered if stream == 1 and kind == HEADERS)
    told = re.search(rb"grpc-status.(\d+)", trailers)
    assert told is not None, answered
    return int(told[1])


@pytest.mark.parametrize(
    "sent",
    [
        frame(DATA, END_STREAM, 1),
        frame(DATA, END_STREAM, 1, b"\x00\x00"),
        message(1, b"ab", length=10),
    ],
    ids=["nothing", "half a head", "half a message"],
)
def test_a_call_without_a_message(calls: Calls, sent: bytes) -> None:
    with RawConnection(calls.port) as connection:
        connection.send(request(1, LIST) + sent)
        assert status_of(connection) == grpc.StatusCode.INVALID_ARGUMENT.value[0]


def test_a_small_message_that_becomes_a_large_one(calls: Calls) -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = packer.compress(bytes(40 << 20)) + packer.flush()
    with RawConnection(calls.port) as connection:
        connection.send(request(1, LIST, ("grpc-encoding", "gzip")))
        pieces = [zeros[at : at + 16_000] for at in range(0, len(zeros), 16_000)]
        connection.send(frame(DATA, 0, 1, struct.pack(">BI", 1, len(zeros))))
        connection.send(b"".join(frame(DATA, 0, 1, piece) for piece in pieces))
        connection.send(frame(DATA, END_STREAM, 1))
        assert status_of(connection) == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]


def test_clients_may_ask_often_whether_the_server_is_there(calls: Calls) -> None:
    with RawConnection(calls.port) as connection:
        connection.send(frame(PING, 0, 0, bytes(8)) * 100 + request(1, LIST) + message(1, b""))
        assert status_of(connection) == 0


def within(data: bytes, *fields: str) -> bytes:
    """A message in messages: ``MESSAGE.FIELD`` of each, from the outermost to what holds ``data``."""
    for field in reversed(fields):
        kind, _, name = field.partition(".")
        number = message_named(f"qdrant.{kind}").DESCRIPTOR.fields_by_name[name].number
        data = write_varint(number << 3 | 2) + write_varint(len(data)) + data
    return data


@pytest.mark.parametrize("levels", [20, 45, 90, 1000])
@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (["QueryPoints.filter"], ["Filter.must", "Condition.filter"]),
        (["QueryPoints.prefetch"], ["PrefetchQuery.prefetch"]),
        (["QueryPoints.query", "Query.formula", "Formula.expression"], ["Expression.neg"]),
    ],
    ids=["filters", "prefetches", "expressions"],
)
def test_what_nests_deeply(calls: Calls, levels: int, outer: list[str], inner: list[str]) -> None:
    answered = calls.send("/qdrant.Points/Query", b"\x0a\x01c" + within(b"", *outer, *inner * levels))
    assert answered.code == "INVALID_ARGUMENT" or (answered.code == "OK" and levels < 90)


def test_a_name_without_end_is_cut_where_it_is_quoted(calls: Calls) -> None:
    answered = calls.call("Collections/Get", {"collection_name": "n\u00e4me" * 100_000})
    assert answered.code == "NOT_FOUND"
    assert answered.details.endswith("...")


def test_calls_that_are_never_finished_are_dropped_with_their_connection(calls: Calls) -> None:
    for _ in range(20):
        with RawConnection(calls.port) as connection:
            for stream in range(1, 41, 2):
                connection.send(request(stream, "/qdrant.Points/Upsert"))
                connection.send(message(stream, b"\x0a\x01c" * 100, length=1 << 20, end=False))
    assert calls.send(LIST, b"").code == "OK"


def test_a_flood_of_streams(calls: Calls, server: Server) -> None:
    before = server.resident_bytes()
    with RawConnection(calls.port) as connection:
        head = b"".join(request(stream, LIST) + message(stream, b"") for stream in range(1, 4001, 2))
        reset = b"".join(frame(RST_STREAM, 0, stream, b"\x00\x00\x00\x08") for stream in range(1, 4001, 2))
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(head + reset)
        assert calls.send(LIST, b"").code == "OK"
    with ThreadPoolExecutor(8) as pool:
        codes = [answered.code for answered in pool.map(calls.send, [LIST] * 400, [b""] * 400)]
    assert set(codes) == {"OK"}
    assert server.resident_bytes() - before < 256 << 20


def test_messages_of_nothing_but_small_parts(calls: Calls) -> None:
    # Each of these takes two bytes, and more than twenty once it is read.
    upsert = b"\x0a\x01c" + b"\x1a\x00" * (1 << 20)
    assert calls.send("/qdrant.Points/Upsert", upsert).code == "INVALID_ARGUMENT"
    assert calls.send("/qdrant.Points/Upsert", upsert * 8).code == "RESOURCE_EXHAUSTED"
    conditions = b"\x1a\x00" * (1 << 20)
    query: Any = message_named("qdrant.QueryPoints")(collection_name="c")
    query.filter.MergeFromString(conditions)
    assert calls.send("/qdrant.Points/Query", query.SerializeToString()).code in ("INVALID_ARGUMENT", "OK")
    assert calls.send(LIST, b"").code == "OK"


def test_a_change_that_is_cancelled_is_whole(calls: Calls) -> None:
    created = {**CREATE, "collection_name": "whole", "shard_number": 8}
    assert calls.call("Collections/Create", created).code == "OK"
    upsert = message_named("qdrant.UpsertPoints")
    size = 64
    for batch in range(20):
        points = [
            {"id": {"num": batch * size + at}, "vectors": {"vector": {"dense": {"data": [1.0, 2.0]}}}}
            for at in range(size)
        ]
        asked = upsert(collection_name="whole", wait=True, points=points).SerializeToString()
        call = calls.channel.unary_unary("/qdrant.Points/Upsert").future(asked)
        threading.Event().wait(0.0005 * batch)
        call.cancel()
    # A change that is waited for comes after all of them.
    last = {"collection_name": "whole", "wait": True, "points": {"points": {"ids": [{"num": 1 << 40}]}}}
    assert calls.call("Points/Delete", last).code == "OK"
    deadline = time.monotonic() + 60
    partial = [1]
    while partial and time.monotonic() < deadline:
        found = calls.call("Points/Scroll", {"collection_name": "whole", "limit": 5000}).response.get("result", [])
        batches = [int(point["id"].get("num", 0)) // size for point in found]
        partial = [batch for batch in set(batches) if batches.count(batch) != size]
    assert not partial


def test_answers_are_compressed_for_who_asks(calls: Calls) -> None:
    points = [
        {"id": {"num": at}, "vectors": {"vector": {"dense": {"data": [1.0, 2.0]}}}, "payload": {}} for at in range(500)
    ]
    assert calls.call("Points/Upsert", {"collection_name": "c", "wait": True, "points": points}).code == "OK"
    asked: dict[str, Any] = {"collection_name": "c", "limit": 500, "with_vectors": {"enable": True}}
    plain = calls.call("Points/Scroll", asked)
    assert len(plain.response["result"]) == 500
    zipped = calls.call("Points/Scroll", asked, metadata=[("accept-encoding", "gzip")])
    assert zipped.response["result"] == plain.response["result"]
    scroll = message_named("qdrant.ScrollPoints")(collection_name="c", limit=500).SerializeToString()
    assert [flag_of(calls, scroll, asking) for asking in (False, True)] == [0, 1]


def flag_of(calls: Calls, data: bytes, asking: bool) -> int:
    """What the answer says of itself: 1 when it is compressed."""
    asked = [("accept-encoding", "gzip")] if asking else []
    with RawConnection(calls.port) as connection:
        connection.send(request(1, "/qdrant.Points/Scroll", ("grpc-accept-encoding", "identity,gzip"), *asked))
        connection.send(message(1, data))
        return next(payload[0] for kind, _, payload in connection.frames() if kind == DATA)
