from typing import Any

import pytest
from qdrant_client.http import models

from ingest.http.limits import Limits
from tests.rest.client import VECTORS, MemoryRest, Rest

POINTS = "/collections/c/points"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
COUNT = 20
MANY = 5000
"""More than are read on the event loop."""


@pytest.fixture
def rest(rest: Rest) -> Rest:
    """Points whose dot product with [1, 0] is their number."""
    rest.create()
    rest.upsert(*[{"id": n, "vector": [n, 1], "payload": {"n": n, "even": n % 2 == 0}} for n in range(COUNT)])
    rest.upsert({"id": UUID, "vector": [0.5, 0.25]})
    return rest


def query(rest: Rest, **body: Any) -> list[models.ScoredPoint]:
    return rest.parsed(models.QueryResponse, "POST", f"{POINTS}/query", json=body).points


def ids(points: list[models.ScoredPoint]) -> list[Any]:
    return [point.id for point in points]


def test_query(rest: Rest) -> None:
    found = query(rest, query=[1, 0], limit=3)
    assert ids(found) == [19, 18, 17]
    assert [p.score for p in found] == [19.0, 18.0, 17.0]
    assert found[0].payload is None
    assert found[0].vector is None
    assert found[0].version == 1


@pytest.mark.parametrize("form", [[1, 0], {"nearest": [1, 0]}])
def test_query_forms(rest: Rest, form: Any) -> None:
    assert ids(query(rest, query=form, limit=2, using=None, params=None, filter=None, shard_key=None)) == [19, 18]


def test_query_by_id_leaves_the_point_out(rest: Rest) -> None:
    assert ids(query(rest, query=19, limit=2)) == [18, 17]
    assert ids(query(rest, query={"nearest": UUID}, limit=1)) == [19]


def test_query_options(rest: Rest) -> None:
    even = {"must": [{"key": "even", "match": {"value": True}}]}
    assert ids(query(rest, query=[1, 0], limit=2, filter=even)) == [18, 16]
    assert ids(query(rest, query=[1, 0], limit=2, offset=3)) == [16, 15]
    assert ids(query(rest, query=[1, 0], score_threshold=17.5)) == [19, 18]
    for params in ({"exact": True}, {"hnsw_ef": 64}, {"indexed_only": False}, {"quantization": {"rescore": True}}):
        assert ids(query(rest, query=[1, 0], limit=1, params=params)) == [19]


def test_query_has_ten_results_unless_told(rest: Rest) -> None:
    assert len(query(rest, query=[1, 0])) == 10


def test_query_payload_and_vectors(rest: Rest) -> None:
    found = query(rest, query=[1, 0], limit=1, with_payload=True, with_vector=True)[0]
    assert found.payload == {"n": 19, "even": False}
    assert found.vector == [19.0, 1.0]
    selections: list[tuple[Any, Any]] = [
        (["n"], {"n": 19}),
        ({"include": ["even"]}, {"even": False}),
        ({"exclude": ["even"]}, {"n": 19}),
        ([], {}),
        (False, None),
    ]
    for selection, payload in selections:
        assert query(rest, query=[1, 0], limit=1, with_payload=selection)[0].payload == payload


def test_query_without_a_query_goes_by_id(rest: Rest) -> None:
    found = query(rest, limit=3, offset=2, with_payload=["n"])
    assert ids(found) == [2, 3, 4]
    assert found[0].payload == {"n": 2}
    assert ids(query(rest, filter={"must_not": [{"has_id": [0, 1]}]}, limit=1)) == [2]


def test_query_named_vectors(rest: Rest) -> None:
    rest.create("named", vectors={"x": VECTORS, "y": {"size": 3, "distance": "Euclid"}})
    rest.upsert({"id": 1, "vector": {"x": [1, 2], "y": [0, 0, 3]}}, {"id": 2, "vector": {"y": [0, 0, 0]}}, name="named")
    path = "/collections/named/points/query"
    result = rest.result("POST", path, json={"query": [0, 0, 0], "using": "y", "with_vector": ["x"]})
    assert [(p["id"], p["score"], p["vector"]) for p in result["points"]] == [(2, 0.0, {}), (1, 3.0, {"x": [1.0, 2.0]})]
    assert "`x`, `y`" in rest.error(400, "POST", path, json={"query": [1, 2]})
    assert "z" in rest.error(400, "POST", path, json={"query": [1, 2], "using": "z"})
    assert "z" in rest.error(400, "POST", path, json={"query": [1, 2], "using": "x", "with_vector": ["z"]})
    assert 'Vector with name "x"' in rest.error(404, "POST", path, json={"query": 2, "using": "x"})


