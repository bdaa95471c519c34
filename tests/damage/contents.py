"""What is in the data folder that is damaged, and all that can be read of it."""

import random
from typing import Any

from tests.damage.node import Node

Config = dict[str, Any]
ONE: Config = {
    "vectors": {"size": 16, "distance": "Dot"},
    "optimizers_config": {"indexing_threshold": 1, "flush_interval_sec": 0},
}
TWO: Config = {
    "vectors": {
        "a": {"size": 8, "distance": "Euclid"},
        "m": {"size": 4, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}},
    },
    "sparse_vectors": {"s": {}},
    "shard_number": 2,
    "optimizers_config": {"indexing_threshold": 1},
}
COLLECTIONS = {"one": ONE, "two": TWO}
POINTS = 200
BUCKETS = 5
EVERYTHING = 10_000

Contents = dict[str, dict[str, Any]]
"""Collection -> everything that was read of it."""


def _values(rng: random.Random, size: int) -> list[float]:
    return [rng.randint(-999, 999) / 1000 for _ in range(size)]


def _vector(name: str, rng: random.Random) -> Any:
    if name == "one":
        return _values(rng, 16)
    indices = rng.sample(range(50), 4)
    sparse = {"indices": indices, "values": _values(rng, 4)}
    return {"a": _values(rng, 8), "m": [_values(rng, 4) for _ in range(2)], "s": sparse}


def _points(name: str, ids: range, revision: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number in ids:
        rng = random.Random(f"{name}/{number}/{revision}")
        payload = {"bucket": number % BUCKETS, "revision": revision, "text": rng.randbytes(40).hex()}
        found.append({"id": number, "vector": _vector(name, rng), "payload": payload})
    return found


async def _upsert(node: Node, name: str, ids: range, revision: int) -> None:
    for start in range(ids.start, ids.stop, 50):
        points = _points(name, range(start, min(start + 50, ids.stop)), revision)
        await node.ask("PUT", f"/collections/{name}/points?wait=true", {"points": points})


async def create(node: Node) -> None:
    """Collections and an alias."""
    for name, config in COLLECTIONS.items():
        await node.ask("PUT", f"/collections/{name}", config)
        index = {"field_name": "bucket", "field_schema": "integer"}
        await node.ask("PUT", f"/collections/{name}/index?wait=true", index)
    actions = [{"create_alias": {"alias_name": "first", "collection_name": "one"}}]
    await node.ask("POST", "/collections/aliases", {"actions": actions})


async def fill(node: Node, revision: int) -> None:
    """New points, some of which replace those of the revision before, and some of them deleted again."""
    for name in COLLECTIONS:
        start = (revision - 1) * POINTS // 2
        await _upsert(node, name, range(start, start + POINTS), revision)
        gone = [*range(start, start + POINTS, 17)]
        await node.ask("POST", f"/collections/{name}/points/delete?wait=true", {"points": gone})


async def change(node: Node, name: str) -> None:
    """Something for which every point of a collection is read from the state: payload set, and a bucket deleted."""
    path = f"/collections/{name}/points"
    rest = {"must_not": [{"key": "bucket", "match": {"value": 0}}]}
    await node.ask("POST", f"{path}/payload?wait=true", {"filter": rest, "payload": {"changed": True}})
    bucket = {"must": [{"key": "bucket", "match": {"value": 0}}]}
    await node.ask("POST", f"{path}/delete?wait=true", {"filter": bucket})


async def read_all(node: Node) -> Contents:
    """By scroll, count, filtered count, retrieve and search, exact and not; raises AssertionError where they differ."""
    contents: Contents = {"catalog": await node.ask("GET", "/aliases")}
    for name in COLLECTIONS:
        contents[name] = await _read(node, name)
    return contents


async def _read(node: Node, name: str) -> dict[str, Any]:
    path = f"/collections/{name}/points"
    whole = {"with_payload": True, "with_vector": True}
    points = (await node.ask("POST", f"{path}/scroll", {"limit": EVERYTHING, **whole}))["points"]
    ids = [point["id"] for point in points]
    assert await node.ask("POST", path, {"ids": ids, **whole}) == points
    assert (await node.ask("POST", f"{path}/count", {"exact": True}))["count"] == len(points)
    for bucket in range(BUCKETS):
        among = {"must": [{"key": "bucket", "match": {"value": bucket}}]}
        count = (await node.ask("POST", f"{path}/count", {"exact": True, "filter": among}))["count"]
        assert count == sum(point["payload"].get("bucket") == bucket for point in points), f"bucket {bucket}"
    hits = {using: await _search(node, name, using) for using in ([""] if name == "one" else ["a", "m", "s"])}
    return {
        "points": {point["id"]: point for point in points},
        "scores": {using: {i: score for i, (score, _) in found.items()} for using, found in hits.items()},
        "versions": {i: version for found in hits.values() for i, (_, version) in found.items()},
    }


async def _search(node: Node, name: str, using: str) -> dict[int, tuple[float, int]]:
    """Id -> score and version, of all points that are found exactly; those found otherwise have the same."""
    vector = _vector(name, random.Random("query"))
    body = {"query": vector[using] if using else vector, "limit": EVERYTHING} | ({"using": using} if using else {})
    path = f"/collections/{name}/points/query"
    exact = (await node.ask("POST", path, body | {"params": {"exact": True}}))["points"]
    found = {hit["id"]: (round(hit["score"], 4), hit["version"]) for hit in exact}
    for hit in (await node.ask("POST", path, body | {"limit": 20}))["points"]:
        assert found[hit["id"]] == (round(hit["score"], 4), hit["version"])
    return found
