from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.sharding import records_of
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import from_wire, ids_to_wire, shard_of
from schemas.operations import DeletePoints, Operation, SetPayload, UpdateVectors, Upsert, VectorColumn
from schemas.validation import check_operation

DIM = 2
CONFIG = CollectionConfig({name: VectorParams(DIM, Distance.DOT) for name in ("", "x", "y")})
point_ids = st.integers(0, 40) | st.integers(0, (1 << 64) + (1 << 128) - 1)


@st.composite
def columns(draw: st.DrawFn, points: int) -> dict[str, VectorColumn]:
    found: dict[str, VectorColumn] = {}
    for name in draw(st.sets(st.sampled_from(["", "x", "y"]))):
        rows = draw(st.none() | st.sets(st.integers(0, points - 1)).map(sorted)) if points else None
        count = points if rows is None else len(rows)
        values = np.array(draw(st.lists(st.integers(0, 99), min_size=count * DIM, max_size=count * DIM)), "<f4")
        found[name] = VectorColumn(DIM, values.tobytes(), rows)
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
    upsert = Upsert(list(range(count)), {"": VectorColumn(DIM, data)}, [b"x" * size] * count)
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
