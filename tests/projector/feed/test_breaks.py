"""What a reader makes of a feed that is torn, damaged, cut, or begun anew."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from projector.feed import FeedBrokenError, FeedReader, FeedWriter, NoFeedError
from projector.feed.format import FRAME_HEADER_BYTES, FeedHeader, decode_header, encode_frame, encode_header
from tests.projector.feed.sample import IDENTITY, feed_files, frame, read_all


def _write(folder: Path, count: int, file_bytes: int = 1 << 20) -> Path:
    """A feed of ``count`` frames; returns its first file."""
    with FeedWriter(folder, 0, IDENTITY, -1, file_bytes=file_bytes) as writer:
        for sequence in range(count):
            writer.write(frame(sequence))
    return feed_files(folder)[0]


def _read_from_the_start(reader: FeedReader) -> None:
    reader.open(-1)
    read_all(reader)


def _starts(file: Path) -> list[int]:
    """Where in the file its frames begin, and where the last one ends."""
    data = file.read_bytes()
    header, at = decode_header(data)
    starts = [at]
    for sequence in range(3):
        starts.append(starts[-1] + len(encode_frame(frame(sequence), header.salt)))
    assert starts[-1] == len(data)
    return starts


def test_a_torn_frame_is_not_there_until_it_is_whole(tmp_path: Path) -> None:
    file = _write(tmp_path, 3)
    data = file.read_bytes()
    starts = _starts(file)
    with FeedReader(tmp_path) as reader:
        for end in range(starts[0], len(data) + 1):
            os.truncate(file, 0)
            file.write_bytes(data[:end])
            reader.open(-1)
            assert len(read_all(reader)) == sum(start <= end for start in starts[1:])
        os.truncate(file, starts[2] + 5)
        reader.open(-1)
        assert len(read_all(reader)) == 2
        file.write_bytes(data)
        assert [each.sequence for each in read_all(reader)] == [2]


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    file = _write(tmp_path, 3)
    data = file.read_bytes()
    for at in range(len(data)):
        file.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        with FeedReader(tmp_path) as reader, pytest.raises(FeedBrokenError):
            _read_from_the_start(reader)


def test_the_frames_before_a_damaged_one_may_be_kept_and_none_after_it_is_given(tmp_path: Path) -> None:
    file = _write(tmp_path, 3)
    starts = _starts(file)
    data = bytearray(file.read_bytes())
    data[starts[1] + FRAME_HEADER_BYTES + 3] ^= 1
    file.write_bytes(data)
    with FeedReader(tmp_path, read_bytes=starts[1] - starts[0]) as reader:
        reader.open(-1)
        assert [each.sequence for each in reader.read()] == [0]
        with pytest.raises(FeedBrokenError, match="frame 1 is damaged"):
            reader.read()
        with pytest.raises(FeedBrokenError, match="not open"):
            reader.read()


def test_a_missing_frame_is_noticed(tmp_path: Path) -> None:
    file = _write(tmp_path, 3)
    starts = _starts(file)
    data = file.read_bytes()
    file.write_bytes(data[: starts[1]] + data[starts[2] :])
    with FeedReader(tmp_path) as reader, pytest.raises(FeedBrokenError, match="frame 2 stands where frame 1 belongs"):
        _read_from_the_start(reader)


def test_frames_of_another_generation_do_not_pass(tmp_path: Path) -> None:
    old = _write(tmp_path, 3).read_bytes()
    new = _write(tmp_path, 3)
    _, size = decode_header(new.read_bytes())
    new.write_bytes(new.read_bytes()[:size] + old[size:])
    with FeedReader(tmp_path) as reader, pytest.raises(FeedBrokenError, match="frame 0 is damaged"):
        _read_from_the_start(reader)


def test_a_file_that_became_shorter_is_noticed(tmp_path: Path) -> None:
    file = _write(tmp_path, 3)
    with FeedReader(tmp_path) as reader:
        reader.open(-1)
        read_all(reader)
        os.truncate(file, _starts(file)[0])
        with pytest.raises(FeedBrokenError, match="shorter"):
            reader.read()


def test_without_a_feed_there_is_nothing_to_open(tmp_path: Path) -> None:
    with FeedReader(tmp_path / "later") as reader:
        with pytest.raises(NoFeedError):
            reader.open(-1)
        with FeedWriter(tmp_path / "later", 0, IDENTITY, -1) as writer:
            writer.write(frame(0))
        reader.open(-1)
        assert len(reader.read()) == 1


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    file = _write(tmp_path, 1)
    data = bytearray(file.read_bytes())
    data[8] = 2
    file.write_bytes(data)
    with FeedReader(tmp_path) as reader, pytest.raises(FeedBrokenError, match="version 2"):
        reader.open(-1)


def test_a_new_generation_breaks_readers_of_the_old_one_once_they_have_read_it(tmp_path: Path) -> None:
    with FeedWriter(tmp_path, 0, IDENTITY, -1) as writer, FeedReader(tmp_path) as reader:
        reader.open(-1)
        writer.write_all([frame(0), frame(1)])
        with FeedWriter(tmp_path, 0, IDENTITY, 1) as restarted:
            assert restarted.generation == writer.generation + 1
            assert len(reader.read()) == 2
            with pytest.raises(FeedBrokenError):
                reader.read()
            assert reader.open(1).generation == restarted.generation
            restarted.write(frame(0, 2))
            assert [each.offset for each in reader.read()] == [2]


def test_an_old_generation_that_could_not_be_dropped_is_left_behind(tmp_path: Path) -> None:
    file = _write(tmp_path, 2)
    kept = file.read_bytes()
    with FeedReader(tmp_path) as reader:
        reader.open(-1)
        assert len(read_all(reader)) == 2
        _write(tmp_path, 1)
        file.write_bytes(kept)
        with pytest.raises(FeedBrokenError):
            reader.read()
        reader.open(-1)
        assert len(read_all(reader)) == 1


def test_a_new_generation_drops_files_that_were_not_finished(tmp_path: Path) -> None:
    (tmp_path / "0000000000000009-0000000000000000.feed.new").write_bytes(b"HWf")
    _write(tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [feed_files(tmp_path)[0].name]


def test_a_generation_that_begins_after_the_segments_is_not_opened(tmp_path: Path) -> None:
    with FeedWriter(tmp_path, 0, IDENTITY, 10), FeedReader(tmp_path) as reader:
        with pytest.raises(FeedBrokenError, match="right after offset 9"):
            reader.open(9)
        reader.open(10)


def test_cut_drops_what_the_segments_cover(tmp_path: Path) -> None:
    with FeedWriter(tmp_path, 0, IDENTITY, -1, file_bytes=200) as writer, FeedReader(tmp_path) as reader:
        for sequence in range(30):
            writer.write(frame(sequence))
        afters = [decode_header(file.read_bytes())[0].after for file in feed_files(tmp_path)]
        assert len(afters) > 3
        writer.cut(afters[2] - 1)
        assert len(feed_files(tmp_path)) == len(afters) - 1
        writer.cut(afters[2])
        assert len(feed_files(tmp_path)) == len(afters) - 2
        with pytest.raises(FeedBrokenError, match="any more"):
            reader.open(afters[2] - 1)
        reader.open(afters[2])
        assert [each.offset for each in read_all(reader)] == list(range(afters[2] + 1, 30))
        writer.cut(1000)
        assert len(feed_files(tmp_path)) == 1
        writer.write(frame(30))
        assert [each.offset for each in read_all(reader)] == [30]


def test_a_cut_under_a_reader_lets_it_finish_its_file_and_then_breaks(tmp_path: Path) -> None:
    with FeedWriter(tmp_path, 0, IDENTITY, -1, file_bytes=200) as writer, FeedReader(tmp_path) as reader:
        writer.write(frame(0))
        reader.open(-1)
        for sequence in range(1, 30):
            writer.write(frame(sequence))
        in_first = decode_header(feed_files(tmp_path)[1].read_bytes())[0].first_sequence
        writer.cut(1000)
        assert [each.sequence for each in reader.read()] == list(range(in_first))
        with pytest.raises(FeedBrokenError, match="cut"):
            reader.read()


def _remove(folder: Path) -> None:
    for path in folder.glob("*.feed"):
        path.unlink()


def _replace_by_another(folder: Path) -> None:
    _remove(folder)
    _write(folder, 5, file_bytes=1)


@pytest.mark.parametrize("change", [_remove, _replace_by_another])
def test_files_that_were_taken_away_break_the_reader(tmp_path: Path, change: Callable[[Path], None]) -> None:
    _write(tmp_path, 3, file_bytes=1)
    with FeedReader(tmp_path) as reader:
        reader.open(-1)
        assert len(read_all(reader)) == 3
        change(tmp_path)
        with pytest.raises(FeedBrokenError):
            reader.read()


def test_a_next_file_of_another_feed_does_not_pass(tmp_path: Path) -> None:
    first = _write(tmp_path, 2)
    header = decode_header(first.read_bytes())[0]
    with FeedReader(tmp_path) as reader:
        reader.open(-1)
        assert len(read_all(reader)) == 2
        foreign = FeedWriter(tmp_path / "other", 0, IDENTITY, -1)
        foreign.close()
        data = feed_files(tmp_path / "other")[0].read_bytes()
        salt = decode_header(data)[0].salt
        path = tmp_path / f"{header.generation:016x}-{2:016x}.feed"
        path.write_bytes(encode_header(FeedHeader(0, header.generation, IDENTITY, 2, 1, salt)))
        with pytest.raises(FeedBrokenError, match="another feed"):
            reader.read()


def test_a_full_disk_leaves_a_feed_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.pwrite, 0

    def pwrite(fd: int, data: memoryview, position: int) -> int:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError("No space left on device")
        return real(fd, data[:30], position)

    with FeedWriter(tmp_path, 0, IDENTITY, -1) as writer, FeedReader(tmp_path) as reader:
        reader.open(-1)
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", pwrite)
            with pytest.raises(OSError, match="No space"):
                writer.write_all([frame(0), frame(1)])
        assert reader.read() == []
        writer.write_all([frame(0), frame(1)])
        assert [each.sequence for each in reader.read()] == [0, 1]
