"""The catalog's fold: what records do to collections and aliases, and the markers they cause."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.catalog.fold import fold_catalog
from projector.catalog.state import CatalogState, CollectionMeta
from schemas.config import (
    CollectionConfig,
    CollectionParamsDiff,
    CollectionPatch,
    HnswConfigDiff,
    OptimizersConfigDiff,
    VectorParamsDiff,
)
from schemas.operations import Outcome
from schemas.records import (
    CatalogRecord,
    CreateAlias,
    DeleteAlias,
    DeleteCollection,
    RenameAlias,
    ShardChanged,
    ShardClosed,
    ShardOpened,
    UpdateCollection,
)
from tests.projector.catalog.samples import Catalog, change_aliases, config, create
from tests.schemas import record_strategies

A_TO_ONE = change_aliases(CreateAlias("a", "one"))


def test_create_opens_every_shard_in_its_partition() -> None:
    effects = Catalog(create("one", 11)).apply(create("two", 12, shards=3, partitions=2))
    assert effects.outcome == Outcome()
    assert effects.state.collections["two"] == CollectionMeta(12, "two", config(3), [1, 0, 1])
    assert effects.state.seq == 4
    assert [(partition, marker.seq) for partition, marker in effects.markers] == [(1, 2), (0, 3), (1, 4)]
    for shard, (_, marker) in enumerate(effects.markers):
        expected = ShardOpened(seq=2 + shard, uid=12, shard=shard, name="two", config=config(3), shard_map=[1, 0, 1])
        assert marker == expected


def test_delete_closes_every_shard_and_takes_its_aliases_along() -> None:
    catalog = Catalog(create("one", 11, 2, 2), create("two", 12), A_TO_ONE, change_aliases(CreateAlias("b", "two")))
    effects = catalog.apply(DeleteCollection(name="one"))
    assert list(effects.state.collections) == ["two"]
    assert dict(effects.state.aliases) == {"b": "two"}
    assert effects.markers == (
        (0, ShardClosed(seq=4, uid=11, shard=0)),
        (1, ShardClosed(seq=5, uid=11, shard=1)),
    )


def test_a_name_can_be_used_again() -> None:
    catalog = Catalog(create("one", 11), DeleteCollection(name="one"), create("one", 12))
    assert catalog.state.collections["one"].uid == 12
    assert catalog.state.seq == 3


def test_update_tells_every_shard_the_new_configuration() -> None:
    patch = CollectionPatch(
        vectors={"": VectorParamsDiff(on_disk=True)},
        hnsw_config=HnswConfigDiff(m=32),
        optimizers_config=OptimizersConfigDiff(indexing_threshold=7),
        params=CollectionParamsDiff(on_disk_payload=False),
        metadata={"k": 1},
    )
    catalog = Catalog(create("one", 11, 2, 2), A_TO_ONE)
    effects = catalog.apply(UpdateCollection(name="a", patch=patch))
    changed = effects.state.collections["one"].config
    assert changed.hnsw.m == 32
    assert changed.optimizers.indexing_threshold == 7
    assert changed.vectors[""].on_disk is True
    assert changed.on_disk_payload is False
    assert changed.metadata == {"k": 1}
    assert effects.markers == (
        (0, ShardChanged(seq=3, uid=11, shard=0, config=changed)),
        (1, ShardChanged(seq=4, uid=11, shard=1, config=changed)),
    )


def test_aliases_resolve_and_are_pointed_anew() -> None:
    catalog = Catalog(create("one", 11), create("two", 12), A_TO_ONE)
    assert catalog.state.resolve("a") == catalog.state.collections["one"]
    effects = catalog.apply(change_aliases(DeleteAlias("a"), CreateAlias("b", "one"), CreateAlias("a", "two")))
    assert dict(effects.state.aliases) == {"a": "two", "b": "one"}
    assert effects.markers == ()
    catalog.apply(change_aliases(CreateAlias("b", "two"), RenameAlias("b", "c"), RenameAlias("c", "c")))
    assert dict(catalog.state.aliases) == {"a": "two", "c": "two"}
    assert catalog.state.resolve("b") is None


REJECTED: list[tuple[CatalogRecord, int, str]] = [
    (create("one", 99), 409, "Wrong input: Collection `one` already exists!"),
    (create("a", 99), 400, "Can't create collection with name a. Alias with the same name already exists"),
    (create("new", 11), 409, "the uid of collection `new` is taken"),
    (create("", 99), 422, "must have 1 to 255 bytes"),
    (create("x/y", 99), 422, "cannot contain '/'"),
    (create("new", 99, shards=0), 422, "shard_number"),
    (create("new", 99, shards=257), 422, "shard_number"),
    (UpdateCollection(name="new", patch=CollectionPatch()), 404, "Not found: Collection `new` doesn't exist!"),
    (
        UpdateCollection(name="one", patch=CollectionPatch(vectors={"x": VectorParamsDiff()})),
        400,
        "vector name error: x",
    ),
    (UpdateCollection(name="one", patch=CollectionPatch(hnsw_config=HnswConfigDiff(m=-1))), 422, "hnsw_config.m"),
    (DeleteCollection(name="a"), 404, "Not found: Collection `a` doesn't exist!"),
    (change_aliases(CreateAlias("b", "new")), 404, "Not found: Collection `new` doesn't exist!"),
    (change_aliases(CreateAlias("b", "a")), 404, "Not found: Collection `a` doesn't exist!"),
    (change_aliases(CreateAlias("one", "two")), 409, "Wrong input: Collection `one` already exists!"),
    (change_aliases(CreateAlias("x:y", "two")), 422, "cannot contain ':'"),
    (change_aliases(RenameAlias("b", "c")), 404, "Not found: Alias b does not exists!"),
    (change_aliases(RenameAlias("a", "two")), 409, "Wrong input: Collection `two` already exists!"),
    (change_aliases(CreateAlias("b", "one"), CreateAlias("c", "new")), 404, "`new` doesn't exist!"),
]


@pytest.mark.parametrize(("record", "status", "text"), REJECTED)
def test_what_breaks_a_rule_changes_nothing(record: CatalogRecord, status: int, text: str) -> None:
    catalog = Catalog(create("one", 11), create("two", 12), A_TO_ONE)
    before = catalog.state
    effects = catalog.apply(record)
    assert effects.outcome.status == status
    assert text in str(effects.outcome.reason)
    assert effects.state is before
    assert effects.markers == ()


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(0, 3)), max_size=12))
def test_shards_are_spread_evenly(creates: list[tuple[int, int, int]]) -> None:
    """(shards, partitions, collections to delete first); the number of partitions grows."""
    catalog = Catalog()
    partitions = 1
    for uid, (shards, wanted, deletes) in enumerate(creates):
        for name in list(catalog.state.collections)[:deletes]:
            catalog.apply(DeleteCollection(name=name))
        partitions = max(partitions, wanted)
        before = _loads(catalog.state, partitions)
        catalog.apply(create(f"c{uid}", uid, shards, partitions))
        after = _loads(catalog.state, partitions)
        grown = [load for load, old in zip(after, before, strict=True) if load > old]
        # No partition got a shard that is now more than one above one that could have had it.
        assert max(grown) - min(after) <= 1


def _loads(state: CatalogState, partitions: int) -> list[int]:
    placed = [partition for meta in state.collections.values() for partition in meta.shard_map]
    assert all(partition < partitions for partition in placed)
    return [placed.count(partition) for partition in range(partitions)]


def test_shards_go_to_the_lowest_of_the_emptiest_partitions() -> None:
    catalog = Catalog(create("one", 1, 5, 3), create("two", 2, 1, 3), create("three", 3, 3, 4))
    maps = [meta.shard_map for meta in catalog.state.collections.values()]
    assert maps == [[0, 1, 2, 0, 1], [2], [3, 3, 0]]


@given(st.lists(record_strategies.catalog_records, max_size=10))
def test_any_records_fold_and_fold_the_same_again(records: list[CatalogRecord]) -> None:
    one, other = Catalog(), Catalog()
    for record in records:
        before = one.state
        seq = before.seq
        effects = one.apply(record)
        again = other.apply(msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=type(record)))
        assert effects == again
        assert [marker.seq for _, marker in effects.markers] == list(range(seq + 1, effects.state.seq + 1))
        if not effects.outcome.applied:
            assert effects.state is before


def test_the_state_before_is_left_as_it_was() -> None:
    before = Catalog(create("one", 11), A_TO_ONE).state
    kept = dict(before.collections), dict(before.aliases), before.seq
    for record in (create("two", 12), DeleteCollection(name="one"), change_aliases(DeleteAlias("a"))):
        assert fold_catalog(before, record).outcome.applied
    assert (before.collections, before.aliases, before.seq) == kept


def test_configurations_without_vectors_are_collections_too() -> None:
    record = msgspec.structs.replace(create("one", 11), config=CollectionConfig(vectors={}))
    assert Catalog().apply(record).outcome.applied


def test_an_alias_that_is_not_there_may_be_deleted() -> None:
    """As in Qdrant: afterwards it isn't there."""
    catalog = Catalog(create("one", 11), A_TO_ONE)
    actions = (DeleteAlias("b"), DeleteAlias("a"), CreateAlias("c", "one"), DeleteAlias("a"))
    effects = catalog.apply(change_aliases(*actions))
    assert effects.outcome.applied
    assert dict(effects.state.aliases) == {"c": "one"}


LONG = "x" * (1 << 20)


@pytest.mark.parametrize(
    "record",
    [
        change_aliases(RenameAlias(LONG, "b")),
        change_aliases(CreateAlias("b", LONG)),
        UpdateCollection(name=LONG, patch=CollectionPatch()),
        UpdateCollection(name="one", patch=CollectionPatch(vectors={LONG: VectorParamsDiff()})),
        DeleteCollection(name=LONG),
    ],
)
def test_reasons_are_cut(record: CatalogRecord) -> None:
    """They are put into headers, and quote names of any length."""
    outcome = Catalog(create("one", 11)).apply(record).outcome
    assert outcome.status in (400, 404)
    assert len(outcome.reason or "") < 1100


def test_there_are_as_many_collections_as_the_record_allows() -> None:
    state = fold_catalog(CatalogState(), create("a", 1)).state
    state = fold_catalog(state, msgspec.structs.replace(create("b", 2), max_collections=2)).state
    full = fold_catalog(state, msgspec.structs.replace(create("c", 3), max_collections=2))
    assert full.outcome.status == 400
    assert "Max collections limit reached: 2" in str(full.outcome.reason)
    assert full.state == state
    assert "c" in fold_catalog(state, create("c", 3)).state.collections
