"""The requests of Qdrant's guides to points and to collections, in their order, with values of our own.

Over plain HTTP, and by the client's calls that stand beside them. Where a guide is wrong, the answer is an error.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from qdrant_client import QdrantClient, models

from tests.support.http import Http

PLAIN = {"vectors": {"size": 3, "distance": "Cosine"}}
NAMED = {"vectors": {"image": {"size": 4, "distance": "Dot"}, "text": {"size": 8, "distance": "Dot"}}}
SPARSE: dict[str, Any] = {"sparse_vectors": {"text": {}}}
FOUR = {"vectors": {"size": 4, "distance": "Dot"}}
UUID = "8a3f7c62-1d2e-4b5f-9c60-7e8f9a0b1c2d"
RED = {"must": [{"key": "colour", "match": {"value": "red"}}]}
TEXT = [0.5, 0.25, 0.75, 0.5, 0.25, 0.75, 0.5, 0.25]


def point(point_id: int | str, colour: str, *vector: float) -> dict[str, Any]:
    return {"id": point_id, "payload": {"colour": colour}, "vector": list(vector)}


THREE = [point(1, "red", 0.5, 0.1, 0.2), point(2, "green", 0.1, 0.5, 0.2), point(3, "blue", 0.1, 0.2, 0.5)]
COLUMNS = {
    "ids": [p["id"] for p in THREE],
    "payloads": [p["payload"] for p in THREE],
    "vectors": [p["vector"] for p in THREE],
}
BOTH: list[dict[str, Any]] = [{"id": i, "vector": {"image": [0.5, 0.1, i, 0.2], "text": TEXT}} for i in (1, 2)]
PARTLY: list[dict[str, Any]] = [
    {"id": 1, "vector": {"image": [0.1, 0.2, 0.3, 0.5]}},
    {"id": 2, "vector": {"text": TEXT[::-1]}},
]
OPERATIONS: list[dict[str, Any]] = [
    {"upsert": {"points": [{"id": 1, "vector": [1.0, 2.0, 3.0, 4.0], "payload": {}}]}},
    {"update_vectors": {"points": [{"id": 1, "vector": [4.0, 3.0, 2.0, 1.0]}]}},
    {"delete_vectors": {"points": [1], "vector": [""]}},
    {"overwrite_payload": {"payload": {"first": "1"}, "points": [1]}},
    {"set_payload": {"payload": {"second": "2", "third": "3"}, "points": [1]}},
    {"delete_payload": {"keys": ["second"], "points": [1]}},
    {"clear_payload": {"points": [1]}},
    {"delete": {"points": [1]}},
]


def sparse(point_id: int, *indices: int) -> dict[str, Any]:
    values = [0.5 * (at + 1) for at in range(len(indices))]
    return {"id": point_id, "vector": {"text": {"indices": list(indices), "values": values}}}


Step = tuple[str, str, Any, int]
POINTS: list[Step] = [
    ("PUT", "/plain/points", {"points": [point(UUID, "red", 0.5, 0.1, 0.1)]}, 200),
    ("PUT", "/plain/points", {"points": [point(1, "red", 0.5, 0.1, 0.1)]}, 200),
    ("PUT", "/plain/points", {"batch": COLUMNS}, 200),
    ("PUT", "/plain/points", {"points": THREE}, 200),
    ("PUT", "/named/points", {"points": BOTH}, 200),
    ("PUT", "/sparse/points", {"points": [sparse(1, 6, 7), sparse(2, 1, 2, 3, 4, 5)]}, 200),
    # The guide has an index twice.
    ("PUT", "/sparse/points", {"points": [sparse(2, 1, 1, 2, 3, 4, 5)]}, 422),
    ("PUT", "/named/points/vectors", {"points": PARTLY}, 200),
    # The guide calls it `vectors`.
    ("POST", "/named/points/vectors/delete", {"points": [1, 2], "vectors": ["text", "image"]}, 400),
    ("POST", "/named/points/vectors/delete", {"points": [1, 2], "vector": ["text", "image"]}, 200),
    ("POST", "/plain/points/delete", {"points": [0, 3, 100]}, 200),
    ("POST", "/plain/points/scroll", {"filter": RED, "limit": 1, "with_payload": True, "with_vector": False}, 200),
    ("POST", "/plain/points/count", {"filter": RED, "exact": True}, 200),
    ("POST", "/plain/points", {"ids": [0, 1, 100]}, 200),
    ("GET", "/plain/points/1", None, 200),
    ("PUT", "/plain/index", {"field_name": "when", "field_schema": "datetime"}, 200),
    ("POST", "/plain/points/scroll", {"limit": 15, "order_by": "when"}, 200),
    (
        "POST",
        "/plain/points/scroll",
        {"order_by": {"key": "when", "direction": "desc", "start_from": "2024-02-03T04:05:06Z"}},
        200,
    ),
    ("POST", "/plain/points/delete", {"filter": RED}, 200),
    ("POST", "/four/points/batch", {"operations": OPERATIONS}, 200),
]

EXAMPLE, NEW, ALIAS = "example", "newer", "in-use"
CREATE_ALIAS = {"create_alias": {"alias_name": ALIAS, "collection_name": EXAMPLE}}
DELETE_ALIAS = {"delete_alias": {"alias_name": ALIAS}}
SWITCH = [DELETE_ALIAS, {"create_alias": {"alias_name": ALIAS, "collection_name": NEW}}]
COLLECTIONS: list[Step] = [
    ("PUT", "/collections/example", {"name": EXAMPLE, "distance": "Cosine", "vector_size": 300}, 200),
    ("DELETE", "/collections/example", None, 200),
    ("PUT", "/collections/example", {"name": EXAMPLE, "distance": "Cosine", "vector_size": 300}, 200),
    ("PATCH", "/collections/example", {"optimizers_config": {"indexing_threshold": 10000}}, 200),
    ("POST", "/collections/aliases", {"actions": [CREATE_ALIAS]}, 200),
    ("POST", "/collections/aliases", {"actions": [DELETE_ALIAS]}, 200),
    ("POST", "/collections/aliases", {"actions": [CREATE_ALIAS]}, 200),
    ("PUT", "/collections/newer", {"name": NEW, "distance": "Dot", "vector_size": 300}, 200),
    ("POST", "/collections/aliases", {"actions": SWITCH}, 200),
]


@pytest.fixture
def collections(http: Http) -> Iterator[None]:
    made: dict[str, Any] = {"plain": PLAIN, "named": NAMED, "sparse": SPARSE, "four": FOUR}
    for name, config in made.items():
        assert http.put(f"/collections/{name}", config).status == 200
    yield
    for name in made:
        http.delete(f"/collections/{name}")


def take(http: Http, method: str, path: str, body: Any, status: int) -> Any:
    content = None if body is None else json.dumps(body).encode()
    answer = http.send(method, path, content, {"content-type": "application/json"})
    assert answer.status == status, f"{method} {path} {body}: {answer.body!r}"
    return answer.result if status == 200 else None


@pytest.mark.usefixtures("collections")
def test_the_guide_to_points_over_http(http: Http) -> None:
    for method, path, body, status in POINTS:
        wait = "?wait=true" if method == "PUT" or path.endswith(("delete", "batch")) else ""
        take(http, method, f"/collections{path}{wait}", body, status)
    left = take(http, "POST", "/collections/plain/points/scroll", {}, 200)["points"]
    assert [record["id"] for record in left] == [2]
    assert take(http, "POST", "/collections/four/points/count", {}, 200) == {"count": 0}


def test_the_first_guide_to_collections_over_http(http: Http) -> None:
    for method, path, body, status in COLLECTIONS:
        take(http, method, path, body, status)
    info = take(http, "GET", f"/collections/{ALIAS}", None, 200)
    assert info["config"]["params"]["vectors"] == {"size": 300, "distance": "Dot"}
    for name in (EXAMPLE, NEW):
        http.delete(f"/collections/{name}")


@pytest.mark.usefixtures("collections")
def test_the_guide_to_points_with_the_client(client: QdrantClient) -> None:
    red = models.Filter(must=[models.FieldCondition(key="colour", match=models.MatchValue(value="red"))])
    structs = [models.PointStruct(**p) for p in THREE]
    client.upsert("plain", points=[models.PointStruct(**point(UUID, "red", 0.5, 0.1, 0.1))])
    client.upsert("plain", points=models.Batch(**COLUMNS))
    client.upsert("plain", points=structs)
    vectors = [p["vector"] for p in THREE[:2]]
    client.upload_collection("plain", ids=[1, 2], payload=COLUMNS["payloads"][:2], vectors=vectors, max_retries=3)
    client.upload_points("plain", points=structs[:2], max_retries=3, wait=True)
    client.upsert("named", points=[models.PointStruct(**p) for p in BOTH])
    client.upsert(
        "sparse",
        points=[models.PointStruct(id=1, vector={"text": models.SparseVector(indices=[6, 7], values=[1.0, 2.0])})],
    )
    client.update_vectors("named", points=[models.PointVectors(**p) for p in PARTLY])
    client.delete_vectors("named", points=[1, 2], vectors=["text", "image"])
    client.delete("plain", points_selector=models.PointIdsList(points=[0, 3, 100]))
    assert {record.id for record in client.retrieve("plain", ids=[0, 1, 3, 100])} == {1}
    found, _ = client.scroll("plain", scroll_filter=red, limit=1, with_payload=True, with_vectors=False)
    assert [record.id for record in found] == [1]
    assert client.count("plain", count_filter=red, exact=True).count == 2
    client.create_payload_index("plain", "when", models.PayloadSchemaType.DATETIME)
    assert client.scroll("plain", limit=15, order_by="when")[0] == []
    client.delete("plain", points_selector=models.FilterSelector(filter=red))
    assert client.count("plain").count == 1
    operations = [
        models.UpsertOperation(**OPERATIONS[0]),
        models.UpdateVectorsOperation(**OPERATIONS[1]),
        models.DeleteVectorsOperation(**OPERATIONS[2]),
        models.OverwritePayloadOperation(**OPERATIONS[3]),
        models.SetPayloadOperation(**OPERATIONS[4]),
        models.DeletePayloadOperation(**OPERATIONS[5]),
        models.ClearPayloadOperation(**OPERATIONS[6]),
        models.DeleteOperation(**OPERATIONS[7]),
    ]
    results = client.batch_update_points("four", update_operations=operations)
    assert [result.status for result in results] == [models.UpdateStatus.COMPLETED] * len(operations)
