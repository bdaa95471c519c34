"""Collections that are filled unseen, and then take the place of another."""

import pytest

from projector.catalog.follower import CatalogFollower
from projector.catalog.state import CatalogState
from schemas.errors import NotFoundError
from schemas.records import (
    CreateAlias,
    DeleteCollection,
    DiscardCollection,
    PublishCollection,
    ShardChanged,
    ShardClosed,
    ShardOpened,
    StageCollection,
)
from tests.projector.catalog.samples import Catalog, change_aliases, config, create


def stage(name: str, uid: int, shards: int = 1) -> StageCollection:
    return StageCollection(uid=uid, name=name, config=config(shards), partitions=1)


def shown(state: CatalogState) -> CatalogFollower:
    follower = CatalogFollower()
    follower.publish(0, state, (), ())
    return follower


def test_what_is_staged_is_no_collection_yet() -> None:
    catalog = Catalog(create("one", 11))
    effects = catalog.apply(stage("one", 12, shards=2))
    assert [(m.seq, m.uid, m.shard) for _, m in effects.markers] == [(2, 12, 0), (3, 12, 1)]
    assert all(isinstance(marker, ShardOpened) and marker.name == "*one" for _, marker in effects.markers)
    follower = shown(catalog.state)
    assert [entry.uid for entry in follower.collections()] == [11]
    assert follower.resolve("one").uid == 11
    staged = follower.staged("one")
    assert staged is not None
    assert staged.uid == 12
    with pytest.raises(NotFoundError):
        follower.resolve("*one")
    assert not catalog.apply(DeleteCollection(name="*one")).outcome.applied


def test_published_it_takes_the_name_and_aliases_stay() -> None:
    alias = change_aliases(CreateAlias("a", "one"))
    catalog = Catalog(create("one", 11), alias, stage("one", 12))
    effects = catalog.apply(PublishCollection(uid=12, name="one"))
    # The new one first: what is written by name in between is the new one's.
    assert [marker for _, marker in effects.markers] == [
        ShardChanged(seq=3, uid=12, shard=0, config=config(), name="one"),
        ShardChanged(seq=4, uid=11, shard=0, config=config(), name="*one"),
    ]
    follower = shown(catalog.state)
    assert (follower.resolve("one").uid, follower.resolve("a").uid) == (12, 12)
    assert [marker for _, marker in catalog.apply(DiscardCollection(uid=11, name="one")).markers] == [
        ShardClosed(seq=5, uid=11, shard=0)
    ]
    assert shown(catalog.state).staged("one") is None


def test_it_becomes_a_new_collection_where_there_was_none() -> None:
    catalog = Catalog(stage("one", 12), PublishCollection(uid=12, name="one"))
    assert list(catalog.state.collections) == ["one"]
    assert catalog.state.collections["one"].name == "one"


def test_the_last_one_staged_is_the_one_that_counts() -> None:
    catalog = Catalog(create("one", 11), stage("one", 12))
    effects = catalog.apply(stage("one", 13))
    assert [type(marker) for _, marker in effects.markers] == [ShardClosed, ShardOpened]
    assert [marker.seq for _, marker in effects.markers] == [3, 4]
    assert catalog.apply(PublishCollection(uid=12, name="one")).outcome.status == 404
    assert catalog.apply(DiscardCollection(uid=12, name="one")).outcome.status == 404
    assert catalog.apply(PublishCollection(uid=13, name="one")).outcome.applied


def test_deleting_a_collection_drops_what_is_staged_for_it() -> None:
    catalog = Catalog(create("one", 11), stage("one", 12))
    effects = catalog.apply(DeleteCollection(name="one"))
    assert [(marker.seq, marker.uid) for _, marker in effects.markers] == [(3, 11), (4, 12)]
    assert not catalog.state.collections


def test_an_alias_is_not_replaced_by_a_collection() -> None:
    catalog = Catalog(create("one", 11), change_aliases(CreateAlias("a", "one")), stage("b", 12))
    assert catalog.apply(stage("a", 13)).outcome.status == 409
    catalog.apply(change_aliases(CreateAlias("b", "one")))
    assert catalog.apply(PublishCollection(uid=12, name="b")).outcome.status == 409
