"""What is written is read, whatever it is and however it is cut into files and reads."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from projector.catalog.state import CollectionMeta
from projector.feed import messages
from projector.feed.format import FeedHeader, FeedKind, FeedSource, decode_header, encode_header
from projector.feed.messages import CatalogChange, CatalogCheckpoint, CatalogMarkers, OpenShard, PointsCheckpoint
from projector.feed.reader import FeedReader, Position
from projector.frames import Frame
from schemas.operations import Outcome
from tests.projector.feed import sample
from tests.projector.feed.sample import CHECKPOINT, CONFIG, SHARD, SOURCE, payload, read_all, start

MISSING = Outcome("Not found", 404)


@given(
    sizes=st.lists(st.integers(0, 300), max_size=20),
    rolls=st.sets(st.integers(0, 20)),
    read_bytes=st.sampled_from([1, 25, 200, 1 << 20]),
    batch=st.integers(1, 5),
)
def test_payloads_are_read_as_written(sizes: Sequence[int], rolls: set[int], read_bytes: int, batch: int) -> None:
    payloads = [payload(number, size) for number, size in enumerate(sizes)]
    with (
        tempfile.TemporaryDirectory() as name,
        start(Path(name)) as writer,
        FeedReader(Path(name), SOURCE, read_bytes=read_bytes) as reader,
    ):
        assert reader.open() == CHECKPOINT
        found: list[bytes] = []
        for first in range(0, len(payloads), batch):
            if first in rolls:
                writer.roll(b"checkpoint at %d" % first)
            writer.write(payloads[first : first + batch])
            found += read_all(reader)
        assert found == payloads
        assert reader.open() == CHECKPOINT
        assert read_all(reader) == payloads


@given(sample.frames)
def test_frames_are_read_as_written(frame: Frame) -> None:
    assert messages.decode_frame(memoryview(messages.encode(frame))) == frame


def test_checkpoints_and_changes_are_read_as_written() -> None:
    points = PointsCheckpoint(7, [OpenShard(SHARD, "ünï", CONFIG, [0, 2], -1)], -1, [(3, [Outcome(), MISSING])])
    assert messages.decode_points_checkpoint(memoryview(messages.encode(points))) == points
    meta = CollectionMeta(1 << 63, "a", CONFIG, [1])
    catalog = CatalogCheckpoint(7, [meta], {"b": "a"}, 5, [CatalogMarkers(6, [(1, 1 << 40)])], [(7, [MISSING])])
    assert messages.decode_catalog_checkpoint(memoryview(messages.encode(catalog))) == catalog
    change = CatalogChange(8, [meta], ["c"], {"b": None, "d": "a"}, [(0, 2)], [MISSING])
    assert messages.decode_catalog_change(memoryview(messages.encode(change))) == change


@given(
    st.builds(
        FeedHeader,
        st.builds(
            FeedSource,
            st.sampled_from(FeedKind),
            partition=st.integers(0, 2**32 - 1),
            identity=st.text(st.characters(codec="utf-8"), max_size=40),
        ),
        generation=st.integers(0, 2**64 - 1),
        first_sequence=st.integers(0, 2**64 - 1),
        salt=st.integers(0, 2**32 - 1),
    )
)
def test_headers_are_read_as_written(header: FeedHeader) -> None:
    data = encode_header(header)
    assert decode_header(data + b"more") == (header, len(data))


def test_reads_are_bounded(tmp_path: Path) -> None:
    with start(tmp_path) as writer, FeedReader(tmp_path, SOURCE, read_bytes=5000) as reader:
        writer.write([payload(number, size=1000) for number in range(20)] + [payload(20, size=50_000)])
        reader.open()
        lengths: list[int] = []
        while payloads := reader.read():
            lengths.append(len(payloads))
        assert sum(lengths) == 21
        assert max(lengths) <= 5


def test_a_reader_begins_with_the_oldest_file_or_with_the_newest(tmp_path: Path) -> None:
    with start(tmp_path) as writer, FeedReader(tmp_path, SOURCE) as reader:
        writer.write([b"a"])
        writer.roll(b"second")
        writer.write([b"b"])
        writer.roll(b"third")
        assert reader.open(newest=True) == b"third"
        assert read_all(reader) == []
        assert not reader.begins_generation
        assert reader.open() == CHECKPOINT
        assert reader.begins_generation
        assert read_all(reader) == [b"a", b"b"]
        writer.drop_first()
        assert reader.open() == b"second"
        assert read_all(reader) == [b"b"]
        assert [file.first_sequence for file in writer.files] == [2, 4]


def test_the_end_is_where_a_reader_comes_to(tmp_path: Path) -> None:
    with start(tmp_path) as writer, FeedReader(tmp_path, SOURCE) as reader:
        reader.open()
        assert reader.position == reader.end()
        writer.write([b"a"])
        writer.roll(CHECKPOINT)
        writer.write([b"b"])
        end = reader.end()
        assert end == Position(2, writer.size)
        assert reader.position < end
        writer.write([b"c"])
        assert reader.position < end < reader.end()
        assert read_all(reader) == [b"a", b"b", b"c"]
        assert reader.position == reader.end()


def test_reading_to_the_end_goes_through_all_files_and_waits_for_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        with start(tmp_path) as writer, FeedReader(tmp_path, SOURCE) as reader:
            reader.open()
            assert [run async for run in reader.to_end()] == []
            writer.write([b"a"])
            writer.roll(CHECKPOINT)
            writer.write([b"b"])
            found: list[bytes] = []
            async for run in reader.to_end():
                found += map(bytes, run)
                writer.write([b"later"])
            assert found[:2] == [b"a", b"b"]
            assert reader.position < reader.end()

    asyncio.run(main())


def test_next_waits_for_what_is_written(tmp_path: Path) -> None:
    async def main() -> None:
        with start(tmp_path) as writer, FeedReader(tmp_path, SOURCE) as reader:
            reader.open()
            for number in range(20):
                waiting = asyncio.create_task(_next(reader))
                await asyncio.sleep(0.001 * (number % 3))
                if number == 7:
                    writer.roll(CHECKPOINT)
                writer.write([payload(number)])
                assert await waiting == [payload(number)]

    asyncio.run(main())


async def _next(reader: FeedReader) -> list[bytes]:
    return [bytes(payload) for payload in await reader.next()]
