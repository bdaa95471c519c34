"""What the server does with calls whatever they ask: health, reflection, limits, and what is wrong with a call."""

import time
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tests.grpc.channel import Calls

CREATE = {"collection_name": "c", "vectors_config": {"params": {"size": 2, "distance": "Dot"}}}
LIMIT = 1 << 20


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {"HEADWATER_MAX_BODY_BYTES": str(LIMIT)}


def test_health(calls: Calls) -> None:
    for name in (b"", b"\x0a\x0dqdrant.Points"):
        answer = calls.channel.unary_unary(
            "/grpc.health.v1.Health/Check", response_deserializer=health_pb2.HealthCheckResponse.FromString
        )(name)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert calls.call("Qdrant/HealthCheck").response["version"].startswith("1.")


@pytest.mark.parametrize("version", ["v1alpha", "v1"])
def test_reflection(calls: Calls, version: str) -> None:
    ask: Any = calls.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="qdrant.Points"),
    ]
    services, file = ask(iter(requests))
    names = {service.name for service in services.list_services_response.service}
    assert {"qdrant.Points", "qdrant.Collections", "qdrant.Snapshots", "grpc.health.v1.Health"} <= names
    found = FileDescriptorProto.FromString(file.file_descriptor_response.file_descriptor_proto[0])
    assert "Upsert" in {method.name for method in found.service[0].method}


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        ("/qdrant.Points/Upsert", b"\xff\xff\xff", "INVALID_ARGUMENT"),
        ("/qdrant.Points/Upsert", b"\x00" * (LIMIT + 1000), "RESOURCE_EXHAUSTED"),
        ("/qdrant.Points/Upsert", b"\x0a\x01c" + b"\x1a\x00" * (LIMIT // 4), "RESOURCE_EXHAUSTED"),
        ("/qdrant.Points/QueryBatch", b"\x0a\x01c" + b"\x12\x00" * (LIMIT // 32), "RESOURCE_EXHAUSTED"),
        ("/qdrant.Points/Explode", b"", "UNIMPLEMENTED"),
        ("/qdrant.Nothing/Get", b"", "UNIMPLEMENTED"),
    ],
    ids=["malformed", "too large", "many points", "many queries", "no such method", "no such service"],
)
def test_what_is_wrong_with_a_call(calls: Calls, path: str, data: bytes, code: str) -> None:
    assert calls.send(path, data).code == code
    assert calls.call("Collections/List").code == "OK"


def test_compressed(calls: Calls) -> None:
    created = calls.call("Collections/Create", CREATE, compression=grpc.Compression.Gzip)
    assert created.response["result"] is True
    point = {"id": {"num": 1}, "vectors": {"vector": {"dense": {"data": [1.0] * 2}}}, "payload": {}}
    upserted = calls.call(
        "Points/Upsert",
        {"collection_name": "c", "wait": True, "points": [point] * 1000},
        compression=grpc.Compression.Gzip,
    )
    assert upserted.response["result"]["status"] == "Completed"
    assert calls.call("Points/Count", {"collection_name": "c"}).response["result"] == {"count": "1"}


def test_large_requests_and_answers(calls: Calls) -> None:
    count, size = 200, 300
    config = {"params": {"size": size, "distance": "Dot"}}
    assert calls.call("Collections/Create", {"collection_name": "large", "vectors_config": config}).code == "OK"
    points = [{"id": {"num": i}, "vectors": {"vector": {"dense": {"data": [i + 0.5] * size}}}} for i in range(count)]
    upserted = calls.call("Points/Upsert", {"collection_name": "large", "wait": True, "points": points})
    assert upserted.response["result"]["status"] == "Completed"
    asked = {"collection_name": "large", "limit": count, "with_vectors": {"enable": True}}
    found = calls.call("Points/Scroll", asked).response["result"]
    assert [point["vectors"]["vector"]["dense"]["data"] for point in found] == [[i + 0.5] * size for i in range(count)]


def test_cancelled_calls_leave_nothing_behind(calls: Calls) -> None:
    list_collections = calls.channel.unary_unary("/qdrant.Collections/List")
    for _ in range(50):
        list_collections.future(b"").cancel()
    late = calls.call("Collections/List", timeout=0.000_001)
    assert late.code in ("DEADLINE_EXCEEDED", "OK")
    answered = [calls.call("Collections/List").code for _ in range(5)]
    assert answered == ["OK"] * 5


def test_a_token_makes_a_read_see_a_write(calls: Calls) -> None:
    created = {**CREATE, "collection_name": "tokens"}
    assert calls.call("Collections/Create", created).code == "OK"
    point = {"id": {"num": 7}, "vectors": {"vector": {"dense": {"data": [1.0, 2.0]}}}}
    written = calls.call("Points/Upsert", {"collection_name": "tokens", "points": [point]})
    token = written.metadata["x-headwater-offsets"]
    read = {"collection_name": "tokens", "ids": [{"num": 7}]}
    found = calls.call("Points/Get", read, metadata=[("x-headwater-offsets", token)])
    assert found.response["result"] == [{"id": {"num": "7"}}]
    wrong = calls.call("Points/Get", read, metadata=[("x-headwater-offsets", "nonsense")])
    assert wrong.code == "INVALID_ARGUMENT"


def test_the_deadline_of_a_call_holds(calls: Calls) -> None:
    # Nobody writes that far: the read would wait for it as long as it may.
    began = time.monotonic()
    read = {"collection_name": "tokens", "ids": [{"num": 7}]}
    waiting = calls.call("Points/Get", read, timeout=0.5, metadata=[("x-headwater-offsets", "0:1000000")])
    assert waiting.code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - began < 30
