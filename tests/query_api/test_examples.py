"""A vector that a query gives is packed in one go: the bytes are those of a point that has it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.plan.examples import NOTHING_KNOWN, Examples, lookups, names_no_points, references
from schemas.config import UNNAMED, CollectionConfig, Distance, VectorParams
from schemas.errors import HeadwaterError
from schemas.rest.queries import LookupFrom, Prefetch, QueryRequest
from schemas.vectors.inference import VectorObject
from schemas.vectors.params import AnyVectorParams, Datatype, MultivectorConfig, SparseVectorParams

numbers = st.floats(-1e6, 1e6, width=32) | st.integers(-300, 300)
params = st.builds(
    VectorParams,
    size=st.just(2),
    distance=st.sampled_from(Distance),
    datatype=st.none() | st.sampled_from(Datatype),
    multivector_config=st.none() | st.just(MultivectorConfig()),
) | st.just(SparseVectorParams())
rows = st.lists(numbers, max_size=3)
values = rows | st.lists(rows, max_size=3) | st.builds(VectorObject, st.lists(st.integers(0, 9)), rows)


def packed(config: CollectionConfig, value: Any) -> object:
    try:
        return Examples(config, QueryRequest(query=value), NOTHING_KNOWN).vector(value)
    except HeadwaterError as error:
        return str(error)


def of_a_point(config: CollectionConfig, value: Any) -> object:
    try:
        held = Examples(config, QueryRequest(query=value), NOTHING_KNOWN).held(value)
        return config.kinds[UNNAMED].of_point(held)
    except HeadwaterError as error:
        return str(error)


@given(params, values)
def test_a_given_vector_has_the_bytes_of_a_points(params: AnyVectorParams, value: Any) -> None:
    sparse = isinstance(params, SparseVectorParams)
    config = CollectionConfig({} if sparse else {UNNAMED: params}, sparse_vectors={UNNAMED: params} if sparse else {})
    assert packed(config, value) == of_a_point(config, value)


@pytest.mark.parametrize(
    ("request_", "plain"),
    [
        (QueryRequest(query=[1.0, 2.0]), True),
        (QueryRequest(query=7), False),
        (QueryRequest(), False),
        (QueryRequest(query=[1.0], lookup_from=LookupFrom("other")), False),
        (QueryRequest(query=[1.0], prefetch=Prefetch(query=7)), False),
    ],
)
def test_what_plainly_names_no_points_names_none(request_: QueryRequest, plain: bool) -> None:
    assert names_no_points(request_) is plain
    if plain:
        assert list(references(request_)) == list(lookups(request_)) == []
