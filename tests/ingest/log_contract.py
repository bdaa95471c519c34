"""What the Log port promises, as tests that run against each log behind it."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import pytest

from ingest.log import Log, LogRecord, LogUnavailableError, RecordTooLargeError, Topic

POINTS = Topic.POINTS
SMALL_LIMIT = 100_000
ROOM_ON_REJECTED = 1 << 20


def within(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test; one that hangs fails."""
    asyncio.run(asyncio.wait_for(coroutine, 240))


async def read_all(log: Log, topic: Topic = POINTS, partition: int = 0, max_bytes: int = 1) -> list[LogRecord]:
    """Every record of a partition."""
    records: list[LogRecord] = []
    offset = await log.start_offset(topic, partition)
    while found := await log.read(topic, partition, offset, max_bytes):
        records += found
        offset = found[-1].offset + 1
    return records


class OpenLog(Protocol):
    """Opens one and the same log, however often it is called."""

    async def __call__(
        self, partitions: int | None = None, *, max_record_bytes: int = ..., queue_bytes: int = ...
    ) -> Log: ...


class LogContract:
    """Derived classes have a fixture ``open_log``."""

    @pytest.fixture
    @abstractmethod
    def open_log(self) -> OpenLog: ...

    def test_a_new_log_is_empty(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log(3)) as log:
                assert [log.partitions(topic) for topic in (Topic.CATALOG, POINTS, Topic.REJECTED)] == [1, 3, 1]
                for partition in range(3):
                    assert await log.start_offset(POINTS, partition) == await log.end_offset(POINTS, partition) == 0
                    assert await log.read(POINTS, partition, 0, 1000) == []

        within(check())

    def test_what_was_appended_is_read(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log(2)) as log:
                headers = (("a", b"1"), ("a", b""), ("ü", bytes(range(256))))
                assert await log.append(POINTS, 1, b"value", key=b"", headers=headers) == 0
                assert await log.append(POINTS, 1, None, key=b"key") == 1
                assert await log.append(POINTS, 1, None) == 2
                assert await log.append(POINTS, 1, b"") == 3
                assert await log.append(POINTS, 0, b"elsewhere") == 0
                first, second, third, fourth = await log.read(POINTS, 1, 0, 1000)
                assert (first.partition, first.offset, first.key, first.value) == (1, 0, b"", b"value")
                assert first.headers == headers
                assert (second.offset, second.key, second.value, second.headers) == (1, b"key", None, ())
                assert (third.offset, third.key, third.value) == (2, None, None)
                assert (fourth.offset, fourth.key, fourth.value) == (3, None, b"")
                assert first.timestamp_ms > 1_600_000_000_000

        within(check())

    def test_reading_starts_anywhere(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:
                for i in range(10):
                    await log.append(POINTS, 0, b"%d" % i)
                for offset in (4, 9, 0, 5, 4, -5, 9, 8):
                    records = await log.read(POINTS, 0, offset, 1000)
                    assert [record.offset for record in records] == list(range(max(offset, 0), 10))
                assert await log.read(POINTS, 0, 10, 1000) == []
                assert await log.read(POINTS, 0, 99, 1000) == []
                assert (await log.read(POINTS, 0, 3, 1))[0].value == b"3"

        within(check())

    def test_a_read_returns_about_as_much_as_was_asked_for(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:
                await asyncio.gather(*[log.append(POINTS, 0, bytes(952)) for _ in range(20)])
                assert 4 <= len(await log.read(POINTS, 0, 3, 5000)) <= 6
                assert len(await log.read(POINTS, 0, 18, 5000)) == 2
                assert len(await log.read(POINTS, 0, 3, 0)) == 1
                assert [r.offset for r in await read_all(log, max_bytes=3000)] == list(range(20))

        within(check())

    def test_concurrent_appends_each_have_their_offset(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log(3)) as log:
                values = [(i % 3, b"%d" % i) for i in range(300)]
                offsets = await asyncio.gather(*[log.append(POINTS, partition, value) for partition, value in values])
                for partition in range(3):
                    records = await read_all(log, partition=partition, max_bytes=1000)
                    assert [record.offset for record in records] == list(range(100))
                    found = {record.offset: record.value for record in records}
                    for (where, value), offset in zip(values, offsets, strict=True):
                        assert where != partition or found[offset] == value

        within(check())

    def test_each_task_keeps_its_order(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:

                async def write(task: int) -> None:
                    offsets = [await log.append(POINTS, 0, b"%d" % i, key=b"%d" % task) for i in range(20)]
                    assert offsets == sorted(offsets)

                await asyncio.gather(*[write(task) for task in range(5)])
                records = await read_all(log, max_bytes=500)
                for task in range(5):
                    mine = [record.value for record in records if record.key == b"%d" % task]
                    assert mine == [b"%d" % i for i in range(20)]

        within(check())

    def test_a_record_can_be_read_when_its_append_returns(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:

                async def append() -> None:
                    offset = await log.append(POINTS, 0, b"x")
                    assert (await log.read(POINTS, 0, offset, 1))[0].offset == offset
                    assert await log.end_offset(POINTS, 0) > offset

                await asyncio.gather(*[append() for _ in range(50)])
                assert await log.end_offset(POINTS, 0) == 50

        within(check())

    def test_the_offset_of_a_time(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log(2)) as log:
                assert await log.offset_at(POINTS, 0, 0) == await log.offset_at(POINTS, 0, 1 << 45) == 0
                for i in range(4):
                    await asyncio.gather(*[log.append(POINTS, 0, b"%d" % i) for _ in range(3)])
                    before = time.time_ns() // 1_000_000
                    while time.time_ns() // 1_000_000 <= before:
                        await asyncio.sleep(0.001)
                times = [record.timestamp_ms for record in await read_all(log)]
                assert times == sorted(times)
                assert len(set(times)) >= 4
                for at in {0, *times, *[at + 1 for at in times], *[at - 1 for at in times]}:
                    expected = next((offset for offset, found in enumerate(times) if found >= at), 12)
                    assert await log.offset_at(POINTS, 0, at) == expected
                assert await log.offset_at(POINTS, 1, times[0]) == 0

        within(check())

    def test_waiting(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:
                waits = [asyncio.create_task(log.wait(POINTS, 0, offset)) for offset in (0, 1, 0)]
                await asyncio.sleep(0.05)
                await log.append(POINTS, 0, b"x")
                await waits[0]
                await waits[2]
                assert not waits[1].done()
                await log.append(POINTS, 0, b"x")
                await waits[1]
                await log.wait(POINTS, 0, 1)
                await log.wait(POINTS, 0, 0)

        within(check())

    def test_a_wait_that_is_cancelled_disturbs_no_other(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:
                first, second = (asyncio.create_task(log.wait(POINTS, 0, 2)) for _ in range(2))
                await asyncio.sleep(0.05)
                first.cancel()
                with suppress(asyncio.CancelledError):
                    await first
                for _ in range(3):
                    await log.append(POINTS, 0, b"x")
                await second

        within(check())

    def test_reading_and_waiting_side_by_side(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:
                for i in range(5):
                    await log.append(POINTS, 0, b"%d" % i)
                wait = asyncio.create_task(log.wait(POINTS, 0, 5))
                await asyncio.sleep(0.05)
                for offset in (0, 4, 2):
                    assert (await log.read(POINTS, 0, offset, 1))[0].offset == offset
                assert not wait.done()
                await log.append(POINTS, 0, b"5")
                await wait
                assert [record.offset for record in await read_all(log)] == list(range(6))

        within(check())

    def test_a_follower_sees_every_record_once(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:
                seen: list[int] = []

                async def follow() -> None:
                    while len(seen) < 200:
                        records = await log.read(POINTS, 0, len(seen), 1000)
                        seen.extend(record.offset for record in records)
                        if not records:
                            await log.wait(POINTS, 0, len(seen))

                following = asyncio.create_task(follow())
                for _ in range(50):
                    await log.append(POINTS, 0, b"one")
                for _ in range(15):
                    await asyncio.gather(*[log.append(POINTS, 0, bytes(100)) for _ in range(10)])
                await following
                assert seen == list(range(200))

        within(check())

    def test_large_records(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:
                values = [bytes([i]) * size for i, size in enumerate((10, 3 << 20, 1, 20 << 20, 2 << 20, 5))]
                assert await asyncio.gather(*[log.append(POINTS, 0, value) for value in values]) == list(range(6))
                records = await read_all(log)
                assert [record.value for record in records] == values
                assert (await log.read(POINTS, 0, 3, 1))[0].value == values[3]

        within(check())

    def test_a_record_that_is_too_large_is_refused(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log(max_record_bytes=SMALL_LIMIT)) as log:
                assert await log.append(POINTS, 0, bytes(SMALL_LIMIT - 500)) == 0
                with pytest.raises(RecordTooLargeError, match=str(SMALL_LIMIT)):
                    await log.append(POINTS, 0, bytes(SMALL_LIMIT), key=b"x")
                with pytest.raises(RecordTooLargeError):
                    await log.append(POINTS, 0, None, headers=(("a", bytes(SMALL_LIMIT)),))
                assert await log.append(POINTS, 0, b"later") == 1
                on_rejected = bytes(SMALL_LIMIT - 500 + ROOM_ON_REJECTED)
                assert await log.append(Topic.REJECTED, 0, on_rejected) == 0
                assert (await log.read(Topic.REJECTED, 0, 0, 1))[0].value == on_rejected
                with pytest.raises(RecordTooLargeError):
                    await log.append(Topic.REJECTED, 0, bytes(SMALL_LIMIT + ROOM_ON_REJECTED))

        within(check())

    def test_more_may_be_appended_than_fits_the_queue(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log(queue_bytes=1500)) as log:
                offsets = await asyncio.gather(*[log.append(POINTS, 0, bytes(1000)) for _ in range(20)])
                assert offsets == list(range(20))
                assert await log.append(POINTS, 0, bytes(5000)) == 20

        within(check())

    def test_a_cancelled_append_disturbs_no_other(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log(queue_bytes=100)) as log:
                tasks = [asyncio.create_task(log.append(POINTS, 0, b"%d" % i)) for i in range(6)]
                await asyncio.sleep(0)
                for task in tasks[::2]:
                    task.cancel()
                done = await asyncio.gather(*tasks, return_exceptions=True)
                await log.append(POINTS, 0, b"later")
                values = [record.value for record in await read_all(log)]
                for i in (1, 3, 5):
                    assert values[int(str(done[i]))] == b"%d" % i
                assert len(set(values)) == len(values)

        within(check())

    def test_closing_finishes_appends_and_ends_waits(self, open_log: OpenLog) -> None:
        async def check() -> None:
            log = await open_log(queue_bytes=200)
            appends = [asyncio.create_task(log.append(POINTS, 0, bytes(100))) for _ in range(20)]
            wait = asyncio.create_task(log.wait(POINTS, 0, 100))
            await asyncio.sleep(0)
            await asyncio.gather(log.close(), log.close())
            assert [append.result() for append in appends] == list(range(20))
            with pytest.raises(LogUnavailableError, match="closed"):
                await wait
            for call in (log.append(POINTS, 0, b""), log.read(POINTS, 0, 0, 1), log.end_offset(POINTS, 0)):
                with pytest.raises(LogUnavailableError, match="closed"):
                    await call
            async with closing(await open_log()) as again:
                assert await again.end_offset(POINTS, 0) == 20

        within(check())

    def test_it_is_the_same_log_when_opened_again_and_its_partitions_may_grow(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log(2)) as log:
                identity = log.identity
                await log.append(POINTS, 1, b"kept")
            async with closing(await open_log(4)) as log:
                assert log.identity == identity
                assert log.partitions(POINTS) == 4
                assert await log.append(POINTS, 3, b"new") == 0
                assert [record.value for record in await read_all(log, partition=1)] == [b"kept"]
                assert await log.append(POINTS, 1, b"more") == 1
            async with closing(await open_log()) as log:
                assert log.partitions(POINTS) == 4

        within(check())

    def test_a_partition_that_does_not_exist_is_an_error(self, open_log: OpenLog) -> None:
        async def check() -> None:
            async with closing(await open_log()) as log:
                for partition in (1, -1):
                    with pytest.raises(ValueError, match=f"points has 1 partitions, and no {partition}"):
                        await log.append(POINTS, partition, b"x")

        within(check())


@asynccontextmanager
async def closing(log: Log) -> AsyncGenerator[Log]:
    """The log, closed at the end."""
    try:
        yield log
    finally:
        await log.close()
