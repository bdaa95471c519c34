"""``headwater produce`` against a real broker."""

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from compose.errors import UserError
from compose.produce import Produced, ProduceOptions, produce
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import LogRecord, LogUnavailableError, Message, Topic
from ingest.produce.partitioner import partition_of
from ingest.produce.pipeline import Numbered, Pipeline
from tests.support.launching import ROOT
from tests.support.server import headwater
from tests.tools.world import run

pytestmark = pytest.mark.kafka
PARTITIONS = 3


@pytest.fixture
def topics(kafka_settings: KafkaSettings) -> KafkaSettings:
    """Topics of three partitions."""
    settings = kafka_settings.model_copy(update={"partitions": PARTITIONS})
    run(_create(settings))
    return settings


async def _create(settings: KafkaSettings) -> None:
    await (await KafkaLog.open(settings)).close()


def lines_of(count: int) -> bytes:
    points = ({"collection_name": "c", "id": i, "vector": [i, 1.0], "payload": {"i": i}} for i in range(count))
    return "\n".join(map(json.dumps, points)).encode()


def send(settings: KafkaSettings, text: bytes, options: ProduceOptions | None = None) -> Produced:
    return run(produce(settings, io.BytesIO(text), options or ProduceOptions(), lambda done: None))


def on_the_log(settings: KafkaSettings) -> list[list[LogRecord]]:
    """The records of each points partition."""

    async def read() -> list[list[LogRecord]]:
        log = await KafkaLog.open(settings, create=False)
        try:
            return [list(await _read_all(log, partition)) for partition in range(PARTITIONS)]
        finally:
            await log.close()

    return run(read())


async def _read_all(log: KafkaLog, partition: int) -> Sequence[LogRecord]:
    found: list[LogRecord] = []
    while records := await log.read(Topic.POINTS, partition, len(found), 1 << 20):
        found += records
    return found


def test_every_line_once_in_order_where_its_key_belongs(topics: KafkaSettings) -> None:
    assert send(topics, lines_of(20_000)).sent == 20_000
    found = on_the_log(topics)
    for partition, records in enumerate(found):
        ids = [json.loads(record.value or b"")["id"] for record in records]
        assert ids == [i for i in range(20_000) if partition_of(str(i).encode(), PARTITIONS) == partition]
        assert [record.key for record in records] == [str(i).encode() for i in ids]
        assert {record.headers for record in records} == {(("content-type", b"application/json"),)}


def test_one_partition_for_all(topics: KafkaSettings) -> None:
    assert send(topics, lines_of(100), ProduceOptions(partition=2)).sent == 100
    assert [len(records) for records in on_the_log(topics)] == [0, 0, 100]
    with pytest.raises(UserError, match="there is no 3"):
        send(topics, lines_of(1), ProduceOptions(partition=3))


def test_a_bad_line_ends_it(topics: KafkaSettings) -> None:
    text = lines_of(10) + b"\n\nnonsense\n" + lines_of(5)
    with pytest.raises(UserError, match=r"line 12: it is not a JSON object\. The lines before it were sent"):
        send(topics, text)
    assert sum(map(len, on_the_log(topics))) == 10


def test_bad_lines_are_skipped_when_asked(topics: KafkaSettings) -> None:
    text = lines_of(10) + b'\nnonsense\n{"id":"\xff","vector":[1]}\n{"id": 1}\n' + lines_of(5)
    produced = send(topics, text, ProduceOptions(skip_bad=True))
    assert (produced.sent, produced.skipped) == (15, 3)
    assert [error.number for error in produced.reasons] == [11, 12, 13]
    assert sum(map(len, on_the_log(topics))) == 15


def test_lines_larger_than_a_record_may_be(kafka_settings: KafkaSettings) -> None:
    settings = kafka_settings.model_copy(update={"partitions": PARTITIONS, "max_record_bytes": 2000})
    run(_create(settings))
    large = json.dumps({"collection_name": "c", "id": "large", "payload": {"x": "x" * 2000}}).encode()
    text = lines_of(100) + b"\n" + large + b"\n" + lines_of(100)
    with pytest.raises(UserError, match=r"line 101: .* at most 2000 are allowed"):
        send(settings, text)
    produced = send(settings, text, ProduceOptions(skip_bad=True))
    assert (produced.sent, produced.skipped) == (200, 1)


