"""Bodies that are small as text and large once decoded are refused while they are text."""

import json
from typing import Any

import pytest

from ingest.http.limits import Limits
from schemas.rest.decode import MAX_OBJECTS, MAX_VALUES, UNCOUNTED_BYTES
from schemas.rest.reads import MAX_KEYS
from tests.rest.client import MemoryRest, Rest

POINTS = "/collections/c/points"
READS = ["/query", "/query/batch", "/search", "/search/batch", "/scroll", "/count", ""]


def many(text: str, count: int) -> bytes:
    """A body with so many of a value in a field that no request has, where nothing else would mind them."""
    return f'{{"limit": 1, "unknown": [{",".join([text] * count)}]}}'.encode()


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("value", ["{}", "[]"])
def test_objects_of_a_read(rest: Rest, path: str, value: str) -> None:
    rest.create()
    error = rest.error(422, "POST", f"{POINTS}{path}", content=many(value, MAX_OBJECTS))
    assert f"at most {MAX_OBJECTS} objects and arrays" in error


def test_what_was_seen_to_take_most(rest: Rest) -> None:
    rest.create()
    for path, field in (("/query/batch", "searches"), ("/query", "prefetch")):
        body = json.dumps({field: [{}] * (MAX_OBJECTS + 1)})
        assert "objects and arrays" in rest.error(422, "POST", f"{POINTS}{path}", content=body.encode())
    body = json.dumps({"filter": {"must": [{}] * (MAX_OBJECTS + 1)}})
    assert "objects and arrays" in rest.error(422, "POST", f"{POINTS}/scroll", content=body.encode())


def test_values_of_a_read(rest: Rest) -> None:
    rest.create()
    error = rest.error(422, "POST", f"{POINTS}/scroll", content=many("0", MAX_VALUES + 2))
    assert f"at most {MAX_VALUES} values" in error


def test_a_server_that_takes_larger_bodies_takes_more_values() -> None:
    rest = MemoryRest(limits=Limits(max_body_bytes=64 << 20))
    rest.create()
    rest.result("POST", f"{POINTS}/scroll", content=many("0", MAX_VALUES + 2))
    rest.close()


def test_as_much_as_a_batch_of_queries_needs(rest: Rest) -> None:
    rest.create()
    even: dict[str, Any] = {"must": [{"key": "a", "match": {"value": n}} for n in range(20)]}
    body = json.dumps({"searches": [{"query": [1, 0], "filter": even}] * 1000}).encode()
    assert len(body) > UNCOUNTED_BYTES
    assert len(rest.result("POST", f"{POINTS}/query/batch", content=body)) == 1000


@pytest.mark.parametrize("field", ["with_payload", "with_vector"])
def test_keys_of_a_selection(rest: Rest, field: str) -> None:
    rest.create(vectors={"a": {"size": 1, "distance": "Dot"}})
    most, more = ["a"] * MAX_KEYS, ["a"] * (MAX_KEYS + 1)
    forms: list[tuple[Any, Any]] = [(most, more)]
    if field == "with_payload":
        forms += [({name: most}, {name: more}) for name in ("include", "exclude")]
    for taken, refused in forms:
        rest.result("POST", f"{POINTS}/scroll", json={field: taken})
        error = rest.error(422, "POST", f"{POINTS}/scroll", json={field: refused})
        assert field in error
        assert f"of length <= {MAX_KEYS}" in error


DENSE: dict[str, Any] = {"must": [{}] * (MAX_OBJECTS + 1)}
WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/delete", {"filter": DENSE}),
    ("POST", "/payload", {"payload": {}, "filter": DENSE}),
    ("PUT", "/payload", {"payload": {}, "filter": DENSE}),
    ("POST", "/payload/delete", {"keys": ["a"], "filter": DENSE}),
    ("POST", "/payload/clear", {"filter": DENSE}),
    ("POST", "/vectors/delete", {"vector": [""], "filter": DENSE}),
    ("PUT", "", {"points": [{"id": 1, "vector": [1, 2]}], "update_filter": DENSE}),
    ("PUT", "", {"batch": {"ids": [1], "vectors": [[1, 2]]}, "update_filter": DENSE}),
    ("PUT", "/vectors", {"points": [{"id": 1, "vector": [1, 2]}], "update_filter": DENSE}),
    ("POST", "/batch", {"operations": [{"clear_payload": {"filter": DENSE}}]}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_filters_of_writes(rest: Rest, method: str, path: str, body: dict[str, Any]) -> None:
    rest.create()
    error = rest.error(422, method, f"{POINTS}{path}", content=json.dumps(body).encode())
    assert f"filter: at most {MAX_OBJECTS} objects and arrays" in error


def test_columns_of_more_vectors_than_ids(rest: Rest) -> None:
    rest.create()
    vectors: list[list[float]] = [[]] * UNCOUNTED_BYTES
    for columns in (vectors, {"": vectors}):
        body = json.dumps({"batch": {"ids": [1], "vectors": columns}}).encode()
        assert "ids and vectors must be equal (1 != more)" in rest.error(422, "PUT", POINTS, content=body)


def test_many_columns(rest: Rest) -> None:
    rest.create(vectors={"a": {"size": 2, "distance": "Dot"}, "b": {"size": 1, "distance": "Dot"}})
    ids = list(range(30_000))
    batch = {"ids": ids, "vectors": {"a": [[n, 1] for n in ids], "b": [[n] for n in ids]}}
    rest.result("PUT", POINTS, params={"wait": "true"}, json={"batch": batch})
    assert rest.scroll(offset=29_999, with_vector=True)[0]["vector"] == {"a": [29_999.0, 1.0], "b": [29_999.0]}


def test_payloads_of_writes_are_not_counted(rest: Rest) -> None:
    rest.create()
    payload = json.dumps({"a": [[]] * (MAX_OBJECTS + 1)})
    body = f'{{"payload": {payload}, "filter": {{"must": []}}}}'
    rest.result("POST", f"{POINTS}/payload", content=body.encode())
