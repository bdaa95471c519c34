import json
from typing import Any

import pytest
from qdrant_client.http import models

from ingest.log import Topic
from ingest.routes.points import ASIDE_BYTES
from schemas.operations import Upsert
from schemas.records import PointsRecord, decode_partition_record
from tests.rest.client import VECTORS, MemoryRest, Rest

POINTS = "/collections/c/points"
WAIT = {"wait": "true"}
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def rest(rest: Rest) -> Rest:
    rest.create()
    return rest


def point(point_id: int | str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"id": point_id, "vector": [1, 2], "payload": payload}


def update(rest: Rest, method: str, path: str, body: Any) -> models.UpdateResult:
    result = rest.parsed(models.UpdateResult, method, POINTS + path, params=WAIT, json=body)
    assert result.status is models.UpdateStatus.COMPLETED
    return result


def payloads(rest: Rest, name: str = "c") -> dict[int | str, Any]:
    return {p["id"]: p["payload"] for p in rest.scroll(name)}


def test_upsert_a_list(rest: Rest) -> None:
    update(
        rest, "PUT", "", {"points": [point(7, {"a": [1, {"b": None}]}), point(UUID), {"id": 8, "vector": [0.1, -3]}]}
    )
    found = rest.scroll(with_vector=True)
    assert found == [
        {"id": 7, "payload": {"a": [1, {"b": None}]}, "vector": [1.0, 2.0]},
        {"id": 8, "payload": {}, "vector": [0.1, -3.0]},
        {"id": UUID, "payload": {}, "vector": [1.0, 2.0]},
    ]


def test_upsert_in_columns(rest: Rest) -> None:
    batch = {"ids": [1, UUID], "vectors": [[1, 2], [3, 4]], "payloads": [{"a": 1}, None]}
    update(rest, "PUT", "", {"batch": batch})
    assert payloads(rest) == {1: {"a": 1}, UUID: {}}


def test_upsert_named_vectors(rest: Rest) -> None:
    rest.create("named", vectors={"x": VECTORS, "y": {"size": 3, "distance": "Cosine"}})
    both = {"id": 1, "vector": {"x": [1, 2], "y": [0, 0, 5]}}
    rest.upsert(both, {"id": 2, "vector": {"x": [3, 4]}}, {"id": 3, "vector": {}}, name="named")
    columns = {"ids": [4, 5], "vectors": {"x": [[1, 1], [2, 2]]}}
    rest.result("PUT", "/collections/named/points", params=WAIT, json={"batch": columns})
    found = rest.scroll("named", with_vector=True, with_payload=False)
    assert found == [
        {"id": 1, "vector": {"x": [1.0, 2.0], "y": [0.0, 0.0, 1.0]}},
        {"id": 2, "vector": {"x": [3.0, 4.0]}},
        {"id": 3, "vector": {}},
        {"id": 4, "vector": {"x": [1.0, 1.0]}},
        {"id": 5, "vector": {"x": [2.0, 2.0]}},
    ]


def test_of_points_with_the_same_id_the_last_wins(rest: Rest) -> None:
    update(rest, "PUT", "", {"points": [point(1, {"n": 1}), point(2), point(1, {"n": 2})]})
    assert payloads(rest) == {1: {"n": 2}, 2: {}}


def test_update_modes(rest: Rest) -> None:
    rest.upsert(point(1, {"n": 1}))
    update(rest, "PUT", "", {"points": [point(1), point(2)], "update_mode": "insert_only"})
    assert payloads(rest) == {1: {"n": 1}, 2: {}}
    update(rest, "PUT", "", {"points": [point(2, {"n": 2}), point(3)], "update_mode": "update_only"})
    assert payloads(rest) == {1: {"n": 1}, 2: {"n": 2}}
    condition = {"must": [{"key": "n", "match": {"value": 2}}]}
    update(rest, "PUT", "", {"points": [point(1, {"n": 9}), point(2, {"n": 9})], "update_filter": condition})
    assert payloads(rest) == {1: {"n": 1}, 2: {"n": 9}}


def test_delete(rest: Rest) -> None:
    rest.upsert(*[point(n, {"n": n}) for n in range(6)])
    update(rest, "POST", "/delete", {"points": [0, 77]})
    update(rest, "POST", "/delete", {"filter": {"must": [{"key": "n", "range": {"gte": 4}}]}})
    assert list(payloads(rest)) == [1, 2, 3]


def test_vectors(rest: Rest) -> None:
    rest.upsert(point(1, {"n": 1}), point(2))
    update(rest, "PUT", "/vectors", {"points": [{"id": 1, "vector": [5, 6]}]})
    update(rest, "POST", "/vectors/delete", {"points": [2], "vector": [""]})
    found = {p["id"]: p for p in rest.scroll(with_vector=True)}
    assert found[1] == {"id": 1, "payload": {"n": 1}, "vector": [5.0, 6.0]}
    assert "vector" not in found[2] or found[2]["vector"] in ({}, [])


