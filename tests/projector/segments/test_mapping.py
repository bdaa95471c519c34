"""Mapped files: they take no descriptor, and stay for as long as anything refers to them."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from projector.segments.mapping import map_file
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
