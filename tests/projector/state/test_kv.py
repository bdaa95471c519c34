"""RocksDB behind its door: atomic batches, ordered scans, one owner, and damage that is not hidden."""

import subprocess
import sys
from pathlib import Path

import pytest

from projector.state.errors import StateDamagedError, StateLockedError
from projector.state.kv import Batch, KeyValue
from tests.projector.state.samples import run

ROOT = Path(__file__).parents[3]

_DIE_AFTER_WRITING = """
import os, sys
from pathlib import Path
from projector.state.kv import Batch, KeyValue

kv = KeyValue.open(Path(sys.argv[1]))
for number in range(200):
    batch = Batch()
    batch.put(b"first%03d" % number, bytes(500))
    batch.put(b"second%03d" % number, bytes(500))
    kv.write(batch)
os._exit(0)
"""


def _write_and_die(folder: Path) -> Path:
    """200 batches in a process that then ends without closing; returns the write-ahead log."""
    subprocess.run([sys.executable, "-c", _DIE_AFTER_WRITING, str(folder)], cwd=ROOT, check=True)
    return max(folder.glob("*.log"), key=lambda path: path.stat().st_size)


def _put(kv: KeyValue, *keys: bytes) -> None:
    batch = Batch()
    for key in keys:
        batch.put(key, b"=" + key)
    kv.write(batch)


def test_what_is_in_memory_is_moved_into_files_where_it_is_much(tmp_path: Path) -> None:
    with KeyValue.open(tmp_path) as kv:
        batch = Batch()
        batch.put(b"a", bytes(1 << 20))
        kv.write(batch)
        run(kv.flush(4 << 20))
        assert not list(tmp_path.glob("*.sst"))
        run(kv.flush(1 << 20))
        assert list(tmp_path.glob("*.sst"))
        assert kv.get(b"a") == bytes(1 << 20)


def test_reads_see_what_was_written(tmp_path: Path) -> None:
    with KeyValue.open(tmp_path) as kv:
        _put(kv, b"a", b"b")
        assert kv.get(b"a") == b"=a"
        assert kv.get(b"c") is None
        assert kv.get_many([b"c", b"b", b"a", b"b"]) == [None, b"=b", b"=a", b"=b"]
        batch = Batch()
        batch.delete(b"a")
        batch.put(b"empty", b"")
        kv.write(batch)
        assert kv.get(b"a") is None
        assert kv.get(b"empty") == b""


def test_scans_are_in_order_and_within_their_prefix(tmp_path: Path) -> None:
    with KeyValue.open(tmp_path) as kv:
        _put(kv, b"a", b"p\x00", b"p\xff", b"p\xff\xff", b"q", b"o\xff", b"p\x01", b"p")
        assert [key for key, _ in kv.scan(b"p")] == [b"p", b"p\x00", b"p\x01", b"p\xff", b"p\xff\xff"]
        assert [key for key, _ in kv.scan(b"p", b"p\x01")] == [b"p\x01", b"p\xff", b"p\xff\xff"]
        assert [key for key, _ in kv.scan(b"p", b"p\x01\x00")] == [b"p\xff", b"p\xff\xff"]
        assert list(kv.scan(b"z")) == []
        assert list(kv.scan(b"q")) == [(b"q", b"=q")]


def test_a_scan_sees_the_state_it_began_with(tmp_path: Path) -> None:
    with KeyValue.open(tmp_path) as kv:
        _put(kv, b"p1", b"p2", b"p3")
        scan = kv.scan(b"p")
        assert next(scan)[0] == b"p1"
        batch = Batch()
        batch.delete_range(b"p", b"q")
        kv.write(batch)
        _put(kv, b"p4")
        assert [key for key, _ in scan] == [b"p2", b"p3"]
        assert [key for key, _ in kv.scan(b"p")] == [b"p4"]


def test_who_may_not_write_leaves_the_folder_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with KeyValue.open(folder):
        before = sorted(path.name for path in folder.iterdir())
        with pytest.raises(StateLockedError):
            KeyValue.open(folder)
        assert sorted(path.name for path in folder.iterdir()) == before
    with KeyValue.open(folder):
        pass


def test_only_one_may_write(tmp_path: Path) -> None:
    with KeyValue.open(tmp_path / "state") as kv:
        _put(kv, b"a")
        with pytest.raises(StateLockedError, match="open in another process"):
            KeyValue.open(tmp_path / "state")
        code = (
            "import sys, pathlib\n"
            "from projector.state.errors import StateLockedError\n"
            "from projector.state.kv import KeyValue\n"
            "try:\n"
            "    KeyValue.open(pathlib.Path(sys.argv[1]))\n"
            "except StateLockedError:\n"
            "    print('locked')\n"
        )
        found = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "state")], cwd=ROOT, check=True, capture_output=True
        )
        assert found.stdout == b"locked\n"
        with KeyValue.open(tmp_path / "state", read_only=True) as reader:
            assert reader.get(b"a") == b"=a"
    with KeyValue.open(tmp_path / "state") as kv:
        assert kv.get(b"a") == b"=a"


def test_what_was_written_survives_the_process(tmp_path: Path) -> None:
    _write_and_die(tmp_path)
    with KeyValue.open(tmp_path) as kv:
        assert len(list(kv.scan(b"first"))) == 200
        assert len(list(kv.scan(b"second"))) == 200


def test_a_torn_tail_loses_whole_batches(tmp_path: Path) -> None:
    log = _write_and_die(tmp_path)
    data = log.read_bytes()
    log.write_bytes(data[: len(data) * 3 // 4])
    with KeyValue.open(tmp_path) as kv:
        kept = len(list(kv.scan(b"first")))
        assert kept == len(list(kv.scan(b"second")))
        assert 100 < kept < 200
        assert [key for key, _ in kv.scan(b"first")] == [b"first%03d" % number for number in range(kept)]


def test_damage_in_the_middle_is_refused(tmp_path: Path) -> None:
    log = _write_and_die(tmp_path / "block")
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    with pytest.raises(StateDamagedError, match="can't be opened"):
        KeyValue.open(tmp_path / "block")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with KeyValue.open(tmp_path) as kv:
        _put(kv, b"a")
        run(kv.sync())
    (tmp_path / "CURRENT").write_bytes(b"MANIFEST-999999\n")
    with pytest.raises(StateDamagedError):
        KeyValue.open(tmp_path)
