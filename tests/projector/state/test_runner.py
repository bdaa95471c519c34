"""PartitionRunner: each record once, whatever stops it where, and frames that say what was done."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from ingest.log import Topic
from ingest.outcomes import Rejection
from ingest.sharding import parts_of
from ingest.writer import REQUEST_HEADERS
from projector.fold.chunk import ChunkLimit
from projector.frames import Changes, Frame, Opened
from projector.worker.partition_runner import PartitionRunner
from schemas.operations import DeletePoints, Operation, Outcome, SetPayload
from schemas.records import PartitionRecord, encode_record
from tests.projector.fold.memory_state import OPENED, SHARD, points_record, upsert
from tests.projector.state.samples import Projector, digests, fold_all, log_of, open_state, put, run
from tests.support.memory_log import MemoryLog


class StoppedError(Exception):
    """Stands for the process's death."""


def _records() -> list[PartitionRecord | bytes | None]:
    return [
        OPENED,
        points_record(upsert({i: {"a": i} for i in range(5)})),
        b"not a record",
        points_record(SetPayload(b'{"x":1}', filter={}), SetPayload(b"{}", ids=[404])),
        None,
        points_record(DeletePoints(ids=[0, 1])),
    ]


def test_a_log_is_folded_in_order(tmp_path: Path) -> None:
    projector = fold_all(log_of(*_records()), tmp_path)
    frames = projector.frames
    assert [frame.offset for frame in frames] == [0, 2, 3, 4, 5]
    assert [frame.offset for frame in frames if not frame.final] == [4]
    assert isinstance(frames[0].events[0], Opened)
    assert [len(event.ids) for frame in frames for event in frame.events if isinstance(event, Changes)] == [5, 5, 2]
    state = open_state(tmp_path)
    assert (state.applied, state.marker_seq) == (5, 1)
    assert len(list(state.scan(SHARD, None))) == 3
    state.close()


def test_rejections_go_into_the_frame_the_state_and_to_the_producer(tmp_path: Path) -> None:
    projector = fold_all(log_of(*_records()), tmp_path)
    not_found = Outcome("Not found: No point with id 404 found", 404)
    assert [offset for offset, _ in projector.rejected] == [2, 3, 4]
    assert projector.rejected[1][1] == [Outcome(), not_found]
    assert [frame.offset for frame in projector.frames if frame.outcomes] == [2, 3, 4]
    assert projector.frames[2].outcomes == [Outcome(), not_found]
    assert projector.frames[1].outcomes[0].status == 400
    state = open_state(tmp_path)
    assert state.outcomes(3) == [Outcome(), not_found]
    state.close()


def test_many_rejections_are_one_commit_and_are_sent_together(tmp_path: Path) -> None:
    bad = [points_record(SetPayload(b"{}", ids=[404])), b"not a record"]
    sent: list[list[int]] = []

    async def reject(rejections: Sequence[Rejection]) -> None:
        sent.append([record.offset for record, _ in rejections])

    frames: list[Frame] = []
    with contextlib.closing(open_state(tmp_path)) as state:
        log = log_of(OPENED, *bad * 200)
        run(PartitionRunner(log, 0, state, frames.append, reject=reject).catch_up(401))
        assert [offset for offset, _ in state.outcomes_since(0)] == list(range(1, 401))
    assert sent == [list(range(1, 401))]
    assert [frame.offset for frame in frames if frame.final] == [0, 400]
    assert [frame.offset for frame in frames if frame.outcomes] == list(range(1, 401))


def test_what_a_request_is_told_of_is_not_sent(tmp_path: Path) -> None:
    log = MemoryLog()
    refused = encode_record(points_record(SetPayload(b"{}", ids=[404])))
    for value in (encode_record(OPENED), refused, b"of a later release"):
        log.put(Topic.POINTS, 0, value, headers=REQUEST_HEADERS)
    projector = fold_all(log, tmp_path)
    assert [offset for offset, _ in projector.rejected] == [2]
    assert [frame.offset for frame in projector.frames if frame.outcomes] == [1, 2]


def test_chunks_are_frames_of_which_the_last_is_final(tmp_path: Path) -> None:
    frames = fold_all(log_of(*_records()), tmp_path, chunk_points=2).frames
    assert [(frame.offset, frame.final) for frame in frames if frame.offset == 3] == [
        (3, False),
        (3, False),
        (3, True),
    ]
    assert [bool(frame.outcomes) for frame in frames if frame.offset == 3] == [False, False, True]


