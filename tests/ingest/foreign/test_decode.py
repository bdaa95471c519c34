"""Foreign records: what they mean, which are refused and why, and that nothing else ever comes of one."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.foreign import ForeignWrite, decode_foreign
from ingest.log import Headers
from ingest.points_topic import decode_points_record, is_canonical
from schemas.config import CollectionConfig
from schemas.errors import BadInputError, UnprocessableError
from schemas.operations import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    OverwritePayload,
    SetPayload,
    UpdateMode,
    UpdateVectors,
    Upsert,
)
from schemas.records import CANONICAL_CONTENT_TYPE, PointsRecord, encode_record
from schemas.vectors.dense import DenseColumn
from schemas.vectors.params import SparseVectorParams
from tests.ingest.foreign.samples import NAMED, PLAIN, json_message, message, reason
from tests.projector.fold.memory_state import column

UUID = "00000000-0000-0000-0000-00000000002a"
WIRE_UUID = bytes(15) + b"\x2a"
CANONICAL = encode_record(PointsRecord(uid=1, shard=0, ops=[]))
IN_HEADER: Headers = (("collection_name", b"words"),)


def read(*args: Any, **fields: Any) -> ForeignWrite:
    write = decode_foreign(message(*args) if args else json_message(**fields))
    assert write.collection == "words"
    return write


def test_one_point_is_an_upsert() -> None:
    write = read(collection_name="words", id=7, vector=[1, 2.5], payload={"a": [1]})
    assert write.operations(PLAIN) == [Upsert([7], {"": column([1, 2.5])}, [b'{"a":[1]}'])]
    write = read(collection_name="words", id=UUID, vector={"text": [3]}, operation="upsert")
    assert write.operations(NAMED) == [Upsert([WIRE_UUID], {"text": column([3])})]


def test_payloads_are_kept_as_they_were_sent() -> None:
    write = read(b' {"payload": { "b" : 1, "a":"\\u00e9" } , "vector": [1, 2], "id":1, "collection_name":"words"}')
    assert write.operations(PLAIN) == [Upsert([1], {"": column([1, 2])}, [b'{ "b" : 1, "a":"\\u00e9" }'])]


BODIES: list[tuple[dict[str, Any], list[Operation]]] = [
    ({"points": [{"id": 1, "vector": [1, 2]}]}, [Upsert([1], {"": column([1, 2])})]),
    (
        {"batch": {"ids": [1, UUID], "vectors": [[1, 2], [3, 4]]}, "update_mode": "insert_only"},
        [Upsert([1, WIRE_UUID], {"": column([1, 2], [3, 4])}, update_mode=UpdateMode.INSERT_ONLY)],
    ),
    (
        {"operation": "upsert", "points": [{"id": 1, "vector": [1, 2]}], "update_filter": {"must": []}},
        [Upsert([1], {"": column([1, 2])}, update_filter={"must": []})],
    ),
    ({"operation": "delete", "points": [1, 2]}, [DeletePoints(ids=[1, 2])]),
    ({"operation": "delete", "filter": {}}, [DeletePoints(filter={})]),
    ({"operation": "set_payload", "payload": {"a": 1}, "points": [1]}, [SetPayload(b'{"a":1}', ids=[1])]),
    (
        {"operation": "set_payload", "payload": {"a": 1}, "filter": {}, "key": "b"},
        [SetPayload(b'{"a":1}', "b", filter={})],
    ),
    ({"operation": "overwrite_payload", "payload": {}, "points": [1]}, [OverwritePayload(b"{}", ids=[1])]),
    ({"operation": "delete_payload", "keys": ["a"], "points": [1]}, [DeletePayload(["a"], ids=[1])]),
    ({"operation": "clear_payload", "points": [1]}, [ClearPayload(ids=[1])]),
    (
        {"operation": "update_vectors", "points": [{"id": 1, "vector": {"": [1, 2]}}]},
        [UpdateVectors([1], {"": DenseColumn(2, column([1, 2]).data)})],
    ),
    ({"operation": "delete_vectors", "vector": [""], "points": [1]}, [DeleteVectors([""], ids=[1])]),
    (
        {"operations": [{"delete": {"points": [1]}}, {"upsert": {"points": [{"id": 1, "vector": [1, 2]}]}}]},
        [DeletePoints(ids=[1]), Upsert([1], {"": column([1, 2])})],
    ),
    ({"operations": []}, []),
]


@pytest.mark.parametrize(("body", "expected"), BODIES)
def test_bodies_of_the_rest_api_mean_what_they_mean_there(body: dict[str, Any], expected: list[Operation]) -> None:
    assert read(collection_name="words", **body).operations(PLAIN) == expected


@pytest.mark.parametrize(
    ("key", "headers", "point_id"),
    [
        (b"42", IN_HEADER, 42),
        (b" 42\n", IN_HEADER, 42),
        (b"18446744073709551615", IN_HEADER, 2**64 - 1),
        (UUID.encode(), IN_HEADER, WIRE_UUID),
        (f'"{UUID}"'.encode(), IN_HEADER, WIRE_UUID),
        (b'{"collection_name":"words","id":42}', (), 42),
        (f'{{"id":"{UUID}","collection_name":"words"}}'.encode(), (), WIRE_UUID),
        (b'{"id":42}', IN_HEADER, 42),
        (b'{"collection_name":"words","id":42}', (("collection_name", b"others"),), 42),
    ],
)
def test_a_message_without_a_value_deletes(key: bytes, headers: Headers, point_id: int | bytes) -> None:
    assert read(None, key, headers).operations(PLAIN) == [DeletePoints(ids=[point_id])]


@pytest.mark.parametrize(
    ("key", "headers", "text"),
    [
        (None, IN_HEADER, "it has no key"),
        (b"", IN_HEADER, "it has no key"),
        (b"42", (), "neither the key nor a header collection_name"),
        (b'{"id":42}', (), "neither the key nor a header collection_name"),
        (b"42", (("collection_name", b"\xff"),), "not UTF-8"),
        (b"-1", IN_HEADER, "key: value -1 is not a valid point ID"),
        (b"18446744073709551616", IN_HEADER, "key: value 18446744073709551616 is not a valid point ID"),
        (b"1" * 10_000, IN_HEADER, "is not a valid point ID"),
        (b"\xff", IN_HEADER, "is not a valid point ID"),
        ("²".encode(), IN_HEADER, "is not a valid point ID"),
        (b'"nope"', IN_HEADER, "is not a valid point ID"),
        (b'{"id":1.5}', IN_HEADER, "is not a valid point ID"),
        (b'{"collection_name":"words"}', (), "missing field `id`"),
    ],
)
def test_tombstones_that_name_no_point_are_refused(key: bytes | None, headers: Headers, text: str) -> None:
    assert text in reason(message(None, key, headers))


REFUSED: list[tuple[bytes, str]] = [
    (b"{", "EOF while parsing an object at line 1 column 1"),
    (b"{}", "missing field `collection_name`"),
    (b'{"collection_name":"c"} x', "trailing characters"),
    (b'{"collection_name":7,"id":1,"vector":[1,2]}', "invalid type: integer `7`, expected a string at collection_name"),
    (b'{"collection_name":"c","id":1}', "vector: missing"),
    (b'{"collection_name":"c","vector":[1,2]}', "id: missing"),
    (b'{"collection_name":"c","id":1,"vector":[1]}', "Vector dimension error: expected dim: 2, got 1 at vector"),
    (b'{"collection_name":"c","id":1,"vector":{"x":[1,2]}}', "Not existing vector name error: x at vector.x"),
    (b'{"collection_name":"c","id":1,"vector":[1,NaN]}', "expected value at line 1 column 43"),
    (b'{"collection_name":"c","id":1,"vector":[1,Infinity]}', "expected value at line 1 column 43"),
    (b'{"collection_name":"c","id":1,"vector":[1,1e39]}', "vector[1]: 1e+39 is out of the range of float32"),
    (b'{"collection_name":"c","id":1,"vector":[1,1e999]}', "out of range"),
    (b'{"collection_name":"c","id":1,"vector":[1,' + b"9" * 400 + b"]}", "out of range"),
    (b'{"collection_name":"c","id":1,"vector":"[1,2]"}', "Expected `object | array`, got `str` at vector"),
    (b'{"collection_name":"c","id":1,"vector":[[1,2]]}', "multi and regular vectors failed"),
    (
        b'{"collection_name":"c","id":1,"vector":{"indices":[1],"values":[2]}}',
        "Not existing vector name error: indices",
    ),
    (b'{"collection_name":"c","id":1,"vector":{"s":{"indices":[1],"values":[2]}}}', "vector name error: s"),
    (
        b'{"collection_name":"c","id":-1,"vector":[1,2]}',
        "value -1 is not a valid point ID",
    ),
    (b'{"collection_name":"c","id":' + b"9" * 30 + b',"vector":[1,2]}', "is not a valid point ID"),
    (b'{"collection_name":"c","id":' + b"9" * 9999 + b',"vector":[1,2]}', "out of range at id"),
    (b'{"collection_name":"c","id":1.5,"vector":[1,2]}', "value 1.5 is not a valid point ID"),
    (b'{"collection_name":"c","id":null,"vector":[1,2]}', "value null is not a valid point ID"),
    (b'{"collection_name":"c","id":"seven","vector":[1,2]}', "value seven is not a valid point ID"),
    (b'{"collection_name":"c","id":1,"vector":[1,2],"payload":[]}', "payload: payload is not a JSON object"),
    (b'{"collection_name":"c","id":1,"vector":[1,2],"payload":{"a":"\xff"}}', "payload: payload is not a JSON object"),
    (b'{"collection_name":"c\xff","id":1,"vector":[1,2]}', "not valid UTF-8"),
    (b'{"collection_name":"c","id":1,"vector":[1,2],"shard_key_selector":["a"]}', 'Shard key "a" not found'),
    (b'{"collection_name":"c","id":1,"vector":[1,2],"points":[]}', "expected one of `id`, `points` or `batch`"),
    (b'{"collection_name":"c","operations":[],"points":[]}', "expected one of `id`, `points` or `batch`"),
    (b'{"collection_name":"c","operations":[],"operation":"delete"}', "operation: not with `operations`"),
    (b'{"collection_name":"c","points":[],"batch":{"ids":[],"vectors":[]}}', "Empty update request"),
    (b'{"collection_name":"c","operation":"batch","points":[]}', "operation: expected one of `upsert`, `delete`"),
    (b'{"collection_name":"c","operation":"merge","points":[]}', "operation: expected one of `upsert`, `delete`"),
    (b'{"collection_name":"c","points":[1]}', "invalid type: integer `1`, expected a map at points[0]"),
    (b'{"collection_name":"c","points":[]}', "Empty update request"),
    (b'{"collection_name":"c","operation":"delete"}', "Either list of point ids or filter must be provided"),
    (b'{"collection_name":"c","operation":"update_vectors","points":[]}', "points: must specify points to update"),
    (b'{"collection_name":"c","operation":"delete","filter":{"must":[{"nope":1}]}}', "filter.must[0]"),
    (
        b'{"collection_name":"c","operation":"delete","filter":{"must":[{"key":"a","match":{"value":'
        + b"9" * 30
        + b"}}]}}",
        "is out of range",
    ),
    (b'{"collection_name":"c","operations":[{"delete":{"points":[1]}},{}]}', "Expected one of"),
    (b'{"collection_name":"c","operations":[{"delete":{"points":[-1]}}]}', "(in operations[0])"),
    (b"[1]", "neither a JSON object nor a record of Headwater"),
    (b"hello", "neither a JSON object nor a record of Headwater"),
    (b"", "neither a JSON object nor a record of Headwater"),
    ("\ufeff{}".encode(), "neither a JSON object nor a record of Headwater"),
]


@pytest.mark.parametrize(("value", "text"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_what_is_wrong_is_refused_with_a_reason(value: bytes, text: str) -> None:
    assert text in reason(message(value))


@pytest.mark.parametrize(
    ("name", "good"),
    [("x", True), ("x" * 255, True), ("é" * 127, True), ("é" * 128, False), ("x" * 256, False), ("", False)],
)
def test_a_name_that_no_collection_can_have_is_refused(name: str, good: bool) -> None:
    records = [
        json_message(collection_name=name, id=1, vector=[1, 2]),
        json_message(collection_name=name, operation="delete", points=[1]),
        json_message(collection_name=name, operations=[]),
        message(None, msgspec.json.encode({"collection_name": name, "id": 1})),
        message(None, b"1", (("collection_name", name.encode()),)),
    ]
    for record in records:
        if good:
            assert decode_foreign(record).collection == name
        else:
            with pytest.raises(UnprocessableError, match="collection name: must have 1 to 255 bytes"):
                decode_foreign(record)


def test_a_body_has_as_many_operations_as_a_rest_request() -> None:
    delete = {"delete": {"points": [1]}}
    assert reason(json_message(collection_name="words", operations=[delete] * 10_000)) == ""
    found = reason(json_message(collection_name="words", operations=[delete] * 10_001))
    assert "operations: at most 10000, not 10001" in found


def test_the_last_of_two_equal_keys_counts_as_in_the_rest_api() -> None:
    write = read(b'{"collection_name":"c","collection_name":"words","id":1,"id":2,"vector":[1,2],"vector":[3,4]}')
    assert write.operations(PLAIN) == [Upsert([2], {"": column([3, 4])})]


NESTED = (10, 60, 70, 300, 600, 800, 900, 960, 1000, 1200, 100_000)


def _at_depth(depth: int, value: bytes) -> str:
    return reason(message(value)) if depth == 0 else _at_depth(depth - 1, value)


@pytest.mark.parametrize("depth", NESTED)
@pytest.mark.parametrize("field", [b"unknown", b"payload", b"vector", b"id", b"points", b"operation"])
def test_what_is_nested_too_deeply_is_refused_however_deep_the_stack_is(depth: int, field: bytes) -> None:
    nested = b'{"a":[' * (depth // 2) + b"]}" * (depth // 2)
    value = b'{"collection_name":"c","id":1,"vector":[1,2],"%b":%b}' % (field, nested)
    found = _at_depth(0, value)
    assert bool(found) == (depth > (64 if field == b"payload" else 960)) or field not in (b"unknown", b"payload")
    assert bool(_at_depth(400, value)) == bool(found)


@pytest.mark.parametrize(
    ("value", "headers", "canonical"),
    [
        (CANONICAL, (), True),
        (b"{}", (), False),
        (b" \t\r\n{}", (), False),
        (None, (), False),
        (b"[]", (), True),
        (b"{}", (("content-type", CANONICAL_CONTENT_TYPE),), True),
        (None, (("content-type", CANONICAL_CONTENT_TYPE),), True),
        (CANONICAL, (("Content-Type", b"Application/JSON; charset=utf-8"),), False),
        (CANONICAL, (("content-type", b"application/octet-stream"),), True),
        (b"{}", (("content-type", b"text/plain"),), False),
        (b"{}", (("a", CANONICAL_CONTENT_TYPE), ("content-type", b"application/json")), False),
    ],
)
def test_the_content_type_decides_else_the_shape(value: bytes | None, headers: Headers, canonical: bool) -> None:
    assert is_canonical(message(value, headers=headers)) == canonical


def test_both_kinds_are_read() -> None:
    assert decode_points_record(message(CANONICAL)) == PointsRecord(uid=1, shard=0, ops=[])
    assert reason(message(CANONICAL, headers=(("content-type", b"application/json"),)))


_names = st.sampled_from(
    ["collection_name", "id", "vector", "payload", "points", "batch", "operations", "operation", "filter", "key"]
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["words", "delete", "upsert", "set_payload", "delete_vectors", UUID]),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names | st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)
_objects = st.dictionaries(_names, _values, max_size=6).map(lambda fields: {"collection_name": "words", **fields})


@given(st.binary(max_size=60), st.none() | st.binary(max_size=60), st.lists(st.tuples(st.text(), st.binary())))
def test_any_message_is_read_or_refused(value: bytes, key: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    reason(message(b"{" + value, key, tuple(headers)))
    reason(message(None, key, (*headers, *IN_HEADER)))


@given(_objects)
def test_any_object_is_read_or_refused(fields: dict[str, Any]) -> None:
    reason(json_message(**fields))
    reason(json_message(**fields), NAMED)


@given(st.sampled_from(BODIES), st.integers(0, 1000), st.binary(min_size=1, max_size=3))
def test_damaged_records_are_read_or_refused(body: tuple[dict[str, Any], Any], at: int, replacement: bytes) -> None:
    value = msgspec.json.encode({"collection_name": "words", **body[0]})
    at %= len(value)
    damaged = message(value[:at] + replacement + value[at + len(replacement) :])
    if not is_canonical(damaged):
        reason(damaged)


def test_a_document_becomes_a_sparse_vector() -> None:
    config = CollectionConfig(vectors={}, sparse_vectors={"t": SparseVectorParams()})
    vector = {"t": {"text": "quick foxes", "model": "qdrant/bm25"}}
    (upsert,) = read(collection_name="words", id=1, vector=vector).operations(config)
    (same,) = read(collection_name="words", points=[{"id": 1, "vector": vector}]).operations(config)
    assert upsert == same
    assert isinstance(upsert, Upsert)
    assert upsert.vectors["t"].listed() == [
        {"indices": [771291085, 1621867415], "values": [pytest.approx(1.6832038)] * 2}
    ]
    other = {"t": {"text": "quick foxes", "model": "other"}}
    with pytest.raises(BadInputError, match="InferenceService"):
        read(collection_name="words", id=1, vector=other).operations(config)
