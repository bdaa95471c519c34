"""What a partition's feed holds: what the manifests lack, then frames; checkpoints; and which files are dropped."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from projector.feed import partition_feed
from projector.feed.messages import PointsCheckpoint, decode_frame, decode_points_checkpoint
from projector.feed.partition_feed import PartitionFeed
from projector.feed.reader import FeedReader
from projector.feed.recent import KEPT_OFFSETS
from projector.folders import StateFolder
from projector.frames import Changes, Closed, Frame, Reconfigured, Resealed, ShardId
from projector.segments.manifest import Manifest, write_manifest
from schemas.ids import PointId
from tests.projector.feed.fake_state import REJECTED, A, B, State, opened
from tests.projector.feed.sample import CONFIG, SOURCE, feed_files


def changes(offset: int, shard: ShardId = A, size: int = 10, *, final: bool = True) -> Frame:
    return Frame(offset, [Changes(shard, [offset], [b"x" * size])], final=final)


def open_feed(root: Path, state: State | None = None, file_bytes: int = 1 << 20) -> PartitionFeed:
    return asyncio.run(
        PartitionFeed.open(StateFolder(root), 0, SOURCE.identity, state or State(), file_bytes=file_bytes)
    )


def seal(root: Path, shard: ShardId, offset: int) -> None:
    folder = StateFolder(root).shard(0, shard)
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, Manifest(offset, 1, []))


def read(root: Path) -> tuple[PointsCheckpoint, list[Frame]]:
    """The oldest file's checkpoint, and all frames."""
    with FeedReader(StateFolder(root).feed(0), SOURCE) as reader:
        checkpoint = decode_points_checkpoint(reader.open())
        frames: list[Frame] = []
        while payloads := reader.read():
            frames += map(decode_frame, payloads)
        return checkpoint, frames


def checkpoint_of_newest(root: Path) -> PointsCheckpoint:
    with FeedReader(StateFolder(root).feed(0), SOURCE) as reader:
        return decode_points_checkpoint(reader.open(newest=True))


def needs(checkpoint: PointsCheckpoint) -> dict[ShardId, int]:
    return {entry.shard: entry.needs for entry in checkpoint.shards}


def count_files(root: Path) -> int:
    return len(feed_files(StateFolder(root).feed(0)))


def test_a_feed_of_nothing_stands_at_the_applied_offset(tmp_path: Path) -> None:
    open_feed(tmp_path).close()
    checkpoint, frames = read(tmp_path)
    assert (checkpoint.offset, checkpoint.shards) == (-1, [])
    assert frames == [Frame(-1, [])]


def test_a_generation_begins_with_what_the_manifests_lack(tmp_path: Path) -> None:
    seal(tmp_path, A, 3)
    state = State(9, {A: {5: 3, 20: 4, 7: 9}, B: {1: 0}})
    open_feed(tmp_path, state).close()
    checkpoint, frames = read(tmp_path)
    assert checkpoint.offset == 9
    assert needs(checkpoint) == {A: 3, B: -1}
    assert frames == [
        Frame(9, [Changes(A, [20, 7], [None, b"7"])], final=False),
        Frame(9, [Changes(B, [1], [b"1"])], final=False),
        Frame(9, []),
    ]


def test_readers_see_nothing_of_a_generation_before_all_of_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_feed, "CHUNK_POINTS", 2)
    monkeypatch.setattr(partition_feed, "PENDING_BYTES", 1)
    seen: list[int] = []

    class Watched(State):
        def points(self, shard: ShardId, ids: Sequence[PointId]) -> Sequence[bytes | None]:
            seen.append(count_files(tmp_path))
            return super().points(shard, ids)

    open_feed(tmp_path, Watched(9, {A: dict.fromkeys(range(7), 9)}), file_bytes=1).close()
    assert seen == [0] * 7
    _, frames = read(tmp_path)
    assert [frame.final for frame in frames] == [False] * 4 + [True]


def test_what_the_manifests_lack_is_told_in_frames_of_bounded_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_feed, "CHUNK_BYTES", 1)
    open_feed(tmp_path, State(9, {A: dict.fromkeys(range(3), 9)})).close()
    _, frames = read(tmp_path)
    assert [len(event.ids) for frame in frames for event in frame.events if isinstance(event, Changes)] == [2, 1]


def test_frames_are_there_after_a_flush_or_when_they_are_many(tmp_path: Path) -> None:
    feed = open_feed(tmp_path)
    feed.on_frame(opened(0, A))
    assert len(read(tmp_path)[1]) == 1
    feed.flush()
    assert len(read(tmp_path)[1]) == 2
    feed.on_frame(changes(1, size=partition_feed.PENDING_BYTES))
    assert read(tmp_path)[1][1:] == [opened(0, A), changes(1, size=partition_feed.PENDING_BYTES)]
    feed.on_frame(changes(2))
    feed.close()
    assert len(read(tmp_path)[1]) == 4


