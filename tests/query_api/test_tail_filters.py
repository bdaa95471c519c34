"""Filters over a tail: columns for whole blocks, the reference evaluator for the rest, and what is remembered."""

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from projector.view.tail_part import TailPart
from query_api.find.selection import REMEMBERED_FILTERS, passing, remembered
from query_api.plan.selection import Selection
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.filters import Filter, parse_filter
from schemas.ids import UUID_BASE, PointId
from tests.query_api.engine import NearestQuery, count, is_costly, is_costly_filter, scroll
from tests.query_api.shard_model import ShardModel

FILTERS = [
    {"must": [{"key": "n", "range": {"gte": 3, "lt": 6}}]},
    {"must": [{"key": "tag", "match": {"text": "brown"}}], "must_not": [{"key": "n", "match": {"value": 4}}]},
    {"should": [{"has_id": [5, 700, 1500, 99_999]}, {"key": "n", "match": {"value": 9}}]},
    {"must_not": [{"has_vector": "some"}]},
    {"must": [{"has_vector": "some"}, {"is_empty": {"key": "tag"}}]},
]


def filled(points: int) -> ShardModel:
    """Ids in an order of their own, every seventh written twice, every ninth deleted."""
    params = {"all": VectorParams(1, Distance.DOT), "some": VectorParams(1, Distance.DOT)}
    model = ShardModel(CollectionConfig(vectors=params))
    for i in range(points):
        point_id = PointId(i * 101 % points + (UUID_BASE if i % 5 == 0 else 0))
        vectors = {"all": [1.0], "some": [2.0]} if i % 3 == 0 else {"all": [1.0]}
        payload = {"n": i % 10, "tag": "a brown fox"} if i % 4 else {"n": i % 10}
        model.upsert(point_id, vectors, payload)
        if i % 7 == 0:
            model.upsert(point_id, vectors, {"n": 3})
        if i % 9 == 0:
            model.delete(point_id)
        if i % 50 == 0:
            model.publish()
    model.publish()
    return model


@pytest.mark.parametrize("points", [40, 900, 2600])
def test_filters_over_a_tail(points: int) -> None:
    model = filled(points)
    for spec in FILTERS:
        filter = parse_filter(spec)
        expected = [p.id for p in model.matching(filter)]
        assert count(model.views, filter) == len(expected)
        page, _ = scroll(model.views, filter=filter, limit=points, offset=None, selection=Selection())
        assert [p.id for p in page] == expected


def test_blocks_are_built_once_and_small_ones_give_way() -> None:
    model = filled(1100)
    tail = model.views[0].tails[0]
    assert tail.size > 1100
    assert tail.unread_rows() == tail.size - tail.size % 64
    assert is_costly_filter(model.views, filter_on(1))
    assert count(model.views, filter_on(1))
    assert tail.unread_rows() == 0
    assert not is_costly_filter(model.views, filter_on(2))


def test_the_last_few_filters_are_remembered() -> None:
    part = filled(100).views[0].tails[0]
    first = passing(part, filter_on(0))
    assert passing(part, filter_on(0)) is first
    for n in range(1, REMEMBERED_FILTERS):
        passing(part, filter_on(n))
    assert remembered(part, filter_on(0)) is not None
    passing(part, filter_on(REMEMBERED_FILTERS))
    assert remembered(part, filter_on(0)) is None


def test_what_is_remembered_does_not_keep_a_view_alive() -> None:
    model = filled(200)
    count(model.views, filter_on(1))
    part = weakref.ref(model.views[0].tails[0])
    model.upsert(PointId(1), {}, {})
    model.publish()
    gc.collect()
    assert part() is None


LONG_LISTS = [
    {"key": "n", "match": {"any": list(range(5000))}},
    {"key": "tag", "match": {"except": [f"t{i}" for i in range(5000)]}},
    {"has_id": list(range(5000))},
]


@pytest.mark.parametrize("condition", [*LONG_LISTS, {"should": [{"key": "n", "match": {"value": 1}}] * 500}])
def test_a_large_filter_is_costly_by_its_size_and_not_evaluated_to_find_out(condition: dict[str, Any]) -> None:
    model = filled(900)
    count(model.views, filter_on(1))
    filter = parse_filter({"must": [condition]})
    assert is_costly_filter(model.views, filter)
    assert is_costly(model.views, NearestQuery(np.ones(1, np.float32), "all", 1, filter=filter))
    assert remembered(model.views[0].tails[0], filter) is None
    assert count(model.views, filter) == len(model.matching(filter))


def test_what_the_evaluator_goes_through_point_by_point_is_costly_by_its_length() -> None:
    model = filled(900)
    count(model.views, filter_on(1))
    for text, costly in [("brown", False), ("brown " * 5000, True)]:
        filter = parse_filter({"must": [{"key": "tag", "match": {"text": text}}, {"has_id": list(range(100, 160))}]})
        assert is_costly_filter(model.views, filter) == costly
        assert count(model.views, filter) == len(model.matching(filter))


def test_a_long_list_of_ids_is_not_looked_up_id_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    model = filled(900)

    def find(part: TailPart, point_id: PointId) -> int:
        raise AssertionError(f"{point_id} was looked up")

    monkeypatch.setattr(TailPart, "find", find)
    filter = parse_filter({"must": [{"has_id": list(range(5000))}]})
    assert count(model.views, filter) == len(model.matching(filter)) > 0


def filter_on(n: int) -> Filter:
    return parse_filter({"must": [{"key": "n", "match": {"value": n}}]})
