"""Vectors of every kind over REST: created, written, read back, searched; names added and deleted."""

from math import log
from typing import Any

import pytest

from tests.rest.client import MemoryRest

SPARSE = {"indices": [7, 1, 3], "values": [0.5, 2.0, 1.0]}


def nearest(rest: MemoryRest, query: Any, using: str, **body: Any) -> list[tuple[int, Any]]:
    asked = {"query": query, "using": using, **body}
    points = rest.result("POST", "/collections/c/points/query", json=asked)["points"]
    return [(point["id"], pytest.approx(point["score"], rel=1e-5)) for point in points]


def vectors(rest: MemoryRest, point: int) -> Any:
    return rest.result("GET", f"/collections/c/points/{point}")["vector"]


@pytest.mark.parametrize(
    ("datatype", "distance", "stored", "scores"),
    [
        ("uint8", "Dot", [255.0, 0.0, 255.0], [1020.0, 47.0]),
        ("uint8", "Cosine", [255.0, 0.0, 255.0], [0.755929, 0.9662522]),
        ("float16", "Dot", [300.0, -5.0, 255.0], [1055.0, 47.0]),
        ("float16", "Cosine", [0.76171875, -0.0126953125, 0.64746094], [0.7159524, 0.9660539]),
    ],
)
def test_datatypes(memory: MemoryRest, datatype: str, distance: str, stored: list[float], scores: list[float]) -> None:
    memory.create(vectors={"size": 3, "distance": distance, "datatype": datatype})
    memory.upsert({"id": 1, "vector": [300, -5, 255]}, {"id": 2, "vector": [3, 4, 12]})
    assert vectors(memory, 1) == pytest.approx(stored, rel=1e-6)
    assert dict(nearest(memory, [1, 2, 3], "")) == {1: scores[0], 2: scores[1]}


def test_sparse_vectors(memory: MemoryRest) -> None:
    memory.create(sparse_vectors={"s": {}, "t": {"modifier": "idf"}})
    other = {"indices": [3], "values": [4.0]}
    memory.upsert({"id": 1, "vector": {"s": SPARSE, "t": SPARSE}}, {"id": 2, "vector": {"s": other, "t": other}})
    assert vectors(memory, 1)["s"] == {"indices": [1, 3, 7], "values": [2.0, 1.0, 0.5]}
    query = {"indices": [1, 3], "values": [1.0, 1.0]}
    assert nearest(memory, query, "s") == [(2, 4.0), (1, 3.0)]
    assert nearest(memory, {"indices": [9], "values": [1.0]}, "s") == []
    assert nearest(memory, query, "s", filter={"must": [{"has_id": [1]}]}) == [(1, 3.0)]
    assert nearest(memory, 1, "s") == [(2, 4.0)]
    assert nearest(memory, query, "t") == [(1, 2 * 0.6931472 + 0.18232156), (2, 4 * 0.18232156)]


@pytest.mark.parametrize(
    ("status", "vector", "problem"),
    [
        (422, {"s": {"indices": [1, 1], "values": [1, 2]}}, "must be unique"),
        (422, {"s": {"indices": [1], "values": [1, 2]}}, "must be the same length"),
        (400, {"s": {"indices": [-1], "values": [1]}}, r"indices\[0\]"),
        (400, {"s": {"indices": [1], "values": [1e39]}}, "out of the range of float32"),
        (400, {"s": [1, 2]}, "Conversion between sparse and regular vectors failed"),
        (400, {"s": [[1, 2]]}, "Conversion between multi and regular vectors failed"),
        (400, {"d": {"indices": [1], "values": [1]}}, "Conversion between sparse and regular vectors failed"),
        (400, {"d": [[1, 2]]}, "Conversion between multi and regular vectors failed"),
        (422, {"m": []}, "must not be empty"),
        (422, {"m": [[1, 2], []]}, "must be non-empty"),
        (422, {"m": [[1, 2], [1]]}, "same dimension"),
        (400, {"m": [[1]]}, "expected dim: 2, got 1"),
        (400, {"m": {"indices": [1], "values": [1]}}, "Conversion between sparse and regular vectors failed"),
    ],
)
def test_what_no_kind_takes_is_refused(memory: MemoryRest, status: int, vector: Any, problem: str) -> None:
    dense = {"size": 2, "distance": "Dot"}
    memory.create(
        vectors={"d": dense, "m": {**dense, "multivector_config": {"comparator": "max_sim"}}}, sparse_vectors={"s": {}}
    )
    body = {"points": [{"id": 1, "vector": vector}]}
    with pytest.raises(AssertionError, match=problem):
        raise AssertionError(memory.error(status, "PUT", "/collections/c/points", json=body))


@pytest.mark.parametrize(
    ("distance", "scores"), [("Dot", [3.0, 2.0]), ("Euclid", [1.0, 2**0.5]), ("Manhattan", [1.0, 2.0])]
)
def test_multivectors(memory: MemoryRest, distance: str, scores: list[float]) -> None:
    config = {"size": 2, "distance": distance, "multivector_config": {"comparator": "max_sim"}}
    memory.create(vectors={"m": config})
    memory.upsert({"id": 1, "vector": {"m": [[1.0, 0.0], [0.0, 2.0]]}}, {"id": 2, "vector": {"m": [1.0, 1.0]}})
    assert vectors(memory, 1) == {"m": [[1.0, 0.0], [0.0, 2.0]]}
    assert vectors(memory, 2) == {"m": [[1.0, 1.0]]}
    assert nearest(memory, [[1.0, 0.0], [0.0, 1.0]], "m") == [(1, scores[0]), (2, scores[1])]


