"""Snapshots of collections, shards and everything: made, fetched, and recovered through the log."""

import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models

from tests.e2e.target import Target

NAME, OTHER, ALIAS = "kept", "copy", "known-as"
COUNT = 300
VECTORS = {
    "dense": models.VectorParams(size=4, distance=models.Distance.COSINE),
    "bytes": models.VectorParams(size=3, distance=models.Distance.DOT, datatype=models.Datatype.UINT8),
    "half": models.VectorParams(size=3, distance=models.Distance.EUCLID, datatype=models.Datatype.FLOAT16),
    "many": models.VectorParams(
        size=2,
        distance=models.Distance.DOT,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
    ),
}


def point(number: int) -> models.PointStruct:
    vector: dict[str, Any] = {"dense": [1.0, number, 2.0, 3.0], "bytes": [number % 256, 1, 2]}
    if number % 2:
        vector["half"] = [number / 8, 0.5, 0.25]
        vector["sparse"] = models.SparseVector(indices=[number, number + 7], values=[0.5, 1.5])
    if number % 3 == 0:
        vector["many"] = [[number, 1.0]] * (1 + number % 4)
    identity = number if number % 5 else f"00000000-0000-0000-0000-{number:012}"
    payload = {"n": number, "text": "ü" * (number % 50)} if number % 7 else {}
    return models.PointStruct(id=identity, vector=vector, payload=payload)


@pytest.fixture
def collection(client: QdrantClient) -> Iterator[str]:
    client.create_collection(
        NAME,
        vectors_config=VECTORS,
        sparse_vectors_config={"sparse": models.SparseVectorParams()},
        shard_number=2,
        metadata={"kept": True},
    )
    client.create_payload_index(NAME, "n", models.PayloadSchemaType.INTEGER)
    client.upsert(NAME, [point(number) for number in range(COUNT)])
    yield NAME
    client.delete_collection(NAME)
    client.delete_collection(OTHER)


@pytest.fixture
def rest(server: Target) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as made:
        yield made


def everything(client: QdrantClient, name: str) -> list[models.Record]:
    return client.scroll(name, limit=COUNT * 2, with_payload=True, with_vectors=True)[0]


def test_a_collection_is_recovered_as_it_was(client: QdrantClient, server: Target, collection: str) -> None:
    before = everything(client, NAME)
    made = client.create_snapshot(NAME)
    assert made is not None
    assert [snapshot.name for snapshot in client.list_snapshots(NAME)] == [made.name]
    client.update_collection_aliases(
        [models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=NAME, alias_name=ALIAS))]
    )
    client.delete(NAME, models.Filter(must=[models.FieldCondition(key="n", range=models.Range(lt=200))]))
    client.upsert(NAME, [models.PointStruct(id=10**6, vector={"dense": [1, 2, 3, 4]})])

    location = f"{server.url}/collections/{NAME}/snapshots/{made.name}"
    assert client.recover_snapshot(NAME, location, checksum=made.checksum, wait=True)
    assert everything(client, NAME) == before
    assert everything(client, ALIAS) == before
    assert client.recover_snapshot(OTHER, location, wait=True)
    assert everything(client, OTHER) == before
    info, copied = client.get_collection(NAME), client.get_collection(OTHER)
    assert info.config == copied.config
    assert info.payload_schema == copied.payload_schema
    assert info.config.metadata == {"kept": True}
    assert {c.name for c in client.get_collections().collections} == {NAME, OTHER}
    assert client.delete_snapshot(NAME, made.name)
    assert client.list_snapshots(NAME) == []


def test_readers_see_the_old_or_the_new_collection_whole(client: QdrantClient, server: Target, collection: str) -> None:
    made = client.create_snapshot(NAME)
    assert made is not None
    client.delete(NAME, models.Filter(must=[models.FieldCondition(key="n", range=models.Range(lt=200))]))
    counts, done = {client.count(NAME).count}, threading.Event()

    def read() -> None:
        with httpx.Client(base_url=server.url, timeout=60) as rest:
            while not done.is_set():
                answer = rest.post(f"/collections/{NAME}/points/count", json={"exact": True})
                assert answer.status_code == 200, answer.text
                counts.add(answer.json()["result"]["count"])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        client.recover_snapshot(NAME, f"{server.url}/collections/{NAME}/snapshots/{made.name}", wait=True)
    finally:
        done.set()
        reader.join()
    counts.add(client.count(NAME).count)
    assert len(counts) == 2, counts
    assert max(counts) == COUNT


