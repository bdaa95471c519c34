"""A state belongs to one log and one version of the fold, and says so before it does harm."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest.log import Topic
from projector.fold.effects import FOLD_VERSION
from projector.state.fold_history import FOLD_VERSION_KEY, FoldSpan
from projector.state.kv import Batch, KeyValue
from projector.state.origin import StateMismatchError, check_log
from projector.state.store import PartitionState
from schemas.matching import EVALUATOR_VERSION
from schemas.operations import SetPayload
from schemas.text import TEXT_VERSION
from tests.projector.fold.memory_state import OPENED, points_record, upsert
from tests.projector.state.samples import Projector, fold_all, log_of, open_state, put, run
from tests.support.memory_log import MemoryLog


def _records() -> MemoryLog:
    return log_of(OPENED, points_record(upsert({1: None})), points_record(upsert({2: None})))


def _check(log: MemoryLog, folder: Path) -> None:
    state = open_state(folder)
    try:
        run(check_log(state, log, Topic.POINTS, 0))
    finally:
        state.close()


def test_another_log_is_refused(tmp_path: Path) -> None:
    open_state(tmp_path).close()
    for read_only in (False, True):
        with pytest.raises(
            StateMismatchError, match=r"from the log memory, not from another\. .*move the state folder"
        ):
            PartitionState.open(tmp_path, "another", read_only=read_only)
    open_state(tmp_path).close()


def folded_by(folder: Path, version: bytes) -> None:
    """Have a state say that another version of the fold wrote it."""
    with KeyValue.open(folder) as kv:
        batch = Batch()
        batch.put(FOLD_VERSION_KEY, version)
        kv.write(batch)


@pytest.mark.parametrize(
    ("version", "remedy"),
    [(b"0/older", "rebuild it from the log"), (b"9999/1/later", "Run the release that wrote it"), (b"x", "rebuild it")],
)
def test_a_version_of_the_fold_that_cannot_be_read_is_refused(version: bytes, remedy: str, tmp_path: Path) -> None:
    open_state(tmp_path).close()
    folded_by(tmp_path, version)
    with pytest.raises(StateMismatchError, match=f"version {version.decode()} of the fold.*{remedy}"):
        open_state(tmp_path)


def _with_another_tokenizer() -> str:
    assert TEXT_VERSION in EVALUATOR_VERSION
    assert EVALUATOR_VERSION in FOLD_VERSION
    return FOLD_VERSION.replace(TEXT_VERSION, "snowballstemmer-0.0.1")


@pytest.mark.parametrize("version", ["4/1/unicode-15.0.0", _with_another_tokenizer()])
def test_another_version_of_the_fold_that_can_be_read_is_gone_on_with(version: str, tmp_path: Path) -> None:
    log = _records()
    fold_all(log, tmp_path)
    folded_by(tmp_path, version.encode())
    # The records before are gone, so that there is nothing to rebuild it from.
    log.drop_before(Topic.POINTS, 0, 3)
    with closing(PartitionState.open(tmp_path, "memory", read_only=True)) as state:
        assert state.folds == [FoldSpan(0, version)]
    _grow(log)
    fold_all(log, tmp_path)
    for _ in range(2):
        with closing(open_state(tmp_path)) as state:
            assert state.applied == 3
            assert state.folds == [FoldSpan(0, version), FoldSpan(3, FOLD_VERSION)]


def _grow(log: MemoryLog) -> None:
    put(log, points_record(upsert({3: None})))


def _trim_what_was_applied(log: MemoryLog) -> None:
    log.drop_before(Topic.POINTS, 0, 3)


def _trim_but_the_last(log: MemoryLog) -> None:
    log.drop_before(Topic.POINTS, 0, 2)


def _leave_a_gap_and_grow(log: MemoryLog) -> None:
    log.skip(Topic.POINTS, 0, 3)
    _grow(log)


def _nothing(log: MemoryLog) -> None:
    pass


@pytest.mark.parametrize("change", [_nothing, _grow, _trim_what_was_applied, _trim_but_the_last, _leave_a_gap_and_grow])
def test_a_log_that_goes_on_where_the_state_stands_fits(change: Callable[[MemoryLog], None], tmp_path: Path) -> None:
    log = _records()
    fold_all(log, tmp_path)
    change(log)
    _check(log, tmp_path)


def test_a_new_state_fits_a_log_that_has_its_beginning(tmp_path: Path) -> None:
    _check(MemoryLog(), tmp_path)
    _check(_records(), tmp_path)


def test_a_new_state_does_not_fit_a_log_without_its_beginning(tmp_path: Path) -> None:
    log = _records()
    log.drop_before(Topic.POINTS, 0, 1)
    with pytest.raises(StateMismatchError, match="starts at offset 1, but the state needs offset 0 next"):
        _check(log, tmp_path)


def _lose_the_end(log: MemoryLog) -> str:
    log.drop_from(Topic.POINTS, 0, 2)
    return "ahead of its log: it has applied offset 2, but the log ends at 2"


def _lose_everything(log: MemoryLog) -> str:
    log.drop_from(Topic.POINTS, 0, 0)
    return "but the log ends at 0"


def _lose_what_comes_next(log: MemoryLog) -> str:
    put(log, None)
    put(log, None)
    log.drop_before(Topic.POINTS, 0, 4)
    return "starts at offset 4, but the state needs offset 3 next"


def _change_the_last(log: MemoryLog) -> str:
    log.drop_from(Topic.POINTS, 0, 2)
    put(log, points_record(upsert({2: {"another": 1}})))
    return "the record at offset 2 of points-0 is not the one"


def _remove_the_last(log: MemoryLog) -> str:
    log.drop_from(Topic.POINTS, 0, 2)
    log.skip(Topic.POINTS, 0)
    put(log, points_record(upsert({3: None})))
    return "the record at offset 2 of points-0 is not the one"


@pytest.mark.parametrize(
    "change", [_lose_the_end, _lose_everything, _lose_what_comes_next, _change_the_last, _remove_the_last]
)
def test_a_log_that_lost_or_changed_records_is_refused(change: Callable[[MemoryLog], str], tmp_path: Path) -> None:
    log = _records()
    fold_all(log, tmp_path)
    expected = change(log)
    with pytest.raises(StateMismatchError, match=expected):
        _check(log, tmp_path)


def _half_applied(log: MemoryLog, folder: Path) -> None:
    """Apply one chunk of the record at offset 3."""
    put(log, points_record(SetPayload(b'{"x":1}', filter={})))
    state = open_state(folder)
    projector = Projector(log, state, chunk_points=1)
    run(projector.runner.catch_up(3))
    run(projector.runner.apply(run(log.read(Topic.POINTS, 0, 3, 1))[0], chunks=1))
    assert state.applied == 2
    assert state.cursor is not None
    state.close()


@pytest.mark.parametrize("replacement", [None, points_record(SetPayload(b'{"x":2}', filter={}))])
def test_a_log_that_lost_a_half_applied_record_is_refused(replacement: object, tmp_path: Path) -> None:
    log = _records()
    _half_applied(log, tmp_path)
    log.drop_from(Topic.POINTS, 0, 3)
    if replacement is not None:
        put(log, points_record(SetPayload(b'{"x":2}', filter={})))
    state = open_state(tmp_path)
    run(check_log(state, log, Topic.POINTS, 0))
    with pytest.raises(StateMismatchError, match="part of the record at offset 3 was applied"):
        run(Projector(log, state).runner.finish_pending())
    state.close()


def test_a_half_applied_record_is_finished(tmp_path: Path) -> None:
    log = _records()
    _half_applied(log, tmp_path)
    state = open_state(tmp_path)
    projector = Projector(log, state)
    run(projector.runner.finish_pending())
    assert (state.applied, state.cursor) == (3, None)
    run(projector.runner.finish_pending())
    assert [frame.final for frame in projector.frames] == [True]
    state.close()