def test_query_batch(rest: Rest) -> None:
    searches = [{"query": [1, 0], "limit": 1}, {"query": [-1, 0], "limit": 2, "with_payload": True}]
    path = f"{POINTS}/query/batch"
    first, second = rest.parsed(list[models.QueryResponse], "POST", path, json={"searches": searches})
    assert ids(first.points) == [19]
    assert ids(second.points) == [0, UUID]
    assert second.points[0].payload == {"n": 0, "even": True}
    many = {"searches": [{"query": [1, 0], "limit": 1}] * 30}
    assert len(rest.result("POST", path, json=many)) == 30


def test_the_older_search(rest: Rest) -> None:
    body = {"vector": [1, 0], "limit": 2, "with_payload": True}
    found = rest.parsed(list[models.ScoredPoint], "POST", f"{POINTS}/search", json=body)
    assert ids(found) == [19, 18]
    named = {"vector": {"name": "", "vector": [1, 0]}, "limit": 1, "offset": 1}
    batches = rest.result("POST", f"{POINTS}/search/batch", json={"searches": [body, named]})
    assert [[p["id"] for p in batch] for batch in batches] == [[19, 18], [18]]


def test_scroll_pages(rest: Rest) -> None:
    found: list[Any] = []
    offset: Any = None
    while True:
        page = rest.parsed(models.ScrollResult, "POST", f"{POINTS}/scroll", json={"limit": 6, "offset": offset})
        found += [p.id for p in page.points]
        offset = page.next_page_offset
        if offset is None:
            break
    assert found == [*range(COUNT), UUID]


def test_scroll_options(rest: Rest) -> None:
    assert len(rest.scroll()) == 10
    assert rest.scroll(limit=1) == [{"id": 0, "payload": {"n": 0, "even": True}}]
    assert rest.scroll(limit=1, with_payload=False, with_vector=True) == [{"id": 0, "vector": [0.0, 1.0]}]
    even = {"must": [{"key": "even", "match": {"value": True}}]}
    assert [p["id"] for p in rest.scroll(filter=even, offset=5, limit=2)] == [6, 8]
    assert [p["id"] for p in rest.scroll(offset=UUID)] == [UUID]


def test_count(rest: Rest) -> None:
    assert rest.parsed(models.CountResult, "POST", f"{POINTS}/count", json={}).count == COUNT + 1
    body = {"filter": {"must": [{"key": "n", "range": {"lt": 5}}]}, "exact": False}
    assert rest.result("POST", f"{POINTS}/count", json=body) == {"count": 5}


def test_retrieve(rest: Rest) -> None:
    path = POINTS
    asked = {"ids": [3, UUID, 777], "with_payload": True, "with_vectors": True}
    found = rest.parsed(list[models.Record], "POST", path, json=asked)
    assert [(p.id, p.payload, p.vector) for p in found] == [
        (3, {"n": 3, "even": False}, [3.0, 1.0]),
        (UUID, {}, [0.5, 0.25]),
    ]
    assert rest.result("POST", path, json={"ids": []}) == []
    assert rest.result("POST", path, json={"ids": [3]}) == [{"id": 3}]
    assert rest.error(400, "POST", path, json={"ids": [3], "shard_key": "a"}) == 'Bad request: Shard key "a" not found'


def test_get_one(rest: Rest) -> None:
    found = rest.parsed(models.Record, "GET", f"{POINTS}/3")
    assert (found.id, found.payload, found.vector) == (3, {"n": 3, "even": False}, [3.0, 1.0])
    for text in (UUID, UUID.replace("-", ""), UUID.upper()):
        assert rest.result("GET", f"{POINTS}/{text}")["id"] == UUID
    assert rest.result("GET", f"{POINTS}/+03")["id"] == 3
    assert rest.error(404, "GET", f"{POINTS}/777") == "Not found: Point with id 777 does not exists!"
    for bad in ("abc", "-1", "1.5", str(1 << 64), "9" * 5000):
        assert "id" in rest.error(400, "GET", f"{POINTS}/{bad}")


def test_long_reads_run_on_threads_with_the_same_answers(rest: Rest) -> None:
    body = {"query": [1, 0], "limit": MANY}
    assert len(rest.result("POST", f"{POINTS}/query", json=body)["points"]) == COUNT + 1
    assert len(rest.scroll(limit=MANY)) == COUNT + 1
    assert len(query(rest, limit=MANY)) == COUNT + 1
    wanted = list(range(MANY + 1))
    assert len(rest.result("POST", POINTS, json={"ids": wanted})) == COUNT