def test_a_shard_is_recovered_and_the_others_stay(client: QdrantClient, rest: httpx.Client, collection: str) -> None:
    before = {str(record.id): record for record in everything(client, NAME)}
    made = client.create_shard_snapshot(NAME, 1)
    assert made is not None
    shard = rest.get(f"/collections/{NAME}/shards/1/snapshots/{made.name}").content
    assert hashlib.sha256(shard).hexdigest() == made.checksum
    client.delete(NAME, models.Filter(must=[models.FieldCondition(key="n", range=models.Range(lt=200))]))
    extra = range(10**6, 10**6 + 40)
    client.upsert(NAME, [models.PointStruct(id=number, vector={}) for number in extra])
    after = {str(record.id): record for record in everything(client, NAME)}

    recovered = rest.put(f"/collections/{NAME}/shards/1/snapshots/recover", json={"location": made.name})
    assert recovered.status_code == 200, recovered.text
    now = {str(record.id): record for record in everything(client, NAME)}
    assert set(after) - set(now) < {str(number) for number in extra}
    assert set(now) - set(after) < set(before)
    assert all(before[i] == record for i, record in now.items() if i not in after)
    shards = rest.get(f"/collections/{NAME}/cluster").json()["result"]["local_shards"]
    assert sum(shard["points_count"] for shard in shards) == len(now)
    again = rest.get(f"/collections/{NAME}/shards/1/snapshot")
    uploaded = rest.post(
        f"/collections/{NAME}/shards/1/snapshots/upload?wait=true", files={"snapshot": ("any", again.content)}
    )
    assert uploaded.json()["result"] is True
    assert {str(record.id): record for record in everything(client, NAME)} == now


def test_what_is_uploaded_is_taken_whole_or_not_at_all(
    client: QdrantClient, rest: httpx.Client, collection: str
) -> None:
    made = client.create_snapshot(NAME)
    assert made is not None
    snapshot = rest.get(f"/collections/{NAME}/snapshots/{made.name}").content
    client.delete_collection(NAME)
    upload = f"/collections/{NAME}/snapshots/upload"
    middle = len(snapshot) // 2
    flipped = snapshot[:middle] + bytes([snapshot[middle] ^ 1]) + snapshot[middle + 1 :]
    for damaged in (snapshot[: len(snapshot) // 2], snapshot[:-20_000], flipped, b"", b"no archive", b"\0" * 20_480):
        refused = rest.post(upload, files={"snapshot": ("any", damaged)})
        assert refused.status_code == 400, refused.text
        assert not client.collection_exists(NAME)
    assert rest.post(upload, files={"other": ("any", snapshot)}).status_code == 400
    assert rest.post(upload + "?checksum=00", files={"snapshot": ("any", snapshot)}).status_code == 400
    assert rest.post(upload + "?priority=often", files={"snapshot": ("any", snapshot)}).status_code == 400
    answered = rest.post(f"{upload}?checksum={made.checksum}", files={"snapshot": ("any", snapshot)})
    assert answered.json()["result"] is True
    assert client.count(NAME).count == COUNT


def test_everything_is_archived_at_once(client: QdrantClient, rest: httpx.Client, collection: str) -> None:
    others = {snapshot.name for snapshot in client.list_full_snapshots()}
    made = client.create_full_snapshot()
    assert made is not None
    content = rest.get(f"/snapshots/{made.name}").content
    assert hashlib.sha256(content).hexdigest() == made.checksum
    assert {snapshot.name for snapshot in client.list_full_snapshots()} == {*others, made.name}
    assert client.delete_full_snapshot(made.name)
    assert {snapshot.name for snapshot in client.list_full_snapshots()} == others


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "file:///nope", "file://relative", "ftp://x/y", "http://127.0.0.1:1/x", "http://["],
)
def test_what_is_no_snapshot_is_refused(rest: httpx.Client, location: str) -> None:
    answer = rest.put(f"/collections/{OTHER}/snapshots/recover", json={"location": location})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("name", ["..%2F..%2Fx.snapshot", "%2E%2E", ".hidden.snapshot", "a%5Cb.snapshot", "x" * 400])
def test_no_name_leads_elsewhere(rest: httpx.Client, collection: str, name: str) -> None:
    for method in ("GET", "DELETE"):
        assert rest.request(method, f"/collections/{NAME}/snapshots/{name}").status_code == 404


def test_a_password_in_a_url_is_not_told(rest: httpx.Client) -> None:
    for host in ("127.0.0.1:1", "[::1]:1"):
        body = {"location": f"http://somebody:secret@{host}/x"}
        answer = rest.put(f"/collections/{OTHER}/snapshots/recover", json=body)
        assert answer.status_code == 400, answer.text
        assert f"from http://{host}/x:" in answer.text
        assert "secret" not in answer.text


def test_a_key_of_any_characters_may_be_given_for_fetching(rest: httpx.Client, collection: str) -> None:
    for key in ("clé", "a\nb"):
        body = {"location": "http://127.0.0.1:1/nothing", "api_key": key}
        answer = rest.put(f"/collections/{collection}/snapshots/recover", json=body)
        assert answer.status_code == 400, answer.text
        assert key not in answer.json()["status"]["error"]
        assert repr(key)[1:-1] not in answer.json()["status"]["error"]