def test_the_command(topics: KafkaSettings, tmp_path: Path) -> None:
    file = tmp_path / "points.jsonl"
    file.write_bytes(b'{"id":1,"vector":[1,2]}\n{"id":2,"vector":[1,2]}')
    where = ("--kafka", topics.bootstrap_servers, "--prefix", topics.prefix)
    done = headwater("produce", str(file), "--collection", "words", *where)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "2 lines sent")
    names = [json.loads(r.value or b"")["collection_name"] for records in on_the_log(topics) for r in records]
    assert names == ["words", "words"]
    done = headwater("produce", str(file), *where)
    assert done.returncode == 1
    assert "line 1: it has no collection_name" in done.stderr
    assert "no log with the prefix" in headwater("produce", str(file), *where[:2], "--prefix", "other").stderr
    environment = {**os.environ, "HEADWATER_KAFKA__BOOTSTRAP_SERVERS": "", "PYTHONPATH": str(ROOT)}
    environment.pop("HEADWATER_KAFKA__BOOTSTRAP_SERVERS")
    done = subprocess.run(
        [sys.executable, "-m", "compose.cli", "produce", str(file)], env=environment, capture_output=True, text=True
    )
    assert "say where Kafka is" in done.stderr


def test_standard_input_is_sent_as_it_comes(topics: KafkaSettings) -> None:
    command = [sys.executable, "-m", "compose.cli", "produce", "--kafka", topics.bootstrap_servers]
    process = subprocess.Popen([*command, "--prefix", topics.prefix], cwd=ROOT, stdin=subprocess.PIPE)
    assert process.stdin is not None
    try:
        process.stdin.write(lines_of(3) + b"\n")
        process.stdin.flush()

        async def arrive() -> None:
            log = await KafkaLog.open(topics, create=False)
            for partition in {partition_of(str(i).encode(), PARTITIONS) for i in range(3)}:
                await log.wait(Topic.POINTS, partition, 0)
            await log.close()

        run(asyncio.wait_for(arrive(), 60))
        process.stdin.close()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


class FailingLog:
    """Takes what comes until it fails."""

    def __init__(self, fails_at: int) -> None:
        self.written: list[tuple[int, bytes | None]] = []
        self._left = fails_at

    def max_record_bytes(self, topic: Topic) -> int:
        return 300

    async def append_messages(self, topic: Topic, partition: int, messages: Sequence[Message]) -> int:
        await asyncio.sleep(0)
        self._left -= 1
        if self._left < 0:
            raise LogUnavailableError("down")
        self.written += [(partition, message.value) for message in messages]
        return 0


async def _send_all(pipeline: Pipeline, messages: Sequence[Numbered]) -> None:
    for number, message in messages:
        await pipeline.send(number % 2, [(number, message)])
        await asyncio.sleep(0)
    await pipeline.finish()


def test_nothing_follows_what_failed() -> None:
    async def main() -> None:
        log = FailingLog(10)
        pipeline = Pipeline(log)
        messages = [(number, Message(b"%d" % number)) for number in range(1, 41)]
        with pytest.raises(LogUnavailableError):
            await _send_all(pipeline, messages)
        await pipeline.abort()
        assert pipeline.first_missing is not None
        assert [int(value or b"") for _, value in log.written] == list(range(1, len(log.written) + 1))
        assert pipeline.first_missing <= len(log.written) + 1

    run(main())


def test_what_means_nothing_and_what_is_not_there_is_told(topics: KafkaSettings, tmp_path: Path) -> None:
    lines = [
        b'{"collection_name": "c", "id": 1, "vector": [1.0], "payloads": {"a": 1}}',
        b'{"collection_name": "c", "id": 2, "vector": [1.0], "payload": {"a": 1}}',
        b'{"collection_name": "d", "id": 3, "vector": [1.0], "payloads": {"a": 1}}',
    ]
    produced = send(topics, b"\n".join(lines))
    assert (produced.sent, produced.missing) == (3, ["c", "d"])
    assert {name: (seen.first, seen.lines) for name, seen in produced.unknown.items()} == {"payloads": (1, 2)}
    file = tmp_path / "lines"
    file.write_bytes(b'{"collection_name": "c", "id": 1, "vector": [1.0], "payloads": {}}\n')
    where = ["--kafka", topics.bootstrap_servers, "--prefix", topics.prefix]
    told = headwater("produce", *where, str(file)).stderr
    assert "the field payloads means nothing and was ignored, in 1 line, first in line 1" in told
    assert "there is no collection c: what names it goes to the rejected topic" in told
