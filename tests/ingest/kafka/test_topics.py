"""Topics: created as a log needs them, refused when they would lose records."""

import asyncio

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from ingest.kafka import KafkaLog, KafkaSettings, KafkaTopicError
from ingest.kafka.topic_settings import REJECTED_EXTRA_BYTES
from ingest.log import LogDamagedError, LogRefusedError, Topic
from projector.worker.rejected import record_at
from tests.ingest.kafka.support import LOSSLESS, POINTS, admin, create_topic, opened
from tests.ingest.log_contract import read_all, within

pytestmark = pytest.mark.kafka


async def settings_of(settings: KafkaSettings, topic: Topic) -> dict[str, str]:
    async with admin(settings) as client:
        resource = ConfigResource(ConfigResourceType.TOPIC, settings.topic(topic))
        (response,) = await client.describe_configs([resource])
        return {entry[0]: entry[1] for entry in response.get_item("resources")[0][4]}


@pytest.mark.parametrize("topic", list(Topic))
def test_topics_are_created_with_what_a_log_needs(kafka_settings: KafkaSettings, topic: Topic) -> None:
    async def check() -> None:
        async with opened(kafka_settings, max_record_bytes=5_000_000):
            found = await settings_of(kafka_settings, topic)
            assert {name: found[name] for name in LOSSLESS} == LOSSLESS
            larger = REJECTED_EXTRA_BYTES if topic is Topic.REJECTED else 0
            assert int(found["max.message.bytes"]) == 5_000_000 + larger
            assert found["min.insync.replicas"] == "1"

    within(check())


@pytest.mark.parametrize(
    ("topic", "configs"),
    [
        (Topic.POINTS, {"cleanup.policy": "compact"}),
        (Topic.POINTS, {"cleanup.policy": "compact,delete"}),
        (Topic.POINTS, {"retention.ms": "604800000"}),
        (Topic.CATALOG, {"retention.ms": "1000000"}),
        (Topic.CATALOG, {"retention.bytes": "1000000"}),
        (Topic.POINTS, {"unclean.leader.election.enable": "true"}),
        (Topic.REJECTED, {"cleanup.policy": "compact"}),
    ],
)
def test_topics_that_would_lose_records_are_refused(
    kafka_settings: KafkaSettings, topic: Topic, configs: dict[str, str]
) -> None:
    async def check() -> None:
        await create_topic(kafka_settings, topic, LOSSLESS | configs)
        ((setting, value),) = configs.items()
        with pytest.raises(KafkaTopicError, match=rf"{topic} has {setting}={value}: .* --add-config {setting}="):
            await KafkaLog.open(kafka_settings)

    within(check())


@pytest.mark.parametrize("topic", list(Topic))
def test_topics_that_nothing_can_be_written_to_are_refused(kafka_settings: KafkaSettings, topic: Topic) -> None:
    async def check() -> None:
        await create_topic(kafka_settings, topic, LOSSLESS | {"min.insync.replicas": "2"})
        with pytest.raises(KafkaTopicError, match=rf"{topic} has min.insync.replicas=2 and 1 replicas: nothing can be"):
            await KafkaLog.open(kafka_settings)

    within(check())