def test_payloads(rest: Rest) -> None:
    rest.upsert(point(1, {"a": 1, "b": {"c": 1}}), point(2, {"a": 2}))
    update(rest, "POST", "/payload", {"payload": {"d": 4}, "points": [1]})
    update(rest, "POST", "/payload", {"payload": {"e": 5}, "points": [1], "key": "b"})
    assert payloads(rest)[1] == {"a": 1, "b": {"c": 1, "e": 5}, "d": 4}
    update(rest, "POST", "/payload/delete", {"keys": ["b.c", "d"], "filter": {}})
    assert payloads(rest) == {1: {"a": 1, "b": {"e": 5}}, 2: {"a": 2}}
    update(rest, "PUT", "/payload", {"payload": {"new": True}, "points": [1]})
    update(rest, "POST", "/payload/clear", {"points": [2]})
    assert payloads(rest) == {1: {"new": True}, 2: {}}


def test_a_batch_of_everything(rest: Rest) -> None:
    operations: list[dict[str, Any]] = [
        {"upsert": {"points": [point(n, {"n": n}) for n in range(8)]}},
        {"upsert": {"batch": {"ids": [8], "vectors": [[1, 1]]}}},
        {"delete": {"points": [0]}},
        {"set_payload": {"points": [1], "payload": {"s": 1}}},
        {"overwrite_payload": {"points": [2], "payload": {"o": 1}}},
        {"delete_payload": {"points": [3], "keys": ["n"]}},
        {"clear_payload": {"points": [4]}},
        {"update_vectors": {"points": [{"id": 5, "vector": [9, 9]}]}},
        {"delete_vectors": {"points": [6], "vector": [""]}},
    ]
    path = f"{POINTS}/batch"
    results = rest.parsed(list[models.UpdateResult], "POST", path, params=WAIT, json={"operations": operations})
    assert len(results) == len(operations)
    assert payloads(rest) == {
        1: {"n": 1, "s": 1},
        2: {"o": 1},
        3: {},
        4: {},
        5: {"n": 5},
        6: {"n": 6},
        7: {"n": 7},
        8: {},
    }
    assert rest.result("POST", path, json={"operations": []}) == []


def test_a_payload_is_kept_as_it_was_sent(rest: Rest) -> None:
    payload = '{"big": 123456789012345678901234567890, "e": 1.50e+2, "u": "\\u00e4\\ud83d\\ude00", "a": 1, "a": 2}'
    body = f'{{"points": [{{"id": 1, "vector": [1, 2], "payload": {payload}}}]}}'
    rest.result("PUT", POINTS, params=WAIT, content=body.encode())
    assert payload in rest.send("POST", f"{POINTS}/scroll", json={}).text


def test_an_answer_without_waiting(rest: Rest) -> None:
    response = rest.send("PUT", POINTS, json={"points": [point(1)]}, params={"ordering": "strong"})
    result = response.json()["result"]
    partition, offset = response.headers["x-headwater-offsets"].split(":")
    assert result == {"operation_id": int(offset), "status": "acknowledged"}
    (value,) = rest.records(Topic.POINTS, int(partition))[-1:]
    assert isinstance(decode_partition_record(value), PointsRecord)


def test_an_answer_that_comes_before_the_change_is_visible(memory: MemoryRest) -> None:
    memory.create()
    memory.node.stalled = True
    result = memory.result("PUT", POINTS, json={"points": [point(1)]}, params={"wait": "true", "timeout": 1})
    assert result == {"operation_id": 1, "status": "wait_timeout"}


def test_what_the_fold_rejects_is_told_to_those_who_wait(rest: Rest) -> None:
    body = {"payload": {"a": 1}, "points": [404]}
    assert rest.error(404, "POST", f"{POINTS}/payload", params=WAIT, json=body).startswith(
        "Not found: No point with id 404"
    )
    assert rest.result("POST", f"{POINTS}/payload", json=body)["status"] == "acknowledged"


def test_a_batch_that_names_missing_points_changes_the_others(rest: Rest) -> None:
    """What comes after the operation in the batch is skipped."""
    rest.result("PUT", POINTS, params=WAIT, json={"points": [point(1), point(2)]})
    operations = [
        {"set_payload": {"payload": {"a": 1}, "points": [404, 1, 405]}},
        {"set_payload": {"payload": {"a": 2}, "points": [2]}},
    ]
    error = rest.error(404, "POST", f"{POINTS}/batch", params=WAIT, json={"operations": operations})
    assert error == "Not found: No point with id 404 found"
    found = rest.result("POST", POINTS, json={"ids": [1, 2], "with_payload": ["a"]})
    assert [record["payload"] for record in found] == [{"a": 1}, {}]


