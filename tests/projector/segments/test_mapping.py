"""Mapped files: they take no descriptor, and stay for as long as anything refers to them."""

import gc
import mmap
import os
from pathlib import Path

import numpy as np
import pytest

from projector.segments import mapping
from projector.segments.mapping import LeftOnDisk, kept_in_memory, map_file
from schemas.ids import PointId
from tests.projector.segments.samples import samples, segment_of


def _descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def _is_mapped(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text()


def test_a_file_is_mapped_for_as_long_as_parts_of_it_are_used(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    before = _descriptors()
    view = map_file(path).data
    assert _descriptors() == before
    assert view.readonly
    part = np.frombuffer(view, np.uint8, 4, 6)
    del view
    path.unlink()
    gc.collect()
    assert part.tobytes() == b"6789"
    if Path("/proc/self/maps").exists():
        assert _is_mapped(path)
        del part
        gc.collect()
        assert not _is_mapped(path)


def test_an_empty_file_and_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        map_file(tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="empty"):
        map_file(tmp_path / "empty")


def test_open_segments_hold_no_descriptors(tmp_path: Path) -> None:
    before = _descriptors()
    segment = segment_of(tmp_path / "s", samples([PointId(i) for i in range(1, 50)]), graph=True)
    segment.load_graphs()
    assert _descriptors() == before


def _locked_bytes() -> int:
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmLck:"))
    return int(line.split()[1]) << 10


def test_what_is_kept_in_memory_is_locked_until_nothing_refers_to_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 64)
    values = np.frombuffer(map_file(path).data, np.uint8).reshape(64, 256)
    before = _locked_bytes()
    kept = kept_in_memory(values)
    assert np.array_equal(kept, values)
    assert np.shares_memory(kept, values) == (_locked_bytes() > before)
    del kept, values
    gc.collect()
    assert _locked_bytes() == before
    assert not _is_mapped(path)


def test_what_may_not_be_locked_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)))
    values = np.frombuffer(map_file(path).data, np.uint8)

    def refuse(address: int, size: int) -> int:
        return -1

    monkeypatch.setattr(mapping, "_lock", refuse)
    kept = kept_in_memory(values)
    assert not np.shares_memory(kept, values)
    assert np.array_equal(kept, values)
    assert not kept.flags.writeable


def _resident_bytes(path: Path) -> int:
    """Of what is mapped of a file, as far as it counts for this process."""
    found, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ")[0]:
            ours = line.endswith(str(path))
        elif ours and line.startswith("Rss:"):
            found += int(line.split()[1]) << 10
    return found


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="says what is resident")
def test_what_is_left_on_disk_stays_what_it_is_and_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "file"
    written = np.arange(1 << 20, dtype=np.uint32)
    path.write_bytes(b"head" + written.tobytes())
    values = np.frombuffer(map_file(path).data, np.uint32, offset=4).reshape(-1, 64)
    left = LeftOnDisk(values)
    maps = Path("/proc/self/smaps").read_text().split(str(path))[1:]
    assert any("rr" in one.split("VmFlags:")[1].split("\n")[0].split() for one in maps)
    assert values.sum() == written.sum()
    before = _resident_bytes(path)
    assert before >= values.nbytes
    left.read(10)
    assert _resident_bytes(path) == before
    left.read(len(values))
    assert _resident_bytes(path) <= 2 * mmap.PAGESIZE
    assert np.array_equal(values.ravel(), written)
    LeftOnDisk(values[:0]).read(1)
