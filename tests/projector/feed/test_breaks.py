"""What a reader makes of a feed that is torn, damaged, cut, begun anew, or another one."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from projector.feed.errors import FeedBrokenError, NoFeedError
from projector.feed.format import FRAME_HEADER_BYTES, FeedKind, decode_header, encode_frames, encode_header
from projector.feed.reader import FeedReader
from projector.feed.writer import FeedWriter
from tests.projector.feed.sample import CHECKPOINT, SOURCE, feed_files, payload, read_all, start, write


def _read_from_the_start(reader: FeedReader) -> None:
    reader.open()
    read_all(reader)


def _starts(file: Path) -> list[int]:
    """Where in the file its frames begin after the checkpoint, and where the last one ends."""
    data = file.read_bytes()
    header, at = decode_header(data)
    starts = [at + len(encode_frames([CHECKPOINT], 0, header.salt))]
    for number in range(3):
        starts.append(starts[-1] + len(encode_frames([payload(number)], number + 1, header.salt)))
    assert starts[-1] == len(data)
    return starts


def test_a_torn_frame_is_not_there_until_it_is_whole(tmp_path: Path) -> None:
    file = write(tmp_path, 3)
    data = file.read_bytes()
    starts = _starts(file)
    with FeedReader(tmp_path, SOURCE) as reader:
        for end in range(starts[0], len(data) + 1):
            os.truncate(file, 0)
            file.write_bytes(data[:end])
            reader.open()
            assert len(read_all(reader)) == sum(start <= end for start in starts[1:])
        os.truncate(file, starts[2] + 5)
        reader.open()
        assert len(read_all(reader)) == 2
        file.write_bytes(data)
        assert read_all(reader) == [payload(2)]


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    file = write(tmp_path, 3)
    data = file.read_bytes()
    for at in range(len(data)):
        file.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        with FeedReader(tmp_path, SOURCE) as reader, pytest.raises(FeedBrokenError):
            _read_from_the_start(reader)


def test_the_frames_before_a_damaged_one_may_be_kept_and_none_after_it_is_given(tmp_path: Path) -> None:
    file = write(tmp_path, 3)
    starts = _starts(file)
    data = bytearray(file.read_bytes())
    data[starts[1] + FRAME_HEADER_BYTES + 3] ^= 1
    file.write_bytes(data)
    with FeedReader(tmp_path, SOURCE, read_bytes=starts[1] - starts[0]) as reader:
        reader.open()
        assert [bytes(found) for found in reader.read()] == [payload(0)]
        with pytest.raises(FeedBrokenError, match="frame 2 is damaged"):
            reader.read()
        with pytest.raises(FeedBrokenError, match="not open"):
            reader.read()


def test_a_missing_frame_is_noticed(tmp_path: Path) -> None:
    file = write(tmp_path, 3)
    starts = _starts(file)
    data = file.read_bytes()
    file.write_bytes(data[: starts[1]] + data[starts[2] :])
    with (
        FeedReader(tmp_path, SOURCE) as reader,
        pytest.raises(FeedBrokenError, match="frame 3 stands where frame 2 belongs"),
    ):
        _read_from_the_start(reader)


def test_frames_of_another_generation_do_not_pass(tmp_path: Path) -> None:
    old = write(tmp_path, 3).read_bytes()
    new = write(tmp_path, 3)
    _, size = decode_header(new.read_bytes())
    new.write_bytes(new.read_bytes()[:size] + old[size:])
    with FeedReader(tmp_path, SOURCE) as reader, pytest.raises(FeedBrokenError, match="frame 0 is damaged"):
        reader.open()


def test_a_file_without_its_checkpoint_is_no_feed(tmp_path: Path) -> None:
    file = write(tmp_path, 0)
    os.truncate(file, file.stat().st_size - 1)
    with FeedReader(tmp_path, SOURCE) as reader, pytest.raises(FeedBrokenError, match="no checkpoint"):
        reader.open()


def test_a_file_that_became_shorter_is_noticed(tmp_path: Path) -> None:
    file = write(tmp_path, 3)
    with FeedReader(tmp_path, SOURCE) as reader:
        reader.open()
        read_all(reader)
        os.truncate(file, _starts(file)[0])
        with pytest.raises(FeedBrokenError, match="shorter"):
            reader.read()


def test_without_a_feed_there_is_nothing_to_open(tmp_path: Path) -> None:
    with FeedReader(tmp_path / "later", SOURCE) as reader:
        with pytest.raises(NoFeedError):
            reader.open()
        with FeedWriter(tmp_path / "later", SOURCE, CHECKPOINT) as writer:
            writer.write([b"a"])
            with pytest.raises(NoFeedError):
                reader.open()
            writer.show()
        reader.open()
        assert read_all(reader) == [b"a"]


@pytest.mark.parametrize("version", [1, 3])
def test_another_version_is_refused(tmp_path: Path, version: int) -> None:
    file = write(tmp_path, 1)
    data = bytearray(file.read_bytes())
    data[8] = version
    file.write_bytes(data)
    with FeedReader(tmp_path, SOURCE) as reader, pytest.raises(FeedBrokenError, match=f"version {version}"):
        reader.open()


@pytest.mark.parametrize(
    "other",
    [replace(SOURCE, identity="another"), replace(SOURCE, partition=1), replace(SOURCE, kind=FeedKind.CATALOG)],
)
def test_another_feed_is_refused(tmp_path: Path, other: object) -> None:
    write(tmp_path, 1)
    with FeedReader(tmp_path, other) as reader, pytest.raises(FeedBrokenError, match="not of"):  # pyright: ignore[reportArgumentType]
        reader.open()


def test_a_new_generation_breaks_readers_of_the_old_one_once_they_have_read_it(tmp_path: Path) -> None:
    with start(tmp_path) as writer, FeedReader(tmp_path, SOURCE) as reader:
        reader.open()
        writer.write([b"a"])
        with FeedWriter(tmp_path, SOURCE, CHECKPOINT) as restarted:
            restarted.write([b"b"])
            assert restarted.generation == writer.generation + 1
            assert read_all(reader) == [b"a"]
            restarted.show()
            writer.write([b"too late to be deleted with its file"])
            assert len(reader.read()) == 1
            with pytest.raises(FeedBrokenError):
                reader.read()
            with pytest.raises(FeedBrokenError):
                reader.end()
            reader.open()
            assert read_all(reader) == [b"b"]


def test_an_old_generation_that_could_not_be_dropped_is_left_behind(tmp_path: Path) -> None:
    file = write(tmp_path, 2)
    kept = file.read_bytes()
    with FeedReader(tmp_path, SOURCE) as reader:
        reader.open()
        assert len(read_all(reader)) == 2
        write(tmp_path, 1)
        file.write_bytes(kept)
        with pytest.raises(FeedBrokenError):
            reader.read()
        reader.open()
        assert len(read_all(reader)) == 1


def test_a_new_generation_drops_files_that_were_not_finished(tmp_path: Path) -> None:
    (tmp_path / "0000000000000009-0000000000000000.feed.new").write_bytes(b"HWf")
    write(tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [feed_files(tmp_path)[0].name]


def test_a_cut_under_a_reader_lets_it_finish_its_file_and_then_breaks(tmp_path: Path) -> None:
    with start(tmp_path) as writer, FeedReader(tmp_path, SOURCE) as reader:
        reader.open()
        for number in range(3):
            writer.write([payload(number)])
            writer.roll(CHECKPOINT)
        writer.drop_first()
        writer.drop_first()
        assert [bytes(found) for found in reader.read()] == [payload(0)]
        with pytest.raises(FeedBrokenError, match="cut"):
            reader.read()


def test_a_reader_at_the_end_of_a_file_that_is_dropped_goes_on_with_the_next(tmp_path: Path) -> None:
    with start(tmp_path) as writer, FeedReader(tmp_path, SOURCE) as reader:
        reader.open()
        writer.write([b"a"])
        writer.roll(CHECKPOINT)
        writer.drop_first()
        writer.write([b"b"])
        assert read_all(reader) == [b"a", b"b"]


def _remove(folder: Path) -> None:
    for path in folder.glob("*.feed"):
        path.unlink()


def _replace_by_another(folder: Path) -> None:
    _remove(folder)
    write(folder, 5, roll_every=1)


def _move_away(folder: Path) -> None:
    folder.rename(folder.with_name("old"))


def _move_away_and_begin_anew(folder: Path) -> None:
    _move_away(folder)
    write(folder, 5)


@pytest.mark.parametrize("change", [_move_away, _move_away_and_begin_anew])
def test_a_feed_that_was_moved_away_breaks_the_reader(tmp_path: Path, change: Callable[[Path], None]) -> None:
    folder = tmp_path / "feed"
    write(folder, 1)
    write(folder, 3)
    with FeedReader(folder, SOURCE) as reader:
        reader.open()
        assert len(read_all(reader)) == 3
        change(folder)
        with pytest.raises(FeedBrokenError):
            reader.read()


@pytest.mark.parametrize("change", [_remove, _replace_by_another])
def test_files_that_were_taken_away_break_the_reader(tmp_path: Path, change: Callable[[Path], None]) -> None:
    write(tmp_path, 3, roll_every=1)
    with FeedReader(tmp_path, SOURCE) as reader:
        reader.open()
        assert len(read_all(reader)) == 3
        change(tmp_path)
        with pytest.raises(FeedBrokenError):
            reader.read()


def test_a_next_file_of_another_feed_does_not_pass(tmp_path: Path) -> None:
    header, _ = decode_header(write(tmp_path, 2).read_bytes())
    with FeedReader(tmp_path, SOURCE) as reader:
        reader.open()
        assert len(read_all(reader)) == 2
        other = replace(header, first_sequence=3, salt=header.salt ^ 1)
        path = tmp_path / f"{header.generation:016x}-{3:016x}.feed"
        path.write_bytes(encode_header(other) + encode_frames([CHECKPOINT], 3, other.salt))
        with pytest.raises(FeedBrokenError, match="another feed"):
            reader.read()


def test_a_full_disk_leaves_a_feed_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.pwrite, 0

    def pwrite(fd: int, data: memoryview, position: int) -> int:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError("No space left on device")
        return real(fd, data[:15], position)

    with start(tmp_path) as writer, FeedReader(tmp_path, SOURCE) as reader:
        reader.open()
        for action in (lambda: writer.write([b"a", b"b"]), lambda: writer.roll(CHECKPOINT)):
            calls = 0
            with monkeypatch.context() as patch:
                patch.setattr(os, "pwrite", pwrite)
                with pytest.raises(OSError, match="No space"):
                    action()
            assert read_all(reader) == []
        writer.write([b"a", b"b"])
        writer.roll(CHECKPOINT)
        writer.write([b"c"])
        assert read_all(reader) == [b"a", b"b", b"c"]
