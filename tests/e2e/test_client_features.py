"""What Qdrant's own client offers, as it is: collections, uploads, searches, batches, aliases."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from tests.e2e.pair import REFUSED
from tests.support.seeds import BASE_SEED
from tests.support.waiting import eventually

COUNT, SIZE = 500, 16
NAME = "features"
DOT = models.VectorParams(size=SIZE, distance=models.Distance.DOT)
VECTORS = np.random.default_rng(BASE_SEED).normal(size=(COUNT, SIZE)).astype(np.float32)


def payload_of(number: int) -> dict[str, Any]:
    return {"n": number, "even": number % 2 == 0}


@pytest.fixture(scope="module", params=[False, True], ids=["rest", "grpc"])
def prefer_grpc(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def collection(client: QdrantClient) -> Iterator[str]:
    client.create_collection(NAME, vectors_config=DOT)
    yield NAME
    client.delete_collection(NAME)


@pytest.fixture
def filled(client: QdrantClient, collection: str) -> str:
    points = [models.PointStruct(id=i, vector=VECTORS[i].tolist(), payload=payload_of(i)) for i in range(COUNT)]
    client.upsert(collection, points)
    return collection


def nearest(query: Any, count: int) -> list[int]:
    return np.argsort(-(VECTORS @ np.array(query)))[:count].tolist()


def everything(client: QdrantClient, name: str) -> list[models.Record]:
    found: list[models.Record] = []
    start: Any = None
    while True:
        page, start = client.scroll(name, limit=64, offset=start, with_payload=True, with_vectors=True)
        found += page
        if start is None:
            return found


def check_uploaded(client: QdrantClient, name: str) -> None:
    records = everything(client, name)
    assert [record.id for record in records] == list(range(COUNT))
    assert [record.payload for record in records] == [payload_of(i) for i in range(COUNT)]
    assert np.array_equal(np.array([record.vector for record in records], np.float32), VECTORS)
    assert client.count(name, exact=True).count == COUNT


@pytest.mark.parametrize("parallel", [1, 2])
def test_upload_points(client: QdrantClient, collection: str, parallel: int) -> None:
    points = (models.PointStruct(id=i, vector=VECTORS[i].tolist(), payload=payload_of(i)) for i in range(COUNT))
    client.upload_points(collection, points, batch_size=64, parallel=parallel, wait=True)
    check_uploaded(client, collection)


@pytest.mark.parametrize("parallel", [1, 2])
def test_upload_collection(client: QdrantClient, collection: str, parallel: int) -> None:
    payloads = [payload_of(i) for i in range(COUNT)]
    client.upload_collection(
        collection, VECTORS, payload=payloads, ids=range(COUNT), batch_size=64, parallel=parallel, wait=True
    )
    check_uploaded(client, collection)


def test_upload_without_waiting_is_visible_in_the_end(client: QdrantClient, collection: str) -> None:
    client.upload_collection(collection, VECTORS, ids=range(COUNT), batch_size=64, wait=False)
    eventually(lambda: client.count(collection, exact=True).count == COUNT)


def test_an_operation_that_is_not_waited_for_is_acknowledged_and_visible_in_the_end(
    client: QdrantClient, collection: str
) -> None:
    point = models.PointStruct(id=1, vector=VECTORS[0].tolist())
    answer = client.upsert(collection, [point], wait=False)
    assert answer.status == models.UpdateStatus.ACKNOWLEDGED
    assert answer.operation_id is not None
    eventually(lambda: len(client.retrieve(collection, [1])) == 1)
    answer = client.delete(collection, [1], wait=False)
    eventually(lambda: client.count(collection).count == 0)


def test_an_operation_that_is_waited_for_is_visible_at_once(client: QdrantClient, collection: str) -> None:
    last = -1
    for i in range(20):
        answer = client.upsert(collection, [models.PointStruct(id=i, vector=VECTORS[i].tolist())], wait=True)
        assert answer.status == models.UpdateStatus.COMPLETED
        assert answer.operation_id is not None
        assert answer.operation_id > last
        last = answer.operation_id
        assert client.query_points(collection, query=VECTORS[i].tolist(), limit=COUNT).points[-1].id in range(i + 1)
        assert client.count(collection).count == i + 1


def test_query_points(client: QdrantClient, filled: str) -> None:
    query = VECTORS[7].tolist()
    hits = client.query_points(filled, query=query, limit=5, with_payload=True, with_vectors=True).points
    assert [hit.id for hit in hits] == nearest(query, 5)
    assert [hit.payload for hit in hits] == [payload_of(i) for i in nearest(query, 5)]
    assert np.allclose([hit.score for hit in hits], VECTORS[nearest(query, 5)] @ VECTORS[7], atol=1e-4)
    by_id = client.query_points(filled, query=7, limit=5).points
    assert [hit.id for hit in by_id] == [i for i in nearest(query, 6) if i != 7][:5]


def test_query_batch_points(client: QdrantClient, filled: str) -> None:
    even = models.Filter(must=[models.FieldCondition(key="even", match=models.MatchValue(value=True))])
    requests = [
        models.QueryRequest(query=VECTORS[3].tolist(), limit=4),
        models.QueryRequest(query=VECTORS[4].tolist(), limit=6, filter=even, with_payload=True),
        models.QueryRequest(query=5, limit=1),
    ]
    first, second, third = client.query_batch_points(filled, requests)
    assert [hit.id for hit in first.points] == nearest(VECTORS[3], 4)
    assert [hit.id for hit in second.points] == [i for i in nearest(VECTORS[4], COUNT) if i % 2 == 0][:6]
    assert all(hit.payload is not None and hit.payload["even"] for hit in second.points)
    assert len(third.points) == 1


def test_batch_update_points(client: QdrantClient, filled: str) -> None:
    new = models.PointStruct(id=1000, vector=[1.0] * SIZE)
    answers = client.batch_update_points(
        filled,
        [
            models.UpsertOperation(upsert=models.PointsList(points=[new])),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"fresh": True}, points=[1000, 1])),
            models.DeleteOperation(delete=models.PointIdsList(points=[2])),
        ],
    )
    assert [answer.status for answer in answers] == [models.UpdateStatus.COMPLETED] * 3
    payloads = {record.id: record.payload for record in client.retrieve(filled, [1, 2, 1000])}
    assert payloads == {1: {**payload_of(1), "fresh": True}, 1000: {"fresh": True}}


def test_operations_before_a_rejected_one_stay(client: QdrantClient, filled: str) -> None:
    kept = models.PointStruct(id=1000, vector=[1.0] * SIZE)
    with pytest.raises(REFUSED, match="No point with id 2000 found"):
        client.batch_update_points(
            filled,
            [
                models.UpsertOperation(upsert=models.PointsList(points=[kept])),
                models.SetPayloadOperation(set_payload=models.SetPayload(payload={"x": 1}, points=[2000])),
            ],
        )
    assert client.count(filled).count == COUNT + 1


def test_collection_life(client: QdrantClient) -> None:
    assert not client.collection_exists("life")
    client.create_collection(
        "life",
        vectors_config={"a": DOT, "b": models.VectorParams(size=3, distance=models.Distance.COSINE)},
        hnsw_config=models.HnswConfigDiff(m=8, ef_construct=64),
    )
    assert client.collection_exists("life")
    assert "life" in [found.name for found in client.get_collections().collections]
    with pytest.raises(REFUSED, match="already exists"):
        client.create_collection("life", vectors_config=DOT)
    info = client.get_collection("life")
    assert info.status == models.CollectionStatus.GREEN
    assert info.points_count == 0
    assert info.config.hnsw_config.m == 8
    assert info.config.params.vectors == {
        "a": DOT,
        "b": models.VectorParams(size=3, distance=models.Distance.COSINE),
    }
    client.update_collection("life", optimizers_config=models.OptimizersConfigDiff(indexing_threshold=123))
    assert client.get_collection("life").config.optimizer_config.indexing_threshold == 123
    assert client.delete_collection("life")
    assert not client.collection_exists("life")
    assert not client.delete_collection("life")
    with pytest.raises(REFUSED, match="Not found: Collection"):
        client.get_collection("life")


def test_a_name_used_again_shows_nothing_old(client: QdrantClient, filled: str) -> None:
    client.update_collection_aliases(
        [models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=filled, alias_name="old"))]
    )
    client.delete_collection(filled)
    client.create_collection(filled, vectors_config=models.VectorParams(size=3, distance=models.Distance.EUCLID))
    assert client.count(filled).count == 0
    assert client.scroll(filled)[0] == []
    assert client.retrieve(filled, list(range(10))) == []
    assert client.query_points(filled, query=[1.0, 2.0, 3.0]).points == []
    assert client.get_collection_aliases(filled).aliases == []
    client.upsert(filled, [models.PointStruct(id=1, vector=[1.0, 2.0, 3.0])])
    assert [(r.id, r.payload, r.vector) for r in everything(client, filled)] == [(1, {}, [1.0, 2.0, 3.0])]


def test_aliases(client: QdrantClient, filled: str) -> None:
    create = models.CreateAlias(collection_name=filled, alias_name="first")
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=create)])
    assert client.count("first").count == COUNT
    assert client.collection_exists("first")
    rename = models.RenameAlias(old_alias_name="first", new_alias_name="second")
    client.update_collection_aliases([models.RenameAliasOperation(rename_alias=rename)])
    assert [(a.alias_name, a.collection_name) for a in client.get_aliases().aliases] == [("second", filled)]
    with pytest.raises(REFUSED, match="Not found: Collection"):
        client.count("first")
    client.upsert("second", [models.PointStruct(id=COUNT, vector=[0.0] * SIZE)])
    assert client.count(filled).count == COUNT + 1
    delete = models.DeleteAlias(alias_name="second")
    client.update_collection_aliases([models.DeleteAliasOperation(delete_alias=delete)])
    assert client.get_aliases().aliases == []


def test_an_alias_moves_between_collections_in_one_step(client: QdrantClient) -> None:
    for number, name in enumerate(("blue", "green")):
        client.create_collection(name, vectors_config=DOT)
        client.upsert(name, [models.PointStruct(id=number, vector=[1.0] * SIZE)])
    switch_alias(client, "blue", first=True)
    seen: set[Any] = set()
    failures: list[Exception] = []
    done = threading.Event()

    def search() -> None:
        own = QdrantClient(**client.init_options)
        try:
            while not done.is_set():
                seen.update(hit.id for hit in own.query_points("live", query=[1.0] * SIZE).points)
        except Exception as error:
            failures.append(error)
        finally:
            own.close()

    readers = [threading.Thread(target=search) for _ in range(2)]
    for reader in readers:
        reader.start()
    eventually(lambda: seen == {0} or bool(failures))
    for turn in range(60):
        switch_alias(client, "green" if turn % 2 == 0 else "blue")
    eventually(lambda: seen == {0, 1} or bool(failures))
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert seen == {0, 1}
    client.delete_collection("blue")
    client.delete_collection("green")


def switch_alias(client: QdrantClient, to: str, first: bool = False) -> None:
    delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name="live"))
    create = models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=to, alias_name="live"))
    client.update_collection_aliases([create] if first else [delete, create])


def test_documents_and_terms_that_the_client_made(client: QdrantClient) -> None:
    """The server's vectors of texts are those of fastembed's ``Qdrant/bm25``, which are told here as numbers."""
    texts = ["The quick brown fox", "a lazy dog", "foxes run quickly with other foxes"]
    idf = models.SparseVectorParams(modifier=models.Modifier.IDF)
    client.create_collection(NAME, sparse_vectors_config={"t": idf})
    options: dict[str, Any] = {**client.init_options, "cloud_inference": True}
    asked = QdrantClient(**options)
    try:
        documents = [models.Document(text=text, model="Qdrant/bm25") for text in texts]
        points = [models.PointStruct(id=i, vector={"t": document}) for i, document in enumerate(documents)]
        asked.upsert(NAME, points)
        fox = models.Document(text="fox", model="Qdrant/bm25")
        found = asked.query_points(NAME, query=fox, using="t").points
        assert [point.id for point in found] == [2, 0]
        term = models.SparseVector(indices=[1621867415], values=[1.0])
        same = client.query_points(NAME, query=term, using="t").points
        assert [(point.id, point.score) for point in same] == [(point.id, point.score) for point in found]
        length = 3
        value = 2.2 / (1 + 1.2 * (0.25 + 0.75 * length / 256))
        assert found[1].score == pytest.approx(value * np.log(1 + 1.5 / 2.5), rel=1e-5)
    finally:
        asked.close()
        client.delete_collection(NAME)
