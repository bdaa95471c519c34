"""Bodies that are wrong, whatever is in the collection: each gets an answer that says what and where."""

import json
from typing import Any

import pytest

from tests.rest.client import Rest

POINTS = "/collections/c/points"


def nested_filter(levels: int) -> dict[str, Any]:
    """Filters in filters."""
    return {"must": [nested_filter(levels - 1)]} if levels else {"must": []}


NESTED_FILTER = nested_filter(64)

ENDPOINTS = [
    ("PUT", "/collections/d"),
    ("PATCH", "/collections/c"),
    ("POST", "/collections/aliases"),
    ("PUT", POINTS),
    ("POST", POINTS),
    ("POST", f"{POINTS}/delete"),
    ("PUT", f"{POINTS}/vectors"),
    ("POST", f"{POINTS}/vectors/delete"),
    ("POST", f"{POINTS}/payload"),
    ("PUT", f"{POINTS}/payload"),
    ("POST", f"{POINTS}/payload/delete"),
    ("POST", f"{POINTS}/payload/clear"),
    ("POST", f"{POINTS}/batch"),
    ("POST", f"{POINTS}/scroll"),
    ("POST", f"{POINTS}/count"),
    ("POST", f"{POINTS}/query"),
    ("POST", f"{POINTS}/query/batch"),
    ("POST", f"{POINTS}/search"),
    ("POST", f"{POINTS}/search/batch"),
]


@pytest.fixture
def rest(rest: Rest) -> Rest:
    rest.create()
    rest.upsert({"id": 1, "vector": [1, 2], "payload": {"a": 1}})
    return rest


def test_bodies_that_are_no_json_objects(rest: Rest) -> None:
    bodies = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"{}x",
        b"{'a': 1}",
        b'{"filter": NaN}',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"filter":' * 100_000,
    ]
    for method, path in ENDPOINTS:
        for body in bodies:
            message = rest.error(400, method, path, content=body)
            assert message.startswith("Format error in JSON body: "), (method, path, body[:20], message)


def point(**changes: Any) -> dict[str, Any]:
    return {"points": [{"id": 1, "vector": [1, 2]}, {"id": 2, "vector": [1, 2], **changes}]}


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


UPSERTS: list[tuple[int, Any, str]] = [
    (400, {}, "points"),
    (400, {"points": [], "batch": {"ids": [], "vectors": []}}, "Empty update request"),
    (400, {"points": {}}, "points"),
    (400, {"points": [1]}, "points[0]"),
    (400, {"points": [{"id": 1}]}, "vector"),
    (400, {"points": [{"vector": [1, 2]}]}, "id"),
    (400, point(id=-1), "points[1].id"),
    (400, point(id=1 << 64), "points[1].id"),
    (400, point(id="abc"), "points[1].id"),
    (400, point(id="0f8fad5b-d9cb-469f-a165-70867728950"), "points[1].id"),
    (400, point(id=1.5), "points[1].id"),
    (400, point(id=True), "points[1].id"),
    (400, point(id=None), "points[1].id"),
    (400, point(vector=[1]), "Vector dimension error: expected dim: 2, got 1 at points[1].vector"),
    (400, point(vector=[1, 2, 3]), "Vector dimension error: expected dim: 2, got 3 at points[1].vector"),
    (422, point(vector=[]), "points[1].vector: dense vector must not be empty"),
    (400, point(vector=[1, 1e39]), "points[1].vector[1]: 1e+39 is out of the range of float32"),
    (400, point(vector=[-3.5e38, 0]), "points[1].vector[0]"),
    (400, point(vector=[1, "2"]), "points[1].vector[1]"),
    (400, point(vector=[1, None]), "points[1].vector[1]"),
    (400, point(vector=[1, True]), "points[1].vector[1]"),
    (400, point(vector=[[1, 2]]), "multi and regular vectors"),
    (400, point(vector=None), "points[1].vector"),
    (400, point(vector="x"), "points[1].vector"),
    (400, point(vector={"x": [1, 2]}), "Not existing vector name error: x at points[1].vector.x"),
    (400, point(vector={"x": {"indices": [1], "values": [1.0]}}), "Not existing vector name error: x"),
    (400, point(vector={"text": "hello", "model": "m"}), "got `str`"),
    (400, point(payload=[]), "points[1].payload"),
    (400, point(payload="x"), "points[1].payload"),
    (400, point(payload=deep(65)), "points[1].payload: payload is nested deeper"),
    (400, {**point(), "shard_key": "a"}, 'Wrong input: Shard key "a" not found'),
    (400, {**point(), "shard_key": [7]}, "Wrong input: Shard key 7 not found"),
    (400, {**point(), "shard_key": {"target": "a", "fallback": "b"}}, 'Wrong input: Shard key "a" not found'),
    (400, {**point(), "shard_key": -1}, "shard_key"),
    (400, {**point(), "update_mode": "maybe"}, "update_mode"),
    (422, {**point(), "update_filter": {"must": [{"key": "a"}]}}, "filter"),
    (422, {"batch": {"ids": [1], "vectors": []}}, "number of ids and vectors must be equal (1 != 0)"),
    (400, {"batch": {"ids": [1], "vectors": [[1]]}}, "batch.vectors[0]"),
    (400, {"batch": {"ids": [1], "vectors": {"x": [[1, 2]]}}}, "batch.vectors.x"),
    (400, {"batch": {"ids": ["x"], "vectors": [[1, 2]]}}, "batch.ids[0]"),
    (422, {"batch": {"ids": [1], "vectors": [[1, 2]], "payloads": []}}, "ids and payloads must be equal (1 != 0)"),
    (400, {"batch": {"ids": [1], "vectors": [[1, 2]], "payloads": [[]]}}, "payload"),
]


