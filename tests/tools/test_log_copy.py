"""``headwater log copy``: the same records in the same order at the same offsets, and the same digests."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from compose.errors import UserError
from compose.log_copy import Copied, copy_log, locked_log
from ingest.embedded.errors import LogLockedError
from ingest.embedded.log import EmbeddedLog
from ingest.kafka import KafkaSettings
from ingest.log import Topic
from tests.support.launching import ROOT
from tests.support.server import headwater
from tests.support.waiting import eventually
from tests.tools.kafka_world import read_topic, topics_of
from tests.tools.world import World, replayed, run

pytestmark = pytest.mark.kafka
PARTITIONS = 2


async def written(data: Path, records: int = 40) -> None:
    """An embedded log with collections, points and a rejected record, in a data folder."""
    log = await EmbeddedLog.open(data / "log", PARTITIONS)
    try:
        world = World(log)
        await world.create_collections()
        await world.write(records)
        await log.append(Topic.REJECTED, 0, b"bad", key=b"key", headers=(("headwater-origin", b"points/0/3"),))
        await log.append(Topic.POINTS, 1, None, key=b"a tombstone")
    finally:
        await log.close()


async def fill(data: Path) -> None:
    """An embedded log with many records, which mean nothing."""
    log = await EmbeddedLog.open(data / "log", PARTITIONS)
    values = [b"%d " % i * 300 for i in range(10_000)]
    await asyncio.gather(*[log.append(Topic.POINTS, i % PARTITIONS, value) for i, value in enumerate(values)])
    await log.close()


async def copied(data: Path, settings: KafkaSettings) -> Copied:
    async with locked_log(data / "log") as log:
        return await copy_log(log, settings, lambda done: None)


async def check_equal(data: Path, settings: KafkaSettings, scratch: Path | None) -> None:
    """The same records; folded in ``scratch``, the same digests."""
    async with locked_log(data / "log") as embedded, topics_of(settings) as kafka:
        for topic in Topic:
            here, there = await read_topic(embedded, topic), await read_topic(kafka, topic)
            assert there[: len(here)] == here
            assert not any(there[len(here) :])
        if scratch is not None:
            assert await replayed(kafka, scratch / "kafka") == await replayed(embedded, scratch / "embedded")


def test_everything_is_as_it_was(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    async def main() -> None:
        await written(tmp_path / "data")
        done = await copied(tmp_path / "data", kafka_settings)
        assert done.before == 0
        assert done.records > 40
        await check_equal(tmp_path / "data", kafka_settings, tmp_path)
        # Again: there is nothing left to do.
        assert await copied(tmp_path / "data", kafka_settings) == Copied(done.records, done.records)
        await check_equal(tmp_path / "data", kafka_settings, None)

    run(main())


def test_into_more_partitions(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    async def main() -> None:
        await written(tmp_path / "data")
        settings = kafka_settings.model_copy(update={"partitions": 4})
        await copied(tmp_path / "data", settings)
        await check_equal(tmp_path / "data", settings, tmp_path)
        with pytest.raises(UserError, match="2 points partitions, and 1 were asked for"):
            await copied(tmp_path / "data", kafka_settings.model_copy(update={"partitions": 1}))

    run(main())


def test_topics_that_hold_something_else(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    async def add(settings: KafkaSettings, topic: Topic, partition: int) -> None:
        async with topics_of(settings) as log:
            await log.append(topic, partition, b"another")

    async def refused(suffix: str, before: Callable[[KafkaSettings], Awaitable[object]], why: str) -> None:
        settings = kafka_settings.model_copy(update={"prefix": kafka_settings.prefix + suffix, "partitions": 3})
        async with topics_of(settings, create=True):
            pass
        await before(settings)
        with pytest.raises(UserError, match=why + r".*Copy into topics that are empty"):
            await copied(tmp_path / "data", settings)

    async def main() -> None:
        await written(tmp_path / "data")
        await refused("a", lambda s: add(s, Topic.POINTS, 1), "points-1 .* offset 0 is another")
        await refused("b", lambda s: add(s, Topic.POINTS, 2), "points-2 .* it has 1 records or gaps after")
        await refused("c", lambda s: add(s, Topic.CATALOG, 0), "catalog-0 .* offset 0 is another")

        async def copy_and_add(settings: KafkaSettings) -> None:
            await copied(tmp_path / "data", settings)
            await add(settings, Topic.POINTS, 0)

        await refused("d", copy_and_add, "points-0 .* it has 1 records or gaps after")

    run(main())


def test_one_that_was_cut_short_goes_on(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(fill(data))
    command = [sys.executable, "-m", "compose.cli", "log", "copy", "--from", str(data)]
    command += ["--kafka", kafka_settings.bootstrap_servers, "--prefix", kafka_settings.prefix]

    async def begun() -> int:
        async with topics_of(kafka_settings, create=True) as log:
            return await log.end_offset(Topic.POINTS, 0)

    assert run(begun()) == 0
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        eventually(lambda: run(begun()) > 0 or process.poll() is not None)
    finally:
        process.kill()
        process.wait()
    done = headwater(*command[3:])
    assert done.returncode == 0, done.stderr
    assert "copied" in done.stdout
    run(check_equal(data, kafka_settings, None))


def test_while_a_server_writes_the_log(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    async def main() -> None:
        await written(tmp_path / "data")
        log = await EmbeddedLog.open(tmp_path / "data" / "log")
        with pytest.raises(LogLockedError):
            await copied(tmp_path / "data", kafka_settings)
        await log.close()
        with pytest.raises(UserError, match="there is no log in"):
            await copied(tmp_path / "nothing", kafka_settings)

    run(main())
