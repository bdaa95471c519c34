"""What is kept of a partition's latest records: from any offset on, within bounds."""

from ingest.embedded.recent_records import RecentRecords
from ingest.log import LogRecord


def _record(offset: int) -> LogRecord:
    return LogRecord(0, offset, 0, None, b"x" * 100, ())


def test_records_are_read_from_any_kept_offset() -> None:
    recent = RecentRecords(1 << 20)
    for offset in range(40, 60):
        recent.add(_record(offset))
    assert [record.offset for record in recent.read(50, 1 << 20)] == list(range(50, 60))
    assert [record.offset for record in recent.read(55, 2 * _record(0).log_size)] == [55, 56]
    assert [record.offset for record in recent.read(59, 0)] == [59]
    assert recent.read(39, 1 << 20) == recent.read(60, 1 << 20) == []


def test_the_oldest_are_let_go() -> None:
    recent = RecentRecords(10_000)
    for offset in range(1000):
        recent.add(_record(offset))
    kept = len(recent)
    assert 0 < kept < 100
    assert recent.read(999 - kept, 1) == []
    assert [record.offset for record in recent.read(1000 - kept, 1 << 20)] == list(range(1000 - kept, 1000))


def test_one_that_is_larger_than_the_bound_is_not_kept() -> None:
    recent = RecentRecords(100)
    recent.add(_record(0))
    recent.add(_record(1))
    assert len(recent) == 0
    assert recent.read(1, 1) == []
