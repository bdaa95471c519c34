"""Projector and readers as processes that are killed: readers end with the state, and what they are told is true."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ingest.embedded.log import EmbeddedLog
from ingest.log import Topic
from projector.folders import StateFolder
from projector.state.digest import digest_points
from projector.state.store import PartitionState
from schemas.records import encode_record
from tests.projector.feed.reader_process import Report
from tests.projector.feed.traffic import SHARDS, is_rejected, records

ROOT = Path(__file__).parents[3]
RECORDS = 6_000
KILLS = 5


def _start(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", f"tests.projector.feed.{module}", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.stdout is not None
    assert process.stdout.readline() in (b"working\n", b"reading\n")
    return process


def _kill(process: "subprocess.Popen[bytes]") -> None:
    assert process.poll() is None
    process.kill()
    process.communicate()


async def _write_log(folder: Path) -> str:
    log = await EmbeddedLog.open(folder, 1)
    values = [encode_record(record) for record in records(RECORDS)]
    for start in range(0, RECORDS, 1000):
        await asyncio.gather(*[log.append(Topic.POINTS, 0, value) for value in values[start : start + 1000]])
    await log.close()
    return log.identity


@pytest.mark.slow
def test_a_projector_that_is_killed_again_and_again(tmp_path: Path) -> None:
    identity = asyncio.run(_write_log(tmp_path / "log"))
    rng = random.Random(3)
    arguments = (str(tmp_path), identity, str(RECORDS - 1))
    from_the_start = _start("reader_process", *arguments)
    begun_later = _start("reader_process", *arguments)
    for kill in range(KILLS):
        projector = _start("projector_process", str(tmp_path))
        asyncio.run(asyncio.sleep(rng.random()))
        if kill % 2:
            _kill(begun_later)
            begun_later = _start("reader_process", *arguments)
        _kill(projector)
    projector = _start("projector_process", str(tmp_path))
    begun_last = _start("reader_process", *arguments)
    reports = [_report(reader) for reader in (from_the_start, begun_later, begun_last)]
    _kill(projector)

    expected = _digests(tmp_path, identity)
    rejected = [offset for offset in range(RECORDS) if is_rejected(offset)]
    for report in reports:
        assert report.digests == expected
        assert [offset for offset in report.applied if is_rejected(offset)] == []
        assert [offset for offset in report.rejected if not is_rejected(offset)] == []
    assert reports[0].unknown == []
    assert reports[0].rejected == rejected


def _report(reader: "subprocess.Popen[bytes]") -> Report:
    output, _ = reader.communicate()
    assert reader.returncode == 0
    return msgspec.json.decode(output.splitlines()[-1], type=Report)


def _digests(root: Path, identity: str) -> dict[int, tuple[int, str]]:
    state = PartitionState.open(StateFolder(root / "state").rocksdb(0), identity)
    try:
        assert state.applied == RECORDS - 1
        return {shard.uid: digest_points(state.scan(shard, None)) for shard in SHARDS}
    finally:
        state.close()
