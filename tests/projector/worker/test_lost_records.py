"""A log that lost records which a fold has yet to apply ends the fold; offsets that never had a record don't."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from ingest.kafka import KafkaSettings
from ingest.log import Topic
from projector.state.origin import LogTruncatedError
from projector.worker import partition_work
from projector.worker.catching_up import CatchingUp
from projector.worker.following import FoldService
from projector.worker.partition_service import PartitionService
from projector.worker.partition_work import PartitionWork
from tests.ingest.kafka.support import admin
from tests.ingest.kafka.support import opened as opened_log
from tests.projector.worker.support import (
    Applied,
    append_all,
    opened,
    opener,
    partition_resources,
    point,
    until,
    within,
)
from tests.support.memory_log import MemoryLog

PARTITIONS = [(Topic.POINTS, 0), (Topic.CATALOG, 0)]
CATALOG_RECORD = b"rejected, which is as good here"
MESSAGE = "starts at offset {}, but the state needs offset {} next"


async def step(service: FoldService) -> None:
    await service.step()


async def step_to_the_end(service: FoldService) -> None:
    await service.step(await service.end_offset())


async def take_later_ones(service: FoldService) -> None:
    log = MemoryLog()
    for _ in range(7):
        log.put(Topic.POINTS, 0, point(0))
    await service.take(await log.read(Topic.POINTS, 0, 6, 1 << 20))


@asynccontextmanager
async def _three_applied(log: MemoryLog, partition: tuple[Topic, int], folder: Path) -> AsyncGenerator[FoldService]:
    async with partition_resources(log, folder, Applied()) as resources:
        _put(log, partition, 3)
        service = await opener(resources)(partition)
        try:
            assert await service.step()
            yield service
        finally:
            await service.close()


@pytest.mark.parametrize("go_on", [step, step_to_the_end, take_later_ones])
@pytest.mark.parametrize("left", [2, 0])
@pytest.mark.parametrize("partition", PARTITIONS)
def test_records_that_were_deleted_before_they_were_applied(
    partition: tuple[Topic, int], left: int, go_on: Callable[[FoldService], Awaitable[None]], tmp_path: Path
) -> None:
    async def check() -> None:
        log = MemoryLog()
        async with _three_applied(log, partition, tmp_path) as service:
            _put(log, partition, 4)
            log.drop_before(*partition, 7 - left)
            with pytest.raises(LogTruncatedError, match=MESSAGE.format(7 - left, 3)):
                await go_on(service)
            assert service.applied == 2

    within(check())


@pytest.mark.parametrize("partition", PARTITIONS)
def test_offsets_without_a_record_are_passed_over(partition: tuple[Topic, int], tmp_path: Path) -> None:
    async def check() -> None:
        log = MemoryLog()
        async with _three_applied(log, partition, tmp_path) as service:
            log.drop_before(*partition, 3)
            log.skip(*partition, 2)
            assert not await service.step()
            _put(log, partition, 1)
            assert await service.step()
            assert service.applied == 5

    within(check())


@pytest.mark.parametrize("left", [2, 0])
@pytest.mark.parametrize("live", [True, False])
def test_a_fold_that_runs_notices(live: bool, left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_work, "LOOK_SECONDS", 0.02)

    async def check() -> None:
        log, partition = MemoryLog(), (Topic.POINTS, 0)
        async with partition_resources(log, tmp_path, Applied()) as resources:
            _put(log, partition, 3)
            open_service = opener(resources)
            work = PartitionWork(
                partition, lambda: open_service(partition), CatchingUp(), lambda: None, asyncio.Semaphore(1)
            )
            try:
                work.set_live(live)
                await until(lambda: work.caught_up)
                _put(log, partition, 4)
                log.drop_before(*partition, 7 - left)
                with pytest.raises(LogTruncatedError, match=MESSAGE.format(7 - left, 3)):
                    await work.task
            finally:
                with suppress(LogTruncatedError):
                    await work.close()

    within(check())


@pytest.mark.kafka
@pytest.mark.parametrize("left", [2, 0])
def test_records_that_were_deleted_in_kafka(left: int, kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    async def check() -> None:
        async with (
            opened_log(kafka_settings) as log,
            admin(kafka_settings) as client,
            partition_resources(log, tmp_path, Applied()) as resources,
        ):
            service = await PartitionService.open(resources, 0)
            try:
                await append_all(log, [opened(), *map(point, range(6))])
                where = TopicPartition(kafka_settings.topic(Topic.POINTS), 0)
                await client.delete_records({where: RecordsToDelete(7 - left)})
                with pytest.raises(LogTruncatedError, match=MESSAGE.format(7 - left, 0)):
                    await service.step()
                assert service.applied == -1
            finally:
                await service.close()

    within(check())


def _put(log: MemoryLog, partition: tuple[Topic, int], records: int) -> None:
    for _ in range(records):
        end = len(log.values(*partition))
        value = CATALOG_RECORD if partition[0] is Topic.CATALOG else point(end) if end else opened()
        log.put(*partition, value)
