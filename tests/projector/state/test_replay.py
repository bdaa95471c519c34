"""One log folds to one state, however it is read, cut into chunks, or interrupted."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.log import Topic
from projector.fold.chunk import ChunkLimit
from projector.folders import StateFolder
from projector.frames import Frame
from projector.state.digest import ShardDigest
from projector.state.origin import StateMismatchError
from projector.worker.partition_runner import PartitionRunner
from projector.worker.replay import replay, replay_partition
from projector.worker.verify import verify_partition
from schemas.operations import SetPayload
from schemas.records import PartitionRecord
from tests.projector.fold import strategies
from tests.projector.fold.memory_state import OPENED, points_record, upsert
from tests.projector.state.samples import Projector, digests, fold_all, log_of, open_state, put, run
from tests.support.examples import tries
from tests.support.memory_log import MemoryLog


class StoppedError(Exception):
    """Stands for the process's death."""


def _live(records: list[PartitionRecord], stops: list[int], folder: Path) -> MemoryLog:
    """Fold record by record as they are written, and die after the frames whose numbers are in ``stops``."""
    log = MemoryLog()
    frames = 0

    def sink(frame: Frame) -> None:
        nonlocal frames
        frames += 1
        if frames in stops:
            raise StoppedError

    todo = list(records)

    async def go_on() -> None:
        with contextlib.closing(open_state(folder)) as state:
            runner = PartitionRunner(log, 0, state, sink, chunk=ChunkLimit(2))
            await runner.finish_pending()
            while await runner.step() or todo:
                if todo:
                    put(log, todo.pop(0))

    done = False
    while not done:
        with contextlib.suppress(StoppedError):
            run(go_on())
            done = True
    return log


@settings(max_examples=tries(25))
@given(
    records=st.lists(strategies.records, min_size=1, max_size=10),
    stops=st.lists(st.integers(1, 40), max_size=5),
    read_bytes=st.sampled_from([1, 150, 400]),
    chunk=st.integers(1, 5),
)
def test_live_with_restarts_and_replays_give_one_digest(
    records: list[PartitionRecord], stops: list[int], read_bytes: int, chunk: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        log = _live([OPENED, *records], stops, root / "live")
        fold_all(log, root / "at once")
        fold_all(log, root / "otherwise", read_bytes=read_bytes, chunk_points=chunk)
        expected = digests(root / "at once")
        assert digests(root / "live") == expected
        assert digests(root / "otherwise") == expected
        assert _applied(root / "live") == _applied(root / "at once") == _applied(root / "otherwise")


def _applied(folder: Path) -> tuple[int, int | None, int]:
    state = open_state(folder)
    with contextlib.closing(state):
        assert state.cursor is None
        return state.applied, state.last_checksum, state.marker_seq


def _log() -> MemoryLog:
    points = upsert({i: {"a": i} for i in range(5)})
    return log_of(OPENED, points_record(points), points_record(SetPayload(b'{"x":1}', filter={})))


def _ignore(applied: int) -> None:
    pass


def test_replay_writes_a_state_folder(tmp_path: Path) -> None:
    log = _log()
    seen: list[int] = []
    run(replay(log, tmp_path / "into", seen.append))
    fold_all(log, tmp_path / "live")
    assert digests(StateFolder(tmp_path / "into").rocksdb(0)) == digests(tmp_path / "live")
    assert seen[-1] == 3


def test_replay_can_end_early(tmp_path: Path) -> None:
    run(replay_partition(_log(), 0, tmp_path, 2, _ignore))
    (found,) = digests(tmp_path)
    assert (found.points, found.version) == (5, 1)


def test_replay_needs_the_beginning(tmp_path: Path) -> None:
    log = _log()
    log.drop_before(Topic.POINTS, 0, 1)
    with pytest.raises(StateMismatchError, match="what came before can't be replayed"):
        run(replay_partition(log, 0, tmp_path, 3, _ignore))


def test_verify_finds_a_state_equal_and_a_changed_one_not(tmp_path: Path) -> None:
    log = _log()
    folder = StateFolder(tmp_path)
    fold_all(log, folder.rocksdb(0))
    verdict = run(verify_partition(log, 0, folder, tmp_path, _ignore))
    assert verdict.equal
    assert verdict.applied == 2
    state = open_state(folder.rocksdb(0))
    stray = Projector(log_of(), state)
    other = log_of(None, None, None, points_record(upsert({9: None})))
    run(stray.runner.apply(run(other.read(Topic.POINTS, 0, 3, 1))[0]))
    state.close()
    put(log, points_record(upsert({8: None})))
    verdict = run(verify_partition(log, 0, folder, tmp_path, _ignore))
    assert not verdict.equal
    (compared,) = verdict.shards
    assert isinstance(compared.live, ShardDigest)
    assert isinstance(compared.afresh, ShardDigest)
    assert compared.live.value != compared.afresh.value
