from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from ingest.sharding import FRAMING_BYTES, records_of, split_at
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import from_wire, ids_to_wire, shard_of
from schemas.operations import (
    ClearPayload,
    DeletePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    OverwritePayload,
    SetPayload,
    UpdateVectors,
    Upsert,
)
from schemas.records import Origin, PointsRecord, encode_record
from schemas.validation import check_operation
from schemas.vectors.dense import DenseColumn
from schemas.vectors.registry import VectorColumn

DIM = 2
CONFIG = CollectionConfig({name: VectorParams(DIM, Distance.DOT) for name in ("", "x", "y")})
ORIGIN = Origin(2**31 - 1, 2**63 - 1, 2**32 - 1)
point_ids = st.integers(0, 40) | st.integers(0, (1 << 64) + (1 << 128) - 1)


@st.composite
def columns(draw: st.DrawFn, points: int) -> dict[str, VectorColumn]:
    found: dict[str, VectorColumn] = {}
    for name in draw(st.sets(st.sampled_from(["", "x", "y"]))):
        rows = draw(st.none() | st.sets(st.integers(0, points - 1)).map(sorted)) if points else None
        count = points if rows is None else len(rows)
        values = np.array(draw(st.lists(st.integers(0, 99), min_size=count * DIM, max_size=count * DIM)), "<f4")
        found[name] = DenseColumn(DIM, values.tobytes(), rows)
    return found


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    ids = ids_to_wire(draw(st.lists(point_ids, max_size=12)))  # pyright: ignore[reportArgumentType]
    kind = draw(st.sampled_from(["upsert", "vectors", "set", "delete", "filter"]))
    if kind == "upsert":
        payloads = draw(st.none() | st.lists(st.binary(max_size=60), min_size=len(ids), max_size=len(ids)))
        return Upsert(ids, draw(columns(len(ids))), payloads)
    if kind == "vectors":
        return UpdateVectors(ids, draw(columns(len(ids))))
    if kind == "set":
        return SetPayload(b"{}", ids=ids)
    return DeletePoints(ids=ids) if kind == "delete" else DeletePoints(filter={"must": []})


def effects(operation: Operation) -> list[Any]:
    """What an operation does, point by point."""
    if operation.ids is None:
        return [operation]
    if not isinstance(operation, Upsert | UpdateVectors):
        return [(type(operation), i) for i in operation.ids]
    vectors: list[dict[str, bytes]] = [{} for _ in operation.ids]
    for name, column in operation.vectors.items():
        rows = range(len(vectors)) if column.rows is None else column.rows
        for row, position in enumerate(rows):
            vectors[position][name] = column.data[row * DIM * 4 : (row + 1) * DIM * 4]
    payloads = operation.payloads if isinstance(operation, Upsert) else None
    return [
        (type(operation), i, vectors[n], b"" if payloads is None else payloads[n]) for n, i in enumerate(operation.ids)
    ]


@given(st.lists(operations(), max_size=5), st.integers(1, 4), st.sampled_from([1, 50, 200, 1 << 20]))
def test_every_shard_gets_its_part_in_order(ops: list[Operation], shards: int, max_bytes: int) -> None:
    records = records_of(ops, shards, max_bytes)
    for shard in range(shards):
        expected = [
            effect
            for operation in ops
            for effect in effects(operation)
            if operation.ids is None or shard_of(from_wire(effect[1]), shards) == shard
        ]
        parts = [part for home, record in records if home == shard for part in record]
        assert [effect for part in parts for effect in effects(part)] == expected
        for part in parts:
            check_operation(CONFIG, part)


@given(st.lists(operations(), min_size=1, max_size=5), st.integers(1, 4))
def test_there_is_always_a_record(ops: list[Operation], shards: int) -> None:
    records = records_of(ops, shards, 1 << 20)
    assert records
    assert all(record for _, record in records)


def test_records_are_about_as_large_as_allowed() -> None:
    count, size = 1000, 100
    data = np.arange(count * DIM, dtype="<f4").tobytes()
    upsert = Upsert(list(range(count)), {"": DenseColumn(DIM, data)}, [b"x" * size] * count)
    records = [record for _, record in records_of([upsert], 1, 10_000)]
    points = [sum(len(op.ids or ()) for op in record) for record in records]
    assert sum(points) == count
    assert max(points) * (size + DIM * 4) <= 10_000
    assert len(records) <= 14


def test_a_point_larger_than_allowed_is_a_record_of_its_own() -> None:
    upsert = Upsert([1, 2, 3], {}, [b"x" * 500, b"x" * 50_000, b"x" * 500])
    records = [record for _, record in records_of([upsert], 1, 1000)]
    assert [[op.ids for op in record] for record in records] == [[[1]], [[2]], [[3]]]


def test_small_operations_share_a_record() -> None:
    ops: list[Operation] = [DeletePoints(ids=[n]) for n in range(100)]
    assert [len(record) for _, record in records_of(ops, 1, 1 << 20)] == [100]


def test_operations_count_with_all_that_is_in_them() -> None:
    text = "x" * 3000
    payload = encode({"a": text})
    filter: dict[str, Any] = {"must": [{"key": "a", "match": {"any": [text]}}]}
    every: list[Operation] = [
        SetPayload(payload, ids=[1]),
        SetPayload(b"{}", text, ids=[1]),
        OverwritePayload(payload, filter={}),
        DeletePayload([text], ids=[1]),
        DeletePayload(["a"], filter=filter),
        DeleteVectors([text], ids=[1]),
        ClearPayload(filter=filter),
        DeletePoints(filter=filter),
        Upsert([1], {}, update_filter=filter),
        UpdateVectors([1], {"": DenseColumn(DIM, b"x" * 4 * DIM)}, filter),
    ]
    for operation in every:
        records = [record for _, record in records_of([operation] * 100, 1, 40_000)]
        assert [op for record in records for op in record] == [operation] * 100
        assert 8 <= len(records) <= 10
        assert max(map(size_of, records)) <= 40_000


def test_a_payload_for_many_points_counts_in_every_piece() -> None:
    operation = SetPayload(b"x" * 5000, ids=list(range(1000)))
    records = [record for _, record in records_of([operation], 1, 8000)]
    assert [i for record in records for op in record for i in op.ids or ()] == list(range(1000))
    assert max(map(size_of, records)) <= 8000
    larger = [record for _, record in records_of([operation], 1, 1600)]
    assert len(larger) <= 1000 // 5
    assert max(map(size_of, larger)) <= 5000 + 200


@given(st.lists(operations(), min_size=1, max_size=8), st.sampled_from([300, 600, 2000]))
def test_only_a_record_of_one_point_is_larger_than_allowed(ops: list[Operation], max_bytes: int) -> None:
    for shard, record in records_of(ops, 2, max_bytes):
        if sum(len(operation.ids or (0,)) for operation in record) > 1:
            encoded = encode_record(PointsRecord(uid=2**63, shard=shard, ops=record, origin=ORIGIN))
            assert len(encoded) <= max_bytes + 100
            assert size_of(record) <= max_bytes


def size_of(record: list[Operation]) -> int:
    return sum(len(msgspec.msgpack.encode(operation)) for operation in record)


@pytest.mark.parametrize(
    ("takes", "expected"), [(32 << 20, 4 << 20), (1 << 20, (1 << 20) - FRAMING_BYTES), (1 << 10, 1 << 9)]
)
def test_records_are_split_where_the_log_takes_no_more(takes: int, expected: int) -> None:
    assert split_at(takes, 4 << 20) == expected