def test_names_come_and_go(memory: MemoryRest) -> None:
    memory.create(vectors={"a": {"size": 1, "distance": "Dot"}})
    memory.upsert({"id": 1, "vector": {"a": [1]}})
    wait = {"wait": "true"}

    def change(method: str, name: str, **options: Any) -> None:
        memory.result(method, f"/collections/c/vectors/{name}", params=wait, **options)

    change("PUT", "b", json={"dense": {"size": 2, "distance": "Dot"}})
    change("PUT", "b", json={"dense": {"size": 2, "distance": "Dot"}})
    update = {"points": [{"id": 1, "vector": {"b": [1, 2]}}]}
    memory.result("PUT", "/collections/c/points/vectors", params=wait, json=update)
    assert vectors(memory, 1) == {"a": [1.0], "b": [1.0, 2.0]}
    other = {"dense": {"size": 3, "distance": "Dot"}}
    assert "different configuration" in memory.error(400, "PUT", "/collections/c/vectors/b", json=other)
    change("DELETE", "b")
    change("DELETE", "b")
    assert vectors(memory, 1) == {"a": [1.0]}
    assert "Not existing vector name" in memory.error(400, "PUT", "/collections/c/points/vectors", json=update)
    change("PUT", "b", json=other)
    assert vectors(memory, 1) == {"a": [1.0]}
    assert nearest(memory, [1, 1, 1], "b") == []
    change("PUT", "s", json={"sparse": {}})
    memory.upsert({"id": 2, "vector": {"s": SPARSE, "b": [1, 2, 3]}})
    assert nearest(memory, [1, 1, 1], "b") == [(2, 6.0)]
    assert nearest(memory, {"indices": [1], "values": [1]}, "s") == [(2, 2.0)]


def test_idf_counts_in_a_corpus_and_weighs_examples(memory: MemoryRest) -> None:
    memory.create(sparse_vectors={"t": {"modifier": "idf"}, "p": {}})
    words = {1: [1, 2], 2: [1], 3: [1, 3], 4: [2]}
    memory.upsert(
        *(
            {"id": i, "vector": {"t": {"indices": some, "values": [1.0] * len(some)}}, "payload": {"odd": i % 2}}
            for i, some in words.items()
        )
    )
    two = {"indices": [2], "values": [1.0]}
    rare, common = log(1 + 2.5 / 2.5), log(1 + 1.5 / 1.5)
    assert nearest(memory, two, "t") == [(1, rare), (4, rare)]
    odd = {"idf": {"corpus": {"must": [{"key": "odd", "match": {"value": 1}}]}}}
    assert nearest(memory, two, "t", params=odd) == [(1, common), (4, common)]
    sums = {"recommend": {"positive": [two], "strategy": "sum_scores"}}
    assert nearest(memory, sums, "t", params=odd, limit=2) == [(1, common), (4, common)]
    asked = {"query": two, "using": "p", "params": odd}
    assert "requires a sparse vector" in memory.error(400, "POST", "/collections/c/points/query", json=asked)


def test_a_vector_of_a_point_is_asked_with_under_another_name(memory: MemoryRest) -> None:
    dense = {"size": 2, "distance": "Dot"}
    multi = {"multivector_config": {"comparator": "max_sim"}}
    names = {"a": dense, "half": {**dense, "datatype": "float16"}, "byte": {**dense, "datatype": "uint8"}}
    memory.create(vectors={**names, "m": {**dense, **multi}, "three": {**dense, "size": 3}}, sparse_vectors={"s": {}})
    several = {"m": [[1.0, 2.0], [3.0, 4.0]], "three": [1, 2, 3], "s": SPARSE}
    memory.upsert({"id": 1, "vector": {**{name: [1.5, 2.5] for name in names}, **several}})
    memory.upsert({"id": 2, "vector": {**{name: [4, 8] for name in names}, **several}})

    def asked(using: str, vector: str) -> dict[str, Any]:
        return {"query": 1, "using": using, "lookup_from": {"collection": "c", "vector": vector}}

    for using, vector, score in (("a", "half", 26.0), ("half", "a", 26.0), ("a", "byte", 20.0), ("byte", "a", 20.0)):
        found = memory.result("POST", "/collections/c/points/query", json=asked(using, vector))["points"]
        assert [(point["id"], point["score"]) for point in found] == [(2, score)]
    for using, vector, problem in (
        ("a", "m", "Conversion between multi"),
        ("a", "three", "expected dim: 2, got 3"),
        ("m", "three", "expected dim: 2, got 3"),
        ("a", "s", "Conversion between sparse"),
        ("s", "a", "Conversion between sparse"),
    ):
        assert problem in memory.error(400, "POST", "/collections/c/points/query", json=asked(using, vector))


def test_a_name_has_a_size(memory: MemoryRest) -> None:
    memory.create(vectors={"a": {"size": 1, "distance": "Dot"}})
    body = {"dense": {"size": 0, "distance": "Dot"}}
    assert "from 1 to 65536" in memory.error(422, "PUT", "/collections/c/vectors/b", json=body)
