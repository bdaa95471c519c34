"""A partition of which as much waits as may: nobody brings more, whatever a rebalance makes of it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from ingest.kafka import KafkaSettings
from ingest.log import LogRecord, Topic
from projector.worker import offered, partition_work
from projector.worker.catching_up import Partition
from projector.worker.faust.app import FoldApp
from projector.worker.partition_service import PartitionService
from projector.worker.worker import Worker
from tests.projector.worker.support import Applied, opened, opener, partition_resources, point, until, within
from tests.support.memory_log import MemoryLog

PARTITION = (Topic.POINTS, 0)
RECORDS, MOST = 100, 50
"""So many records are offered, all of one size, and so many of them may wait."""


@dataclass
class Held:
    """A worker whose partition takes what is offered once ``go_on`` is set."""

    worker: Worker
    records: Sequence[LogRecord]
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    taking: list[int] = field(default_factory=list[int])
    """How many records it took, or is about to take, each time."""

    async def offer(self, first: int) -> None:
        """Offer all records, ``first`` of them when the others are not there yet."""
        self.worker.offer(PARTITION, self.records[:first])
        await until(lambda: self.taking == [first])
        self.worker.offer(PARTITION, self.records[first:])

    async def until_applied(self) -> None:
        await until(lambda: self.worker.positions()[PARTITION] == RECORDS + 1)


@asynccontextmanager
async def held_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Held]:
    """The partition is open and live; none of the records is applied."""
    # Else it would look at the log by itself, and find what was put there.
    monkeypatch.setattr(partition_work, "LOOK_SECONDS", 1e6)
    log = MemoryLog()
    log.put(*PARTITION, opened())
    async with partition_resources(log, folder, Applied()) as resources:
        worker = Worker(opener(resources))
        try:
            await worker.assign([PARTITION], lambda: False)
            worker.set_live(True)
            for _ in range(RECORDS):
                log.put(*PARTITION, point(1))
            held = Held(worker, await log.read(*PARTITION, 1, 1 << 30))
            take = PartitionService.take

            async def take_when_let(service: PartitionService, records: Sequence[LogRecord]) -> None:
                held.taking.append(len(records))
                await held.go_on.wait()
                await take(service, records)

            monkeypatch.setattr(PartitionService, "take", take_when_let)
            monkeypatch.setattr(offered, "FULL_BYTES", MOST * held.records[0].size)
            yield held
        finally:
            await worker.close()


def test_what_waits_is_dropped_when_nothing_is_offered_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        told: list[bool] = []

        def on_full(partition: Partition, full: bool) -> None:
            told.append(full)

        async with held_up(tmp_path, monkeypatch) as held:
            held.worker.on_full = on_full
            await held.offer(10)
            assert held.worker.full == [PARTITION]
            held.worker.set_live(False)
            assert held.worker.full == []
            assert told == [True, False]
            held.go_on.set()
            await held.until_applied()
            assert held.taking == [10]

    within(check())


def test_what_is_being_applied_counts_until_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        async with held_up(tmp_path, monkeypatch) as held:
            await held.offer(60)
            held.worker.set_live(False)
            assert held.worker.full == [PARTITION]
            held.go_on.set()
            await until(lambda: not held.worker.full)
            await held.until_applied()
            held.go_on.clear()
            held.worker.offer(PARTITION, held.records[: MOST - 1])
            assert not held.worker.full
            held.worker.offer(PARTITION, held.records[:1])
            assert held.worker.full == [PARTITION]

    within(check())


def test_faust_is_told_again_after_a_rebalance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        async with held_up(tmp_path, monkeypatch) as held:
            settings = KafkaSettings(bootstrap_servers="localhost:1")
            app = FoldApp(settings, "group", held.worker)
            given = TP(settings.topic(Topic.POINTS), 0)
            consumer: Any = app.consumer
            consumer._set_active_tps({given})
            await held.offer(60)
            assert consumer._get_active_partitions() == set()
            # What Faust does in a rebalance.
            held.worker.set_live(False)
            consumer._set_active_tps({given})
            consumer.resume_partitions({given})
            app.begin()
            assert consumer._get_active_partitions() == set()
            held.go_on.set()
            await until(lambda: consumer._get_active_partitions() == {given})

    within(check())
