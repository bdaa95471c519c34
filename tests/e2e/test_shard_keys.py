"""Shard keys, on one node with clustering on: what they hold survives restarts, replays and snapshots."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from qdrant_client import QdrantClient, models

from tests.e2e.pair import REFUSED
from tests.golden.transcript import CLUSTERED
from tests.support.server import Server, headwater

NAME = "tenants"


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("keys") / "data", ["--partitions", "3"], CLUSTERED, grpc=True) as running:
        yield running.start()


@pytest.fixture(params=[False, True], ids=["rest", "grpc"])
def client(clustered: Server, request: pytest.FixtureRequest) -> Iterator[QdrantClient]:
    made = QdrantClient(url=clustered.url, grpc_port=clustered.grpc_port, prefer_grpc=bool(request.param), timeout=60)
    made.create_collection(
        NAME,
        vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT),
        sharding_method=models.ShardingMethod.CUSTOM,
        shard_number=2,
    )
    for key in ("north", 7):
        made.create_shard_key(NAME, key)
        made.upsert(NAME, points_of(key), shard_key_selector=key)
    yield made
    made.delete_collection(NAME)
    made.delete_collection("copy")
    made.close()


def points_of(key: str | int) -> list[models.PointStruct]:
    start = 0 if key == 7 else 30
    return [models.PointStruct(id=i, vector=[i, 1], payload={"key": key}) for i in range(start, start + 50)]


def counts(client: QdrantClient, name: str = NAME) -> list[int]:
    return [client.count(name, shard_key_selector=key).count for key in ("north", 7, ["north", 7])]


def test_each_key_has_points_of_its_own(client: QdrantClient) -> None:
    assert counts(client) == [50, 50, 100]
    found = client.query_points(NAME, [1.0, 0.0], limit=100, shard_key_selector="north").points
    assert {point.id for point in found} == set(range(30, 80))
    everywhere = client.query_points(NAME, [1.0, 0.0], limit=100).points
    assert [point.id for point in everywhere] == list(range(79, -1, -1))
    page, _ = client.scroll(NAME, limit=200)
    assert [record.id for record in page] == list(range(80))
    assert {record.shard_key for record in page} == {"north", 7}
    groups = client.query_points_groups(NAME, "key", [1.0, 0.0], limit=5, shard_key_selector=7).groups
    assert [group.id for group in groups] == [7]
    batch = client.query_batch_points(
        NAME, [models.QueryRequest(query=[1.0, 0.0], limit=1, shard_key=key) for key in ("north", 7)]
    )
    assert [answer.points[0].id for answer in batch] == [79, 49]
    pairs = client.search_matrix_pairs(NAME, sample=100, limit=1, shard_key_selector=7).pairs
    assert {pair.a for pair in pairs} == set(range(50))


def test_settings_of_the_collection_hold_for_every_key(client: QdrantClient) -> None:
    client.create_payload_index(NAME, "key", models.PayloadSchemaType.KEYWORD)
    facets = client.facet(NAME, "key", shard_key_selector="north").hits
    assert [(hit.value, hit.count) for hit in facets] == [("north", 50)]
    assert client.get_collection(NAME).payload_schema["key"].points == 50
    client.create_shard_key(NAME, "late")
    client.upsert(NAME, points_of("late"), shard_key_selector="late")
    assert client.facet(NAME, "key", shard_key_selector="late").hits[0].value == "late"
    assert client.delete_shard_key(NAME, "late")
    assert counts(client) == [50, 50, 100]
    with pytest.raises(REFUSED, match="Shard key not specified"):
        client.delete(NAME, [1])


def test_a_snapshot_has_the_keys(client: QdrantClient, clustered: Server) -> None:
    made = client.create_snapshot(NAME)
    assert made is not None
    client.delete_shard_key(NAME, "north")
    client.create_shard_key(NAME, "other")
    location = f"{clustered.url}/collections/{NAME}/snapshots/{made.name}"
    for name in (NAME, "copy"):
        client.recover_snapshot(name, location, wait=True)
        assert counts(client, name) == [50, 50, 100]
        keys = client.http.distributed_api.list_shard_keys(name).result
        assert keys is not None
        assert keys.shard_keys is not None
        assert [described.key for described in keys.shard_keys] == ["north", 7]
    shard = client.create_shard_snapshot(NAME, 3)
    assert shard is not None
    client.delete(NAME, models.Filter(), shard_key_selector=7)
    answer = httpx.put(
        f"{clustered.url}/collections/{NAME}/shards/3/snapshots/recover", json={"location": shard.name}, timeout=60
    )
    assert answer.status_code == 200, answer.text
    assert 0 < client.count(NAME, shard_key_selector=7).count < 50


def test_keys_survive_a_restart_and_a_replay(client: QdrantClient, clustered: Server, tmp_path: Path) -> None:
    clustered.stop()
    verified = headwater("verify", "--data", str(clustered.data))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    clustered.start()
    assert counts(client) == [50, 50, 100]
