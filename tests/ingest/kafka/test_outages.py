"""Kafka killed, hung, and back: appends fail in bounded time, nothing acknowledged is lost, nothing turns up late."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from compose.kafka import KafkaBroker
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import LogRecord, LogUnavailableError, Topic
from tests.ingest.kafka.support import POINTS, opened
from tests.ingest.log_contract import read_all
from tests.support.kafka import settings_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
TIMEOUT_SECONDS = 240.0
HASTY = {"timeout": 1}
"""For when the broker is away; one that is there may take longer on a busy machine."""


def pause(broker: KafkaBroker) -> None:
    """Stop the process where it is, and return when every thread of it stands."""
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    listing = ["ps", "-o", "stat=", "-p", str(broker.pid)]
    while not subprocess.run(listing, capture_output=True, text=True, check=True).stdout.startswith("T"):
        time.sleep(0.01)


def resume(broker: KafkaBroker) -> None:
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGCONT)


def test_killed_and_started_again(own_broker: KafkaBroker) -> None:
    settings = settings_for(own_broker, queue_bytes=5000)

    async def check() -> None:
        async with opened(settings) as log:
            assert await log.append(POINTS, 0, b"before") == 0
        async with opened_in_time(settings) as log:
            assert len(await read_in_time(log)) == 1
            wait = asyncio.create_task(log.wait(POINTS, 0, 1))
            own_broker.kill()
            for count in (1, 50):
                # More than the queue takes: some wait for room in it until their time is up.
                appends = [log.append(POINTS, 0, bytes(1000)) for _ in range(count)]
                for error in await asyncio.gather(*appends, return_exceptions=True):
                    assert isinstance(error, LogUnavailableError)
                    assert "could not be written" in str(error)
            with pytest.raises(LogUnavailableError, match="no answer from Kafka within 1 s"):
                await log.read(POINTS, 0, 0, 1000)
            with pytest.raises(LogUnavailableError):
                await log.end_offset(POINTS, 0)
            assert not wait.done()
            await asyncio.to_thread(own_broker.restart)
            await append_when_it_can(log, b"after")
            await wait
            values = [record.value for record in await read_all(log)]
            assert values == [b"before", b"after"]

    run(check())


def test_killed_while_many_append(own_broker: KafkaBroker) -> None:
    acknowledged: dict[bytes, int] = {}
    sent: dict[int, list[bytes]] = {}

    async def check() -> None:
        async with opened(settings_for(own_broker, timeout=2)) as log:
            stop = asyncio.Event()

            async def write(task: int) -> None:
                number = 0
                while not stop.is_set():
                    value = b"%d/%d" % (task, number)
                    number += 1
                    sent.setdefault(task, []).append(value)
                    try:
                        acknowledged[value] = await log.append(POINTS, 0, value)
                    except LogUnavailableError:
                        await asyncio.sleep(0.02)

            writers = [asyncio.create_task(write(task)) for task in range(8)]
            for _ in range(2):
                await grown(acknowledged, 200)
                own_broker.kill()
                await asyncio.to_thread(own_broker.restart)
            await grown(acknowledged, 200)
            stop.set()
            await asyncio.gather(*writers)
            records = await read_all(log, max_bytes=100_000)
            found = {record.value or b"": record.offset for record in records}
            assert len(found) == len(records), "a record is there twice"
            assert {value: found.get(value) for value in acknowledged} == acknowledged
            for values in sent.values():
                offsets = [found[value] for value in values if value in found]
                assert offsets == sorted(offsets), "a task's records changed places"

    run(check())


def test_hung_and_back(own_broker: KafkaBroker) -> None:
    """What was queued when its time was up is never sent; what was on its way may arrive, before anything later."""

    settings = settings_for(own_broker, batch_bytes=1)

    async def check() -> None:
        async with opened(settings) as log:
            await log.append(POINTS, 0, b"before")
        async with opened_in_time(settings) as log:
            await read_in_time(log)
            pause(own_broker)
            try:
                appends = [asyncio.create_task(log.append(POINTS, 0, b"hung %d" % i)) for i in range(3)]
                done = await asyncio.gather(*appends, return_exceptions=True)
            finally:
                resume(own_broker)
            assert [type(error) for error in done] == [LogUnavailableError] * 3
            await append_when_it_can(log, b"after")
            values = [record.value for record in await read_all(log)]
            assert values in ([b"before", b"after"], [b"before", b"hung 0", b"after"])

    run(check())


def test_closing_while_kafka_is_down(own_broker: KafkaBroker) -> None:
    settings = settings_for(own_broker)

    async def check() -> None:
        async with opened(settings) as log:
            await log.append(POINTS, 0, b"x")
        log = await _open_in_time(settings)
        await read_in_time(log)
        wait = asyncio.create_task(log.wait(POINTS, 0, 1))
        await asyncio.sleep(0.05)
        own_broker.kill()
        append = asyncio.create_task(log.append(POINTS, 0, b"x"))
        await asyncio.sleep(0)
        await log.close()
        for ended in (append, wait):
            with pytest.raises(LogUnavailableError):
                await ended
        with pytest.raises(LogUnavailableError, match="Kafka can't be reached"):
            await KafkaLog.open(settings.model_copy(update=HASTY))

    run(check())


@asynccontextmanager
async def opened_in_time(settings: KafkaSettings) -> AsyncGenerator[KafkaLog]:
    """A hasty log, that is closed at the end."""
    log = await _open_in_time(settings)
    try:
        yield log
    finally:
        await log.close()


async def _open_in_time(settings: KafkaSettings) -> KafkaLog:
    while True:
        with suppress(LogUnavailableError):
            return await KafkaLog.open(settings.model_copy(update=HASTY))


async def read_in_time(log: KafkaLog) -> Sequence[LogRecord]:
    """The first records, once there is an answer within a hasty log's time."""
    while True:
        with suppress(LogUnavailableError):
            return await log.read(POINTS, 0, 0, 1000)


async def append_when_it_can(log: KafkaLog, value: bytes) -> None:
    """Append once appending works again; probes go to another partition's queue, the catalog's."""
    while True:
        try:
            await log.append(Topic.CATALOG, 0, b"probe")
            break
        except LogUnavailableError:
            continue
    while True:
        try:
            await log.append(POINTS, 0, value)
            return
        except LogUnavailableError:
            records = await read_all(log)
            if any(record.value == value for record in records):
                return


async def grown(collected: dict[bytes, int], by: int) -> None:
    """Return when ``collected`` has grown."""
    wanted = len(collected) + by
    while len(collected) < wanted:
        await asyncio.sleep(0.01)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, TIMEOUT_SECONDS))
