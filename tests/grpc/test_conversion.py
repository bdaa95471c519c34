"""Messages become what REST's requests are: as protobuf's own reading has it."""

from typing import Any, cast

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.grpc.messages import load, message_named
from compose.grpc.numbers import floats_of, list_of, put_floats, read_varint, write_varint
from compose.grpc.routes import POINTS
from compose.grpc.values import read_object, read_payload, write_payload
from ingest.requests import operation_of, upsert
from schemas.config import CollectionConfig, Datatype, Distance, SparseVectorParams, VectorParams
from schemas.errors import BadInputError, HeadwaterError
from schemas.operations import Upsert
from schemas.rest.decode import ParsedBody, decode_body
from schemas.rest.points import UpsertRequest
from schemas.vectors.params import MultivectorConfig

load()
UUID = "f9168c5e-ceb2-4faa-b6bf-329bf39fa1e4"
floats = st.floats(width=32)
finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_decode_json = msgspec.json.Decoder(UpsertRequest)


def read(method: str, request: Any) -> Any:
    """What a request becomes."""
    body = POINTS[method].body
    assert body is not None
    return body(request)


def message(name: str, **fields: Any) -> Any:
    return message_named(f"qdrant.{name}")(**fields)


@given(st.lists(floats, max_size=300), st.binary(max_size=4))
def test_numbers_are_those_that_protobuf_reads(numbers: list[float], unknown: bytes) -> None:
    dense = message("DenseVector", data=numbers)
    if unknown:
        # A field that this release doesn't know stands beside them.
        dense.MergeFromString(b"\x9a\x06" + write_varint(len(unknown)) + unknown)
    expected = np.array(list(dense.data), "<f4")
    assert floats_of(dense) == expected.tobytes()
    np.testing.assert_array_equal(np.array(list_of(dense), "<f4"), expected)
    filled = message("DenseVector")
    put_floats(expected, filled)
    np.testing.assert_array_equal(np.array(list(filled.data), "<f4"), expected)


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=3))
def test_varints(value: int, rest: bytes) -> None:
    written = write_varint(value)
    assert read_varint(written + rest, 0) == (value, len(written))


@given(st.dictionaries(st.text(), values, max_size=5))
def test_payloads_come_back(payload: dict[str, Any]) -> None:
    point = message("PointStruct")
    write_payload(payload, point.payload)
    parsed: Any = message_named("qdrant.PointStruct").FromString(point.SerializeToString())
    assert read_payload(parsed.payload) == payload
    assert msgspec.json.decode(bytes(read_object(parsed.payload))) == payload


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_cannot_write_are_refused(number: float) -> None:
    point = message("PointStruct")
    point.payload["x"].double_value = number
    with pytest.raises(BadInputError, match="NaN or infinite"):
        read_object(point.payload)
    with pytest.raises(BadInputError, match="floating point"):
        read("Query", message("QueryPoints", score_threshold=number))


CONFIG = CollectionConfig(
    {
        "a": VectorParams(3, Distance.COSINE),
        "half": VectorParams(2, Distance.COSINE, datatype=Datatype.FLOAT16),
        "bytes": VectorParams(2, Distance.DOT, datatype=Datatype.UINT8),
        "m": VectorParams(2, Distance.DOT, multivector_config=MultivectorConfig()),
    },
    sparse_vectors={"s": SparseVectorParams()},
)
PLAIN = CollectionConfig({"": VectorParams(3, Distance.COSINE)})
SPARSE = st.dictionaries(st.integers(0, (1 << 32) - 1), finite, max_size=6)
NAMED = st.fixed_dictionaries(
    {},
    optional={
        "a": st.lists(finite, min_size=3, max_size=3),
        "half": st.lists(finite, min_size=2, max_size=2),
        "bytes": st.lists(finite, min_size=2, max_size=2),
        "m": st.lists(st.lists(finite, min_size=2, max_size=2), min_size=1, max_size=3),
        "s": SPARSE.map(lambda pairs: {"indices": [*pairs], "values": [*pairs.values()]}),
    },
)


def sparse(indices: list[int], values: list[float]) -> dict[str, Any]:
    return {"indices": indices, "values": values}


