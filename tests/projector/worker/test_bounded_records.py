"""What Faust's consumer decompresses of a fetch is bounded."""

import pytest
from aiokafka.consumer import fetcher

from projector.worker.faust import fetched
from projector.worker.faust.fetched import BoundedRecords
from tests.ingest.kafka.support import batch


def test_batches_are_given_until_they_are_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched, "MOST_DECODED_BYTES", 5000)
    records = BoundedRecords(batch(0, [b"a"], codec=4) + batch(1, [bytes(100_000)], codec=4))
    assert records.has_next()
    first = records.next_batch()
    assert first is not None
    assert first.validate_crc()
    assert [record.value for record in first] == [b"a"]
    with pytest.raises(ValueError, match="more than is held"):
        records.next_batch()


def test_the_consumer_reads_through_it() -> None:
    assert fetcher.MemoryRecords is BoundedRecords
    records = BoundedRecords(batch(0, [b"a"]))
    assert records.next_batch() is not None
    assert records.next_batch() is None