def test_what_a_foreign_record_means_is_derived_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[int] = []

    def counting(operations: Sequence[Operation], shards: int) -> dict[int, list[tuple[int, Operation]]]:
        derived.append(shards)
        return parts_of(operations, shards)

    monkeypatch.setattr("projector.fold.parts.parts_of", counting)
    deletes = [{"delete": {"filter": {"must": [{"has_id": [point_id]}]}}} for point_id in range(4)]
    value = msgspec.json.encode({"collection_name": OPENED.name, "operations": deletes})
    projector = fold_all(
        log_of(OPENED, points_record(upsert(dict.fromkeys(range(6)))), value), tmp_path, chunk_points=2
    )
    assert len([frame for frame in projector.frames if frame.offset == 2]) > 4
    # Once to see that it does not go with the record before it.
    assert derived == [1, 1]


def test_a_record_that_comes_again_is_skipped(tmp_path: Path) -> None:
    log = log_of(*_records())
    fold_all(log, tmp_path)
    expected = digests(tmp_path)
    state = open_state(tmp_path)
    projector = Projector(log, state)
    for record in run(log.read(Topic.POINTS, 0, 0, 1 << 20)):
        run(projector.runner.apply(record))
    assert projector.frames == []
    assert projector.rejected == []
    assert state.applied == 5
    state.close()
    assert digests(tmp_path) == expected


def test_catching_up_ends_where_it_is_told(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    projector = Projector(log_of(*_records()), state)
    run(projector.runner.catch_up(3))
    assert state.applied == 2
    run(projector.runner.catch_up(3))
    assert state.applied == 2
    state.close()


def test_gaps_in_the_offsets_are_passed_over(tmp_path: Path) -> None:
    log = MemoryLog()
    for record in _records():
        log.skip(Topic.POINTS, 0, 2)
        put(log, record)
    log.skip(Topic.POINTS, 0, 2)
    gapless, gaps = tmp_path / "gapless", tmp_path / "gaps"
    fold_all(log, gaps)
    fold_all(log_of(*_records()), gapless)
    assert digests(gaps) == digests(gapless)


@pytest.mark.parametrize("stop_at", range(12))
def test_wherever_it_is_stopped_after_a_commit_it_goes_on_there(tmp_path: Path, stop_at: int) -> None:
    log = log_of(*_records())
    fold_all(log, tmp_path / "whole")
    frames: list[Frame] = []

    def sink(frame: Frame) -> None:
        frames.append(frame)
        if len(frames) == stop_at + 1:
            raise StoppedError

    for _ in range(2):
        state = open_state(tmp_path / "stopped")
        with contextlib.suppress(StoppedError):
            run(PartitionRunner(log, 0, state, sink, chunk=ChunkLimit(1)).catch_up(6))
        state.close()
    assert digests(tmp_path / "stopped") == digests(tmp_path / "whole")
    assert [frame.offset for frame in frames if frame.final] == [0, 2, 3, 4, 5]


def test_stopped_before_a_commit_it_reports_the_rejection_again(tmp_path: Path) -> None:
    log = log_of(*_records())
    reported: list[list[int]] = []

    async def reject(rejections: Sequence[Rejection]) -> None:
        reported.append([record.offset for record, _ in rejections])
        if len(reported) == 1:
            raise StoppedError

    def once() -> None:
        with contextlib.closing(open_state(tmp_path)) as state:
            run(PartitionRunner(log, 0, state, _ignore, reject=reject).catch_up(6))

    with pytest.raises(StoppedError):
        once()
    once()
    assert reported == [[2], [2], [3], [4]]


def _ignore(frame: Frame) -> None:
    pass


def test_it_follows_the_log(tmp_path: Path) -> None:
    log = MemoryLog()
    state = open_state(tmp_path)
    applied: asyncio.Queue[int] = asyncio.Queue()

    def sink(frame: Frame) -> None:
        applied.put_nowait(frame.offset)

    async def main() -> None:
        following = asyncio.create_task(PartitionRunner(log, 0, state, sink).follow())
        for expected, record in enumerate(_records()):
            put(log, record)
            assert await applied.get() == expected
        following.cancel()

    run(main())
    state.close()


def test_it_waits_where_it_is_asked_to(tmp_path: Path) -> None:
    log = log_of(*_records())
    state = open_state(tmp_path)
    runner = PartitionRunner(log, 0, state, _ignore)

    async def main() -> None:
        runner.room = asyncio.Event()
        catching_up = asyncio.create_task(runner.catch_up(6))
        for _ in range(100):
            await asyncio.sleep(0)
        assert state.applied == -1
        runner.room.set()
        await catching_up
        assert state.applied == 5

    run(main())
    state.close()