def test_rejected_records_may_be_kept_for_a_while_only(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        size = kafka_settings.max_record_bytes + REJECTED_EXTRA_BYTES
        await create_topic(kafka_settings, Topic.REJECTED, {"retention.ms": "1000", "max.message.bytes": str(size)})
        async with opened(kafka_settings) as log:
            assert await log.append(Topic.REJECTED, 0, b"x") == 0

    within(check())


def test_rejected_must_take_what_points_takes_and_more(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        await create_topic(kafka_settings, POINTS, LOSSLESS)
        await create_topic(kafka_settings, Topic.REJECTED, LOSSLESS)
        with pytest.raises(KafkaTopicError, match=r"rejected has max.message.bytes=1048588.* --add-config max"):
            await KafkaLog.open(kafka_settings)

    within(check())


@pytest.mark.parametrize("topic", [Topic.CATALOG, Topic.REJECTED])
def test_one_partition_is_one_order(kafka_settings: KafkaSettings, topic: Topic) -> None:
    async def check() -> None:
        await create_topic(kafka_settings, topic, LOSSLESS, partitions=2)
        with pytest.raises(KafkaTopicError, match=f"{topic} has 2 partitions and must have one"):
            await KafkaLog.open(kafka_settings)

    within(check())


def test_partitions_grow_and_never_shrink(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings, partitions=2) as before:
            async with opened(kafka_settings, partitions=4) as after:
                assert await after.append(POINTS, 3, b"new") == 0
                assert before.identity == after.identity
            assert before.partitions(POINTS) == 2
            found = await record_at(before, 3, 0)
            assert found is not None
            assert found.value == b"new"
            assert await record_at(before, 4, 0) is None
            assert [record.value for record in await read_all(before, partition=3)] == [b"new"]
            assert before.partitions(POINTS) == 4
        with pytest.raises(KafkaTopicError, match="has 4 partitions, and 3 were asked for"):
            await KafkaLog.open(kafka_settings.model_copy(update={"partitions": 3}))
        async with opened(kafka_settings, partitions=None) as log:
            assert log.partitions(POINTS) == 4

    within(check())


def test_two_may_open_a_new_log_at_once(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        logs = await asyncio.gather(*[KafkaLog.open(kafka_settings) for _ in range(3)])
        assert len({log.identity for log in logs}) == 1
        assert sorted([await log.append(POINTS, 0, b"x") for log in logs]) == [0, 1, 2]
        await asyncio.gather(*[log.close() for log in logs])

    within(check())


def test_a_log_that_is_not_there_is_not_made_by_looking(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        with pytest.raises(KafkaTopicError, match=f"no topic {kafka_settings.prefix}.catalog, "):
            await KafkaLog.open(kafka_settings, create=False)
        async with opened(kafka_settings) as log:
            again = await KafkaLog.open(kafka_settings, create=False)
            assert again.identity == log.identity
            await again.close()

    within(check())


def test_topics_made_anew_are_another_log(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings) as log:
            for _ in range(3):
                await log.append(POINTS, 0, b"x")
            assert len(await log.read(POINTS, 0, 0, 1000)) == 3
            wait = asyncio.create_task(log.wait(POINTS, 0, 3))
            async with admin(kafka_settings) as client:
                await client.delete_topics([kafka_settings.topic(POINTS)])
            await asyncio.sleep(0.3)
            async with opened(kafka_settings) as anew:
                assert anew.identity != log.identity
                with pytest.raises(LogDamagedError, match="ends at offset 0, but had records up to 2"):
                    await wait
                with pytest.raises(LogDamagedError, match="deleted and created again"):
                    await log.read(POINTS, 0, 3, 1000)

    within(check())


def test_logs_with_different_prefixes_are_different(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        other = kafka_settings.model_copy(update={"prefix": f"{kafka_settings.prefix}-other"})
        async with opened(kafka_settings) as first, opened(other) as second:
            assert first.identity != second.identity
            await first.append(POINTS, 0, b"x")
            assert await second.end_offset(POINTS, 0) == 0

    within(check())


def test_added_partitions_are_counted(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings) as log:
            async with opened(kafka_settings, partitions=3):
                await log.recount()
            assert log.partitions(POINTS) == 3
            assert await log.append(POINTS, 2, b"value") == 0

    within(check())


def test_topics_made_anew_are_noticed(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        async with opened(kafka_settings) as log:
            async with admin(kafka_settings) as client:
                await client.delete_topics([kafka_settings.topic(topic) for topic in Topic])
            async with opened(kafka_settings):
                with pytest.raises(KafkaTopicError, match="another log"):
                    await log.recount()

    within(check())


def test_several_processes_make_the_topics_at_once(kafka_settings: KafkaSettings) -> None:
    async def check() -> None:
        wanted = [None, 3, None, 3, None]
        changes = [kafka_settings.model_copy(update={"partitions": partitions}) for partitions in wanted]
        logs = await asyncio.gather(*[KafkaLog.open(settings) for settings in changes])
        for log in logs:
            await log.recount()
            assert log.partitions(POINTS) == 3
            await log.close()

    within(check())


async def refused(log: KafkaLog) -> str:
    """How the log refuses what it does not take, once it does."""
    while True:
        try:
            await log.append(POINTS, 0, b"without a key")
        except LogRefusedError as error:
            return str(error)


@pytest.mark.parametrize(
    ("settings", "refuses"), [({"cleanup.policy": "compact"}, True), ({"retention.ms": "604800000"}, False)]
)
def test_settings_that_change_on_a_live_topic_are_noticed(
    kafka_settings: KafkaSettings, settings: dict[str, str], refuses: bool
) -> None:
    async def check() -> None:
        async with opened(kafka_settings) as log, admin(kafka_settings) as client:
            await log.append(POINTS, 0, b"before")
            name = kafka_settings.topic(POINTS)
            size = {"max.message.bytes": str(log.max_record_bytes(POINTS))}
            await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, LOSSLESS | size | settings)])
            ((setting, value),) = settings.items()
            while not log.fault:
                await log.recount()
            assert log.fault.startswith(f"{name} has {setting}={value}: ")
            assert log.trouble == log.fault
            if refuses:
                assert "87" in await refused(log)
            await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, LOSSLESS | size)])
            while log.fault:
                await log.recount()
            assert log.trouble == ""

    within(check())
