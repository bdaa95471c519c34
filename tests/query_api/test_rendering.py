"""Vectors of answers: text as soon as possible, and the same whatever else is answered with them."""

import msgspec
import numpy as np
import pytest

from query_api.hits import Hit
from query_api.points import FetchedPoint
from query_api.rendering import BLOCK, render_points, render_scored
from schemas.ids import parse_point_id


def fetched(number: int) -> FetchedPoint:
    """A point with a vector that no other has; one in three has none, one in five two named ones."""
    vector = np.array([number / 10, -number, 1e-7], np.float32)
    vectors = {"": vector}
    if number % 5 == 0:
        vectors = {"a": vector, "b": vector[:1]}
    return FetchedPoint(parse_point_id(number), number, None, {} if number % 3 == 0 else vectors)


def expected(number: int) -> object:
    vector = [number / 10, -float(number), 1e-7]
    if number % 3 == 0:
        return {}
    return {"a": vector, "b": vector[:1]} if number % 5 == 0 else vector


@pytest.mark.parametrize("count", [0, 1, BLOCK, BLOCK * 2 + 7])
def test_vectors_are_rendered_block_by_block(count: int) -> None:
    points = [fetched(number) for number in range(count)]
    hits = [Hit(0.0, point.id, 0.0) for point in points]
    for rendered in (render_points(points), render_scored(hits, points)):
        assert all(isinstance(point.vector, msgspec.Raw) for point in rendered)
        answered = msgspec.json.decode(msgspec.json.encode(rendered))
        assert [point["id"] for point in answered] == list(range(count))
        assert [point["vector"] for point in answered] == [expected(number) for number in range(count)]


def test_no_vectors_were_asked_for() -> None:
    rendered = render_points([FetchedPoint(parse_point_id(number), 0, None, None) for number in range(BLOCK + 1)])
    assert all(point.vector is msgspec.UNSET for point in rendered)
