"""Relaying over a real broker: records are forwarded, and how far it is can be seen in Kafka."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from ingest.kafka import KafkaLog, KafkaSettings
from ingest.kafka.groups import GroupOffsets
from ingest.log import Topic
from ingest.outcomes import Rejection
from ingest.router import Router
from projector.state.store import PartitionState
from projector.worker.outbox_relay import OutboxRelay, RelayResources, outbox_relays
from projector.worker.partition_runner import PartitionRunner, ignore_frame
from projector.worker.rejected import ORIGIN_HEADER, send_rejected
from projector.worker.router_offsets import RouterOffsets
from schemas.records import Origin, PointsRecord, ShardOpened, decode_partition_record, encode_record
from tests.support.memory_catalog import MemoryCatalog

pytestmark = pytest.mark.kafka
POINTS = Topic.POINTS


class Worker:
    """Folds and routes points-0; what is at home is in points-1."""

    def __init__(self, log: KafkaLog, progress: GroupOffsets, group: str, folder: Path) -> None:
        self.log = log
        self.progress = progress
        self.group = group
        self.catalog = MemoryCatalog()
        self.folder = folder
        self.entry = self.catalog.create("things", 7, [1])

    async def reject(self, rejections: Sequence[Rejection]) -> None:
        await send_rejected(self.log, POINTS, rejections)

    async def work(self) -> int:
        """Until all of points-0 is routed, and closed again; how many records it had to route."""
        state = PartitionState.open(self.folder, self.log.identity)
        try:
            async with asyncio.TaskGroup() as group:
                return await self._work(state, group)
        finally:
            state.close()

    async def _work(self, state: PartitionState, group: asyncio.TaskGroup) -> int:
        router = Router(self.log, self.catalog, self.catalog.catch_up, self.reject)
        routed = RouterOffsets(self.log, self.progress, self.group)
        shared = RelayResources(routed, router, self.reject, group.create_task, 0.01)
        relay = await outbox_relays(shared)(0, state)
        assert isinstance(relay, OutboxRelay)
        runner = PartitionRunner(self.log, 0, state, ignore_frame, reject=relay.reject, to_relay=relay.to_relay)
        await runner.catch_up(await self.log.end_offset(POINTS, 0))
        found = len(state.outbox(0))
        relay.applied([])
        while state.outbox(0):
            await asyncio.sleep(0.01)
        await relay.close()
        return found

    async def committed(self) -> int:
        return (await self.progress.committed(self.group))[POINTS, 0]


def foreign(name: str, point: int) -> bytes:
    return msgspec.json.encode({"collection_name": name, "id": point, "vector": [1.0]})


def test_forwarded_once_and_the_offset_committed(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    group = f"{kafka_settings.prefix}.router"

    async def check() -> None:
        log = await KafkaLog.open(kafka_settings.model_copy(update={"partitions": 2}))
        progress = await GroupOffsets.open(kafka_settings)
        worker = Worker(log, progress, group, tmp_path / "state")
        entry = worker.entry
        opened = ShardOpened(seq=1, uid=7, shard=0, name="things", config=entry.config, shard_map=[1])
        await log.append(POINTS, 1, encode_record(opened))
        for number in range(40):
            await log.append(POINTS, 0, foreign("nowhere" if number == 20 else "things", number))
        assert await worker.work() == 40
        assert await worker.committed() == 40
        forwarded = await log.read(POINTS, 1, 1, 1 << 20)
        decoded = [decode_partition_record(record.value or b"") for record in forwarded]
        origins = [record.origin for record in decoded if isinstance(record, PointsRecord)]
        assert origins == [Origin(0, number, 0) for number in range(40) if number != 20]
        (rejected,) = await log.read(Topic.REJECTED, 0, 0, 1 << 20)
        assert rejected.value == foreign("nowhere", 20)
        assert dict(rejected.headers)[ORIGIN_HEADER] == b"points/0/20"

        worker.folder = tmp_path / "rebuilt"
        await log.append(POINTS, 0, foreign("things", 40))
        assert await worker.work() == 1
        assert await worker.committed() == 41
        assert await log.end_offset(POINTS, 1) == 1 + 40
        await progress.close()
        await log.close()

    asyncio.run(asyncio.wait_for(check(), 120))