def test_a_log_that_takes_nothing(memory: MemoryRest) -> None:
    memory.create()
    memory.node.log.broken = True
    response = memory.send("PUT", POINTS, json={"points": [point(1)]})
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    message = response.json()["status"]["error"]
    assert "disk is full" in message
    assert "not known" in message


def test_a_log_that_does_not_answer(memory: MemoryRest) -> None:
    memory.create()
    memory.node.log.silent = True
    for wait in ("true", "false"):
        params = {"wait": wait, "timeout": 1}
        assert "within 1 seconds" in memory.error(503, "PUT", POINTS, params=params, json={"points": [point(1)]})


def test_writes_go_through_aliases(rest: Rest) -> None:
    action = {"create_alias": {"alias_name": "alias", "collection_name": "c"}}
    rest.result("POST", "/collections/aliases", json={"actions": [action]})
    rest.upsert(point(1), name="alias")
    assert list(payloads(rest)) == [1]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", ""),
        ("POST", "/delete"),
        ("PUT", "/vectors"),
        ("POST", "/vectors/delete"),
        ("POST", "/payload"),
        ("PUT", "/payload"),
        ("POST", "/payload/delete"),
        ("POST", "/payload/clear"),
        ("POST", "/batch"),
    ],
)
def test_unknown_collections(rest: Rest, method: str, path: str) -> None:
    message = rest.error(404, method, f"/collections/nowhere/points{path}", json={})
    assert message == "Not found: Collection `nowhere` doesn't exist!"


def test_shards_get_their_own_points_and_answer_all_offsets(sharded: Rest) -> None:
    response = sharded.send("PUT", POINTS, params=WAIT, json={"points": [point(n) for n in range(100)]})
    offsets = [part.split(":") for part in response.headers["x-headwater-offsets"].split(",")]
    assert sorted({int(partition) for partition, _ in offsets}) == [0, 1, 2]
    assert len(offsets) == 5
    assert response.json()["result"]["operation_id"] == max(int(offset) for _, offset in offsets)
    assert len(sharded.scroll(limit=1000)) == 100
    records = [
        record
        for partition in range(3)
        for value in sharded.records(Topic.POINTS, partition)
        if isinstance(record := decode_partition_record(value), PointsRecord)
    ]
    assert sorted(r.shard for r in records) == [0, 1, 2, 3, 4]
    upserts = [op for r in records for op in r.ops if isinstance(op, Upsert)]
    assert sorted(i for op in upserts for i in op.ids if isinstance(i, int)) == list(range(100))


def test_a_filter_reaches_every_shard(sharded: Rest) -> None:
    sharded.upsert(*[point(n, {"n": n}) for n in range(50)])
    body = {"filter": {"must": [{"key": "n", "range": {"lt": 45}}]}}
    sharded.result("POST", f"{POINTS}/delete", params=WAIT, json=body)
    assert [p["id"] for p in sharded.scroll()] == [45, 46, 47, 48, 49]
    assert "Empty update request" in sharded.error(400, "POST", f"{POINTS}/delete", params=WAIT, json={"points": []})


LARGE = 1500
"""Points, of more than what is decoded on the event loop."""


@pytest.mark.parametrize("form", ["points", "batch", "operations"])
def test_a_large_body(rest: Rest, form: str) -> None:
    ids, vectors = list(range(LARGE)), [[number, 1] for number in range(LARGE)]
    payloads: list[Any] = [{"text": "x" * 1000, "number": number} for number in ids]
    points = [{"id": i, "vector": v, "payload": p} for i, v, p in zip(ids, vectors, payloads, strict=True)]
    bodies: dict[str, tuple[str, str, Any]] = {
        "points": ("PUT", POINTS, {"points": points}),
        "batch": ("PUT", POINTS, {"batch": {"ids": ids, "vectors": vectors, "payloads": payloads}}),
        "operations": ("POST", f"{POINTS}/batch", {"operations": [{"upsert": {"points": points}}]}),
    }
    method, path, body = bodies[form]
    assert len(json.dumps(body)) > ASIDE_BYTES
    rest.result(method, path, params=WAIT, json=body)
    found = rest.scroll(limit=LARGE, with_vector=True)
    assert [(p["id"], p["vector"], p["payload"]) for p in found] == list(zip(ids, vectors, payloads, strict=True))
    vectors[-1].append(2)
    assert f"[{LARGE - 1}]" in rest.error(400, method, path, json=body)
