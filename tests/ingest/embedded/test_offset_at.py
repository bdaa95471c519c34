"""Which offset a time has, over many files."""

import time
from pathlib import Path

import pytest

from ingest.embedded import segment_reader
from ingest.embedded.segment_file import Segment
from tests.ingest.embedded.support import POINTS, append_each, opened, read_all, segment_files, within

START_MS = 1_700_000_000_000
VALUES = [bytes(100)] * 20


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The times that are told, in milliseconds; each is 10 ms after the one before."""
    told: list[int] = []

    def tell() -> int:
        told.append(START_MS + 10 * len(told))
        return told[-1] * 1_000_000

    monkeypatch.setattr(time, "time_ns", tell)
    return told


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first offsets of the files whose frames were looked at."""
    seen: list[int] = []
    first_at = segment_reader.first_at

    def look(segment: Segment, limit: int, time_ms: int) -> int | None:
        seen.append(segment.first_offset)
        return first_at(segment, limit, time_ms)

    monkeypatch.setattr("ingest.embedded.partition_log.first_at", look)
    return seen


@pytest.mark.usefixtures("clock")
def test_over_many_files_before_and_after_the_log_is_opened_again_and_shortened(
    tmp_path: Path, looked_at: list[int]
) -> None:
    async def check() -> None:
        async with opened(tmp_path, segment_bytes=800) as log:
            await append_each(log, VALUES)
            assert len(segment_files(tmp_path)) > 4
            times = [record.timestamp_ms for record in await read_all(log)]
            for at in range(times[0] - 5, times[-1] + 6, 5):
                looked_at.clear()
                assert await log.offset_at(POINTS, 0, at) == next((o for o, t in enumerate(times) if t >= at), 20)
                assert len(looked_at) <= 2
        async with opened(tmp_path, read_only=True) as reader:
            async with opened(tmp_path) as log:
                start = await log.delete_before(POINTS, 0, 9)
            assert 0 < start < 9
            for at in (times[0], times[start - 1], times[start]):
                assert await reader.offset_at(POINTS, 0, at) == start
            assert await reader.offset_at(POINTS, 0, times[12] - 1) == 12

    within(check())
