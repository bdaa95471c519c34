"""Answers beside Qdrant's own client in its local mode: kinds of queries x of vectors x filters x prefetches."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models

from ingest.log import Topic
from tests.queries.comparison import Answer, close, difference
from tests.queries.world import CONFIG, NAMES, POINTS, fuses_ranks, queries
from tests.rest.client import ClusterRest, MemoryRest, Rest
from tests.support.cluster import Cluster
from tests.support.server import Server

TOGETHER = 50
EVERY = 13
"""Through Kafka and after a replay, every so many queries are asked."""
Ask = Callable[[Sequence[dict[str, Any]]], list[Answer]]


@pytest.fixture(scope="module")
def local() -> Iterator[QdrantClient]:
    client = QdrantClient(":memory:")
    client.create_collection(
        "c",
        {name: models.VectorParams.model_validate(params) for name, params in CONFIG["vectors"].items()},
        {name: models.SparseVectorParams.model_validate(params) for name, params in CONFIG["sparse_vectors"].items()},
    )
    client.upsert("c", [models.PointStruct.model_validate(point) for point in POINTS])
    yield client
    client.close()


@pytest.fixture(scope="module")
def memory() -> Iterator[MemoryRest]:
    rest = MemoryRest(partitions=2)
    fill(rest)
    yield rest
    rest.close()


class ServerRest(Rest):
    """A client of one server."""

    def __init__(self, server: Server) -> None:
        self._client = httpx.Client(base_url=server.url, timeout=60.0)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._client.request(method, path, **options)

    def records(self, topic: Topic, partition: int) -> Sequence[bytes]:
        raise AssertionError("its log is another process's")

    def close(self) -> None:
        self._client.close()


def fill(rest: Rest) -> None:
    rest.create(**CONFIG, shard_number=3)
    rest.upsert(*POINTS)


def asking(rest: Rest) -> Ask:
    def ask(some: Sequence[dict[str, Any]]) -> list[Answer]:
        found = rest.result("POST", "/collections/c/points/query/batch", json={"searches": list(some)})
        return [[(hit["id"], hit["score"]) for hit in each["points"]] for each in found]

    return ask


def expected(local: QdrantClient, asked: dict[str, Any]) -> Answer:
    request = models.QueryRequest.model_validate(asked)
    found = local.query_points(
        "c",
        query=request.query,
        using=request.using,
        prefetch=request.prefetch,
        query_filter=request.filter,
        limit=request.limit or 10,
    )
    return [(hit.id, hit.score) for hit in found.points]


def has_ties(local: QdrantClient, asked: dict[str, Any]) -> bool:
    """Whether prefetches find points that are equally good."""
    for prefetch in asked["prefetch"]:
        scores = [score for _, score in expected(local, prefetch)]
        if any(close(one, other) for one, other in pairwise(scores)):
            return True
    return False


def check(ask: Ask, local: QdrantClient, asked: Sequence[tuple[str, dict[str, Any]]]) -> None:
    wrong: list[str] = []
    for start in range(0, len(asked), TOGETHER):
        some = asked[start : start + TOGETHER]
        for (what, query), ours in zip(some, ask([query for _, query in some]), strict=True):
            if fuses_ranks(query) and has_ties(local, query):
                continue
            found = difference(ours, expected(local, query))
            if found is not None:
                wrong.append(f"{what}: {found}")
    assert not wrong, f"{len(wrong)} of {len(asked)}:\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_local_mode(name: str, memory: MemoryRest, local: QdrantClient) -> None:
    check(asking(memory), local, list(queries(name)))


@pytest.mark.kafka
def test_answers_through_kafka_are_the_same(cluster: Cluster, local: QdrantClient) -> None:
    rest = ClusterRest(cluster)
    try:
        fill(rest)
        check(asking(rest), local, sample())
    finally:
        rest.close()


def test_answers_after_a_replay_are_the_same(tmp_path: Path, local: QdrantClient) -> None:
    asked = sample()
    with Server(tmp_path / "data") as server:
        rest = ServerRest(server.start())
        fill(rest)
        before = asking(rest)([query for _, query in asked][:TOGETHER])
        server.stop()
        shutil.rmtree(tmp_path / "data" / "state")
        server.start()
        assert asking(rest)([query for _, query in asked][:TOGETHER]) == before
        check(asking(rest), local, asked)
        rest.close()


def sample() -> list[tuple[str, dict[str, Any]]]:
    """Some queries of all kinds."""
    every = [query for name in NAMES for query in queries(name)]
    return every[::EVERY]
