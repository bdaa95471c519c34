"""Workers come, go and die while records are produced: every record is applied, in order, once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count, pairwise
from pathlib import Path

import pytest

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Topic
from tests.ingest.kafka.support import opened as opened_log
from tests.projector.worker.support import (
    Applied,
    append_all,
    digests,
    folded_afresh,
    member,
    opened,
    point,
    until,
    within,
)

pytestmark = pytest.mark.kafka

PARTITIONS = 3


@asynccontextmanager
async def producing(log: KafkaLog) -> AsyncGenerator[None]:
    """Records in all partitions, one after the other, without a pause."""
    numbers = count()

    async def produce(partition: int) -> None:
        while True:
            await log.append(Topic.POINTS, partition, point(next(numbers), partition))

    tasks = [asyncio.create_task(produce(partition)) for partition in range(PARTITIONS)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _open_shards(log: KafkaLog) -> None:
    for partition in range(PARTITIONS):
        await append_all(log, [opened(partition, PARTITIONS)], partition)


async def _check(log: KafkaLog, applied: Applied) -> None:
    """Everything was applied, in order, and nothing twice. (Digests tell of what was left out: versions are dense.)"""
    for partition in range(PARTITIONS):
        end = await log.end_offset(Topic.POINTS, partition)
        await until(lambda p=partition, e=end: applied.offsets(p)[-1:] == [e - 1])
        offsets = applied.offsets(partition)
        assert all(earlier < later for earlier, later in pairwise(offsets)), f"partition {partition}"


def test_partitions_move_back_and_forth_under_load(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    applied = Applied()
    settings = kafka_settings.model_copy(update={"partitions": PARTITIONS})

    async def check() -> None:
        async with opened_log(settings) as log, AsyncExitStack() as stack:
            await _open_shards(log)
            await stack.enter_async_context(producing(log))
            async with member(settings, tmp_path / "state", applied) as first:
                await until(lambda: len(first.points()) == PARTITIONS)
                for round in range(2):
                    async with member(settings, tmp_path / "state", applied, f"second {round}") as second:
                        await until(lambda s=second: len(s.points()) in (1, 2) and len(first.points()) in (1, 2))
                        before = len(applied.frames)
                        await until(lambda b=before: len(applied.frames) > b + 500)
                    await until(lambda: len(first.points()) == PARTITIONS)
                await stack.aclose()
                await _check(log, applied)
                assert first.failure is None
            assert len({worker for worker, _, _ in applied.frames}) == 3
            for partition in range(PARTITIONS):
                found = await digests(log, tmp_path / "state", partition)
                assert found == await folded_afresh(log, tmp_path / "afresh", partition)

    within(check())
