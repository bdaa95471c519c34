"""Records as JSON lines: one line each, whatever is in them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given

from compose.log_lines import record_line
from ingest.log import Headers, LogRecord, Topic
from schemas.operations import DeletePoints, SetPayload
from schemas.records import Origin, PartitionRecord, PointsRecord, encode_record
from tests.projector.fold.log_strategies import logs
from tests.projector.fold.memory_state import OPENED, points_record, upsert
from tests.schemas import record_strategies


def shown(value: bytes | None, key: bytes | None = None, headers: Headers = ()) -> dict[str, Any]:
    line = record_line(Topic.POINTS, LogRecord(1, 2, 3, key, value, headers))
    assert b"\n" not in line
    found = msgspec.json.decode(line)
    assert (found.pop("topic"), found.pop("partition"), found.pop("offset"), found.pop("timestamp_ms")) == (
        "points",
        1,
        2,
        3,
    )
    return found


def test_canonical_records_are_shown_with_ids_vectors_and_payloads() -> None:
    record = points_record(upsert({1: {"a": 1}, 2: None}), SetPayload(b'{"b":\n 2}', ids=[bytes(16)]))
    assert shown(encode_record(record)) == {
        "record": {
            "type": "points",
            "uid": 7,
            "shard": 0,
            "ops": [
                {
                    "op": "upsert",
                    "ids": [1, 2],
                    "vectors": {"image": {"values": [[1, 1], [2, 1]]}},
                    "payloads": [{"a": 1}, None],
                    "update_mode": "upsert",
                },
                {"op": "set_payload", "payload": {"b": 2}, "ids": ["00000000-0000-0000-0000-000000000000"]},
            ],
        }
    }


def test_a_forwarded_record_is_shown_with_its_origin() -> None:
    record = PointsRecord(uid=7, shard=0, ops=[DeletePoints(ids=[1])], origin=Origin(3, 9, 1))
    assert shown(encode_record(record))["record"]["origin"] == {"partition": 3, "offset": 9, "index": 1}


def test_markers_are_shown() -> None:
    assert shown(encode_record(OPENED))["record"]["type"] == "shard_opened"


def test_foreign_records_are_shown_as_they_are() -> None:
    value = b'{ "collection_name": "things",\n "id": 1, "vector": [1, 2] }'
    assert shown(value, b"\xff1") == {
        "key": "\ufffd1",
        "record": {
            "type": "foreign",
            "collection_name": "things",
            "value": {"collection_name": "things", "id": 1, "vector": [1, 2]},
        },
    }
    assert shown(None, b"1", (("collection_name", b"things"),)) == {
        "key": "1",
        "headers": {"collection_name": "things"},
        "record": {"type": "foreign", "collection_name": "things", "value": None},
    }


@pytest.mark.parametrize("payload", [b"not json", b'{"a":"\xff"}', b"", b"\n", b"[" * 5000])
def test_payloads_that_are_none_are_shown_as_text(payload: bytes) -> None:
    assert "payload" in shown(encode_record(points_record(SetPayload(payload, ids=[1]))))["record"]["ops"][0]


def test_what_can_not_be_read_is_shown_with_the_reason() -> None:
    assert shown(b"\xff\xff") == {
        "unreadable": "the value is neither a JSON object nor a record of Headwater's "
        "(not a record: Expected `object`, got `int`)",
        "bytes": 2,
    }
    assert "collection_name" in shown(b"{}")["unreadable"]


@given(record_strategies.partition_records)
def test_any_canonical_record_is_shown(record: PartitionRecord) -> None:
    shown(encode_record(record))


@given(logs)
def test_any_record_is_shown(log: list[LogRecord]) -> None:
    for record in log:
        msgspec.json.decode(record_line(Topic.POINTS, record))
