"""``headwater rejected``: every rejected record once, and sent again as it first came."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from compose.errors import UserError
from compose.rejected import Place, Selection, parse_place, read_rejected, replay_rejected
from compose.rejected_lines import json_line, readable_line
from ingest.embedded.log import EmbeddedLog
from ingest.kafka import KafkaSettings
from ingest.log import Headers, Log, LogRecord, RecordTooLargeError, Topic
from ingest.outcomes import Rejection
from ingest.writer import HEADERS
from projector.worker.rejected import send_rejected
from schemas.operations import Outcome
from schemas.records import Origin, encode_record
from tests.projector.fold.memory_state import points_record, upsert
from tests.support.memory_log import MemoryLog
from tests.support.server import headwater
from tests.tools.kafka_world import read_all, topics_of
from tests.tools.world import run

EVERYTHING = Selection(frozenset(), "")
BAD = Outcome(reason="Wrong input: vector: missing", status=400)
LARGE = Outcome(reason="Wrong input: vector: 3 numbers, not 2", status=422)


async def reject(
    log: Log, value: bytes | None, outcome: Outcome, *, partition: int = 0, times: int = 1, headers: Headers = ()
) -> int:
    """Put a record on the log, and what a projector makes of it on the rejected topic; its offset."""
    offset = await log.append(Topic.POINTS, partition, value, key=b"key", headers=headers)
    record = LogRecord(partition, offset, 1_700_000_000_000, b"key", value, headers)
    for _ in range(times):
        await send_rejected(log, Topic.POINTS, [Rejection(record, [Outcome(), outcome])])
    return offset


async def listed(log: Log) -> list[tuple[Place | None, str]]:
    return [(rejected.origin, rejected.reason) async for rejected in read_rejected(log)]


def test_each_once() -> None:
    async def main() -> None:
        log = MemoryLog(2)
        await reject(log, b"{}", BAD, times=3)
        await reject(log, b"{}", LARGE, partition=1)
        await log.append(Topic.REJECTED, 0, b"somebody else's")
        await log.append(Topic.REJECTED, 0, b"somebody else's")
        await reject(log, b"{}", BAD)
        await reject(log, b"{}", LARGE, partition=1, times=2)
        assert await listed(log) == [
            (Place("points", 0, 0), BAD.reason),
            (Place("points", 1, 0), LARGE.reason),
            (None, ""),
            (None, ""),
            (Place("points", 0, 1), BAD.reason),
            (Place("points", 1, 1), LARGE.reason),
        ]

    run(main())


def test_following() -> None:
    async def main() -> None:
        log = MemoryLog()
        found: asyncio.Queue[Place | None] = asyncio.Queue()

        async def follow() -> None:
            async for rejected in read_rejected(log, follow=True):
                found.put_nowait(rejected.origin)

        task = asyncio.create_task(follow())
        for number in range(3):
            await reject(log, b"{}", BAD, times=2)
            assert await asyncio.wait_for(found.get(), 60) == Place("points", 0, number)
        task.cancel()
        await asyncio.wait({task})

    run(main())


@pytest.mark.parametrize("text", ["", "points", "points/0", "points/x/1", "points/0/-1", "/0/1", "points/0/1/2"])
def test_what_is_no_origin(text: str) -> None:
    assert parse_place(text) is None


def test_lines() -> None:
    async def main() -> None:
        log = MemoryLog()
        await reject(log, b'{"id": "\xc3\xa4"}', BAD, headers=(("own", b"1"), ("headwater-origin", b"mine")))
        await reject(log, b"\xff\x00" + b"x" * 200, LARGE)
        await reject(log, None, BAD)
        first, second, third = [rejected async for rejected in read_rejected(log)]
        assert readable_line(first).endswith(' points/0/0 key key: Wrong input: vector: missing | {"id": "ä"}')
        line = json.loads(json_line(first))
        assert (line["origin"], line["headers"], line["key"], line["value"]) == (
            "points/0/0",
            {"own": "1"},
            "key",
            '{"id": "ä"}',
        )
        assert line["outcomes"][1] == {"reason": BAD.reason, "status": 400}
        assert readable_line(second).endswith("(a canonical record of 202 bytes)")
        assert "value" not in json.loads(json_line(second))
        assert json.loads(json_line(second))["value_base64"].startswith("/wB4")
        assert readable_line(third).endswith("(a tombstone)")
        assert json.loads(json_line(third))["value"] is None

    run(main())


async def _sent_again(log: Log, selection: Selection, *, dry_run: bool = False) -> tuple[int, list[bytes | None]]:
    before = await log.end_offset(Topic.POINTS, 0)
    count = await replay_rejected(log, selection, lambda done: None, dry_run=dry_run)
    return count, [record.value for record in await log.read(Topic.POINTS, 0, before, 1 << 20)]


def test_sending_again() -> None:
    async def main() -> None:
        log = MemoryLog()
        await reject(log, b"one", BAD, times=2, headers=(("own", b"1"),))
        await reject(log, b"two", LARGE)
        await log.append(Topic.REJECTED, 0, b"somebody else's")
        await send_rejected(log, Topic.CATALOG, [Rejection(LogRecord(0, 4, 0, None, b"catalog", ()), [BAD])])
        assert await _sent_again(log, EVERYTHING, dry_run=True) == (2, [])
        assert await _sent_again(log, EVERYTHING) == (2, [b"one", b"two"])
        assert await _sent_again(log, Selection(frozenset(), "3 numbers")) == (1, [b"two"])
        only = frozenset({Place("points", 0, 0)})
        assert await _sent_again(log, Selection(only, "")) == (1, [b"one"])
        last = (await read_all(log))[-1]
        assert (last.key, last.headers) == (b"key", (("own", b"1"),))

    run(main())


class NarrowLog(MemoryLog):
    """The rejected topic takes values of a hundred bytes, and the others those of any size."""

    async def append(
        self, topic: Topic, partition: int, value: bytes | None, *, key: bytes | None = None, headers: Headers = ()
    ) -> int:
        if topic is Topic.REJECTED and len(value or b"") > 100:
            raise RecordTooLargeError("the record takes too many bytes")
        return self.put(topic, partition, value, key=key, headers=headers)


def test_what_was_too_large_for_the_topic_is_listed_and_sent_again_from_where_it_is() -> None:
    async def main() -> None:
        log = NarrowLog(2)
        large = b"x" * 101
        await reject(log, large, BAD, partition=1, headers=(("own", b"1"),))
        (found,) = [rejected async for rejected in read_rejected(log)]
        assert readable_line(found).endswith(f": {BAD.reason} | (left out: the record takes too many bytes)")
        line = json.loads(json_line(found))
        assert (line["origin"], line["left_out"]) == ("points/1/0", "the record takes too many bytes")
        assert await replay_rejected(log, EVERYTHING, lambda done: None, dry_run=False) == 1
        again = (await log.read(Topic.POINTS, 1, 1, 1 << 20))[0]
        assert (again.value, again.key, again.headers) == (large, b"key", (("own", b"1"),))

    run(main())


def test_what_was_left_out_and_is_gone_can_not_be_sent_again() -> None:
    async def main() -> None:
        log = NarrowLog()
        await reject(log, b"x" * 101, BAD)
        await reject(log, b"small", BAD)
        log.drop_before(Topic.POINTS, 0, 1)
        with pytest.raises(UserError, match=r"points/0/0 can't be sent again: .* doesn't hold it any more"):
            await replay_rejected(log, EVERYTHING, lambda done: None, dry_run=False)
        assert [record.value for record in await log.read(Topic.POINTS, 0, 2, 1 << 20)] == [b"small"]

    run(main())


def test_what_was_forwarded_is_not_sent_in_place_of_what_it_was_made_of() -> None:
    """It would be skipped where it is at home, and is nothing where it came from."""

    async def main() -> None:
        log = MemoryLog(2)
        made = msgspec.structs.replace(points_record(upsert({1: None})), origin=Origin(1, 0, 0))
        log.put(Topic.POINTS, 1, b"gone")
        log.drop_before(Topic.POINTS, 1, 1)
        await reject(log, encode_record(made), BAD, headers=HEADERS)
        with pytest.raises(UserError, match=r"points/1/0 can't be sent again: .* doesn't hold it any more"):
            await replay_rejected(log, EVERYTHING, lambda done: None, dry_run=False)
        assert [len(log.values(Topic.POINTS, partition)) for partition in range(2)] == [1, 0]

    run(main())


@pytest.mark.kafka
def test_in_kafka(kafka_settings: KafkaSettings) -> None:
    async def fill() -> None:
        async with topics_of(kafka_settings.model_copy(update={"partitions": 2}), create=True) as log:
            for number in range(20):
                await reject(log, b"%d" % number, BAD, partition=number % 2, times=2, headers=(("own", b"1"),))

    async def written() -> list[list[LogRecord]]:
        async with topics_of(kafka_settings) as log:
            return [list(await read_all(log, partition=partition)) for partition in range(2)]

    run(fill())
    where = ("--kafka", kafka_settings.bootstrap_servers, "--prefix", kafka_settings.prefix)
    done = headwater("rejected", "list", "--json", *where)
    origins = [json.loads(line)["origin"] for line in done.stdout.splitlines()]
    assert origins == [f"points/{number % 2}/{number // 2}" for number in range(20)]
    done = headwater("rejected", "replay", "--all", *where)
    assert (done.returncode, done.stdout) == (0, "20 records sent again\n"), done.stderr
    for records in run(written()):
        assert len(records) == 20
        for first, again in zip(records[:10], records[10:], strict=True):
            assert (first.value, first.key, first.headers) == (again.value, again.key, again.headers)


@pytest.mark.kafka
def test_what_only_fits_into_kafka_compressed(kafka_settings: KafkaSettings) -> None:
    settings = kafka_settings.model_copy(update={"max_record_bytes": 100_000})
    value = b"x" * (4 << 20)

    async def main() -> None:
        async with topics_of(settings, create=True) as log:
            producer = AIOKafkaProducer(
                bootstrap_servers=settings.bootstrap_servers, compression_type="gzip", max_request_size=2 * len(value)
            )
            await producer.start()
            await producer.send_and_wait(settings.topic(Topic.POINTS), value)
            await producer.stop()
            (record,) = await read_all(log)
            assert record.value == value
            await send_rejected(log, Topic.POINTS, [Rejection(record, [BAD])])
            (found,) = [rejected async for rejected in read_rejected(log)]
            assert (found.origin, found.reason, found.record.value) == (Place("points", 0, 0), BAD.reason, None)
            assert "at most 1148576 are allowed" in (found.left_out or "")
            with pytest.raises(UserError, match=r"offset 0 can't be sent again: .* at most 100000 are allowed"):
                await replay_rejected(log, EVERYTHING, lambda done: None, dry_run=False)

    run(main())


def test_in_the_embedded_log(tmp_path: Path) -> None:
    async def fill(log: EmbeddedLog) -> None:
        await reject(log, b'{"id": 1}', BAD)
        assert "points/0/0" in headwater("rejected", "list", "--data", str(tmp_path)).stdout
        refused = headwater("rejected", "replay", "--all", "--data", str(tmp_path))
        assert "is open in another process" in refused.stderr
        await log.close()

    async def main() -> None:
        await fill(await EmbeddedLog.open(tmp_path / "log"))

    run(main())
    where = ("--data", str(tmp_path))
    assert "say which" in headwater("rejected", "replay", *where).stderr
    assert "is no origin" in headwater("rejected", "replay", "--origin", "x", *where).stderr
    again = headwater("rejected", "replay", "--origin", "points/0/0", *where)
    assert again.stdout == "1 record sent again\n"
    assert '"offset":1' in headwater("log", "tail", *where).stdout
