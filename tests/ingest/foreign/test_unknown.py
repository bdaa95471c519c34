"""Fields that mean nothing: which they are, for every kind of body."""

import pytest

from ingest.foreign import decode_foreign, look_at
from ingest.foreign.unknown import UNKNOWN_FIELDS
from ingest.log import LogRecord


def counted() -> float:
    return next(sample.value for sample in next(iter(UNKNOWN_FIELDS.collect())).samples)


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        (b'{"collection_name": "c", "id": 1, "vector": [1.0]}', []),
        (b'{"collection_name": "c", "id": 1, "vector": [1.0], "payload": {"payloads": 1}}', []),
        (b'{"collection_name": "c", "id": 1, "vector": [1.0], "payloads": {}, "vectors": []}', ["payloads", "vectors"]),
        (b'{"collection_name": "c", "points": [{"id": 1, "vector": [1.0]}]}', []),
        (b'{"collection_name": "c", "points": [{"id": 1, "vector": [1.0]}], "waits": true}', ["waits"]),
        (b'{"collection_name": "c", "operation": "set_payload", "points": [1], "payload": {"a": 1}, "key": "b"}', []),
        (b'{"collection_name": "c", "operation": "delete", "points": [1], "payload": {}}', []),
    ],
)
def test_which_they_are(value: bytes, unknown: list[str]) -> None:
    before = counted()
    decode_foreign(LogRecord(0, 0, 0, None, value, ()))
    assert look_at(value) == ("c", unknown)
    assert counted() - before == bool(unknown)


@pytest.mark.parametrize("value", [b"", b"hello", b"[1]", b'{"id": 1}', b'{"collection_name": 7}'])
def test_what_can_not_be_read_is_rejected_for_that(value: bytes) -> None:
    assert look_at(value) == (None, [])
