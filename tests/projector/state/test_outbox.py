"""A runner with a router: what is not at home goes to the outbox, and only what is not routed yet is sent."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.foreign import Destination
from ingest.log import Topic
from ingest.outcomes import Rejection
from projector.frames import Frame
from projector.state.store import PartitionState
from projector.worker.partition_runner import PartitionRunner, ignore_frame
from schemas.records import encode_record
from tests.projector.fold.memory_state import OPENED, SHARD
from tests.projector.state.samples import open_state, run
from tests.support.memory_log import MemoryLog

NOT_AT_HOME = b'{"collection_name":"others","id":1,"vector":{}}'
HERE = b'{"collection_name":"things","id":1,"vector":{"image":[1,2]}}'
BAD = b'{"collection_name":"things","id":1,"vector":{"image":[1,2,3]}}'


def _log() -> MemoryLog:
    log = MemoryLog()
    for value in (encode_record(OPENED), NOT_AT_HOME, HERE, BAD, b"{", NOT_AT_HOME):
        log.put(Topic.POINTS, 0, value)
    return log


def _fold(log: MemoryLog, state: PartitionState, to_relay: Callable[[int], bool] | None) -> list[int]:
    """Fold everything; the offsets of what was rejected."""
    rejected: list[int] = []

    async def reject(rejections: Sequence[Rejection]) -> None:
        rejected.extend(record.offset for record, _ in rejections)

    run(PartitionRunner(log, 0, state, ignore_frame, reject=reject, to_relay=to_relay).catch_up(6))
    return rejected


def test_without_a_router_nothing_goes_to_the_outbox_and_rejections_are_sent(tmp_path: Path) -> None:
    with contextlib.closing(open_state(tmp_path)) as state:
        assert _fold(_log(), state, None) == [3, 4]
        assert state.outbox(0) == []
        assert len(list(state.scan(SHARD, None))) == 1


def test_what_is_to_be_routed_goes_to_the_outbox(tmp_path: Path) -> None:
    with contextlib.closing(open_state(tmp_path)) as state:
        assert _fold(_log(), state, lambda offset: offset >= 0) == [3, 4]
        assert state.outbox(0) == [(1, Destination("others")), (5, Destination("others"))]


def test_what_was_routed_before_is_neither_routed_nor_rejected_again(tmp_path: Path) -> None:
    with contextlib.closing(open_state(tmp_path)) as state:
        assert _fold(_log(), state, lambda offset: offset >= 4) == [4]
        assert state.outbox(0) == [(5, Destination("others"))]
        assert [offset for offset, _ in state.outcomes_since(0)] == [3, 4]


def test_frames_say_what_was_rejected_however_it_is_routed(tmp_path: Path) -> None:
    frames: list[Frame] = []
    with contextlib.closing(open_state(tmp_path)) as state:
        run(PartitionRunner(_log(), 0, state, frames.append, to_relay=lambda offset: False).catch_up(6))
    assert [frame.offset for frame in frames if frame.outcomes] == [3, 4]


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[int] = []
    with contextlib.closing(open_state(tmp_path)) as state:
        run(PartitionRunner(_log(), 0, state, ignore_frame, read_bytes=1).catch_up(5, seen.append))
    assert seen == [1, 2, 3, 4, 5]