def test_a_new_file_says_what_came_before(tmp_path: Path) -> None:
    feed = open_feed(tmp_path, State(4, {A: {}}), file_bytes=1)
    for frame in (
        changes(5),
        opened(6, B),
        Frame(7, [], REJECTED),
        Frame(8, [Reconfigured(B, CONFIG)]),
        changes(9, B),
        Frame(10, []),
    ):
        feed.on_frame(frame)
        feed.flush()
        checkpoint = checkpoint_of_newest(tmp_path)
        assert checkpoint.offset == frame.offset
    assert needs(checkpoint) == {A: 5, B: 9}
    assert checkpoint.outcomes == [(7, REJECTED)]
    assert checkpoint.outcomes_after == 10 - KEPT_OFFSETS
    assert [(entry.name, entry.shard_map) for entry in checkpoint.shards] == [("c1", [0]), ("c2", [0])]
    feed.on_frame(Frame(11, [Closed(B)]))
    feed.flush()
    assert needs(checkpoint_of_newest(tmp_path)) == {A: 5}
    feed.close()


def test_rejections_before_the_generation_are_in_it(tmp_path: Path) -> None:
    state = State(KEPT_OFFSETS + 100)
    state.rejected = [(50, REJECTED), (101, REJECTED), (KEPT_OFFSETS, REJECTED)]
    feed = open_feed(tmp_path, state, file_bytes=1)
    checkpoint, _ = read(tmp_path)
    assert checkpoint.outcomes_after == 100
    assert checkpoint.outcomes == [(101, REJECTED), (KEPT_OFFSETS, REJECTED)]
    feed.on_frame(Frame(KEPT_OFFSETS + 101, [], REJECTED))
    feed.close()
    checkpoint = checkpoint_of_newest(tmp_path)
    assert checkpoint.outcomes_after == 101
    assert [offset for offset, _ in checkpoint.outcomes] == [KEPT_OFFSETS, KEPT_OFFSETS + 101]


def test_a_record_is_never_split_between_files(tmp_path: Path) -> None:
    feed = open_feed(tmp_path, State(-1, {A: {}}), file_bytes=1)
    for frame in (changes(0), changes(1, final=False), changes(1, final=False), changes(1), changes(2)):
        feed.on_frame(frame)
        feed.flush()
        if not frame.final:
            # What is told in between is no end of the record.
            feed.resealed(A, -1)
    feed.close()
    names = [file.name for file in feed_files(StateFolder(tmp_path).feed(0))]
    assert [int(name[17:33], 16) for name in names] == [0, 3, 9, 11]


def test_a_notice_follows_the_frames_before_it(tmp_path: Path) -> None:
    feed = open_feed(tmp_path, State(-1, {A: {}}))
    feed.on_frame(changes(0))
    feed.on_frame(changes(1, final=False))
    feed.resealed(A, 0)
    feed.resealed(B, 0)
    assert read(tmp_path)[1][1:] == [
        changes(0),
        changes(1, final=False),
        Frame(0, [Resealed(A, 0)], final=False),
    ]
    feed.close()


def test_files_are_dropped_once_all_manifests_have_what_they_hold(tmp_path: Path) -> None:
    feed = open_feed(tmp_path, State(-1, {A: {}, B: {}}), file_bytes=1)
    for frame in (changes(0), changes(1, B), changes(2)):
        feed.on_frame(frame)
        feed.flush()
    assert needs(read(tmp_path)[0]) == {A: -1, B: -1}
    feed.resealed(B, 1)
    assert needs(read(tmp_path)[0]) == {A: -1, B: -1}
    feed.resealed(A, 1)
    assert needs(read(tmp_path)[0]) == {A: 0, B: 1}
    feed.resealed(A, 2)
    assert needs(read(tmp_path)[0]) == {A: 2, B: 1}
    assert count_files(tmp_path) == 1
    feed.close()


def test_a_closed_shard_holds_no_file(tmp_path: Path) -> None:
    feed = open_feed(tmp_path, State(-1, {A: {}, B: {}}), file_bytes=1)
    feed.on_frame(changes(0))
    feed.flush()
    assert count_files(tmp_path) == 2
    feed.on_frame(Frame(1, [Closed(A)]))
    feed.flush()
    assert count_files(tmp_path) == 1
    feed.resealed(A, 1)
    feed.close()


def test_a_full_disk_is_raised_and_the_frames_go_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = open_feed(tmp_path, State(-1, {A: {}}))
    feed.on_frame(changes(0))

    def full(fd: int, data: memoryview, position: int) -> int:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        for action in (feed.flush, lambda: feed.resealed(A, 0)):
            with pytest.raises(OSError, match="No space"):
                action()
    feed.close()
    assert read(tmp_path)[1][1:] == [changes(0), Frame(0, [Resealed(A, 0)], final=False)]
