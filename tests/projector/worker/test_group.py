"""A worker in its consumer group, over a real broker: neither what the group committed nor what Faust does matters."""

import asyncio
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from compose.kafka import KafkaBroker
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.kafka.groups import GroupOffsets
from ingest.log import LogUnavailableError, Topic
from projector.worker import offered
from projector.worker.faust import app as faust_app
from projector.worker.faust.thread import SESSION_SECONDS
from projector.worker.partition_service import PartitionService
from tests.ingest.kafka.support import batch, foreign_producer, produce_batch
from tests.ingest.kafka.support import opened as opened_log
from tests.projector.worker.support import (
    Applied,
    Member,
    append_all,
    digests,
    folded_afresh,
    member,
    opened,
    point,
    until,
    within,
)
from tests.support.kafka import settings_for

pytestmark = pytest.mark.kafka

POINTS = Topic.POINTS


def applied_offset(member: Member, partition: int = 0) -> int:
    return member.worker.positions().get((POINTS, partition), 0) - 1


async def _until_applied(log: KafkaLog, member: Member, partition: int = 0) -> None:
    # Not the end offset: the last offsets may be without a record.
    last = -1
    while records := await log.read(POINTS, partition, last + 1, 1 << 20):
        last = records[-1].offset
    await until(lambda: applied_offset(member, partition) >= last)


async def _fits(log: KafkaLog, folder: Path, applied: Applied) -> None:
    """Nothing was applied twice or out of order, and the state is what the log says."""
    assert all(earlier < later for earlier, later in pairwise(applied.offsets()))
    assert await digests(log, folder / "state") == await folded_afresh(log, folder / "afresh")


async def _live(member: Member) -> None:
    """Wait until what comes is handed on by Faust."""
    await until(lambda: bool(member.points()))
    await until(lambda: member.app.consumer.flow_active and bool(member.app.consumer.assignment()))


@pytest.mark.parametrize("committed", [None, 0, 3, 40, 1_000_000])
def test_what_the_group_committed_does_not_matter(
    kafka_settings: KafkaSettings, tmp_path: Path, committed: int | None
) -> None:
    async def check() -> None:
        applied = Applied()
        async with opened_log(kafka_settings) as log:
            await append_all(log, [opened(), *map(point, range(20))])
            async with member(kafka_settings, tmp_path / "state", applied):
                await until(lambda: applied.offsets()[-1:] == [20])
            await append_all(log, [*map(point, range(20))])
            if committed is not None:
                groups = await GroupOffsets.open(kafka_settings)
                await groups.commit(f"{kafka_settings.prefix}.group", {(POINTS, 0): committed})
                await groups.close()
            async with member(kafka_settings, tmp_path / "state", applied) as second:
                await _live(second)
                await append_all(log, [*map(point, range(20))])
                await _until_applied(log, second)
                await asyncio.sleep(0.2)
            await _fits(log, tmp_path, applied)

    within(check())


def test_committed_offsets_follow_the_applied_ones(
    kafka_settings: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faust_app, "COMMIT_EVERY_SECONDS", 0.1)

    async def check() -> None:
        async with opened_log(kafka_settings) as log:
            groups = await GroupOffsets.open(kafka_settings)
            async with member(kafka_settings, tmp_path / "state", Applied()) as worker:
                await _live(worker)
                await append_all(log, [opened(), *map(point, range(30))])
                group = f"{kafka_settings.prefix}.group"
                while (await groups.committed(group)).get((POINTS, 0)) != 31:
                    await asyncio.sleep(0.02)
            await groups.close()

    within(check())


