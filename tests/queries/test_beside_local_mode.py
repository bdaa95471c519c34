"""Answers beside Qdrant's own client in its local mode: kinds of queries x of vectors x filters x prefetches."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from qdrant_client import QdrantClient

from ingest.log import Topic
from tests.queries.client_answers import ClientAnswers, LocalMode
from tests.queries.comparison import Answer, Groups, difference, group_difference
from tests.queries.world import (
    CONFIG,
    INDEXES,
    NAMES,
    POINTS,
    fuses_ranks,
    grouped,
    orders,
    queries,
    unscored,
)
from tests.rest.client import ClusterRest, MemoryRest, Rest
from tests.support.cluster import Cluster
from tests.support.examples import every
from tests.support.server import Server

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")
TOGETHER = 50
EVERY = 13
"""Through Kafka and after a replay, every so many queries are asked."""


class Asked(Protocol):
    """What answers queries, beside local mode."""

    def answers(self, asked: Sequence[dict[str, Any]]) -> list[Answer]:
        """The answers to some queries."""
        ...

    def groups(self, asked: dict[str, Any]) -> Groups:
        """The answer to a query for groups."""
        ...


@pytest.fixture(scope="module")
def local() -> Iterator[LocalMode]:
    mode = LocalMode()
    yield mode
    mode.close()


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
    for key, kind in INDEXES.items():
        index = {"field_name": key, "field_schema": kind}
        rest.result("PUT", "/collections/c/index", params={"wait": "true"}, json=index)
    rest.upsert(*POINTS)


class RestAnswers:
    """The answers of REST."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def answers(self, asked: Sequence[dict[str, Any]]) -> list[Answer]:
        found = self._rest.result("POST", "/collections/c/points/query/batch", json={"searches": list(asked)})
        return [[(hit["id"], hit["score"]) for hit in each["points"]] for each in found]

    def groups(self, asked: dict[str, Any]) -> Groups:
        found = self._rest.result("POST", "/collections/c/points/query/groups", json=asked)["groups"]
        return [(group["id"], [(hit["id"], hit["score"]) for hit in group["hits"]]) for group in found]


def check(ours: Asked, local: LocalMode, asked: Sequence[tuple[str, dict[str, Any]]]) -> None:
    wrong: list[str] = []
    for start in range(0, len(asked), TOGETHER):
        some = asked[start : start + TOGETHER]
        for (what, query), answer in zip(some, ours.answers([query for _, query in some]), strict=True):
            if fuses_ranks(query) and local.has_ties(query):
                continue
            found = difference(answer, local.answer(query))
            if found is not None:
                wrong.append(f"{what}: {found}")
    assert not wrong, f"{len(wrong)} of {len(asked)}:\n" + "\n".join(wrong[:20])


def check_groups(ours: Asked, local: LocalMode, asked: Sequence[tuple[str, dict[str, Any]]]) -> None:
    wrong: list[str] = []
    for what, query in asked:
        found = group_difference(ours.groups(query), local.groups(query))
        if found is not None:
            wrong.append(f"{what}: {found}")
    assert not wrong, f"{len(wrong)} of {len(asked)}:\n" + "\n".join(wrong[:20])


def check_whole(ours: Asked, local: LocalMode) -> None:
    """Check answers that are an order, a sample or groups, beside a sample of all the others."""
    asked = list(orders())
    for (what, query), answer in zip(asked, ours.answers([query for _, query in asked]), strict=True):
        assert answer == local.answer(query), what
    check(ours, local, list(unscored()))
    check_groups(ours, local, [query for name in NAMES for query in grouped(name)][::EVERY])
    check(ours, local, sample())


def check_calls(url: str, grpc_port: int, local: LocalMode) -> None:
    """Check the same over gRPC, once points came that way, too."""
    calls = ClientAnswers(QdrantClient(url=url, grpc_port=grpc_port, prefer_grpc=True, timeout=60))
    try:
        calls.upsert()
        check_whole(calls, local)
    finally:
        calls.close()


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_local_mode(name: str, memory: MemoryRest, local: LocalMode) -> None:
    # From another one on for each name, so that every pair of kind, filter and prefetch is there.
    step = every(3)
    check(RestAnswers(memory), local, list(queries(name))[NAMES.index(name) % step :: step])


@pytest.mark.parametrize("name", NAMES)
def test_groups_are_those_of_local_mode(name: str, memory: MemoryRest, local: LocalMode) -> None:
    check_groups(RestAnswers(memory), local, list(grouped(name))[::3])


def test_orders_and_samples_are_those_of_local_mode(memory: MemoryRest, local: LocalMode) -> None:
    check_whole(RestAnswers(memory), local)


@pytest.mark.kafka
def test_answers_through_kafka_are_the_same(cluster: Cluster, local: LocalMode) -> None:
    rest = ClusterRest(cluster)
    try:
        fill(rest)
        check_whole(RestAnswers(rest), local)
        check_calls(cluster.url, cluster.grpc_port, local)
    finally:
        rest.close()


def test_answers_after_a_replay_are_the_same(tmp_path: Path, local: LocalMode) -> None:
    asked = [query for _, query in sample()][:TOGETHER]
    with Server(tmp_path / "data", grpc=True) as server:
        rest = ServerRest(server.start())
        fill(rest)
        ours = RestAnswers(rest)
        before = ours.answers(asked)
        server.stop()
        shutil.rmtree(tmp_path / "data" / "state")
        server.start()
        assert ours.answers(asked) == before
        check_whole(ours, local)
        check_calls(server.url, server.grpc_port, local)
        rest.close()


def sample() -> list[tuple[str, dict[str, Any]]]:
    """Some queries of all kinds."""
    return [query for name in NAMES for query in queries(name)][::EVERY]