# What is wrong: another size, no vectors, another kind, a name that isn't there, an index twice. One vector a point, as
# a message's have no order.
WRONG: dict[str, st.SearchStrategy[Any]] = {
    "a": st.lists(finite, max_size=5),
    "m": st.lists(st.lists(finite, max_size=3), min_size=1, max_size=3),
    "s": st.builds(sparse, st.lists(st.integers(0, 3), max_size=3), st.lists(finite, max_size=3)),
    "none": st.lists(finite, min_size=1, max_size=3),
}
IDS = st.integers(0, (1 << 64) - 1) | st.just(UUID)


def put(vector: Any, into: Any) -> None:
    if isinstance(vector, dict):
        into.sparse.SetInParent()
        into.sparse.indices.extend(vector["indices"])
        into.sparse.values.extend(vector["values"])
    elif vector and isinstance(vector[0], list):
        for row in vector:
            into.multi_dense.vectors.add().data.extend(row)
    else:
        into.dense.SetInParent()
        into.dense.data.extend(vector)


def as_message(points: list[dict[str, Any]]) -> Any:
    request = message("UpsertPoints", collection_name="c")
    for point in points:
        made = request.points.add()
        setattr(made.id, "num" if isinstance(point["id"], int) else "uuid", point["id"])
        write_payload(point.get("payload", {}), made.payload)
        vectors: Any = point["vector"]
        if isinstance(vectors, dict):
            made.vectors.vectors.SetInParent()
            for name, vector in cast("dict[str, Any]", vectors).items():
                put(vector, made.vectors.vectors.vectors[name])
        else:
            put(vectors, made.vectors.vector)
    return message_named("qdrant.UpsertPoints").FromString(request.SerializeToString())


def over_rest(config: CollectionConfig, points: list[dict[str, Any]]) -> Upsert | str:
    try:
        request = decode_body(_decode_json, msgspec.json.encode({"points": points}))
        return operation_of(config, upsert, request)  # pyright: ignore[reportReturnType]
    except HeadwaterError as error:
        return error.message


def over_grpc(config: CollectionConfig, points: list[dict[str, Any]]) -> Upsert | str:
    try:
        request = decode_body(_decode_json, ParsedBody(read("Upsert", as_message(points)), b""))
        return operation_of(config, upsert, request)  # pyright: ignore[reportReturnType]
    except HeadwaterError as error:
        return error.message


def same(config: CollectionConfig, points: list[dict[str, Any]]) -> None:
    ours, theirs = over_grpc(config, points), over_rest(config, points)
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs
        return
    assert ours.ids == theirs.ids
    assert ours.vectors == theirs.vectors
    read_all = [[msgspec.json.decode(text or b"{}") for text in op.payloads or []] for op in (ours, theirs)]
    assert read_all[0] == read_all[1]


def points_of(vectors: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    payloads = st.dictionaries(st.text(max_size=3), values, max_size=2)
    return st.lists(st.fixed_dictionaries({"id": IDS, "vector": vectors, "payload": payloads}), max_size=4)


@given(points_of(st.lists(finite, min_size=3, max_size=3)))
def test_plain_points_are_those_of_rest(points: list[dict[str, Any]]) -> None:
    same(PLAIN, points)


@given(points_of(st.lists(finite, max_size=4)))
def test_plain_points_of_any_size_are_refused_as_by_rest(points: list[dict[str, Any]]) -> None:
    same(PLAIN, points)


@given(points_of(NAMED))
def test_named_points_are_those_of_rest(points: list[dict[str, Any]]) -> None:
    same(CONFIG, points)


@given(points_of(st.one_of([st.fixed_dictionaries({name: vectors}) for name, vectors in WRONG.items()])))
def test_named_points_are_refused_as_by_rest(points: list[dict[str, Any]]) -> None:
    same(CONFIG, points)


@pytest.mark.parametrize("config", [PLAIN, CONFIG], ids=["plain", "named"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_vectors_that_are_no_numbers_are_refused_whatever_they_are_kept_as(
    config: CollectionConfig, number: float
) -> None:
    for name, params in config.vectors.items():
        vector: Any = [number] * params.size
        if params.multivector_config is not None:
            vector = [vector]
        refused = over_grpc(config, [{"id": 1, "vector": {name: vector} if name else vector}])
        assert isinstance(refused, str)
        assert "out of the range of float32" in refused