def test_offsets_of_what_was_taken_away_are_not_committed(
    kafka_settings: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        async with member(kafka_settings, tmp_path / "state", Applied()) as made:
            await _live(made)
            monkeypatch.setattr(made.worker, "positions", lambda: {(Topic.POINTS, 99): 5})
            await made.app.commit_applied()

    within(check())


def test_a_failure_to_commit_that_was_not_foreseen_ends_the_worker(
    kafka_settings: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def commit_applied() -> None:
        raise RuntimeError("not foreseen")

    async def check() -> None:
        async with member(kafka_settings, tmp_path / "state", Applied()) as made:
            await _live(made)
            monkeypatch.setattr(made.app, "commit_applied", commit_applied)
            await until(lambda: isinstance(made.failure, RuntimeError))

    within(check())


def test_who_stops_has_left_the_group(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    """So that others need not wait until it is taken for dead."""

    async def check() -> None:
        async with member(kafka_settings, tmp_path / "state", Applied()) as worker:
            await _live(worker)
        # Brokers take this only of a group without members; it is tried for less time than a session lasts.
        groups = await GroupOffsets.open(kafka_settings.model_copy(update={"timeout": SESSION_SECONDS / 4}))
        await groups.commit(f"{kafka_settings.prefix}.group", {(POINTS, 0): 0})
        await groups.close()

    within(check())


def test_records_that_the_consumer_cannot_decode(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    """Clients in C put any bytes into names of headers. aiokafka's consumer raises, whatever came before it."""

    async def check() -> None:
        applied = Applied()
        async with opened_log(kafka_settings) as log, member(kafka_settings, tmp_path / "state", applied) as worker:
            await _live(worker)
            await append_all(log, [opened(), *map(point, range(5))])
            await produce_batch(kafka_settings, POINTS, batch(0, [b"a", b"b", b"c"], b"\xff\xfe\xfd\xfc"))
            await append_all(log, [*map(point, range(5))])
            await _until_applied(log, worker)
            assert worker.failure is None
            await append_all(log, [*map(point, range(5))])
            await _until_applied(log, worker)
            assert len(await log.read(Topic.REJECTED, 0, 0, 1 << 20)) == 3
        await _fits_after(kafka_settings, tmp_path, applied)

    within(check())


async def _fits_after(settings: KafkaSettings, folder: Path, applied: Applied) -> None:
    async with opened_log(settings) as log:
        await _fits(log, folder, applied)


def test_transactions_leave_gaps(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    async def check() -> None:
        applied = Applied()
        async with (
            opened_log(kafka_settings) as log,
            foreign_producer(kafka_settings, transactional_id=kafka_settings.prefix) as producer,
            member(kafka_settings, tmp_path / "state", applied) as worker,
        ):
            await _live(worker)
            await append_all(log, [opened()])
            name = kafka_settings.topic(POINTS)
            for number in range(12):
                await producer.begin_transaction()
                for _ in range(3):
                    await producer.send_and_wait(name, point(number), partition=0)
                await (producer.abort_transaction() if number % 3 == 0 else producer.commit_transaction())
                await append_all(log, [point(number + 500)])
            await _until_applied(log, worker)
        await _fits_after(kafka_settings, tmp_path, applied)

    within(check())


def test_more_comes_than_is_held(
    kafka_settings: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offered, "FULL_BYTES", 20_000)

    async def check() -> None:
        applied = Applied()
        async with opened_log(kafka_settings) as log, member(kafka_settings, tmp_path / "state", applied) as worker:
            await _live(worker)
            await append_all(log, [opened()])
            for start in range(0, 20_000, 2000):
                await append_all(log, [*map(point, range(start, start + 2000))])
            await _until_applied(log, worker)
        await _fits_after(kafka_settings, tmp_path, applied)

    within(check())


def test_partitions_are_taken_away_while_a_worker_catches_up(
    kafka_settings: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept is caught up with further; what is lost is given up halfway, and gone on with elsewhere."""
    settings = kafka_settings.model_copy(update={"partitions": 2})
    step, slow = PartitionService.step, True

    async def slow_step(self: PartitionService, end: int | None = None) -> bool:
        while slow:
            await asyncio.sleep(0.01)
        return await step(self, end)

    monkeypatch.setattr(PartitionService, "step", slow_step)

    async def check() -> None:
        nonlocal slow
        applied = Applied()
        async with opened_log(settings) as log:
            for partition in range(2):
                await append_all(log, [opened(partition, 2), *[point(n, partition) for n in range(200)]], partition)
            async with member(settings, tmp_path / "state", applied, "first") as first:
                await until(lambda: len(first.worker.positions()) == 3)
                assert first.points() == []
                async with member(settings, tmp_path / "state", applied, "second") as second:
                    await until(lambda: len(second.worker.positions()) >= 1 and len(first.worker.positions()) <= 2)
                    slow = False
                    await until(lambda: sorted([*first.points(), *second.points()]) == [0, 1])
                    for partition in range(2):
                        await append_all(log, [point(n, partition) for n in range(50)], partition)
                        has = first if partition in first.points() else second
                        await _until_applied(log, has, partition)
                    assert first.failure is None
                    assert second.failure is None
            for partition in range(2):
                offsets = applied.offsets(partition)
                assert all(earlier < later for earlier, later in pairwise(offsets))
                found = await digests(log, tmp_path / "state", partition)
                assert found == await folded_afresh(log, tmp_path / "afresh", partition)

    within(check())


def test_kafka_is_killed_and_comes_back(own_broker: KafkaBroker, tmp_path: Path) -> None:
    settings = settings_for(own_broker, timeout=2.0)

    async def check() -> None:
        applied = Applied()
        async with opened_log(settings) as log, member(settings, tmp_path / "state", applied) as worker:
            await _live(worker)
            await append_all(log, [opened(), *map(point, range(100))])
            for _ in range(2):
                await asyncio.to_thread(own_broker.kill)
                with suppress(LogUnavailableError):
                    await log.append(POINTS, 0, point(1))
                await asyncio.to_thread(own_broker.restart)
                while True:
                    try:
                        await append_all(log, [*map(point, range(50))])
                        break
                    except LogUnavailableError:
                        continue
                await _until_applied(log, worker)
                assert worker.failure is None
            await _live(worker)
        await _fits_after(settings, tmp_path, applied)

    within(check())
