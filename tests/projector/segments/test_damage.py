"""Damaged files are noticed: at once where they would lead astray, else by ``check``, or when a graph is read."""

import errno
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.segments import reader
from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FORMAT_VERSION, FlatFile, FlatFileWriter
from projector.segments.reader import Segment
from schemas.ids import PointId
from tests.projector.segments.samples import COSINE, build, config, samples, segment_of, spec, spill
from tests.support.examples import tries

STRUCTURE = ("numbers", "uuids", "versions", "payload_offsets", "columns", "slots.0")


@pytest.fixture(scope="module")
def segment(tmp_path_factory: pytest.TempPathFactory) -> Segment:
    folder = tmp_path_factory.mktemp("damage") / "s"
    return segment_of(folder, samples([PointId(i) for i in range(600)]), graph=True)


@pytest.fixture
def copy(segment: Segment, tmp_path: Path) -> Path:
    return Path(shutil.copytree(segment.folder, tmp_path / "s"))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_every_file_that_is_missing_or_cut_short(segment: Segment, tmp_path: Path) -> None:
    names = [p.name for p in segment.folder.iterdir()]
    assert len(names) == 3
    for name in names:
        for size in (None, 0, 10, -1):
            copy = Path(shutil.copytree(segment.folder, tmp_path / f"{name}{size}"))
            path = copy / name
            if size is None:
                path.unlink()
            else:
                path.write_bytes(path.read_bytes()[:size])
            with pytest.raises(SegmentDamagedError):
                Segment.open(copy)


def test_every_byte_of_the_directory(copy: Path) -> None:
    path = copy / "segment.flat"
    size = path.stat().st_size
    end = max(s.offset + s.length for s in FlatFile(path, "segment").directory.sections.values())
    start = (end + 63) // 64 * 64
    for at in [*range(8), *range(start, size, 7), *range(size - 24, size)]:
        flip(path, at)
        with pytest.raises(SegmentDamagedError):
            Segment.open(copy)
        flip(path, at)
    Segment.open(copy).check()


def test_a_byte_of_every_section(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy / "segment.flat"
    for name, section in FlatFile(path, "segment").directory.sections.items():
        if not section.length:
            continue
        at = section.offset + section.length // 2
        flip(path, at)
        with pytest.raises(SegmentDamagedError):
            Segment.open(copy)
        with monkeypatch.context() as patch:
            patch.setattr(reader, "CHECKED_AT_ONCE", 0)
            if name in STRUCTURE:
                with pytest.raises(SegmentDamagedError):
                    Segment.open(copy)
            else:
                with pytest.raises(SegmentDamagedError):
                    Segment.open(copy).check()
        flip(path, at)


def test_a_damaged_graph_counts_as_none(copy: Path) -> None:
    flip(copy / "graph.0.links", 5000)
    segment = Segment.open(copy)
    assert segment.graph(COSINE) is None
    assert list(segment.damaged_graphs) == [COSINE]
    with pytest.raises(SegmentDamagedError):
        segment.check()


def test_damaged_codes_count_as_a_damaged_graph(tmp_path: Path) -> None:
    points = samples([PointId(i) for i in range(600)])
    quantized = msgspec.structs.replace(config(), quantization={"scalar": {"type": "int8"}})
    built = build(spec(tmp_path / "s", [spill(tmp_path / "s.spill", points)], graph=True, configuration=quantized))
    for section in ("codes.0", "quantizer.0"):
        place = FlatFile(built.folder / "segment.flat", "segment").directory.sections[section]
        flip(built.folder / "segment.flat", place.offset + place.length // 2)
        segment = Segment.open(built.folder)
        assert segment.graph(COSINE) is None
        assert list(segment.damaged_graphs) == [COSINE]
        unread = Segment.open(built.folder)
        unread.check_graphs()
        assert list(unread.damaged_graphs) == [COSINE]
        flip(built.folder / "segment.flat", place.offset + place.length // 2)


def test_graphs_are_checked_without_reading_them(copy: Path) -> None:
    segment = Segment.open(copy)
    segment.check_graphs()
    assert not segment.damaged_graphs
    flip(copy / "graph.0.links", 5000)
    segment.check_graphs()
    assert list(segment.damaged_graphs) == [COSINE]


def test_a_build_says_which_source_is_damaged(copy: Path, tmp_path: Path) -> None:
    healthy = Segment.open(copy)
    path = copy / "segment.flat"
    flip(path, FlatFile(path, "segment").directory.sections["vectors.0"].offset)
    with pytest.raises(SegmentDamagedError) as caught:
        build(spec(tmp_path / "t", segments=[(healthy, [])]))
    assert caught.value.folder == str(copy)
    assert not (tmp_path / "t").exists()


def test_a_newer_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projector.segments.flat_file.FORMAT_VERSION", FORMAT_VERSION + 1)
    with FlatFileWriter(tmp_path / "f") as file:
        file.finish("segment", {})
    monkeypatch.undo()
    with pytest.raises(SegmentDamagedError, match="newer"):
        FlatFile(tmp_path / "f", "segment")


def test_another_kind_is_refused(tmp_path: Path) -> None:
    with FlatFileWriter(tmp_path / "f") as file:
        file.finish("spill", {})
    with pytest.raises(SegmentDamagedError, match="spill"):
        FlatFile(tmp_path / "f", "segment")


def test_too_many_open_files_are_not_damage(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("projector.segments.mapping.os.open", fail)
    with pytest.raises(OSError, match="Too many"):
        Segment.open(copy)


@given(st.binary(max_size=300))
@settings(max_examples=tries(60), deadline=None)
def test_any_bytes_are_no_flat_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    with pytest.raises(SegmentDamagedError):
        FlatFile(path, "segment")
