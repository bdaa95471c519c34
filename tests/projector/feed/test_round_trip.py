"""What is written is read, whatever it is and however it is cut into files and reads."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.feed import FeedReader, FeedWriter
from projector.feed.format import FeedHeader, decode_header, encode_header
from projector.frames import Event, Frame
from schemas.operations import Outcome
from tests.projector.feed.sample import IDENTITY, feed_files, frame, frames_of, read_all, records


@given(
    chunked=records,
    file_bytes=st.sampled_from([1, 300, 1 << 20]),
    read_bytes=st.sampled_from([1, 25, 200, 1 << 20]),
    batch=st.integers(1, 5),
)
def test_frames_are_read_as_written(
    chunked: list[list[tuple[list[Event], list[Outcome]]]], file_bytes: int, read_bytes: int, batch: int
) -> None:
    frames = list(frames_of(chunked))
    with (
        tempfile.TemporaryDirectory() as name,
        FeedWriter(Path(name), 0, IDENTITY, -1, file_bytes=file_bytes) as writer,
        FeedReader(Path(name), read_bytes=read_bytes) as reader,
    ):
        reader.open(-1)
        found: list[Frame] = []
        for start in range(0, len(frames), batch):
            writer.write_all(frames[start : start + batch])
            found += read_all(reader)
        assert found == frames
        reader.open(-1)
        assert read_all(reader) == frames


@given(chunked=records, after=st.integers(-1, 40), file_bytes=st.sampled_from([1, 300]))
def test_a_reader_gets_what_comes_after_its_offset(
    chunked: list[list[tuple[list[Event], list[Outcome]]]], after: int, file_bytes: int
) -> None:
    frames = list(frames_of(chunked))
    with (
        tempfile.TemporaryDirectory() as name,
        FeedWriter(Path(name), 0, IDENTITY, -1, file_bytes=file_bytes) as writer,
        FeedReader(Path(name)) as reader,
    ):
        for each in frames:
            writer.write(each)
        reader.open(after)
        assert read_all(reader) == [each for each in frames if each.offset > after]


@given(
    st.builds(
        FeedHeader,
        partition=st.integers(0, 2**32 - 1),
        generation=st.integers(0, 2**64 - 1),
        identity=st.text(st.characters(codec="utf-8"), max_size=40),
        first_sequence=st.integers(0, 2**64 - 1),
        after=st.integers(-1, 2**63 - 1),
        salt=st.integers(0, 2**32 - 1),
    )
)
def test_headers_are_read_as_written(header: FeedHeader) -> None:
    data = encode_header(header)
    assert decode_header(data + b"more") == (header, len(data))


def test_a_record_is_never_split_between_files(tmp_path: Path) -> None:
    frames = [frame(0, 0), frame(1, 1, final=False), frame(2, 1, final=False), frame(3, 1), frame(4, 2)]
    with FeedWriter(tmp_path, 0, IDENTITY, -1, file_bytes=1) as writer:
        for each in frames:
            writer.write(each)
    headers = [decode_header(file.read_bytes())[0] for file in feed_files(tmp_path)]
    assert [(header.first_sequence, header.after) for header in headers] == [(0, -1), (1, 0), (4, 1)]


@pytest.mark.parametrize("sequences", [[1], [0, 0], [0, 2]])
def test_a_gap_is_refused_when_writing(tmp_path: Path, sequences: Sequence[int]) -> None:
    with FeedWriter(tmp_path, 0, IDENTITY, -1) as writer, FeedReader(tmp_path) as reader:
        with pytest.raises(ValueError, match="can't be written as frame"):
            writer.write_all([frame(sequence) for sequence in sequences])
        reader.open(-1)
        assert reader.read() == []


def test_reads_are_bounded(tmp_path: Path) -> None:
    with FeedWriter(tmp_path, 0, IDENTITY, -1) as writer, FeedReader(tmp_path, read_bytes=5000) as reader:
        writer.write_all([frame(sequence, size=1000) for sequence in range(20)] + [frame(20, size=50_000)])
        reader.open(-1)
        lengths: list[int] = []
        while frames := reader.read():
            lengths.append(len(frames))
        assert sum(lengths) == 21
        assert max(lengths) <= 5


def test_the_header_says_whose_feed_it_is(tmp_path: Path) -> None:
    with FeedWriter(tmp_path, 7, IDENTITY, 41) as writer, FeedReader(tmp_path) as reader:
        header = reader.open(41)
        assert (header.partition, header.identity, header.after) == (7, IDENTITY, 41)
        assert header.generation == writer.generation
