"""How fast the embedded log appends, reads and opens, on the disk that the folder given is on.

python -m bench.embedded_log [FOLDER]
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from ingest.disk import Disk, sync_data
from ingest.embedded import EmbeddedLog
from ingest.log import Topic

SMALL = 500
LARGE = 420_000
WRITERS = (1, 8, 64)
WINDOW_BYTES = 1 << 20


class Counter:
    """Counts the syncs of a log."""

    def __init__(self) -> None:
        self.syncs = 0

    def sync(self, fd: int) -> None:
        """Sync, and count it."""
        self.syncs += 1
        sync_data(fd)


def percentile(times: list[float], share: float) -> float:
    """In microseconds."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1e6


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


def raw_sync(folder: Path, size: int, count: int) -> None:
    """What one write and one sync of ``size`` bytes cost without a log."""
    data = os.urandom(size)
    fd = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT)
    times: list[float] = []
    for number in range(count):
        start = time.perf_counter()
        os.pwrite(fd, data, number * size)
        sync_data(fd)
        times.append(time.perf_counter() - start)
    os.close(fd)
    print(
        f"  write and sync alone: {count / sum(times):8,.0f}/s, p50 {percentile(times, 0.5):6.0f} us, "
        f"p99 {percentile(times, 0.99):6.0f} us"
    )


async def append(folder: Path, size: int, writers: int, count: int) -> None:
    """``count`` appends by ``writers`` tasks, each of which waits for one append before the next."""
    counter = Counter()
    log = await EmbeddedLog.open(folder, disk=Disk(sync=counter.sync))
    data = os.urandom(size)
    times: list[float] = []

    async def write() -> None:
        for _ in range(count // writers):
            times.append(await timed(lambda: log.append(Topic.POINTS, 0, data)))

    before = counter.syncs
    elapsed = await timed(lambda: asyncio.gather(*[write() for _ in range(writers)]))
    syncs = counter.syncs - before
    await log.close()
    print(
        f"  {writers:2} writers: {len(times) / elapsed:8,.0f} appends/s, "
        f"{len(times) * size / elapsed / 1e6:6.0f} MB/s, p50 {percentile(times, 0.5):6.0f} us, "
        f"p99 {percentile(times, 0.99):6.0f} us, {syncs / len(times):.3f} syncs per append"
    )


async def read(folder: Path) -> None:
    """Reopen, read everything from the files, and read each record again as it is appended."""
    start = time.perf_counter()
    log = await EmbeddedLog.open(folder)
    print(f"  open: {(time.perf_counter() - start) * 1e3:.1f} ms")
    offset = size = count = 0
    start = time.perf_counter()
    while found := await log.read(Topic.POINTS, 0, offset, WINDOW_BYTES):
        offset = found[-1].offset + 1
        count += len(found)
        size += sum(len(record.value or b"") for record in found)
    elapsed = time.perf_counter() - start
    print(f"  read from files: {count / elapsed:,.0f} records/s, {size / elapsed / 1e6:,.0f} MB/s")
    times: list[float] = []
    for _ in range(200):
        at = await log.append(Topic.POINTS, 0, bytes(SMALL))
        times.append(await timed(lambda at=at: log.read(Topic.POINTS, 0, at, WINDOW_BYTES)))
    print(f"  read just after an append: p50 {percentile(times, 0.5):.1f} us")
    await log.close()


async def main(above: Path | None) -> None:
    for size, counts in ((SMALL, (3_000, 16_000, 64_000)), (LARGE, (200, 400, 640))):
        print(f"records of {size:,} bytes")
        with tempfile.TemporaryDirectory(dir=above) as name:
            folder = Path(name)
            raw_sync(folder, size, counts[0])
            for writers, count in zip(WRITERS, counts, strict=True):
                await append(folder / "log", size, writers, count)
            await read(folder / "log")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
