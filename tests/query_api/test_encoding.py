"""Plans can be sent: what is read is what was written, and it finds the same."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query_api.find.kinds import KINDS
from query_api.plan.encoding import PlanEncodingError, decode, encode
from query_api.plan.facet import Facet
from query_api.plan.formula_parser import to_formula
from query_api.plan.leaves import (
    BestScore,
    Context,
    Discover,
    Leaf,
    Nearest,
    Ordered,
    Points,
    Sample,
    Scroll,
    SumScores,
    WeightedScores,
)
from query_api.plan.selection import PayloadExclude, PayloadInclude, Selection
from query_api.plan.tree import ByFormula, Diversify, GroupPlan, Node, Plan, RankFusion, Rescore, ScoreFusion
from schemas.config import Distance, VectorParams
from schemas.filters import Filter, parse_filter
from schemas.ids import UUID_BASE, PointId
from schemas.json_path import parse_path
from schemas.matching import bind
from schemas.payload_index import (
    Language,
    PayloadIndex,
    PayloadIndexes,
    SnowballStemmer,
    StemmedLanguage,
    StopwordsSet,
    TextIndex,
    UuidIndex,
)
from schemas.vectors.params import HnswConfigDiff
from tests.projector.columns import strategies as columns
from tests.query_api.engine import found
from tests.query_api.shard_model import ShardModel
from tests.query_api.strategies import collections
from tests.query_api.strategies import filters as small_filters

_TEXT = TextIndex(
    phrase_matching=True,
    stopwords=StopwordsSet((Language.ENGLISH,), ("x",)),
    stemmer=SnowballStemmer(StemmedLanguage.ENGLISH),
)
INDEXES: PayloadIndexes = {"a": PayloadIndex(_TEXT), "b": PayloadIndex(UuidIndex())}


def _made(cls: Callable[..., Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields).map(lambda found: cls(**found))


@st.composite
def _meant(draw: st.DrawFn) -> Filter:
    return bind(parse_filter(draw(columns.filters)), INDEXES)


_filters = _meant()
_ids = st.one_of(st.integers(0, 2**64 - 1), st.integers(UUID_BASE, UUID_BASE + 2**128 - 1)).map(PointId)
_id_sets = st.frozensets(_ids, max_size=3)
_vector = st.binary(max_size=8)
_vectors = st.lists(_vector, max_size=2).map(tuple)
_pairs = st.lists(st.tuples(_vector, _vector), max_size=2).map(tuple)
_paths = columns.keys.map(parse_path)
_common: dict[str, Any] = {"limit": st.integers(0, 100), "filter": st.none() | _filters}
_compared: dict[str, Any] = {
    **_common,
    "using": st.sampled_from(["", "a"]),
    "score_threshold": st.none() | st.floats(allow_nan=False),
    "excluded": _id_sets,
}
LEAVES: dict[type[Leaf], st.SearchStrategy[Any]] = {
    Nearest: _made(Nearest, vector=_vector, hnsw_ef=st.none() | st.integers(1, 9), exact=st.booleans(), **_compared),
    Scroll: _made(Scroll, start=st.none() | _ids, **_common),
    Points: _made(Points, ids=_id_sets, **_common),
    BestScore: _made(BestScore, positive=_vectors, negative=_vectors, **_compared),
    SumScores: _made(SumScores, positive=_vectors, negative=_vectors, **_compared),
    WeightedScores: _made(WeightedScores, vectors=_vectors, weights=st.just((0.5, -1.0)), **_compared),
    Discover: _made(Discover, target=_vector, pairs=_pairs, **_compared),
    Context: _made(Context, pairs=_pairs, **_compared),
    Ordered: _made(
        Ordered,
        by=_paths,
        data_type=st.sampled_from(["integer", "float", "datetime"]),
        descending=st.booleans(),
        start_from=st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
        **_common,
    ),
    Sample: _made(Sample, seed=st.integers(0, 2**63), **_common),
}
_leaves = st.one_of(*LEAVES.values())
_FORMULA = to_formula(
    {
        "sum": [
            "$score[1]",
            {"mult": [2.0, "a.b", {"key": "a", "match": {"value": "x"}}]},
            {"div": {"left": {"abs": "k"}, "right": {"pow": {"base": 2, "exponent": "k"}}, "by_zero_default": 1.0}},
            {"geo_distance": {"origin": {"lon": 1.0, "lat": 2.0}, "to": "place"}},
            {"exp_decay": {"x": {"datetime_key": "at"}, "target": {"datetime": "2020-01-01"}, "scale": 10.0}},
        ]
    },
    {"k": 7, "place": {"lon": 0.0, "lat": [0, None]}},
)


_params = st.sampled_from([None, VectorParams(4, Distance.COSINE, hnsw_config=HnswConfigDiff(m=4))])


def _inner(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    shape: dict[str, Any] = {
        "inputs": st.lists(nodes, min_size=1, max_size=2).map(tuple),
        "limit": st.integers(1, 9),
        "score_threshold": st.none() | st.floats(allow_nan=False),
    }
    return st.one_of(
        _made(RankFusion, k=st.integers(0, 9), weights=st.just((1.0, 2.0)), **shape),
        _made(ScoreFusion, **shape),
        _made(Rescore, leaf=_leaves, **shape),
        _made(Diversify, using=st.just("a"), params=_params, diversity=st.just(0.5), **shape),
        _made(ByFormula, formula=st.just(_FORMULA), **shape),
    )


_nodes: st.SearchStrategy[Node] = st.recursive(_leaves, _inner, max_leaves=3)
_payload = st.one_of(
    st.booleans(),
    _made(PayloadInclude, paths=st.lists(_paths, max_size=2).map(tuple)),
    _made(PayloadExclude, paths=st.lists(_paths, max_size=2).map(tuple)),
)
_selections = _made(Selection, with_payload=_payload, with_vector=st.booleans() | st.just(("a", "b")))
_facets = _made(Facet, by=_paths, data_type=st.just("keyword"), filter=st.none() | _filters)
_sent = st.one_of(
    _made(Plan, root=_nodes, offset=st.integers(0, 9), selection=_selections),
    _made(GroupPlan, root=_nodes, by=_paths, groups=st.just(3), size=st.integers(1, 9), selection=_selections),
    _facets,
    _filters,
)


@settings(max_examples=40, deadline=None)
@given(_sent)
def test_what_is_read_is_what_was_written(value: Plan | GroupPlan | Facet | Filter) -> None:
    data = encode(value)
    read = decode(data, type(value))
    assert read == value
    assert encode(read) == data


@settings(max_examples=8, deadline=None)
@given(collections(), small_filters, st.sampled_from(["a", "b"]))
def test_what_was_sent_finds_the_same(model: ShardModel, condition: Filter | None, using: str) -> None:
    vector = b"\0\0\x80?" * (3 if using == "a" else 2)
    nearest = Nearest(limit=5, vector=vector, using=using, filter=condition)
    for root in (nearest, RankFusion(inputs=(nearest, Scroll(limit=5, filter=condition)), limit=5, k=2)):
        sent = decode(encode(root), type(root))
        expected = found(model.views, root, Selection())
        assert [(p.id, p.score) for p in found(model.views, sent, Selection())] == [(p.id, p.score) for p in expected]


def test_every_kind_of_leaf_is_sent() -> None:
    assert set(LEAVES) == set(KINDS)


@pytest.mark.parametrize("data", [b"", b"\xc1", encode(()), encode({"a": 1}), b"\x92\xa4Nope\x01", b"\x91\xa4Plan"])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(PlanEncodingError):
        decode(data, Plan)
