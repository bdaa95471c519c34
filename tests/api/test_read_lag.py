"""Where reads don't show what is on the log: told once nothing moves any more."""

from compose.api.read_lag import ReadLag
from ingest.log import Topic
from tests.ingest.log_contract import within
from tests.support.memory_log import MemoryLog


def test_reads_that_get_nearer_are_not_behind() -> None:
    async def check() -> None:
        log = MemoryLog(2)
        for _ in range(10):
            log.put(Topic.POINTS, 1, b"x")
        lag = ReadLag(log)
        for visible in range(10):
            await lag.look({0: -1, 1: visible})
            assert lag.trouble == ""

    within(check())


def test_reads_that_stand_still_are_behind_until_they_move() -> None:
    async def check() -> None:
        log = MemoryLog(2)
        for _ in range(10):
            log.put(Topic.POINTS, 1, b"x")
        lag = ReadLag(log)
        for _ in range(3):
            assert lag.trouble == ""
            await lag.look({0: -1, 1: 3})
        assert lag.trouble == "points-1 by 6 records"
        await lag.look({0: -1, 1: 4})
        assert lag.trouble == ""
        for _ in range(5):
            await lag.look({0: -1, 1: 9})
            assert lag.trouble == ""

    within(check())
