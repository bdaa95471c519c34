"""Random collections, filters and queries."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.filters import parse_filter
from schemas.ids import UUID_BASE, PointId
from tests.query_api.engine import NearestQuery
from tests.query_api.shard_model import ShardModel

SIZES = {"a": 3, "b": 2}
values = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])
ids = st.one_of(st.integers(0, 40).map(PointId), st.sampled_from([PointId(UUID_BASE + n) for n in (0, 1, 256, 2**127)]))
vectors = st.fixed_dictionaries(
    {}, optional={name: st.lists(values, min_size=n, max_size=n) for name, n in SIZES.items()}
)
payloads = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(0, 5) | st.floats(0, 5, width=16),
        "tag": st.sampled_from(["x", "y", "red fox", None]),
        "list": st.lists(st.sampled_from(["x", 1, {"k": 1}, {"k": 2, "m": 1}]), max_size=3),
    },
)
JsonObject = dict[str, Any]


def _match(key: str, value: object) -> JsonObject:
    return {"key": key, "match": {"value": value}}


def _at_least(bound: int) -> JsonObject:
    return {"key": "n", "range": {"gte": bound}}


def _has_id(some: list[int]) -> JsonObject:
    return {"has_id": some}


conditions: st.SearchStrategy[JsonObject] = st.one_of(
    st.integers(0, 5).map(_at_least),
    st.sampled_from([_match("tag", value) for value in ("x", "y", "z")]),
    st.sampled_from([_match("list[].k", value) for value in (1, 2)]),
    st.lists(st.integers(0, 40), max_size=8).map(_has_id),
    st.sampled_from(
        [
            {"key": "tag", "match": {"text": "fox"}},
            {"is_empty": {"key": "list"}},
            {"nested": {"key": "list", "filter": {"must": [_match("m", 1)]}}},
            {"has_vector": "a"},
            {"has_vector": "b"},
        ]
    ),
)
filters = st.none() | st.fixed_dictionaries(
    {}, optional={clause: st.lists(conditions, min_size=1, max_size=2) for clause in ("must", "should", "must_not")}
).map(parse_filter)


@st.composite
def collections(draw: st.DrawFn) -> ShardModel:
    """A collection after random upserts, deletes, seals and merges."""
    distances = {name: draw(st.sampled_from(list(Distance))) for name in SIZES}
    params = {name: VectorParams(size, distances[name]) for name, size in SIZES.items()}
    model = ShardModel(CollectionConfig(vectors=params), draw(st.sampled_from([1, 1, 3])))
    for _ in range(draw(st.integers(1, 4))):
        for point_id in draw(st.lists(ids, max_size=25)):
            if draw(st.integers(0, 5)) == 0:
                model.delete(point_id)
            else:
                model.upsert(point_id, draw(vectors), draw(payloads))
        model.publish()
        if draw(st.booleans()):
            model.seal(merge=draw(st.booleans()), graph=draw(st.booleans()))
    return model


@st.composite
def nearest_queries(draw: st.DrawFn) -> NearestQuery:
    using = draw(st.sampled_from(list(SIZES)))
    vector = draw(st.lists(values, min_size=SIZES[using], max_size=SIZES[using]))
    return NearestQuery(
        vector=np.array(vector, np.float32),
        using=using,
        limit=draw(st.integers(0, 12)),
        offset=draw(st.integers(0, 4)),
        filter=draw(filters),
        score_threshold=draw(st.none() | values),
        exact=draw(st.booleans()),
        excluded=draw(st.none() | ids),
    )