@pytest.mark.parametrize(("status", "body", "what"), UPSERTS)
def test_upserts(rest: Rest, status: int, body: Any, what: str) -> None:
    assert what in rest.error(status, "PUT", POINTS, json=body)
    nested = rest.error(
        status, "POST", f"{POINTS}/batch", json={"operations": [{"delete": {"points": [99]}}, {"upsert": body}]}
    )
    assert "operations[1]" in nested
    assert len(rest.scroll()) == 1


TEXTS: list[tuple[str, str]] = [
    ('{"points": [{"id": 1, "vector": [1, NaN]}]}', "expected value at line 1 column 37"),
    ('{"points": [{"id": 1, "vector": [1, Infinity]}]}', "expected value at line 1 column 37"),
    ('{"points": [{"id": 1, "vector": [1, 1e999]}]}', "points[0].vector[1]"),
    ('{"points": [{"id": 1, "vector": [1, 2], "payload": {"a": NaN}}]}', "expected value at line 1 column 58"),
    ('{"points": [{"id": 1, "vector": [1, 2], "payload": {"a": "\\ud800"}}]}', "JSON"),
    ('{"points": [{"id": 1, "vector": [1, 2], "payload": {"a": "\\ud800 and more"}}]}', "JSON"),
    ('{"points": [{"id": 1, "vector": [1, 2], "payload": {"a": 1e999}}]}', "payload"),
]


@pytest.mark.parametrize(("body", "what"), TEXTS)
def test_upserts_that_only_a_text_can_be(rest: Rest, body: str, what: str) -> None:
    assert what in rest.error(400, "PUT", POINTS, content=body.encode())


def test_what_is_wrong_first_is_told_where_more_is_wrong_later(rest: Rest) -> None:
    for rest_of_it in (b"", b"x", b"}", b'{"a": 1e999}', b"\xff"):
        error = rest.error(422, "POST", f"{POINTS}/scroll", content=b'{"limit": 0}' + rest_of_it)
        assert error.startswith("Validation error in JSON body: [limit: value")
    assert "invalid type: string" in rest.error(400, "POST", f"{POINTS}/scroll", content=b'{"limit": "x"}]')


def test_text_that_is_not_utf8(rest: Rest) -> None:
    body = b'{"points": [{"id": 1, "vector": [1, 2], "payload": {"a": "\xff\xfe"}}]}'
    assert "payload" in rest.error(400, "PUT", POINTS, content=body)
    assert "UTF-8" in rest.error(
        400, "POST", f"{POINTS}/payload", content=b'{"payload": {}, "key": "\xff", "points": []}'
    )


