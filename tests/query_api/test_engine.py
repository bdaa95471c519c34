"""Reads over random collections against a plain dict."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from query_api.plan.selection import Selection
from query_api.points import FetchedPoint
from schemas.filters import Filter
from schemas.ids import PointId
from tests.query_api.engine import NearestQuery, count, is_costly, is_costly_filter, retrieve, scroll, search
from tests.query_api.shard_model import ShardModel, as_kept, scored
from tests.query_api.strategies import collections, filters, ids, nearest_queries
from tests.support.examples import tries

PLAIN = Selection(with_payload=False)
EVERYTHING = Selection(with_payload=True, with_vector=True)


@settings(max_examples=tries(150), deadline=None)
@given(model=collections(), queries=st.lists(nearest_queries(), min_size=1, max_size=4))
def test_search(model: ShardModel, queries: list[NearestQuery]) -> None:
    for query in queries:
        assert scored(search(model.views, query, PLAIN)) == model.nearest(query)
        assert not is_costly(model.views, query)


@settings(max_examples=tries(80), deadline=None)
@given(model=collections(), filter=filters, offset=st.none() | ids, limit=st.integers(1, 15))
def test_scroll_and_count(model: ShardModel, filter: Filter | None, offset: PointId | None, limit: int) -> None:
    matching = model.matching(filter)
    assert count(model.views, filter) == len(matching)
    assert filter is None or not is_costly_filter(model.views, filter)
    expected = [p for p in matching if offset is None or p.id >= offset]
    seen: list[PointId] = []
    page, following = scroll(model.views, filter=filter, limit=limit, offset=offset, selection=EVERYTHING)
    assert [p.id for p in page] == [p.id for p in expected[:limit]]
    while True:
        for point in page:
            seen.append(point.id)
            check_fetched(model, point)
        if following is None:
            break
        page, following = scroll(model.views, filter=filter, limit=limit, offset=following, selection=EVERYTHING)
        assert page
    assert seen == [p.id for p in expected]


@settings(max_examples=tries(50), deadline=None)
@given(model=collections(), asked=st.lists(ids, max_size=20))
def test_retrieve(model: ShardModel, asked: list[PointId]) -> None:
    found = retrieve(model.views, asked, EVERYTHING)
    assert [p.id for p in found] == sorted(i for i in set(asked) if i in model.points)
    for point in found:
        check_fetched(model, point)


def check_fetched(model: ShardModel, point: FetchedPoint) -> None:
    expected = model.points[point.id]
    assert point.version == expected.version
    assert point.payload is not None
    assert msgspec.json.decode(point.payload) == expected.payload
    assert point.vectors is not None
    assert {name: vector.tolist() for name, vector in point.vectors.items()} == {
        name: as_kept(model.config.vectors[name].distance, vector) for name, vector in expected.vectors.items()
    }
