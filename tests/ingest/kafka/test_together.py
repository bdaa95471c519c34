"""Records that are written together: all of them or none, in order, and next to each other."""

import asyncio

import pytest

from ingest.kafka import KafkaSettings
from ingest.log import Message, RecordTooLargeError
from tests.ingest.kafka.support import POINTS, opened
from tests.ingest.log_contract import read_all, within

pytestmark = pytest.mark.kafka
HEADERS = (("a", b"1"),)


def test_next_to_each_other_among_others(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings, batch_bytes=2000) as log:
            groups = [[b"%d/%d" % (group, i) for i in range(1 + group % 7)] for group in range(60)]
            alone = [log.append(POINTS, 0, b"alone") for _ in range(60)]
            together = [log.append_together(POINTS, 0, values, HEADERS) for values in groups]
            mixed = [task for pair in zip(alone, together, strict=True) for task in pair]
            offsets = (await asyncio.gather(*mixed))[1::2]
            records = await read_all(log, max_bytes=100_000)
            assert [record.offset for record in records] == list(range(60 + sum(map(len, groups))))
            for first, values in zip(offsets, groups, strict=True):
                found = records[first : first + len(values)]
                assert [record.value for record in found] == values
                assert {(record.key, record.headers) for record in found} == {(None, HEADERS)}

    within(check())


def test_each_with_a_key_headers_and_time_of_its_own(kafka_settings: KafkaSettings) -> None:
    messages = [
        Message(b"value", b"key", (("a", b"1"), ("a", b"2")), 12_345),
        Message(None, b"gone"),
        Message(b"", b"", (), 99),
        Message(b"last"),
    ]

    async def check() -> None:
        async with opened(kafka_settings) as log:
            assert await log.append_messages(POINTS, 0, messages) == 0
            records = await read_all(log, max_bytes=100_000)
            assert [Message(r.value, r.key, r.headers) for r in records] == [
                message._replace(timestamp_ms=None) for message in messages
            ]
            times = [record.timestamp_ms for record in records]
            assert (times[0], times[2]) == (12_345, 99)
            assert times[1] == times[3] > 1_600_000_000_000

    within(check())


def test_more_than_is_sent_at_once(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings, batch_bytes=1) as log:
            values = [b"%d" % i for i in range(1000)]
            assert await log.append_together(POINTS, 0, values) == 0
            assert await log.append_together(POINTS, 0, values) == 1000
            assert [record.value for record in await read_all(log, max_bytes=100_000)] == values * 2

    within(check())


def test_more_than_a_record_may_take(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings, max_record_bytes=5000) as log:
            with pytest.raises(RecordTooLargeError, match=r"5 records take .* at most 5000 are allowed"):
                await log.append_together(POINTS, 0, [bytes(1000)] * 5)
            assert await log.append_together(POINTS, 0, [bytes(1000)] * 4) == 0

    within(check())
