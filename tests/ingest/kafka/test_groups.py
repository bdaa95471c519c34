"""Committed offsets of consumer groups, read and written from outside the group, on a real broker."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from compose.kafka import KafkaBroker
from ingest.kafka import KafkaSettings
from ingest.kafka.groups import GroupOffsets
from ingest.log import LogUnavailableError, Topic
from tests.ingest.kafka.support import POINTS, admin, opened
from tests.ingest.log_contract import within
from tests.support.kafka import settings_for

pytestmark = pytest.mark.kafka
PARTITIONS = 3


@asynccontextmanager
async def groups_of(settings: KafkaSettings) -> AsyncGenerator[GroupOffsets]:
    async with opened(settings, partitions=PARTITIONS):
        groups = await GroupOffsets.open(settings)
        try:
            yield groups
        finally:
            await groups.close()


def test_committed_and_read_again(kafka_settings: KafkaSettings) -> None:
    group = f"{kafka_settings.prefix}.router"

    async def check() -> None:
        async with groups_of(kafka_settings) as groups:
            assert await groups.committed(group) == {}
            await groups.commit(group, {(POINTS, 0): 7, (POINTS, 2): 0})
            await groups.commit(group, {(Topic.CATALOG, 0): 3})
            await groups.commit(group, {(POINTS, 0): 9})
            assert await groups.committed(group) == {(POINTS, 0): 9, (POINTS, 2): 0, (Topic.CATALOG, 0): 3}
            await groups.commit(group, {(POINTS, 0): 2})
            assert (await groups.committed(group))[POINTS, 0] == 2
        async with groups_of(kafka_settings) as groups:
            assert await groups.committed(group) == {(POINTS, 0): 2, (POINTS, 2): 0, (Topic.CATALOG, 0): 3}

    within(check())


def test_what_kafka_s_own_clients_see(kafka_settings: KafkaSettings) -> None:
    group, name = f"{kafka_settings.prefix}.router", kafka_settings.topic(POINTS)

    async def check() -> None:
        async with groups_of(kafka_settings) as groups, admin(kafka_settings) as client:
            await groups.commit(group, {(POINTS, 1): 5})
            seen = await client.list_consumer_group_offsets(group)
            assert {partition: found.offset for partition, found in seen.items()} == {TopicPartition(name, 1): 5}

    within(check())


def test_all_groups_with_offsets_on_these_topics(kafka_settings: KafkaSettings, kafka_broker: KafkaBroker) -> None:
    mine, other = kafka_settings.prefix, settings_for(kafka_broker)

    async def check() -> None:
        async with groups_of(kafka_settings) as groups, groups_of(other) as elsewhere:
            await groups.commit(f"{mine}.a", {(POINTS, 0): 1})
            await groups.commit(f"{mine}.b", {(POINTS, 1): 2})
            await elsewhere.commit(f"{mine}.b", {(POINTS, 1): 8})
            await elsewhere.commit(f"{mine}.c", {(POINTS, 0): 9})
            names = await groups.list_groups()
            assert names == sorted(names)
            assert {f"{mine}.a", f"{mine}.b", f"{mine}.c"} <= set(names)
            assert await groups.all_committed() == {f"{mine}.a": {(POINTS, 0): 1}, f"{mine}.b": {(POINTS, 1): 2}}

    within(check())


def test_a_group_with_members_is_read_but_not_moved(kafka_settings: KafkaSettings) -> None:
    group, name = f"{kafka_settings.prefix}.members", kafka_settings.topic(POINTS)

    async def check() -> None:
        async with groups_of(kafka_settings) as groups:
            consumer = AIOKafkaConsumer(
                name, bootstrap_servers=kafka_settings.bootstrap_servers, group_id=group, enable_auto_commit=False
            )
            await consumer.start()
            try:
                await consumer.commit({TopicPartition(name, 0): 4})
                assert await groups.committed(group) == {(POINTS, 0): 4}
                with pytest.raises(LogUnavailableError, match=f"group {group} could not be committed: .*Member"):
                    await groups.commit(group, {(POINTS, 0): 1})
            finally:
                await consumer.stop()
            await groups.commit(group, {(POINTS, 0): 1})
            assert await groups.committed(group) == {(POINTS, 0): 1}

    within(check())


def test_a_coordinator_that_moved_is_found(kafka_settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker that was the coordinator says that it isn't any more, as one does; it is looked for once again."""
    group = f"{kafka_settings.prefix}.router"
    lookups: list[str] = []
    find = GroupOffsets._find  # pyright: ignore[reportPrivateUsage]

    async def counted(self: GroupOffsets, name: str) -> int:
        lookups.append(name)
        return 99 if len(lookups) == 1 else await find(self, name)

    monkeypatch.setattr(GroupOffsets, "_find", counted)

    async def check() -> None:
        async with groups_of(kafka_settings) as groups:
            await groups.commit(group, {(POINTS, 0): 1})
            assert await groups.committed(group) == {(POINTS, 0): 1}
            assert lookups == [group, group]

    within(check())


def test_closed(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with groups_of(kafka_settings) as groups:
            await groups.close()
            with pytest.raises(LogUnavailableError, match="closed"):
                await groups.committed("some")

    within(check())


async def _committed(groups: GroupOffsets, group: str, offset: int) -> None:
    """Commit once there is a coordinator, which a broker that has just started lacks for a while."""
    while True:
        try:
            await groups.commit(group, {(POINTS, 0): offset})
            return
        except LogUnavailableError:
            continue


@pytest.mark.slow
def test_kafka_killed_and_started_again(own_broker: KafkaBroker) -> None:
    settings = settings_for(own_broker, timeout=4)  # which a broker that is there keeps to on a busy machine, too
    group = f"{settings.prefix}.router"

    async def check() -> None:
        async with groups_of(settings) as groups:
            await _committed(groups, group, 1)
            own_broker.kill()
            with pytest.raises(LogUnavailableError, match="could not be committed: no answer from Kafka within 4 s"):
                await groups.commit(group, {(POINTS, 0): 2})
            with pytest.raises(LogUnavailableError):
                await groups.list_groups()
            await asyncio.to_thread(own_broker.restart)
            await _committed(groups, group, 3)
            assert await groups.committed(group) == {(POINTS, 0): 3}

    asyncio.run(asyncio.wait_for(check(), 240))