def test_reads_follow_a_token(rest: Rest) -> None:
    written = rest.send("PUT", POINTS, json={"points": [{"id": 100, "vector": [0, 0]}]})
    token = {"x-headwater-offsets": written.headers["x-headwater-offsets"]}
    assert rest.result("POST", f"{POINTS}/count", json={}, headers=token) == {"count": COUNT + 2}
    created = rest.send("PUT", "/collections/d", json={"vectors": VECTORS})
    both = {"x-headwater-offsets": f"{created.headers['x-headwater-offsets']}, {token['x-headwater-offsets']}"}
    assert rest.result("GET", "/collections/d/exists", headers=both) == {"exists": True}


@pytest.mark.parametrize("values", [["0:0", "bad"], ["bad", "0:0"], ["catalog:0,0:0", "", "0:0,bad"]])
def test_every_line_of_a_token_is_read(rest: Rest, values: list[str]) -> None:
    lines = [("X-Headwater-Offsets", value) for value in values]
    assert "'bad' is not" in rest.error(400, "POST", f"{POINTS}/count", json={}, headers=lines)
    good = [(name, value.removesuffix("bad")) for name, value in lines]
    assert rest.result("POST", f"{POINTS}/count", json={}, headers=good) == {"count": COUNT + 1}


def test_a_token_that_is_not_reached_in_time(rest: Rest) -> None:
    ahead = {"x-headwater-offsets": "0:1000000"}
    requests: list[tuple[str, str, Any]] = [("POST", f"{POINTS}/count", {}), ("GET", f"{POINTS}/1", None)]
    for method, path, body in requests:
        assert "not visible" in rest.error(408, method, path, params={"timeout": 1}, json=body, headers=ahead)


@pytest.mark.parametrize("token", ["1", "0:", ":1", "0:-1", "a:1", "3:1", "0:1;0:2", "0:" + "9" * 30, "0:1," * 2000])
def test_bad_tokens(rest: Rest, token: str) -> None:
    message = rest.error(400, "POST", f"{POINTS}/count", json={}, headers={"x-headwater-offsets": token})
    assert "x-headwater-offsets" in message


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("GET", "/1"),
        ("POST", "/scroll"),
        ("POST", "/count"),
        ("POST", "/query"),
        ("POST", "/query/batch"),
        ("POST", "/search"),
        ("POST", "/search/batch"),
    ],
)
def test_unknown_collections(rest: Rest, method: str, path: str) -> None:
    message = rest.error(404, method, f"/collections/nowhere/points{path}", json={})
    assert message == "Not found: Collection `nowhere` doesn't exist!"


def test_a_point_that_is_not_there_to_query_by(rest: Rest) -> None:
    assert rest.error(404, "POST", f"{POINTS}/query", json={"query": 777}) == "Not found: No point with id 777 found"


def test_shards_answer_as_one(sharded: Rest) -> None:
    sharded.upsert(*[{"id": n, "vector": [n, 1]} for n in range(100)])
    assert ids(query(sharded, query=[1, 0], limit=3, offset=1)) == [98, 97, 96]
    assert [p["id"] for p in sharded.scroll(limit=3, offset=40)] == [40, 41, 42]
    assert sharded.result("POST", f"{POINTS}/count", json={}) == {"count": 100}
    assert ids(query(sharded, query=50, limit=1)) == [99]


LIMITED: list[tuple[str, Any]] = [
    ("/scroll", {"limit": 11}),
    ("/query", {"query": [1, 0], "limit": 11}),
    ("/query", {"query": [1, 0], "limit": 6, "offset": 5}),
    ("/query", {"limit": 10**9}),
    ("/search", {"vector": [1, 0], "limit": 11}),
    ("", {"ids": list(range(6))}),
    ("/query/batch", {"searches": [{"query": [1, 0]}] * 4}),
    ("/search/batch", {"searches": [{"vector": [1, 0], "limit": 1}] * 4}),
]


@pytest.mark.parametrize(("path", "body"), LIMITED)
def test_limits(path: str, body: Any) -> None:
    rest = MemoryRest(limits=Limits(max_results=10, max_ids=5, max_queries=3))
    rest.create()
    assert "at most" in rest.error(422, "POST", f"{POINTS}{path}", json=body)
    rest.close()
