"""A disk that takes no writes: reads go on, and what failed is written once it takes them again."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from projector.state import kv as kv_module
from projector.state.errors import StateUnwritableError
from projector.state.kv import Batch, KeyValue
from projector.waiters import Waiters
from projector.worker import retry
from schemas.errors import InsufficientStorageError
from schemas.operations import DeletePoints, SetPayload
from schemas.records import PartitionRecord
from tests.projector.fold.memory_state import OPENED, points_record, upsert
from tests.projector.state.samples import Projector, digests, fold_all, log_of, open_state, run
from tests.support.disk import small_disk

MEBIBYTES = 80


def _write_until_full(kv: KeyValue) -> int:
    """Write batches of 64 KiB until one fails; how many were written."""
    rng = random.Random(1)
    for number in range(10_000):
        batch = Batch()
        for part in range(4):
            batch.put(b"p%06d-%d" % (number, part), rng.randbytes(16 << 10))
        try:
            kv.write(batch)
        except StateUnwritableError:
            return number
    raise AssertionError("the disk took everything")


def test_reads_go_on_and_so_do_writes_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEBIBYTES) as disk:
        kv = KeyValue.open(disk.root / "state", write_buffer_mib=2)
        told: list[str | None] = []
        kv.on_writable = told.append
        disk.fill(6 << 20)
        written = _write_until_full(kv)
        assert "No space left" in str(kv.unwritable)
        assert told == [kv.unwritable]
        with pytest.raises(StateUnwritableError):
            kv.write(Batch())
        with pytest.raises(StateUnwritableError):
            run(kv.sync())
        with pytest.raises(StateUnwritableError):
            run(kv.recover())
        assert len(list(kv.scan(b"p"))) == 4 * written
        disk.make_room()
        run(kv.recover())
        assert (kv.unwritable, told[1:]) == (None, [None])
        assert len(list(kv.scan(b"p"))) >= 4 * written
        batch = Batch()
        batch.put(b"q", b"after")
        kv.write(batch)
        run(kv.sync())
        kv.close()
        with KeyValue.open(disk.root / "state") as again:
            assert again.get(b"q") == b"after"
            assert len(list(again.scan(b"p"))) >= 4 * written


def test_a_scan_under_way_puts_recovery_off(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEBIBYTES) as disk:
        kv = KeyValue.open(disk.root / "state", write_buffer_mib=2)
        disk.fill(6 << 20)
        written = _write_until_full(kv)
        scan = kv.scan(b"p")
        next(scan)
        disk.make_room()
        with pytest.raises(StateUnwritableError):
            run(kv.recover())
        assert len(list(scan)) == 4 * written - 1
        del scan
        run(kv.recover())
        kv.write(Batch())
        kv.close()


def test_opening_while_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEBIBYTES) as disk:
        with KeyValue.open(disk.root / "state") as kv:
            batch = Batch()
            batch.put(b"a", b"1")
            kv.write(batch)
        disk.fill()
        with pytest.raises(StateUnwritableError, match="No space left"):
            KeyValue.open(disk.root / "state")
        with pytest.raises(StateUnwritableError):
            KeyValue.open(disk.root / "new", even_unwritable=True)
        with KeyValue.open(disk.root / "state", even_unwritable=True) as kv:
            assert kv.unwritable is not None
            assert kv.get(b"a") == b"1"
            with pytest.raises(StateUnwritableError):
                kv.write(Batch())
            disk.make_room()
            run(kv.recover())
            batch = Batch()
            batch.put(b"a", b"2")
            kv.write(batch)
            assert kv.get(b"a") == b"2"


class FailingDatabase:
    """A RocksDB whose writes fail as on a failing disk, some of them after they did what they were asked to."""

    failing = False

    def __init__(self, database: Any, rng: random.Random) -> None:
        self._database = database
        self._rng = rng

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def write(self, batch: Any) -> None:
        """Write, fail, or both."""
        what = self._rng.choice(["write", "fail", "both"]) if FailingDatabase.failing else "write"
        if what != "fail":
            self._database.write(batch)
        if what != "write":
            raise OSError("IO error: While appending to file: 000004.log: Input/output error")


RECORDS: list[PartitionRecord | bytes | None] = [
    OPENED,
    *[points_record(upsert({i: {"a": i} for i in range(n, n + 5)})) for n in range(10)],
    b"not a record",
    points_record(SetPayload(b'{"x":1}', filter={}), SetPayload(b"{}", ids=[404])),
    points_record(DeletePoints(ids=[0, 1])),
]


@pytest.mark.parametrize("seed", range(4))
def test_the_fold_waits_and_leaves_nothing_out(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = fold_all(log_of(*RECORDS), tmp_path / "expected", chunk_points=3)
    rng = random.Random(seed)
    open_database: Callable[..., Any] = kv_module.open_database

    def open_failing(*args: Any, **options: Any) -> FailingDatabase:
        return FailingDatabase(open_database(*args, **options), rng)

    monkeypatch.setattr(kv_module, "open_database", open_failing)
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.0)
    state = open_state(tmp_path / "state")
    waiters = Waiters(-1)
    state.kv.on_writable = waiters.stall
    monkeypatch.setattr(FailingDatabase, "failing", True)
    projector = Projector(log_of(*RECORDS), state, chunk_points=3)
    run(projector.runner.catch_up(len(RECORDS)))
    assert (state.kv.unwritable, waiters.stalled) == (None, None)
    assert projector.frames == expected.frames
    assert list(state.outcomes_since(0)) == [(f.offset, f.outcomes) for f in expected.frames if f.outcomes]
    state.close()
    monkeypatch.setattr(FailingDatabase, "failing", False)
    assert digests(tmp_path / "state") == digests(tmp_path / "expected")


def test_who_waits_is_told_at_once_unless_it_can_wait() -> None:
    async def check() -> None:
        waiters = Waiters(-1)
        hurried = asyncio.create_task(waiters.wait(0, None, give_up=True))
        patient = asyncio.create_task(waiters.wait(0, None))
        await asyncio.sleep(0)
        waiters.stall("no space")
        with pytest.raises(InsufficientStorageError, match=r"accepted as offset 0.*no space"):
            await hurried
        with pytest.raises(InsufficientStorageError):
            await waiters.wait(1, None, give_up=True)
        waiters.stall(None)
        waiters.advance(0)
        assert await patient == ()

    run(check())
