"""The rejected topic: every record as its producer sent it, with where it stood."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ingest.kafka.topic_settings import REJECTED_EXTRA_BYTES
from ingest.log import Headers, LogRecord, RecordTooLargeError, Topic
from ingest.outcomes import Rejection, rejected
from projector.fold.outcomes import SKIPPED
from projector.worker.partition_runner import PartitionRunner, ignore_frame
from projector.worker.rejected import LEFT_OUT_HEADER, ORIGIN_HEADER, OUTCOMES_HEADER, REASON_HEADER, send_rejected
from projector.worker.relay import rejecter
from schemas.errors import BadInputError
from schemas.operations import Outcome
from schemas.records import Origin, encode_record
from tests.projector.fold.memory_state import points_record, upsert
from tests.projector.state.samples import open_state, run
from tests.support.memory_log import MemoryLog

OUTCOMES = [Outcome(), Outcome("Wrong input: no", 400), Outcome("Skipped", 400)]
HEADERS: Headers = (("made-by", b"a test"),)
ORIGINAL = b'{"collection_name":"things","id":1,"vector":[1]}'


def _log() -> MemoryLog:
    """Partition 1 holds a foreign record at offset 3."""
    log = MemoryLog(partitions=2)
    log.skip(Topic.POINTS, 1, 3)
    log.put(Topic.POINTS, 1, ORIGINAL, key=b"a key", headers=HEADERS)
    return log


def _forwarded(log: MemoryLog, origin: Origin) -> LogRecord:
    value = encode_record(msgspec.structs.replace(points_record(upsert({1: None})), origin=origin))
    offset = log.put(Topic.POINTS, 0, value, key=b"", headers=(("content-type", b"x"),))
    return run(log.read(Topic.POINTS, 0, offset, 1))[0]


def _rejected(log: MemoryLog) -> LogRecord:
    (record,) = run(log.read(Topic.REJECTED, 0, 0, 1 << 20))
    return record


def test_a_record_is_sent_as_it_came() -> None:
    log = _log()
    record = run(log.read(Topic.POINTS, 1, 3, 1))[0]
    run(send_rejected(log, Topic.POINTS, [Rejection(record, OUTCOMES)]))
    sent = _rejected(log)
    assert (sent.key, sent.value, sent.headers[:1]) == (b"a key", ORIGINAL, HEADERS)
    headers = dict(sent.headers)
    assert headers[ORIGIN_HEADER] == b"points/1/3"
    assert headers[REASON_HEADER] == b"Wrong input: no"
    assert msgspec.json.decode(headers[OUTCOMES_HEADER], type=list[Outcome]) == OUTCOMES


def test_of_a_forwarded_record_the_original_is_sent() -> None:
    log = _log()
    run(send_rejected(log, Topic.POINTS, [Rejection(_forwarded(log, Origin(1, 3, 0)), OUTCOMES)]))
    sent = _rejected(log)
    assert (sent.key, sent.value, sent.headers[:1]) == (b"a key", ORIGINAL, HEADERS)
    assert dict(sent.headers)[ORIGIN_HEADER] == b"points/1/3"


@pytest.mark.parametrize("origin", [Origin(1, 3, 0), Origin(1, 2, 0), Origin(1, 99, 0), Origin(7, 0, 0)])
def test_where_the_log_has_no_original_what_was_forwarded_is_sent(origin: Origin) -> None:
    log = _log()
    if origin.offset == 3:
        log.drop_before(Topic.POINTS, 1, 4)
    record = _forwarded(log, origin)
    run(send_rejected(log, Topic.POINTS, [Rejection(record, OUTCOMES)]))
    sent = _rejected(log)
    assert (sent.key, sent.value) == (record.key, record.value)
    assert dict(sent.headers)[ORIGIN_HEADER] == f"points/{origin.partition}/{origin.offset}".encode()


@pytest.mark.parametrize("value", [None, b"", b"\x81\xa1v\x01", b"{}"])
def test_what_can_not_be_read_is_sent(value: bytes | None) -> None:
    log = MemoryLog()
    offset = log.put(Topic.POINTS, 0, value)
    run(send_rejected(log, Topic.POINTS, [Rejection(run(log.read(Topic.POINTS, 0, offset, 1))[0], OUTCOMES)]))
    assert _rejected(log).value == value
    assert dict(_rejected(log).headers)[ORIGIN_HEADER] == b"points/0/0"


def test_what_is_added_is_bounded() -> None:
    """However many operations a record has, and however long a name it quotes: it must fit into the topic."""
    log = _log()
    record = run(log.read(Topic.POINTS, 1, 3, 1))[0]
    wrong = rejected(BadInputError("x" * (1 << 20)))
    run(send_rejected(log, Topic.POINTS, [Rejection(record, [Outcome(), wrong, *[SKIPPED] * 100_000])]))
    added = _rejected(log).headers[len(HEADERS) :]
    assert sum(len(name) + len(value) for name, value in added) < REJECTED_EXTRA_BYTES // 2
    assert msgspec.json.decode(dict(added)[OUTCOMES_HEADER], type=list[Outcome]) == [wrong]
    assert (wrong.reason or "").endswith("x...")


class NarrowLog(MemoryLog):
    """Takes records of so many bytes."""

    LIMIT = 20_000

    async def append(
        self, topic: Topic, partition: int, value: bytes | None, *, key: bytes | None = None, headers: Headers = ()
    ) -> int:
        size = len(value or b"") + len(key or b"") + sum(len(name) + len(value) for name, value in headers)
        if size > self.LIMIT:
            raise RecordTooLargeError(f"the record takes {size} bytes")
        return self.put(topic, partition, value, key=key, headers=headers)


@pytest.mark.parametrize("topic", list(Topic)[:2])
@pytest.mark.parametrize("long", ["key", "value", "header"])
def test_of_what_is_too_large_for_the_topic_only_its_place_is_sent(topic: Topic, long: str) -> None:
    """A producer that compresses gets records onto the log that are larger than it takes from here."""
    log = NarrowLog()
    large = b"x" * NarrowLog.LIMIT
    value, key, header = (large if long == part else b"short" for part in ("value", "key", "header"))
    log.put(topic, 0, value, key=key, headers=(("own", header),))
    wrong = rejected(BadInputError("\x00" * (1 << 20)))
    run(send_rejected(log, topic, [Rejection(run(log.read(topic, 0, 0, 1))[0], [wrong, *[SKIPPED] * 200])]))
    sent = _rejected(log)
    assert (sent.key, sent.value) == (None, None)
    headers = dict(sent.headers)
    assert headers.keys() == {ORIGIN_HEADER, REASON_HEADER, OUTCOMES_HEADER, LEFT_OUT_HEADER}
    assert headers[ORIGIN_HEADER] == f"{topic}/0/0".encode()
    assert headers[REASON_HEADER].decode() == wrong.reason
    assert msgspec.json.decode(headers[OUTCOMES_HEADER], type=list[Outcome]) == [wrong]
    assert headers[LEFT_OUT_HEADER].startswith(b"the record takes")


def test_of_what_was_too_large_to_be_read_its_place_and_the_reason_are_sent(tmp_path: Path) -> None:
    log = MemoryLog()
    record = LogRecord(0, 0, 0, None, None, (), unread="the record takes 99 bytes, and at most 9 are read")

    async def main() -> None:
        with closing(open_state(tmp_path)) as state:
            runner = PartitionRunner(log, 0, state, ignore_frame, reject=rejecter(log, Topic.POINTS))
            await runner.apply_all([record])
            assert state.outcomes(0) == [Outcome(record.unread, 413)]

    run(main())
    sent = _rejected(log)
    assert (sent.key, sent.value) == (None, None)
    assert dict(sent.headers)[LEFT_OUT_HEADER].decode() == dict(sent.headers)[REASON_HEADER].decode() == record.unread
