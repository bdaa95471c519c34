"""Records that are committed together leave the state that each for itself does, whatever stops it where."""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.log import LogRecord, Topic
from ingest.outcomes import Rejection
from projector.fold.chunk import ChunkLimit
from projector.fold.effects import Cursor
from projector.fold.fold import Fold
from projector.fold.window import decode
from projector.frames import Changes, Frame
from projector.state.digest import digest_shard
from projector.state.store import PartitionState
from projector.worker.partition_runner import PartitionRunner
from schemas.operations import Outcome
from tests.projector.fold.log_strategies import logs
from tests.projector.state.samples import open_state, run
from tests.support.examples import tries
from tests.support.memory_log import MemoryLog


class StoppedError(Exception):
    """Stands for the process's death."""


def _contents(state: PartitionState) -> dict[str, Any]:
    """Everything a state says, but for how what changed is cut into lists."""
    return {
        "digests": [digest_shard(state, shard) for shard in sorted(state.shards())],
        "metas": state.shards(),
        "changed": {shard: sorted(state.changed_since(shard, -1)) for shard in state.shards()},
        "applied": (state.applied, state.last_checksum, state.marker_seq, state.cursor),
        "outcomes": list(state.outcomes_since(0)),
        "outbox": state.outbox(0),
        "watermarks": [state.watermark(partition) for partition in range(3)],
    }


def _each_for_itself(log: Sequence[LogRecord], state: PartitionState) -> None:
    for record in log:
        decoded = decode(record)
        cursor: Cursor | None = None
        while True:
            fold = Fold(state, cursor=cursor)
            fold.add(record.offset, decoded)
            effects = fold.effects()
            state.commit(effects, record.value)
            cursor = effects.cursor
            if cursor is None:
                break


def _always(offset: int) -> bool:
    return True


def _log_of(records: Sequence[LogRecord]) -> MemoryLog:
    log = MemoryLog()
    end = 0
    for record in records:
        log.skip(Topic.POINTS, 0, record.offset - end)
        log.put(Topic.POINTS, 0, record.value, key=record.key, headers=record.headers)
        end = record.offset + 1
    return log


@dataclass
class _Told:
    frames: list[Frame] = field(default_factory=list[Frame])
    rejected: dict[int, Sequence[Outcome]] = field(default_factory=dict[int, Sequence[Outcome]])

    def follow(self) -> dict[tuple[Any, Any], bytes]:
        """The points that a reader of the frames has."""
        points: dict[tuple[Any, Any], bytes] = {}
        for frame in self.frames:
            for event in frame.events:
                if not isinstance(event, Changes):
                    continue
                for point_id, value in zip(event.ids, event.points, strict=True):
                    if value is None:
                        points.pop((event.shard, point_id), None)
                    else:
                        points[event.shard, point_id] = value
        return points


async def _together(
    log: MemoryLog, folder: Path, told: _Told, stops: list[int], read_bytes: int, chunk: int
) -> dict[str, Any]:
    """Catch up, dying after the frames whose numbers are in ``stops``; what the state says in the end."""

    def sink(frame: Frame) -> None:
        told.frames.append(frame)
        # Frames that only tell outcomes come just ahead of the one with their commit's changes: a reader that saw but
        # the first of them would begin anew from the state.
        if len(told.frames) in stops and (frame.final or frame.events):
            raise StoppedError

    async def reject(rejections: Sequence[Rejection]) -> None:
        told.rejected.update((record.offset, outcomes) for record, outcomes in rejections)

    end = await log.end_offset(Topic.POINTS, 0)
    while True:
        with contextlib.closing(open_state(folder)) as state, contextlib.suppress(StoppedError):
            runner = PartitionRunner(
                log, 0, state, sink, reject=reject, to_relay=_always, read_bytes=read_bytes, chunk=ChunkLimit(chunk)
            )
            await runner.finish_pending()
            await runner.catch_up(end)
            return _contents(state)


@settings(max_examples=tries(30))
@given(
    records=logs,
    stops=st.lists(st.integers(1, 20), max_size=3),
    read_bytes=st.sampled_from([1, 300, 1 << 20]),
    chunk=st.sampled_from([1, 3, 2000]),
)
def test_together_and_each_for_itself(records: list[LogRecord], stops: list[int], read_bytes: int, chunk: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        with contextlib.closing(open_state(Path(name) / "each")) as state:
            _each_for_itself(records, state)
            expected = _contents(state)
        told = _Told()
        found = run(_together(_log_of(records), Path(name) / "together", told, stops, read_bytes, chunk))
        assert found == expected
        assert list(told.rejected.items()) == expected["outcomes"]
        with contextlib.closing(open_state(Path(name) / "together")) as state:
            alive = {(s, i): p for (s, i), p in told.follow().items() if s in state.shards()}
            stored = sorted(value for shard in state.shards() for _, value in state.scan(shard, None))
            assert sorted(alive.values()) == stored
