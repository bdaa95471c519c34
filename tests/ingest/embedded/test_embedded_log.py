"""Appending, reading and waiting, as the Log port promises them."""

import asyncio
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.disk import Disk
from ingest.embedded import EmbeddedLog
from ingest.embedded.group_commit import ALONE
from ingest.embedded.log import REJECTED_EXTRA_BYTES
from ingest.log import Log, LogUnavailableError, RecordTooLargeError, Topic
from tests.ingest.embedded.support import (
    POINTS,
    FaultyDisk,
    append_each,
    append_together,
    opened,
    read_all,
    within,
)
from tests.support.examples import tries


def test_it_is_a_log(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, 3) as embedded:
            log: Log = embedded
            assert [log.partitions(topic) for topic in (Topic.CATALOG, POINTS, Topic.REJECTED)] == [1, 3, 1]
            assert await log.start_offset(POINTS, 2) == await log.end_offset(POINTS, 2) == 0
            assert await log.read(POINTS, 2, 0, 1000) == []

    within(check())


@pytest.mark.parametrize("recent_bytes", [0, 1000, 1 << 20])
def test_what_was_appended_is_read(tmp_path: Path, recent_bytes: int) -> None:
    async def check() -> None:
        async with opened(tmp_path, 2, recent_bytes=recent_bytes) as log:
            headers = (("a", b"1"), ("a", b""))
            assert await log.append(POINTS, 1, b"value", key=b"", headers=headers) == 0
            assert await log.append(POINTS, 1, None, key=b"key") == 1
            assert await log.append(POINTS, 0, b"elsewhere") == 0
            first, second = await log.read(POINTS, 1, 0, 1000)
            assert (first.partition, first.offset, first.key, first.value) == (1, 0, b"", b"value")
            assert first.headers == headers
            assert (second.offset, second.key, second.value, second.headers) == (1, b"key", None, ())
            assert first.timestamp_ms > 1_600_000_000_000
            assert await log.read(POINTS, 1, 1, 1000) == [second]
            assert await log.read(POINTS, 1, -5, 1) == [first]
            assert await log.read(POINTS, 1, 2, 1000) == await log.read(POINTS, 1, 99, 1000) == []

    within(check())


@pytest.mark.parametrize("recent_bytes", [0, 1 << 20])
def test_a_read_returns_about_as_much_as_was_asked_for(tmp_path: Path, recent_bytes: int) -> None:
    async def check() -> None:
        async with opened(tmp_path, recent_bytes=recent_bytes) as log:
            await append_together(log, [bytes(952)] * 20)
            assert len(await log.read(POINTS, 0, 3, 5000)) == 5
            assert len(await log.read(POINTS, 0, 18, 5000)) == 2
            assert len(await log.read(POINTS, 0, 3, 0)) == 1

    within(check())


def test_concurrent_appends_share_syncs(tmp_path: Path) -> None:
    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk) as log:
            before = faulty.syncs
            assert await append_together(log, [b"%d" % i for i in range(100)]) == list(range(100))
            assert faulty.syncs == before + 1
            await append_each(log, [b"x"] * 5)
            assert faulty.syncs == before + 6

    within(check())


def test_each_partition_that_was_written_is_synced_once(tmp_path: Path) -> None:
    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, 3, disk=faulty.disk) as log:
            before = faulty.syncs
            offsets = await asyncio.gather(*[log.append(POINTS, i % 2, b"x") for i in range(10)])
            assert offsets == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
            assert faulty.syncs == before + 2

    within(check())


def test_a_record_can_be_read_when_its_append_returns_and_not_before(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path) as log:

            async def append() -> None:
                offset = await log.append(POINTS, 0, b"x")
                assert (await log.read(POINTS, 0, offset, 1))[0].offset == offset

            appends = asyncio.gather(*[append() for _ in range(50)])
            assert await log.end_offset(POINTS, 0) == 0
            await appends
            assert await log.end_offset(POINTS, 0) == 50

    within(check())


def test_waiting(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path) as log:
            waits = [asyncio.create_task(log.wait(POINTS, 0, offset)) for offset in (0, 1, 0)]
            await log.append(POINTS, 0, b"x")
            await waits[0]
            await waits[2]
            assert not waits[1].done()
            await log.append(POINTS, 0, b"x")
            await waits[1]
            await log.wait(POINTS, 0, 1)
            abandoned = asyncio.create_task(log.wait(POINTS, 0, 5))
            await asyncio.sleep(0)
            abandoned.cancel()
            await append_each(log, [b"x"] * 5)
            assert abandoned.cancelled()

    within(check())


def test_closing_finishes_appends_and_ends_waits(tmp_path: Path) -> None:
    async def check() -> None:
        log = await EmbeddedLog.open(tmp_path, queue_bytes=200)
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
        async with opened(tmp_path) as again:
            assert await again.end_offset(POINTS, 0) == 20

    within(check())


def test_queued_bytes_are_bounded(tmp_path: Path) -> None:
    """With room for one record at a time, each is written by itself."""

    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk, queue_bytes=1500) as log:
            before = faulty.syncs
            assert await append_together(log, [bytes(1000)] * 10) == list(range(10))
            assert faulty.syncs == before + 10
            assert await append_together(log, [bytes(5000)]) == [10]

    within(check())


