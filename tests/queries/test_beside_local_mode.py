"""Answers beside Qdrant's own client in its local mode: kinds of queries x of vectors x filters x prefetches."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest.log import Topic
from tests.queries.comparison import Answer, Groups, difference, group_difference
from tests.queries.local_mode import LocalMode
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

TOGETHER = 50
EVERY = 13
"""Through Kafka and after a replay, every so many queries are asked."""
Ask = Callable[[Sequence[dict[str, Any]]], list[Answer]]


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


def asking(rest: Rest) -> Ask:
    def ask(some: Sequence[dict[str, Any]]) -> list[Answer]:
        found = rest.result("POST", "/collections/c/points/query/batch", json={"searches": list(some)})
        return [[(hit["id"], hit["score"]) for hit in each["points"]] for each in found]

    return ask


def check(ask: Ask, local: LocalMode, asked: Sequence[tuple[str, dict[str, Any]]]) -> None:
    wrong: list[str] = []
    for start in range(0, len(asked), TOGETHER):
        some = asked[start : start + TOGETHER]
        for (what, query), ours in zip(some, ask([query for _, query in some]), strict=True):
            if fuses_ranks(query) and local.has_ties(query):
                continue
            found = difference(ours, local.answer(query))
            if found is not None:
                wrong.append(f"{what}: {found}")
    assert not wrong, f"{len(wrong)} of {len(asked)}:\n" + "\n".join(wrong[:20])


def check_groups(rest: Rest, local: LocalMode, asked: Sequence[tuple[str, dict[str, Any]]]) -> None:
    wrong: list[str] = []
    for what, query in asked:
        found = group_difference(groups(rest, query), local.groups(query))
        if found is not None:
            wrong.append(f"{what}: {found}")
    assert not wrong, f"{len(wrong)} of {len(asked)}:\n" + "\n".join(wrong[:20])


def groups(rest: Rest, asked: dict[str, Any]) -> Groups:
    found = rest.result("POST", "/collections/c/points/query/groups", json=asked)["groups"]
    return [(group["id"], [(hit["id"], hit["score"]) for hit in group["hits"]]) for group in found]


def check_whole(rest: Rest, local: LocalMode) -> None:
    """Check answers that are an order, a sample or groups, beside a sample of all the others."""
    ask = asking(rest)
    asked = list(orders())
    for (what, query), ours in zip(asked, ask([query for _, query in asked]), strict=True):
        assert ours == local.answer(query), what
    check(ask, local, list(unscored()))
    check_groups(rest, local, [query for name in NAMES for query in grouped(name)][::EVERY])
    check(ask, local, sample())


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_local_mode(name: str, memory: MemoryRest, local: LocalMode) -> None:
    # From another one on for each name, so that every pair of kind, filter and prefetch is there.
    step = every(3)
    check(asking(memory), local, list(queries(name))[NAMES.index(name) % step :: step])


@pytest.mark.parametrize("name", NAMES)
def test_groups_are_those_of_local_mode(name: str, memory: MemoryRest, local: LocalMode) -> None:
    check_groups(memory, local, list(grouped(name))[::3])


def test_orders_and_samples_are_those_of_local_mode(memory: MemoryRest, local: LocalMode) -> None:
    check_whole(memory, local)


@pytest.mark.kafka
def test_answers_through_kafka_are_the_same(cluster: Cluster, local: LocalMode) -> None:
    rest = ClusterRest(cluster)
    try:
        fill(rest)
        check_whole(rest, local)
    finally:
        rest.close()


def test_answers_after_a_replay_are_the_same(tmp_path: Path, local: LocalMode) -> None:
    asked = sample()
    with Server(tmp_path / "data") as server:
        rest = ServerRest(server.start())
        fill(rest)
        before = asking(rest)([query for _, query in asked][:TOGETHER])
        server.stop()
        shutil.rmtree(tmp_path / "data" / "state")
        server.start()
        assert asking(rest)([query for _, query in asked][:TOGETHER]) == before
        check_whole(rest, local)
        rest.close()


def sample() -> list[tuple[str, dict[str, Any]]]:
    """Some queries of all kinds."""
    return [query for name in NAMES for query in queries(name)][::EVERY]
