"""Hypothesis strategies: records of every type, with operations of every kind."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.config import CollectionConfig, CollectionPatch, Distance, HnswConfig, HnswConfigDiff, VectorParams
from schemas.ids import to_wire
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
from schemas.records import (
    AliasAction,
    CatalogRecord,
    ChangeAliases,
    CreateAlias,
    CreateCollection,
    DeleteAlias,
    DeleteCollection,
    PartitionRecord,
    PointsRecord,
    RenameAlias,
    ShardChanged,
    ShardClosed,
    ShardOpened,
    UpdateCollection,
)
from schemas.vectors.dense import DenseColumn
from schemas.vectors.multi import MultiColumn
from schemas.vectors.params import Datatype, Modifier, MultivectorConfig, SparseIndexConfig, SparseVectorParams
from schemas.vectors.registry import VectorColumn
from schemas.vectors.sparse import SparseColumn
from tests.schemas import strategies

uint64 = st.integers(0, 2**64 - 1)
sequence_numbers = st.integers(1, 2**64 - 1)
small = st.integers(0, 1000)
names = st.text(max_size=5)
wire_ids = st.lists(strategies.point_ids.map(to_wire), max_size=3)
payloads = strategies.payloads.map(msgspec.json.encode)
datatypes = st.sampled_from(Datatype)
positions = st.none() | st.integers(0, 255)
maybe_rows = st.none() | st.lists(small, max_size=3)
data = st.binary(max_size=16)
plain_columns = st.builds(DenseColumn, dim=small, data=data, rows=maybe_rows)
columns: st.SearchStrategy[VectorColumn] = st.one_of(
    st.builds(DenseColumn, dim=small, data=data, rows=maybe_rows, datatype=datatypes, position=positions),
    st.builds(SparseColumn, lengths=data, data=data, rows=maybe_rows, position=positions),
    st.builds(MultiColumn, dim=small, lengths=data, data=data, rows=maybe_rows, datatype=datatypes, position=positions),
)
maybe_filter = st.none() | strategies.filters(depth=1)
maybe_ids = st.none() | wire_ids
maybe_key = st.none() | strategies.keys


def operations_with(columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    """Operations of every kind with such columns."""
    vectors = st.dictionaries(names, columns, max_size=2)
    return st.one_of(
        st.builds(
            Upsert,
            ids=wire_ids,
            vectors=vectors,
            payloads=st.none() | st.lists(payloads, max_size=3),
            update_filter=maybe_filter,
            update_mode=st.sampled_from(UpdateMode),
        ),
        st.builds(UpdateVectors, ids=wire_ids, vectors=vectors, update_filter=maybe_filter),
        st.builds(DeleteVectors, names=st.lists(names, max_size=2), ids=maybe_ids, filter=maybe_filter),
        st.builds(SetPayload, payload=payloads, key=maybe_key, ids=maybe_ids, filter=maybe_filter),
        st.builds(OverwritePayload, payload=payloads, key=maybe_key, ids=maybe_ids, filter=maybe_filter),
        st.builds(DeletePayload, keys=st.lists(strategies.keys, max_size=2), ids=maybe_ids, filter=maybe_filter),
        st.builds(ClearPayload, ids=maybe_ids, filter=maybe_filter),
        st.builds(DeletePoints, ids=maybe_ids, filter=maybe_filter),
    )


operations = operations_with(columns)

vector_params = st.builds(
    VectorParams,
    size=small,
    distance=st.sampled_from(Distance),
    hnsw_config=st.none() | st.builds(HnswConfigDiff, m=st.none() | small),
    quantization_config=st.none() | st.just({"scalar": {"type": "int8"}}),
    datatype=st.none() | datatypes,
    multivector_config=st.none() | st.just(MultivectorConfig()),
    position=positions,
)
sparse_params = st.builds(
    SparseVectorParams,
    index=st.none() | st.builds(SparseIndexConfig, on_disk=st.none() | st.booleans()),
    modifier=st.none() | st.sampled_from(Modifier),
    position=positions,
)
configs = st.builds(
    CollectionConfig,
    vectors=st.dictionaries(names, vector_params, max_size=2),
    shard_number=small,
    hnsw=st.builds(HnswConfig, m=small, on_disk=st.none() | st.booleans()),
    metadata=st.none() | strategies.payloads,
    sparse_vectors=st.dictionaries(names, sparse_params, max_size=2),
    next_position=small,
)
patches = st.builds(
    CollectionPatch,
    hnsw_config=st.none() | st.builds(HnswConfigDiff, ef_construct=st.none() | small),
    quantization_config=st.none() | st.just("Disabled") | st.just({"binary": {"always_ram": True}}),
    metadata=st.none() | strategies.payloads,
)
alias_actions: st.SearchStrategy[AliasAction] = st.one_of(
    st.builds(CreateAlias, alias=names, collection=names),
    st.builds(DeleteAlias, alias=names),
    st.builds(RenameAlias, old=names, new=names),
)


def partition_records_with(operations: st.SearchStrategy[Operation]) -> st.SearchStrategy[PartitionRecord]:
    """Records of every type with such operations."""
    return st.one_of(
        st.builds(PointsRecord, uid=uint64, shard=small, ops=st.lists(operations, max_size=3)),
        st.builds(
            ShardOpened,
            seq=sequence_numbers,
            uid=uint64,
            shard=small,
            name=names,
            config=configs,
            shard_map=st.lists(small, max_size=3),
        ),
        st.builds(ShardChanged, seq=sequence_numbers, uid=uint64, shard=small, config=configs),
        st.builds(ShardClosed, seq=sequence_numbers, uid=uint64, shard=small),
    )


partition_records = partition_records_with(operations)
plain_partition_records = partition_records_with(operations_with(plain_columns))
catalog_records: st.SearchStrategy[CatalogRecord] = st.one_of(
    st.builds(
        CreateCollection,
        uid=uint64,
        name=names,
        config=configs,
        partitions=st.integers(1, 1000),
        max_collections=st.one_of(st.none(), st.integers(1, 4096)),
    ),
    st.builds(UpdateCollection, name=names, patch=patches),
    st.builds(DeleteCollection, name=names),
    st.builds(ChangeAliases, actions=st.lists(alias_actions, max_size=3)),
)
