"""Vectors of answers: text as soon as possible, and the same whatever else is answered with them."""

from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from query_api.hits import Hit
from query_api.points import FetchedPoint
from query_api.rendering import BLOCK, render_points, render_scored
from schemas.ids import parse_point_id
from schemas.vectors.sparse import PAIR


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


def _rendered(vectors: dict[str, NDArray[Any]]) -> bytes:
    (point,) = render_points([FetchedPoint(parse_point_id(1), 0, None, vectors)])
    assert isinstance(point.vector, msgspec.Raw)
    return bytes(point.vector)


@pytest.mark.parametrize("names", [("",), ("a", "b")])
@pytest.mark.parametrize("kind", ["dense", "multi", "sparse"])
def test_a_long_vector_is_the_same_in_slices(
    monkeypatch: pytest.MonkeyPatch, kind: str, names: tuple[str, ...]
) -> None:
    rng = np.random.default_rng(3)
    values = rng.standard_normal(600).astype(np.float32)
    vector: NDArray[Any] = values
    if kind == "multi":
        vector = values.reshape(200, 3).astype(np.float16)
    if kind == "sparse":
        vector = np.zeros(600, PAIR)
        vector["index"], vector["value"] = np.arange(600) * 7_000_000, values
    whole = _rendered(dict.fromkeys(names, vector))
    encoded: list[int] = []

    def encode(listed: list[Any]) -> bytes:
        encoded.append(sum(int(np.size(row)) for row in listed))
        return msgspec.json.encode(listed)

    monkeypatch.setattr("query_api.rendering.BLOCK_NUMBERS", 100)
    monkeypatch.setattr("query_api.long_vectors.SLICE", 64)
    monkeypatch.setattr("query_api.long_vectors._encode", encode)
    assert _rendered(dict.fromkeys(names, vector)) == whole
    assert max(encoded) <= 64
    assert sum(encoded) == 600 * len(names) * (2 if kind == "sparse" else 1)


def test_blocks_of_many_numbers_are_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [fetched(number) for number in range(50)]
    whole = msgspec.json.encode(render_points(points))
    monkeypatch.setattr("query_api.rendering.BLOCK_NUMBERS", 10)
    assert msgspec.json.encode(render_points(points)) == whole
