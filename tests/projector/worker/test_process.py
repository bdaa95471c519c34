"""``headwater projector`` as a process: it refuses what doesn't fit its state, is replaced, and stops when told to."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from compose.kafka import KafkaBroker
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import Topic
from projector.fold.effects import Effects
from projector.folders import StateFolder
from projector.frames import ShardId
from projector.state import keys
from projector.state.kv import Batch, KeyValue
from projector.state.store import PartitionState
from schemas.ids import PointId, to_key
from tests.ingest.kafka.support import admin
from tests.ingest.kafka.support import opened as opened_log
from tests.projector.worker.support import UID, append_all, opened, point
from tests.support.cluster import Cluster
from tests.support.http import Http
from tests.support.kafka import settings_for
from tests.support.server import HeadwaterProcess
from tests.support.waiting import eventually

pytestmark = pytest.mark.kafka

POINTS = Topic.POINTS


class Deployment(Cluster):
    """One projector over 21 records; nothing has it open between two calls."""

    def __init__(self, folder: Path, kafka: KafkaSettings) -> None:
        super().__init__(folder, kafka, partitions=1)
        self.run(lambda log: append_all(log, [opened(), *map(point, range(20))]))

    def run(self, act: Callable[[KafkaLog], Awaitable[object]]) -> None:
        """Do something with the log."""

        async def acting() -> None:
            async with opened_log(self.kafka) as log:
                await act(log)

        asyncio.run(acting())

    def projector(self) -> HeadwaterProcess:
        return self.projectors[0]

    def fold(self) -> None:
        """Let the projector fold everything, and stop it."""
        self.projector().start()
        assert self.projector().stop() == 0

    def refuses(self) -> str:
        """Start the projector, which ends by itself; what it said last."""
        self.projector().launch()
        return self.ended()

    def ended(self) -> str:
        """Wait for the end of the projector; what it said last."""
        assert self.projector().wait_end() == 1
        (line,) = [line for line in self.projector().last_output().splitlines() if line.startswith("headwater: ")][-1:]
        return line

    @property
    def state(self) -> Path:
        return StateFolder(self.data / "state").rocksdb(0)


@pytest.fixture
def deployment(kafka_settings: KafkaSettings, tmp_path: Path) -> Any:
    with Deployment(tmp_path, kafka_settings) as made:
        yield made


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 240))


async def _delete_topics(settings: KafkaSettings) -> None:
    async with admin(settings) as client:
        await client.delete_topics([settings.topic(topic) for topic in Topic])


async def _delete_records(settings: KafkaSettings, before: int) -> None:
    async with admin(settings) as client:
        where = TopicPartition(settings.topic(POINTS), 0)
        await client.delete_records({where: RecordsToDelete(before)})


def test_a_log_whose_next_records_were_deleted(deployment: Deployment) -> None:
    deployment.fold()
    deployment.run(lambda log: append_all(log, [*map(point, range(20))]))
    run(_delete_records(deployment.kafka, 30))
    refusal = deployment.refuses()
    assert "starts at offset 30, but the state needs offset 21 next" in refusal
    assert "Restore a newer copy of the state" in refusal


def test_a_log_whose_applied_records_were_deleted_is_fine(deployment: Deployment) -> None:
    deployment.fold()
    run(_delete_records(deployment.kafka, 21))
    deployment.fold()


def test_topics_deleted_and_made_anew(deployment: Deployment) -> None:
    deployment.fold()
    run(_delete_topics(deployment.kafka))
    refusal = deployment.refuses()
    assert "was folded from the log kafka:" in refusal
    assert "move the state folder away to rebuild it" in refusal


def test_topics_made_anew_while_it_runs(deployment: Deployment) -> None:
    deployment.projector().start()
    run(_delete_topics(deployment.kafka))
    deployment.run(lambda log: append_all(log, [opened(), *map(point, range(5))]))
    assert re.search("ahead of its log|has lost records|deleted and created again", deployment.ended())


def test_a_log_that_ends_before_the_state(deployment: Deployment) -> None:
    deployment.fold()

    async def commit(log: KafkaLog) -> None:
        state = PartitionState.open(deployment.state, log.identity)
        state.commit(Effects(99), b"lost")
        state.close()

    deployment.run(commit)
    refusal = deployment.refuses()
    assert "ahead of its log: it has applied offset 99, but the log ends at 21" in refusal
    assert "Restore the log, or move the state folder away" in refusal


def test_another_record_where_the_last_one_was(deployment: Deployment) -> None:
    deployment.fold()
    batch = Batch()
    batch.put(keys.LAST_CHECKSUM, bytes(4))
    with KeyValue.open(deployment.state) as kv:
        kv.write(batch)
    assert "is not the one the state was folded from" in deployment.refuses()


def test_another_deployment(deployment: Deployment) -> None:
    deployment.fold()
    other = deployment.add_projector("--prefix", f"{deployment.kafka.prefix}-other")
    deployment.projectors[0] = other
    assert "was folded from the log kafka:" in deployment.refuses()


def test_a_state_that_cannot_be_read(deployment: Deployment) -> None:
    """The process ends; nothing is passed over."""
    deployment.fold()
    batch = Batch()
    batch.put(keys.points_prefix(ShardId(UID, 0)) + to_key(PointId(7)), b"garbage")
    with KeyValue.open(deployment.state) as kv:
        kv.write(batch)
    deployment.run(lambda log: append_all(log, [point(20)]))
    deployment.projector().launch()
    assert deployment.projector().wait_end() == 1
    state = PartitionState.open(deployment.state, _identity(deployment), read_only=True)
    assert state.applied == 20
    state.close()


def _identity(deployment: Deployment) -> str:
    found: list[str] = []

    async def ask(log: KafkaLog) -> None:
        found.append(log.identity)

    deployment.run(ask)
    return found[0]


def test_no_kafka_at_all(tmp_path: Path) -> None:
    nothing = KafkaSettings(bootstrap_servers="127.0.0.1:1", prefix="nothing")
    with Cluster(tmp_path, nothing, partitions=1) as cluster:
        projector = cluster.projectors[0]
        projector.launch()
        assert projector.wait_end() == 1
        assert "Kafka can't be reached at 127.0.0.1:1" in projector.last_output()


def test_a_killed_worker_is_replaced(deployment: Deployment) -> None:
    """Its partitions go to another one once Kafka takes it for dead."""
    first, second = deployment.projectors[0], deployment.add_projector()
    first.start()
    second.start()
    assert first.alive()
    first.kill()
    deployment.run(lambda log: append_all(log, [*map(point, range(20))]))
    eventually(lambda: 'topic="points"} 1.0' in _metric(second, "headwater_open_partitions"))
    eventually(lambda: 'headwater_applied_offset{partition="0"} 40.0' in _metric(second, "headwater_applied_offset"))
    assert second.stop() == 0


def _metric(process: HeadwaterProcess, name: str) -> str:
    with Http(process.port) as http:
        page = http.get("/metrics").body.decode()
    return "\n".join(line for line in page.splitlines() if line.startswith(name))


def test_it_stops_while_kafka_is_away(own_broker: KafkaBroker, tmp_path: Path) -> None:
    with Cluster(tmp_path, settings_for(own_broker), partitions=1) as cluster:
        projector = cluster.projectors[0].start()
        own_broker.kill()
        assert projector.stop() == 0
        assert "Traceback" not in projector.last_output()


def test_it_stops_while_it_waits_for_a_state(deployment: Deployment) -> None:
    deployment.fold()
    state = PartitionState.open(deployment.state, _identity(deployment))
    deployment.projector().launch()
    eventually(lambda: f"{deployment.state} is open in another process" in deployment.projector().last_output())
    assert deployment.projector().stop() == 0
    state.close()
    deployment.fold()
