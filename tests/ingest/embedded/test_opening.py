"""Creating, locking and opening the folder of a log."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest.embedded import EmbeddedLog, LogLockedError, LogVersionError, PartitionsError
from ingest.log import LogDamagedError, LogUnavailableError, Topic
from tests.ingest.embedded.support import POINTS, FaultyDisk, append_each, opened, read_all, within


def edit_identity(folder: Path, **changes: Any) -> None:
    path = folder / "identity.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_identity_stays_and_is_random(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path / "a") as log:
            identity = log.identity
        async with opened(tmp_path / "a") as log:
            assert log.identity == identity
        async with opened(tmp_path / "b") as log:
            assert log.identity != identity

    within(check())


def test_missing_folders_above_are_made(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path / "a" / "b" / "c") as log:
            assert await append_each(log, [b"x"]) == [0]

    within(check())


def test_partitions_may_grow_and_never_shrink(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, 2) as log:
            await log.append(POINTS, 1, b"x")
        async with opened(tmp_path, 4) as log:
            assert log.partitions(POINTS) == 4
            assert await log.end_offset(POINTS, 1) == 1
            assert await log.append(POINTS, 3, b"x") == 0
        with pytest.raises(PartitionsError, match="has 4 partitions of points, and 3 were asked for"):
            await EmbeddedLog.open(tmp_path, 3)
        async with opened(tmp_path) as log:
            assert log.partitions(POINTS) == 4
        with pytest.raises(PartitionsError, match="at least one"):
            await EmbeddedLog.open(tmp_path / "new", 0)

    within(check())


def test_a_second_opener_is_told_which_folder_is_locked(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path) as log:
            with pytest.raises(LogLockedError, match=str(tmp_path)):
                await EmbeddedLog.open(tmp_path)
            await log.append(POINTS, 0, b"still works")
        async with opened(tmp_path) as log:
            assert len(await read_all(log)) == 1

    within(check())


def test_a_failed_opening_leaves_no_lock(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path, 2):
            pass
        with pytest.raises(PartitionsError):
            await EmbeddedLog.open(tmp_path, 1)
        async with opened(tmp_path, 2):
            pass

    within(check())


HOLDER = """
import asyncio, sys
from pathlib import Path
from ingest.embedded import EmbeddedLog

async def hold():
    await EmbeddedLog.open(Path(sys.argv[1]))
    print("open", flush=True)
    await asyncio.sleep(1000)

asyncio.run(hold())
"""


@pytest.mark.crash
def test_the_lock_ends_with_the_process(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"open\n"
            with pytest.raises(LogLockedError, match=f"number {holder.pid}"):
                asyncio.run(EmbeddedLog.open(tmp_path))
        finally:
            holder.kill()

    async def check() -> None:
        async with opened(tmp_path):
            pass

    within(check())


@pytest.mark.parametrize("writes", range(20))
def test_a_creation_that_was_interrupted_goes_on(tmp_path: Path, writes: int) -> None:
    """The disk fills up after some bytes; what was made is completed later, under the same identity."""

    async def check() -> None:
        faulty = FaultyDisk()
        faulty.write_limit = writes * 50
        with pytest.raises(LogUnavailableError, match="injected"):
            await EmbeddedLog.open(tmp_path / "log", 3, disk=faulty.disk)
        async with opened(tmp_path / "log", 3) as log:
            assert await asyncio.gather(*[log.append(POINTS, i, b"x") for i in range(3)]) == [0, 0, 0]
            assert await log.append(Topic.CATALOG, 0, b"x") == 0

    within(check())


@pytest.mark.parametrize("name", ["catalog-0", "points-0", "points-1", "rejected-0"])
def test_a_partition_that_is_gone_is_refused(tmp_path: Path, name: str) -> None:
    async def check() -> None:
        async with opened(tmp_path, 2):
            pass
        shutil.rmtree(tmp_path / name)
        with pytest.raises(LogDamagedError, match=name):
            await EmbeddedLog.open(tmp_path, 2)

    within(check())


def test_an_identity_that_is_gone_is_refused(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path):
            pass
        (tmp_path / "identity.json").unlink()
        for read_only in (False, True):
            with pytest.raises(LogDamagedError, match=r"identity\.json is missing"):
                await EmbeddedLog.open(tmp_path, read_only=read_only)

    within(check())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "other", "version": 1}', '{"format": 1}'])
def test_an_identity_that_is_damaged_is_refused(tmp_path: Path, text: str) -> None:
    async def check() -> None:
        async with opened(tmp_path):
            pass
        (tmp_path / "identity.json").write_text(text)
        with pytest.raises(LogDamagedError, match=r"identity\.json"):
            await EmbeddedLog.open(tmp_path)

    within(check())


def test_another_identity_than_the_files_have_is_refused(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path):
            pass
        edit_identity(tmp_path, identity="00000000-0000-4000-8000-000000000000")
        with pytest.raises(LogDamagedError, match="of log"):
            await EmbeddedLog.open(tmp_path)

    within(check())


def test_a_newer_format_is_refused_by_name(tmp_path: Path) -> None:
    async def check() -> None:
        async with opened(tmp_path):
            pass
        edit_identity(tmp_path, version=2, unheard="of")
        with pytest.raises(LogVersionError, match="format version 2"):
            await EmbeddedLog.open(tmp_path)
        edit_identity(tmp_path, version=1, unheard="of")
        async with opened(tmp_path):
            pass

    within(check())