OTHERS: list[tuple[int, str, str, Any, str]] = [
    (400, "POST", "/delete", {}, "Either list of point ids or filter must be provided"),
    (400, "POST", "/delete", {"points": [], "filter": {}}, "Empty update request"),
    (400, "POST", "/delete", {"points": ["x"]}, "points[0]"),
    (400, "POST", "/delete", {"filter": []}, "filter"),
    (400, "POST", "/delete", {"filter": {"mst": []}}, "filter"),
    (400, "POST", "/delete", {"filter": NESTED_FILTER}, "nested deeper"),
    (400, "POST", "/delete", {"filter": {"must": [{"key": "a", "match": {"value": 1 << 70}}]}}, ""),
    (422, "PUT", "/vectors", {"points": []}, "points"),
    (400, "PUT", "/vectors", {"points": [{"id": 1, "vector": [1]}]}, "points[0].vector"),
    (422, "POST", "/vectors/delete", {"points": [1], "vector": []}, "vector"),
    (400, "POST", "/vectors/delete", {"points": [1], "vector": ["x"]}, "x"),
    (400, "POST", "/payload", {"points": [1]}, "payload"),
    (400, "POST", "/payload", {"points": [1], "payload": [1]}, "payload"),
    (400, "POST", "/payload", {"points": [1], "payload": None}, "payload"),
    (400, "POST", "/payload", {"points": [1], "payload": {}, "key": "a..b"}, ""),
    (400, "POST", "/payload", {"points": [1], "payload": deep(70)}, "nested deeper"),
    (400, "POST", "/payload/delete", {"points": [1], "keys": "a"}, "keys"),
    (400, "POST", "/payload/delete", {"points": [1], "keys": [""]}, ""),
    (400, "POST", "/payload/clear", {"filter": NESTED_FILTER}, "nested deeper"),
    (400, "POST", "/batch", {"operations": [{}]}, "operations[0]"),
    (400, "POST", "/batch", {"operations": [{"upsrt": {}}]}, "operations[0]"),
    (400, "POST", "/batch", {"operations": [{"delete": {"points": []}, "upsert": {"points": []}}]}, "operations[0]"),
    (422, "POST", "/batch", {"operations": [{"delete": {"points": [2]}}] * 10_001}, "operations: at most 10000"),
    (422, "POST", "/scroll", {"limit": 0}, "[limit: value 0 invalid, must be 1 or larger]"),
    (400, "POST", "/scroll", {"limit": -1}, "invalid value: integer `-1`, expected usize at limit"),
    (400, "POST", "/scroll", {"limit": 10**20}, "invalid type: floating point `1e+20`, expected usize at limit"),
    (422, "POST", "/scroll", {"limit": 10**9}, "limit"),
    (400, "POST", "/scroll", {"limit": 1 << 80}, "limit"),
    (400, "POST", "/scroll", {"limit": "5"}, "limit"),
    (400, "POST", "/scroll", {"offset": -1}, "offset"),
    (400, "POST", "/scroll", {"offset": "x"}, "offset"),
    (400, "POST", "/scroll", {"with_payload": {}}, "with_payload"),
    (400, "POST", "/scroll", {"with_payload": ["a["]}, ""),
    (400, "POST", "/scroll", {"with_vector": ["x"]}, "x"),
    (400, "POST", "/scroll", {"order_by": "a"}, "No range index for `order_by` key"),
    (400, "POST", "/scroll", {"filter": NESTED_FILTER}, "nested deeper"),
    (400, "POST", "/count", {"filter": NESTED_FILTER}, "nested deeper"),
    (400, "POST", "/count", {"exact": 1}, "exact"),
    (400, "POST", "", {"ids": [1.5]}, "ids[0]"),
    (400, "POST", "", {"ids": ["x"]}, "ids[0]"),
    (400, "POST", "", {}, "ids"),
    (400, "POST", "/query", {"query": [1]}, "Vector dimension error: expected dim: 2, got 1 at query"),
    (400, "POST", "/query", {"query": [1, 1e300]}, "query[1]"),
    (400, "POST", "/query", {"query": [[1, 2]]}, "multi and regular vectors"),
    (400, "POST", "/query", {"query": "x"}, "query"),
    (400, "POST", "/query", {"query": {}}, "nearest"),
    (400, "POST", "/query", {"query": {"nearest": None}}, "nearest"),
    (400, "POST", "/query", {"query": {"nearest": {"indices": [1], "values": [1]}}}, "sparse and regular"),
    (400, "POST", "/query", {"query": {"indices": [1], "values": [1]}}, "sparse and regular"),
    (400, "POST", "/query", {"query": {"text": "hello", "model": "m"}}, "InferenceService"),
    (400, "POST", "/query", {"query": {"fusion": "rrf"}, "prefetch": []}, "cannot apply Fusion without prefetches"),
    (400, "POST", "/query", {"query": {"fusion": "rrf"}, "prefetch": {}, "using": "a"}, "'using'"),
    (400, "POST", "/query", {"prefetch": {"query": [1, 2]}}, "A query is needed to merge the prefetches"),
    (404, "POST", "/query", {"query": 1, "lookup_from": {"collection": "d"}}, "Collection d not found"),
    (422, "POST", "/query", {"query": {"recommend": {}}}, "At least one positive or negative vector"),
    (422, "POST", "/query", {"query": {"nearest": [1, 2], "mmr": {"diversity": 2}}}, "query.mmr.diversity"),
    (400, "POST", "/query", {"query": [1, 2], "shard_key": "a"}, 'Shard key "a" not found'),
    (422, "POST", "/query", {"query": [1, 2], "params": {"hnsw_ef": 0}}, "params.hnsw_ef"),
    (422, "POST", "/query", {"query": [1, 2], "limit": 0}, "limit"),
    (400, "POST", "/query", {"query": [1, 2], "offset": -1}, "offset"),
    (422, "POST", "/query", {"query": [1, 2], "limit": 10**9}, "limit"),
    (422, "POST", "/query", {"query": [1, 2], "offset": 10**9}, "limit"),
    (400, "POST", "/query", {"query": [1, 2], "score_threshold": "a"}, "score_threshold"),
    (400, "POST", "/query", {"query": [1, 2], "filter": NESTED_FILTER}, "nested deeper"),
    (400, "POST", "/query/batch", {"searches": [{"query": [1, 2]}, {"query": [1]}]}, "query"),
    (400, "POST", "/search", {"vector": [1, 2]}, "limit"),
    (400, "POST", "/search", {"vector": {"name": "x", "vector": [1, 2]}, "limit": 1}, "x"),
]


