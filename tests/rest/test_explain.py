"""What ``explain=true`` tells: the plan, and what was done in every part."""

from typing import Any

from tests.rest.client import MemoryRest

EXPLAIN = {"explain": "true"}
QUERY = "/collections/c/points/query"


def filled(rest: MemoryRest) -> None:
    rest.create(vectors={"d": {"size": 2, "distance": "Dot"}}, sparse_vectors={"s": {}})
    sparse = {"indices": [1], "values": [1.0]}
    rest.upsert(*({"id": i, "vector": {"d": [i, 1.0], "s": sparse}, "payload": {"g": i % 2}} for i in range(1, 9)))


def explained(rest: MemoryRest, path: str, body: dict[str, Any]) -> Any:
    answer = rest.send("POST", path, params=EXPLAIN, json=body).json()
    plain = rest.send("POST", path, json=body).json()
    assert "explain" not in plain
    assert answer["result"] == plain["result"]
    return answer["explain"]


def test_nodes_and_parts(memory: MemoryRest) -> None:
    filled(memory)
    odd = {"must": [{"key": "g", "match": {"value": 1}}]}
    dense = {"query": [1, 0], "using": "d", "limit": 3}
    sparse = {"query": {"indices": [1], "values": [1]}, "using": "s", "filter": odd}
    found = explained(memory, QUERY, {"prefetch": [dense, sparse], "query": {"fusion": "rrf"}, "limit": 4})
    root = found["plan"]
    assert (root["node"], root["found"], root["parts"]) == ("rrf", 4, [])
    first, second = root["inputs"]
    assert (first["node"], first["using"], first["filtered"], first["found"]) == ("nearest", "d", False, 3)
    assert (second["node"], second["using"], second["filtered"], second["found"]) == ("nearest", "s", True, 4)
    (part,) = first["parts"]
    assert (part["strategy"], part["candidates"], part["points"]) == ("exact", 8, 8)
    (part,) = second["parts"]
    assert (part["strategy"], part["candidates"], part["rescored"]) == ("postings", 8, 4)
    assert root["microseconds"] >= max(first["microseconds"], second["microseconds"])
    assert found["finding_microseconds"] >= root["microseconds"] - 1


def test_every_kind_of_endpoint(memory: MemoryRest) -> None:
    filled(memory)
    one = explained(memory, "/collections/c/points/search", {"vector": {"name": "d", "vector": [1, 0]}, "limit": 2})
    assert one["plan"]["node"] == "nearest"
    recommend = {"query": {"recommend": {"positive": [1], "strategy": "best_score"}}, "using": "d"}
    several = explained(memory, QUERY + "/batch", {"searches": [{"limit": 2}, recommend]})
    assert [each["plan"]["node"] for each in several] == ["scroll", "best_score"]
    assert [each["plan"]["parts"][0]["strategy"] for each in several] == ["columns", "exact"]
    groups = explained(memory, QUERY + "/groups", {"query": [1, 0], "using": "d", "group_by": "g", "limit": 2})
    assert groups["plan"]["node"] == "groups"
    assert {node["node"] for node in groups["plan"]["inputs"]} == {"nearest"}
    nothing = {"query": {"indices": [7], "values": [1]}, "using": "s", "filter": {"must": [{"has_id": [99]}]}}
    assert explained(memory, QUERY, nothing)["plan"]["parts"][0]["strategy"] == "skipped"
