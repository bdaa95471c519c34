"""What the examples put on the points topic can be read, and says what they say it does."""

import json
from types import ModuleType

import msgspec
import pytest

from ingest.foreign import ForeignWrite
from ingest.log import LogRecord
from ingest.points_topic import decode_points_record
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId
from schemas.operations import DeletePoints, Operation, Upsert
from tests.examples.run import load


def operations(key: bytes | None, value: bytes | None, size: int) -> tuple[str, list[Operation]]:
    """The collection and the operations of a message."""
    write = decode_points_record(LogRecord(0, 0, 0, key, value, ()))
    assert isinstance(write, ForeignWrite)
    config = CollectionConfig(vectors={"": VectorParams(size, Distance.COSINE)})
    return write.collection, write.operations(config)


@pytest.fixture(scope="module")
def produce() -> ModuleType:
    return load("produce")


@pytest.fixture(scope="module")
def captured() -> ModuleType:
    return load("change_data_capture")


def test_produce(produce: ModuleType) -> None:
    for id, vector, payload in produce.CITIES:
        collection, (upsert,) = operations(*produce.message(id, vector, payload), size=4)
        assert collection == "cities-by-kafka"
        assert isinstance(upsert, Upsert)
        assert upsert.ids == [id]
        assert upsert.payloads is not None
        assert json.loads(upsert.payloads[0]) == payload


def test_changes_of_a_row_share_a_key(captured: ModuleType) -> None:
    changes = list(captured.changes(500))
    assert changes == list(captured.changes(500))
    keys: dict[int, bytes] = {}
    deleted = 0
    for id, row in changes:
        key, value = captured.message(id, row)
        assert keys.setdefault(id, key) == key
        collection, (operation,) = operations(key, value, size=len(captured.WORDS) + 1)
        assert collection == captured.COLLECTION
        assert operation.ids == [PointId(id)]
        assert isinstance(operation, DeletePoints if row is None else Upsert)
        deleted += row is None
    assert len(set(keys.values())) == len(keys) > 100
    assert 50 < deleted < 200
    assert msgspec.json.decode(keys[changes[0][0]])["id"] == changes[0][0]