def test_a_cancelled_append_disturbs_no_other(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, queue_bytes=100) as log:
            tasks = [asyncio.create_task(log.append(POINTS, 0, b"%d" % i)) for i in range(6)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            values = [record.value for record in await read_all(log)]
            for i in (1, 3, 5):
                assert values[int(str(done[i]))] == b"%d" % i
            assert len(set(values)) == len(values)
            await append_each(log, [b"later"])

    within(check())


def test_appends_that_are_given_up_together_leave_room_for_others(tmp_path: Path) -> None:
    async def check() -> None:
        may_sync = threading.Event()
        may_sync.set()

        def sync(fd: int) -> None:
            may_sync.wait()

        async with opened(tmp_path, disk=Disk(sync=sync), queue_bytes=1000) as log:
            may_sync.clear()
            # The second doesn't fit beside the first; the third, behind it, would.
            first, *given_up = [asyncio.create_task(log.append(POINTS, 0, bytes(size))) for size in (700, 500, 100)]
            await asyncio.sleep(0)
            for task in given_up:
                task.cancel()
            await asyncio.wait(given_up)
            may_sync.set()
            assert all(task.cancelled() for task in given_up)
            assert await first == 0
            assert await append_together(log, [bytes(900)] * 2) == [1, 2]

    within(check())


def test_a_record_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, max_record_bytes=1048) as log:
            assert await log.append(POINTS, 0, bytes(1000)) == 0
            with pytest.raises(RecordTooLargeError, match=r"1049 bytes.*1048"):
                await log.append(POINTS, 0, bytes(1000), key=b"x")
            assert await log.append(Topic.REJECTED, 0, bytes(1000 + REJECTED_EXTRA_BYTES)) == 0
            with pytest.raises(RecordTooLargeError):
                await log.append(Topic.REJECTED, 0, bytes(1001 + REJECTED_EXTRA_BYTES))
        async with opened(tmp_path, max_record_bytes=100) as log:
            assert (await log.read(POINTS, 0, 0, 1))[0].value == bytes(1000)

    within(check())


def test_headers_have_limits(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path) as log:
            with pytest.raises(RecordTooLargeError, match="65535 headers"):
                await log.append(POINTS, 0, b"", headers=(("a", b""),) * 65536)
            with pytest.raises(RecordTooLargeError, match="name of a header"):
                await log.append(POINTS, 0, b"", headers=(("a" * 65536, b""),))

    within(check())


def test_a_partition_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path) as log:
            with pytest.raises(ValueError, match="points has 1 partitions, and no 1"):
                await log.append(POINTS, 1, b"x")

    within(check())


@pytest.mark.parametrize("option", ["segment_bytes", "max_record_bytes", "queue_bytes"])
def test_sizes_are_checked(tmp_path: Path, option: str) -> None:
    async def check() -> None:
        with pytest.raises(ValueError, match=r"segments|max_record_bytes"):
            async with opened(tmp_path, **{option: 0}):
                pass

    within(check())


appended = st.tuples(st.just("append"), st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=300)), max_size=6))
reopened = st.tuples(st.just("reopen"), st.just([]))
looked_up = st.tuples(st.just("read"), st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=20)), max_size=3))


@settings(max_examples=tries(40), deadline=None)
@given(
    st.lists(st.one_of(appended, reopened, looked_up), max_size=25), st.integers(1, 2000), st.sampled_from([0, 2000])
)
def test_it_behaves_as_lists_do(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, list[tuple[int, bytes]]]],
    segment_bytes: int,
    recent_bytes: int,
) -> None:
    folder = tmp_path_factory.mktemp("log")
    model: list[list[bytes]] = [[], []]

    async def step(log: EmbeddedLog, action: str, items: list[tuple[int, bytes]]) -> None:
        if action == "append":
            offsets = await asyncio.gather(*[log.append(POINTS, partition, value) for partition, value in items])
            for (partition, value), offset in zip(items, offsets, strict=True):
                assert offset == len(model[partition])
                model[partition].append(value)
        for number, size in items if action == "read" else []:
            for partition in (0, 1):
                found = await log.read(POINTS, partition, number, len(size) * 50)
                expected = model[partition][number:]
                assert bool(found) == bool(expected)
                assert [record.value for record in found] == expected[: len(found)]

    async def check() -> None:
        remaining = list(steps)
        while True:
            async with opened(folder, 2, segment_bytes=segment_bytes, recent_bytes=recent_bytes) as log:
                while remaining and remaining[0][0] != "reopen":
                    await step(log, *remaining.pop(0))
                for partition in (0, 1):
                    assert await log.end_offset(POINTS, partition) == len(model[partition])
                    records = await read_all(log, partition=partition, max_bytes=500)
                    assert [record.value for record in records] == model[partition]
                    assert [record.offset for record in records] == list(range(len(records)))
            if not remaining:
                return
            remaining.pop(0)

    within(check())


def test_appends_share_syncs_again_once_they_are_many(tmp_path: Path) -> None:
    """One that follows many that came alone is written at once; the others of its turn wait for it together."""

    async def check() -> None:
        faulty = FaultyDisk()
        async with opened(tmp_path, disk=faulty.disk) as log:
            await append_each(log, [b"alone"] * 2 * ALONE)
            for syncs in (2, 1, 1):
                before = faulty.syncs
                await append_together(log, [b"together"] * 10)
                assert faulty.syncs - before == syncs

    within(check())
