"""Markers open, change and close shards, once each."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.catalog.fold import fold_catalog
from projector.catalog.state import CatalogState
from projector.fold.effects import ShardMeta
from projector.fold.outcomes import APPLIED
from projector.frames import Closed, Opened, Reconfigured, ShardId
from schemas.config import (
    MAX_CONFIG_BYTES,
    CollectionConfig,
    CollectionPatch,
    Distance,
    HnswConfig,
    HnswConfigDiff,
    VectorParams,
    VectorParamsDiff,
)
from schemas.operations import ClearPayload, Operation, Outcome, SetPayload, UpdateVectors, Upsert
from schemas.records import (
    CatalogRecord,
    CreateCollection,
    DeleteCollection,
    Marker,
    ShardChanged,
    ShardClosed,
    ShardOpened,
    UpdateCollection,
)
from schemas.vectors.names import add_name, delete_name
from tests.projector.fold.memory_state import (
    CONFIG,
    OPENED,
    SHARD,
    MemoryState,
    column,
    match,
    opened,
    points_record,
    upsert,
)
from tests.schemas import record_strategies
from tests.support.examples import tries

_OTHER = msgspec.structs.replace(CONFIG, hnsw=HnswConfig(m=5))


def _changed(seq: int, shard: ShardId = SHARD, config: CollectionConfig = _OTHER) -> ShardChanged:
    return ShardChanged(seq=seq, uid=shard.uid, shard=shard.shard, config=config)


def _closed(seq: int, shard: ShardId = SHARD) -> ShardClosed:
    return ShardClosed(seq=seq, uid=shard.uid, shard=shard.shard)


def test_a_shard_is_opened_empty() -> None:
    state = MemoryState()
    (effects,) = state.apply(OPENED)
    assert state.metas == {SHARD: ShardMeta("things", CONFIG, [0], version=0)}
    assert effects.events == [Opened(SHARD, "things", CONFIG, [0])]
    assert effects.outcomes == [Outcome()]
    assert state.marker_seq == 1


def test_names_come_and_go_at_positions_of_their_own() -> None:
    state = opened()
    more = VectorParams(1, Distance.DOT)
    changed = add_name(delete_name(CONFIG, "text"), "text", more)
    (effects,) = state.apply(_changed(2, config=changed))
    assert effects.outcomes == [APPLIED]
    (effects,) = state.apply(_changed(3, config=msgspec.structs.replace(CONFIG, vectors={"text": more})))
    assert [outcome.status for outcome in effects.outcomes] == [400]


@pytest.mark.parametrize(
    "change",
    [
        SetPayload(b'{"a":1}', ids=[1]),
        ClearPayload(filter=match("k", 1)),
        UpdateVectors([1], {"image": column([5, 5])}),
    ],
)
def test_bytes_of_a_deleted_name_are_dropped_when_their_point_is_written(change: Operation) -> None:
    state = opened()
    both = {"image": column([1, 1], [2, 2]), "text": column([7], [8])}
    state.run(Upsert([1, 2], both, [b'{"k":1}', b'{"k":2}']))
    state.apply(_changed(2, config=add_name(delete_name(CONFIG, "text"), "text", VectorParams(1, Distance.DOT))))
    assert state.run(change) == [APPLIED]
    written, left = state.point(1), state.point(2)
    assert written is not None
    assert left is not None
    assert written.vectors.keys() == {0}
    assert left.vectors.keys() == {0, 1}


def test_a_new_configuration_keeps_points_and_versions() -> None:
    state = opened()
    state.run(upsert({1: None}))
    (effects,) = state.apply(_changed(2))
    assert state.metas[SHARD] == ShardMeta("things", _OTHER, [0], version=1)
    assert effects.events == [Reconfigured(SHARD, _OTHER)]
    assert state.versions() == {1: 1}


def test_a_closed_shard_takes_its_points_along_and_rejects_what_comes() -> None:
    state = opened()
    state.run(upsert({1: None}))
    (effects,) = state.apply(_closed(2))
    assert effects.events == [Closed(SHARD)]
    assert state.metas == {}
    assert state.stored == {}
    assert [outcome.status for outcome in state.run(upsert({2: None}))] == [404]


def test_a_name_that_is_used_again_is_another_shard() -> None:
    state = opened()
    state.run(upsert({1: None}))
    again = ShardOpened(seq=3, uid=8, shard=0, name="things", config=CONFIG, shard_map=[0])
    state.apply(_closed(2))
    state.apply(again)
    assert state.stored[ShardId(8, 0)] == {}
    assert [outcome.status for outcome in state.run(upsert({2: None}))] == [404]


@pytest.mark.parametrize("marker", [OPENED, _changed(1), _closed(1), _changed(4), _closed(4)])
def test_a_marker_that_was_seen_is_ignored(marker: Marker) -> None:
    state = opened()
    state.run(upsert({1: None}))
    state.apply(_changed(4))
    metas = dict(state.metas)
    (effects,) = state.apply(marker)
    assert effects.marker_seq is None
    assert effects.events == []
    assert effects.outcomes == [Outcome()]
    assert state.metas == metas
    assert state.versions() == {1: 1}


@pytest.mark.parametrize("marker", [_changed(5, ShardId(9, 0)), _closed(5, ShardId(9, 0))])
def test_a_marker_for_a_shard_that_is_not_here_only_counts(marker: Marker) -> None:
    state = opened()
    (effects,) = state.apply(marker)
    assert effects.events == []
    assert state.marker_seq == 5
    assert list(state.metas) == [SHARD]


def _open(**fields: Any) -> ShardOpened:
    return msgspec.structs.replace(OPENED, **{"seq": 5, "uid": 9, **fields})


def _with(**fields: Any) -> CollectionConfig:
    return msgspec.structs.replace(CONFIG, **fields)


_NO_SIZE = _with(vectors={"image": VectorParams(0, Distance.DOT)})


@pytest.mark.parametrize(
    ("marker", "status", "text"),
    [
        (_open(shard_map=[]), 400, "shard 0 is not one of the 0 of shard_map"),
        (_open(shard=2, shard_map=[0, 0]), 400, "shard 2 is not one of the 2 of shard_map"),
        (_open(config=_NO_SIZE), 422, "vectors.image.size"),
        (_open(config=_with(shard_number=0)), 422, "shard_number"),
        (_open(name=""), 422, "collection name"),
        (_open(name="x" * 256), 422, "collection name"),
        (_open(uid=SHARD.uid, config=_with(vectors={"": VectorParams(2, Distance.DOT)})), 400, "is open already"),
        (_open(uid=SHARD.uid, name="other"), 400, "shard 0 of collection 7 is open already"),
        (_changed(5, config=_NO_SIZE), 422, "vectors.image.size"),
        (_changed(5, ShardId(9, 0), config=_NO_SIZE), 422, "vectors.image.size"),
        (_changed(5, config=_with(hnsw=HnswConfig(m=-1))), 422, "hnsw_config.m"),
        (_changed(5, config=_with(metadata={"a": "x" * MAX_CONFIG_BYTES})), 422, "at most 524288 bytes"),
        (_changed(5, config=_with(vectors={})), 400, "never changes"),
        (_changed(5, config=_with(vectors=dict(reversed(CONFIG.vectors.items())))), 400, "never changes"),
        (
            _changed(5, config=_with(vectors={**CONFIG.vectors, "more": VectorParams(1, Distance.DOT)})),
            400,
            "never changes",
        ),
        (
            _changed(5, config=_with(vectors={**CONFIG.vectors, "text": VectorParams(3, Distance.COSINE)})),
            400,
            "never changes",
        ),
        (
            _changed(5, config=_with(vectors={**CONFIG.vectors, "text": VectorParams(1, Distance.DOT)})),
            400,
            "never changes",
        ),
    ],
)
def test_a_marker_that_breaks_a_rule_is_rejected(marker: Marker, status: int, text: str) -> None:
    state = opened()
    state.run(upsert({1: None}))
    before = dict(state.metas)
    (effects,) = state.apply(marker)
    assert [outcome.status for outcome in effects.outcomes] == [status]
    assert text in (effects.outcomes[0].reason or "")
    assert (effects.events, state.metas, state.marker_seq) == ([], before, 1)
    assert state.apply(_changed(2))[0].outcomes == [APPLIED]
    assert state.metas[SHARD].config == _OTHER


@settings(max_examples=tries(50))
@given(record_strategies.configs, st.lists(record_strategies.patches, max_size=4))
def test_whatever_the_catalog_sends_is_accepted(config: CollectionConfig, patches: list[CollectionPatch]) -> None:
    config = msgspec.structs.replace(config, shard_number=config.shard_number % 4)
    diffs = {name: VectorParamsDiff(HnswConfigDiff(m=7), {"scalar": {"type": "int8"}}, True) for name in config.vectors}
    catalog, state = CatalogState(), MemoryState()
    records: list[CatalogRecord] = [
        CreateCollection(uid=7, name="things", config=config, partitions=1),
        *[UpdateCollection(name="things", patch=patch) for patch in (*patches, CollectionPatch(vectors=diffs))],
        DeleteCollection(name="things"),
    ]
    for record in records:
        effects = fold_catalog(catalog, record)
        catalog = effects.state
        for _, marker in effects.markers:
            assert state.apply(marker)[0].outcomes == [APPLIED]
    assert state.metas == {}
    assert state.marker_seq == catalog.seq


def test_shards_do_not_see_each_other() -> None:
    state = opened()
    state.apply(ShardOpened(seq=2, uid=7, shard=1, name="things", config=CONFIG, shard_map=[0, 0]))
    state.run(upsert({1: None, 2: None}))
    state.apply(msgspec.structs.replace(points_record(upsert({2: None})), shard=1))
    assert len(state.stored[SHARD]) == 2
    assert len(state.stored[ShardId(7, 1)]) == 1
    state.apply(_closed(3))
    assert list(state.stored) == [ShardId(7, 1)]
