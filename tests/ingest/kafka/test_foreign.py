"""Records of other producers: any key, any headers, compressed, in transactions; and offsets without a record."""

import asyncio
import random

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from ingest.kafka import KafkaSettings
from ingest.log import LogDamagedError
from tests.ingest.kafka.support import POINTS, admin, batch, foreign_producer, opened, produce_batch
from tests.ingest.log_contract import read_all, within

pytestmark = pytest.mark.kafka


def test_any_key_value_and_headers(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings) as log, foreign_producer(kafka_settings) as producer:
            name = kafka_settings.topic(POINTS)
            await producer.send_and_wait(name, b'{"id": 1}', b"\x00\xff", 0, 7, [("none", None), ("empty", b"")])
            await producer.send_and_wait(name, None, b"tombstone", 0)
            await producer.send_and_wait(name, b"", None, 0)
            first, second, third = await read_all(log)
            assert (first.key, first.value, first.timestamp_ms) == (b"\x00\xff", b'{"id": 1}', 7)
            assert first.headers == (("none", b""), ("empty", b""))
            assert (second.key, second.value) == (b"tombstone", None)
            assert (third.key, third.value, third.headers) == (None, b"", ())

    within(check())


def test_names_of_headers_that_are_not_text(kafka_settings: KafkaSettings) -> None:
    """A broker takes them, so they must not hold up the partition."""

    async def check() -> None:
        async with opened(kafka_settings) as log:
            await produce_batch(kafka_settings, POINTS, batch(0, [b"a", b"b", b"c"], b"\xff\xfe\xfd\xfc"))
            await log.append(POINTS, 0, b"d")
            records = await read_all(log)
            assert [record.value for record in records] == [b"a", b"b", b"c", b"d"]
            assert records[1].headers == (("\\xff\\xfe\\xfd\\xfc", b"b"), ("none", b""))

    within(check())


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_records(kafka_settings: KafkaSettings, codec: str) -> None:
    async def check() -> None:
        async with (
            opened(kafka_settings) as log,
            foreign_producer(kafka_settings, compression_type=codec, linger_ms=20, max_batch_size=1 << 20) as producer,
        ):
            values = [bytes([i]) * 10_000 for i in range(100)]
            name = kafka_settings.topic(POINTS)
            await asyncio.gather(*[producer.send_and_wait(name, value, partition=0) for value in values])
            assert len(await log.read(POINTS, 0, 0, 100_000)) == 10
            assert sorted(record.value or b"" for record in await read_all(log, max_bytes=50_000)) == values

    within(check())


def test_what_a_transaction_took_back_is_not_there(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with (
            opened(kafka_settings) as log,
            foreign_producer(kafka_settings, transactional_id=kafka_settings.prefix) as producer,
        ):
            name = kafka_settings.topic(POINTS)
            assert await log.append(POINTS, 0, b"before") == 0
            await producer.begin_transaction()
            await producer.send_and_wait(name, b"taken back", partition=0)
            await producer.abort_transaction()
            await producer.begin_transaction()
            await producer.send_and_wait(name, b"committed", partition=0)
            await producer.commit_transaction()
            assert [(r.offset, r.value) for r in await read_all(log)] == [(0, b"before"), (3, b"committed")]
            assert [r.offset for r in await log.read(POINTS, 0, 1, 1000)] == [3]
            assert await log.end_offset(POINTS, 0) == 5
            assert await log.read(POINTS, 0, 4, 1000) == []

            wait = asyncio.create_task(log.wait(POINTS, 0, 4))
            await asyncio.sleep(0.2)
            assert not wait.done(), "there is an offset, but no record to be read"
            assert await log.append(POINTS, 0, b"after") == 5
            await wait
            assert [r.value for r in await log.read(POINTS, 0, 4, 1000)] == [b"after"]

    within(check())


def test_an_open_transaction_holds_back_what_follows(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with (
            opened(kafka_settings) as log,
            foreign_producer(kafka_settings, transactional_id=kafka_settings.prefix) as producer,
        ):
            await producer.begin_transaction()
            await producer.send_and_wait(kafka_settings.topic(POINTS), b"open", partition=0)
            assert await log.append(POINTS, 0, b"behind it") == 1
            assert await log.read(POINTS, 0, 0, 1000) == await log.read(POINTS, 0, 1, 1000) == []
            assert await log.end_offset(POINTS, 0) == 0
            waits = [asyncio.create_task(log.wait(POINTS, 0, offset)) for offset in (0, 1)]
            await asyncio.sleep(0.1)
            assert not any(wait.done() for wait in waits)
            await producer.commit_transaction()
            await asyncio.gather(*waits)
            assert [r.value for r in await read_all(log)] == [b"open", b"behind it"]

    within(check())


def test_a_follower_among_transactions(kafka_settings: KafkaSettings) -> None:
    """Committed, aborted and plain records of several producers, read in pieces of any size while they are written."""
    choices = random.Random(5)
    expected: list[bytes] = []

    async def check() -> None:
        async with (
            opened(kafka_settings) as log,
            foreign_producer(kafka_settings, transactional_id=f"{kafka_settings.prefix}-1") as first,
            foreign_producer(kafka_settings, transactional_id=f"{kafka_settings.prefix}-2") as second,
        ):
            found: list[bytes] = []

            async def follow() -> None:
                offset = 0
                while not found or found[-1] != b"last":
                    records = await log.read(POINTS, 0, offset, choices.choice((1, 50, 500)))
                    found.extend(record.value or b"" for record in records)
                    if records:
                        offset = records[-1].offset + 1
                    else:
                        await log.wait(POINTS, 0, offset)

            following = asyncio.create_task(follow())
            for number in range(30):
                values = [b"%d-%d" % (number, i) for i in range(choices.randrange(1, 4))]
                producer, keep = choices.choice(((first, True), (first, False), (second, True), (None, True)))
                if producer is None:
                    for value in values:
                        await log.append(POINTS, 0, value)
                else:
                    await producer.begin_transaction()
                    for value in values:
                        await producer.send_and_wait(kafka_settings.topic(POINTS), value, partition=0)
                    await (producer.commit_transaction() if keep else producer.abort_transaction())
                expected.extend(values if keep else [])
            await log.append(POINTS, 0, b"last")
            await following
            assert found == [*expected, b"last"]

    within(check())


def test_records_deleted_from_the_front(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings) as log, admin(kafka_settings) as client:
            for i in range(10):
                await log.append(POINTS, 0, b"%d" % i)
            assert [r.offset for r in await log.read(POINTS, 0, 0, 120)] == [0, 1, 2]
            where = TopicPartition(kafka_settings.topic(POINTS), 0)
            await client.delete_records({where: RecordsToDelete(6)})
            assert await log.start_offset(POINTS, 0) == 6
            assert [r.offset for r in await log.read(POINTS, 0, 1, 1000)] == [6, 7, 8, 9]
            assert [r.offset for r in await read_all(log)] == [6, 7, 8, 9]

    within(check())


def test_records_deleted_before_a_follower_read_them(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings) as log, admin(kafka_settings) as client:
            for _ in range(5):
                await log.append(POINTS, 0, b"x")
            assert len(await log.read(POINTS, 0, 0, 1000)) == 5
            assert await log.read(POINTS, 0, 5, 1000) == []
            for _ in range(5):
                await log.append(POINTS, 0, b"x")
            await client.delete_records({TopicPartition(kafka_settings.topic(POINTS), 0): RecordsToDelete(8)})
            with pytest.raises(LogDamagedError, match=r"starts at offset 8.*from 5 on were deleted"):
                await log.read(POINTS, 0, 5, 1000)

    within(check())
