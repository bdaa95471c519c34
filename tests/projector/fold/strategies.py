"""Hypothesis strategies: operations on few points of SHARD, most of them valid, and records of them."""

from typing import Any

import msgspec
import numpy as np
from hypothesis import strategies as st

from schemas.ids import UUID_BASE, PointId, WireId, ids_to_wire
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
from schemas.records import PartitionRecord, PointsRecord, ShardChanged, ShardClosed, ShardOpened
from schemas.vectors.dense import DenseColumn
from schemas.vectors.registry import VectorColumn
from tests.projector.fold.memory_state import CONFIG
from tests.schemas import strategies

_IDS = [*map(PointId, range(6)), PointId(UUID_BASE - 1), PointId(UUID_BASE), PointId(UUID_BASE + (1 << 127))]
_SIZES = {name: params.size for name, params in CONFIG.vectors.items()}

wire_ids: st.SearchStrategy[list[WireId]] = st.lists(st.sampled_from(_IDS), max_size=8).map(ids_to_wire)
payloads = st.one_of(st.just(b""), strategies.payloads.map(msgspec.json.encode))
objects = strategies.payloads.map(msgspec.json.encode)
_everything: strategies.Json = {}
filters = st.one_of(st.just(_everything), strategies.filters(depth=1))
_floats = st.sampled_from([0.0, -0.0, 1.0, -2.5, 1e-45, 3e38])


@st.composite
def _columns(draw: st.DrawFn, points: int) -> dict[str, VectorColumn]:
    columns: dict[str, VectorColumn] = {}
    for name in draw(st.lists(st.sampled_from(list(_SIZES)), unique=True, max_size=2)):
        rows = None
        if draw(st.booleans()):
            rows = [row for row in range(points) if draw(st.booleans())]
        dim = _SIZES[name] if draw(st.integers(0, 30)) else 3
        count = dim * (points if rows is None else len(rows))
        values = draw(st.lists(_floats, min_size=count, max_size=count))
        columns[name] = DenseColumn(dim, np.array(values, "<f4").tobytes(), rows)
    return columns


@st.composite
def _upserts(draw: st.DrawFn) -> Upsert:
    ids = draw(wire_ids)
    return Upsert(
        ids,
        draw(_columns(len(ids))),
        draw(st.none() | st.lists(payloads, min_size=len(ids), max_size=len(ids))),
        draw(st.none() | filters),
        draw(st.sampled_from(UpdateMode)),
    )


@st.composite
def _update_vectors(draw: st.DrawFn) -> UpdateVectors:
    ids = draw(wire_ids)
    return UpdateVectors(ids, draw(_columns(len(ids))), draw(st.none() | filters))


@st.composite
def _selecting(draw: st.DrawFn) -> Operation:
    named: dict[str, Any] = {"ids": draw(wire_ids)} if draw(st.booleans()) else {"filter": draw(filters)}
    key = draw(st.none() | strategies.keys)
    operation = draw(
        st.sampled_from([DeleteVectors, SetPayload, OverwritePayload, DeletePayload, ClearPayload, DeletePoints])
    )
    if operation is DeleteVectors:
        return DeleteVectors(draw(st.lists(st.sampled_from(list(_SIZES)), max_size=2)), **named)
    if operation is SetPayload:
        return SetPayload(draw(objects), key, **named)
    if operation is OverwritePayload:
        return OverwritePayload(draw(objects), key, **named)
    if operation is DeletePayload:
        return DeletePayload(draw(st.lists(strategies.keys, max_size=3)), **named)
    return ClearPayload(**named) if operation is ClearPayload else DeletePoints(**named)


operations: st.SearchStrategy[Operation] = st.one_of(
    _upserts(), _upserts(), _update_vectors(), _selecting(), _selecting()
)


@st.composite
def _records(draw: st.DrawFn) -> PartitionRecord:
    uid, shard = draw(st.sampled_from([(7, 0), (7, 0), (7, 1), (8, 0)]))
    kind = draw(st.integers(0, 20))
    seq = draw(st.integers(1, 60))
    if kind == 0:
        return ShardOpened(seq=seq, uid=uid, shard=shard, name=f"c{uid}", config=CONFIG, shard_map=[0, 0])
    if kind == 1:
        return ShardChanged(seq=seq, uid=uid, shard=shard, config=CONFIG)
    if kind == 2:
        return ShardClosed(seq=seq, uid=uid, shard=shard)
    return PointsRecord(uid=uid, shard=shard, ops=draw(st.lists(operations, min_size=1, max_size=4)))


records = _records()
"""Records for the shards (7, 0), (7, 1) and (8, 0)."""
