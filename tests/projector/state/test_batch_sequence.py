"""A batch that is missing between others is noticed when a state is opened."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rocksdict import WriteBatch

from projector.state.batch_sequence import EVERY, KEPT, PREFIX, BatchSequence
from projector.state.errors import StateDamagedError
from projector.state.kv import Batch, KeyValue

ROOT = Path(__file__).parents[3]

_DIE_WITH_TWO_LOGS = """
import os, sys
from pathlib import Path
from projector.state.kv import Batch, KeyValue

folder = Path(sys.argv[1])
kv = KeyValue.open(folder, write_buffer_mib=1)
number = 0
while len([path for path in folder.glob("*.log") if path.stat().st_size]) < 2:
    batch = Batch()
    batch.put(b"key%06d" % number, bytes(1000))
    kv.write(batch)
    number += 1
os._exit(0)
"""


def _put(kv: KeyValue, number: int) -> None:
    batch = Batch()
    batch.put(b"key%06d" % number, b"value")
    kv.write(batch)


def test_a_missing_batch_is_noticed_and_a_lost_end_is_not_damage(tmp_path: Path) -> None:
    with KeyValue.open(tmp_path) as kv:
        for number in range(100):
            _put(kv, number)
    with KeyValue.open(tmp_path) as kv:
        numbers = [key for key, _ in kv.scan(PREFIX)]
        assert len(numbers) == 100
        _put(kv, 100)
    for lost, damaged in ((100, False), (49, True)):
        copy = Path(shutil.copytree(tmp_path, tmp_path.with_name(f"lost{lost}")))
        with KeyValue.open(copy) as kv:
            raw = kv._db  # pyright: ignore[reportPrivateUsage]
            batch = WriteBatch(raw_mode=True)
            batch.delete(PREFIX + (lost + 1).to_bytes(8, "big"))
            raw.write(batch)
        if damaged:
            with pytest.raises(StateDamagedError, match="lacks 1 of its writes"):
                KeyValue.open(copy)
        else:
            KeyValue.open(copy).close()


def test_an_older_log_that_was_cut_is_refused(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _DIE_WITH_TWO_LOGS, str(tmp_path)], cwd=ROOT, check=True)
    logs = sorted(path for path in tmp_path.glob("*.log") if path.stat().st_size)
    if len(logs) < 2:
        pytest.skip("the older log was dropped before the process died")
    os.truncate(logs[0], logs[0].stat().st_size // 2)
    with pytest.raises(StateDamagedError):
        KeyValue.open(tmp_path, write_buffer_mib=1)


def test_numbers_are_dropped_and_those_kept_are_whole() -> None:
    kept: dict[bytes, bytes] = {}

    class Store:
        def put(self, key: bytes, value: bytes) -> None:
            kept[key] = value

        def delete_range(self, start: bytes, end: bytes) -> None:
            for key in [key for key in kept if start <= key < end]:
                del kept[key]

    sequence = BatchSequence([])
    flushes = 0
    for _ in range(KEPT + 3 * EVERY):
        sequence.number(Store())
        flushes += sequence.written()
    assert flushes == KEPT // EVERY + 3
    assert KEPT <= len(kept) <= KEPT + 2 * EVERY
    again = BatchSequence(sorted(kept.items()))
    assert (again.last, again.missing) == (sequence.last, 0)
    del kept[sorted(kept)[len(kept) // 2]]
    assert BatchSequence(sorted(kept.items())).missing == 1
