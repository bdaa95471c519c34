"""The manifest: what is written is read, damage is noticed, a crash leaves the old one or the new one."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.segments.errors import ManifestDamagedError
from projector.segments.manifest import (
    MANIFEST_VERSION,
    Manifest,
    SegmentEntry,
    read_manifest,
    write_manifest,
)

DEAD = np.array([False, True, False, False, True, False, False, False, True], np.bool_)
SAMPLE = Manifest(77, 12, [SegmentEntry.of("s1", DEAD), SegmentEntry.of("s2", np.zeros(3, np.bool_))])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    write_manifest(tmp_path, SAMPLE)
    read = read_manifest(tmp_path)
    assert read == SAMPLE
    assert read is not None
    assert read.segments[0].dead_mask().tolist() == DEAD.tolist()
    assert read.segments[1].dead_mask().tolist() == [False] * 3
    assert [p.name for p in tmp_path.iterdir()] == ["manifest"]


@given(st.lists(st.booleans(), max_size=40))
def test_masks(dead: list[bool]) -> None:
    entry = SegmentEntry.of("s", np.array(dead, np.bool_))
    assert entry.dead_mask().tolist() == dead


def test_damage_is_noticed(tmp_path: Path) -> None:
    write_manifest(tmp_path, SAMPLE)
    path = tmp_path / "manifest"
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        with pytest.raises(ManifestDamagedError):
            read_manifest(tmp_path)
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(ManifestDamagedError):
            read_manifest(tmp_path)


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest(1, 1, [], MANIFEST_VERSION + 1))
    with pytest.raises(ManifestDamagedError, match="newer"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("step", ["fdatasync", "replace"])
def test_a_failure_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    write_manifest(tmp_path, SAMPLE)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="disk full"):
        write_manifest(tmp_path, Manifest(78, 13, []))
    assert read_manifest(tmp_path) == SAMPLE
    monkeypatch.undo()
    write_manifest(tmp_path, Manifest(78, 13, []))
    assert read_manifest(tmp_path) == Manifest(78, 13, [])