@pytest.mark.parametrize(("status", "method", "path", "body", "what"), OTHERS)
def test_others(rest: Rest, status: int, method: str, path: str, body: Any, what: str) -> None:
    assert what in rest.error(status, method, POINTS + path, content=json.dumps(body).encode())
    assert rest.scroll() == [{"id": 1, "payload": {"a": 1}}]


@pytest.mark.parametrize(
    "query",
    [
        "wait=maybe",
        "wait=",
        "wait=true&wait=true",
        "timeout=-1",
        "timeout=1.5",
        "timeout=x",
        "timeout=",
        "ordering=none",
        "%ff=1&" * 200,
    ],
)
def test_query_parameters_of_writes(rest: Rest, query: str) -> None:
    message = rest.error(400, "PUT", f"{POINTS}?{query}", json={"points": []})
    assert message.startswith("Deserialize error in query parameters: ")


@pytest.mark.parametrize("query", ["timeout=0", "timeout=-1", "consistency=0", "consistency=Majority"])
def test_query_parameters_of_reads(rest: Rest, query: str) -> None:
    message = rest.error(400, "POST", f"{POINTS}/scroll?{query}", json={})
    assert message.startswith("Deserialize error in query parameters: ")


def test_query_parameters_of_changes_to_collections(rest: Rest) -> None:
    assert "must be 1 or larger" in rest.error(422, "DELETE", "/collections/c?timeout=0")
    assert "invalid digit" in rest.error(400, "DELETE", "/collections/c?timeout=-1")


def test_what_an_endpoint_does_not_take_is_ignored(rest: Rest) -> None:
    for query in ("wait", "wait=maybe", "ordering=none", "%zz", "timeout=%31", "consistency="):
        assert rest.result("POST", f"{POINTS}/scroll?{query}", json={})["next_page_offset"] is None


def test_query_parameters_that_are_taken(rest: Rest) -> None:
    for query in ("wait=false", "ordering=medium", "consistency=2", "consistency=quorum", "timeout=10", "unknown=1"):
        assert rest.result("POST", f"{POINTS}/delete?{query}", json={"points": [99]})["status"] == "acknowledged"
