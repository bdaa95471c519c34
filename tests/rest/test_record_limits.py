"""Writes on a log that takes less as one record than requests are split into."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from compose.app import Services, create_app
from ingest.log import Topic
from tests.rest.client import VERSION, MemoryRest

TAKES = 1 << 20
"""What a Kafka topic takes by default."""
POINTS = "/collections/c/points"
WAIT = {"wait": "true"}


@pytest.fixture
def narrow() -> Iterator[MemoryRest]:
    client = MemoryRest()
    node = client.node
    node.log.takes = TAKES
    client.app = create_app(Services(node.log, node.catalog, node, node, node, node, VERSION, log_record_bytes=TAKES))
    client.create()
    yield client
    client.close()


def set_payload(point: int) -> dict[str, Any]:
    return {"set_payload": {"points": [point], "payload": {"a": "x" * 3000}}}


def test_an_upsert_becomes_records_that_the_log_takes(narrow: MemoryRest) -> None:
    points = [{"id": n, "vector": [n, 1], "payload": {"a": "x" * 2000}} for n in range(1500)]
    narrow.result("PUT", POINTS, params=WAIT, json={"points": points})
    assert narrow.result("POST", f"{POINTS}/count", json={}) == {"count": 1500}
    assert 4 <= len(narrow.records(Topic.POINTS, 0)) <= 6


def test_so_does_a_batch_of_payloads(narrow: MemoryRest) -> None:
    narrow.upsert({"id": 1, "vector": [1, 2]})
    operations = [set_payload(1)] * 1000
    narrow.result("POST", f"{POINTS}/batch", params=WAIT, json={"operations": operations})
    assert max(map(len, narrow.records(Topic.POINTS, 0))) <= TAKES


def test_a_point_that_is_too_large_is_refused(narrow: MemoryRest) -> None:
    body = msgspec.json.encode({"points": [{"id": 1, "vector": [1, 2], "payload": {"a": "x" * TAKES}}]})
    assert "a record has" in narrow.error(413, "PUT", POINTS, content=body)
