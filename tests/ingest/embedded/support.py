"""What the tests of the embedded log share."""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ingest.disk import Disk
from ingest.embedded import EmbeddedLog
from ingest.log import LogRecord, Topic

POINTS = Topic.POINTS


def no_sync(fd: int) -> None:
    """Nothing is lost in a test that doesn't crash."""


QUICK = Disk(sync=no_sync)


@asynccontextmanager
async def opened(folder: Path, partitions: int | None = None, **options: Any) -> AsyncGenerator[EmbeddedLog]:
    """A log that is closed at the end."""
    options.setdefault("disk", QUICK)
    log = await EmbeddedLog.open(folder, partitions, **options)
    try:
        yield log
    finally:
        await log.close()


async def read_all(log: EmbeddedLog, topic: Topic = POINTS, partition: int = 0, max_bytes: int = 1) -> list[LogRecord]:
    """Every record of a partition."""
    records: list[LogRecord] = []
    offset = await log.start_offset(topic, partition)
    while found := await log.read(topic, partition, offset, max_bytes):
        records += found
        offset = found[-1].offset + 1
    return records


async def append_each(log: EmbeddedLog, values: list[bytes]) -> list[int]:
    """Append one after the other: each is a group of its own."""
    return [await log.append(POINTS, 0, value) for value in values]


async def append_together(log: EmbeddedLog, values: list[bytes]) -> list[int]:
    """Append all in one group."""
    return await asyncio.gather(*[log.append(POINTS, 0, value) for value in values])


def write_log(folder: Path, values: list[bytes], **options: Any) -> None:
    """Make a log whose first points partition holds ``values``, each written by itself."""

    async def write() -> None:
        async with opened(folder, **options) as log:
            await append_each(log, values)

    asyncio.run(write())


def values_in(folder: Path, **options: Any) -> list[bytes | None]:
    """Open the log in ``folder`` and return the values of its first points partition."""

    async def read() -> list[bytes | None]:
        async with opened(folder, **options) as log:
            return [record.value for record in await read_all(log)]

    return asyncio.run(read())


def segment_files(folder: Path) -> list[Path]:
    """The files of the first points partition, oldest first."""
    return sorted((folder / "points-0").glob("*.log"))


def within(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test; one that hangs fails."""
    asyncio.run(asyncio.wait_for(coroutine, 240))


class FaultyDisk:
    """A disk that can be told to fail, and that counts."""

    def __init__(self) -> None:
        self.syncs = 0
        self.fail_sync = False
        self.write_limit: int | None = None

    @property
    def disk(self) -> Disk:
        return Disk(self.pwrite, self.sync)

    def sync(self, fd: int) -> None:
        self.syncs += 1
        if self.fail_sync:
            raise OSError(errno.EIO, "injected")

    def pwrite(self, fd: int, data: bytes, position: int) -> int:
        if self.write_limit is None:
            return os.pwrite(fd, data, position)
        if self.write_limit == 0:
            raise OSError(errno.ENOSPC, "injected")
        written = os.pwrite(fd, data[: self.write_limit], position)
        self.write_limit -= written
        return written
