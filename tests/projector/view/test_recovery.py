"""Tests of opening shards: the work is done on a thread, in pieces, and gives what the state holds."""

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest

from ingest.log import Topic
from projector.folders import StateFolder
from projector.frames import ShardId
from projector.segments.builder import SegmentBuilder
from projector.segments.manifest import read_manifest
from projector.segments.reader import Segment
from projector.slices import SLICE_POINTS
from projector.state.store import PartitionState
from projector.view.live_shard import LiveShard
from projector.view.recovery import open_views
from projector.worker.partition_runner import PartitionRunner, ignore_frame
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId
from schemas.operations import Upsert
from schemas.records import PointsRecord, ShardOpened, encode_record
from schemas.vectors.dense import DenseColumn
from tests.support.memory_log import MemoryLog

CONFIG = CollectionConfig(vectors={"": VectorParams(2, Distance.DOT)})
POINTS = 2 * SLICE_POINTS + 1
SHARD = ShardId(1, 0)


async def _state(folder: StateFolder) -> PartitionState:
    log = MemoryLog()
    log.put(
        Topic.POINTS,
        0,
        encode_record(ShardOpened(seq=1, uid=1, shard=0, name="c", config=CONFIG, shard_map=[0])),
    )
    column = DenseColumn(2, np.ones((POINTS, 2), np.float32).tobytes())
    record = PointsRecord(uid=1, shard=0, ops=[Upsert(ids=list(range(POINTS)), vectors={"": column})])
    end = log.put(Topic.POINTS, 0, encode_record(record)) + 1
    state = PartitionState.open(folder.rocksdb(0), log.identity)
    await PartitionRunner(log, 0, state, ignore_frame).catch_up(end)
    return state


@pytest.mark.parametrize("limit", ["MAX_TAIL_POINTS", "MAX_TAIL_BYTES"])
def test_changed_points_and_segments_are_opened_off_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    threads: set[int] = set()
    apply = LiveShard.apply

    def noted(live: LiveShard, ids: list[PointId], points: list[bytes | None], offset: int) -> None:
        assert len(ids) <= SLICE_POINTS
        threads.add(threading.get_ident())
        apply(live, ids, points, offset)

    def make_ready(segment: Segment) -> None:
        threads.add(threading.get_ident())

    async def run() -> None:
        folder, builder = StateFolder(tmp_path), SegmentBuilder()
        state = await _state(folder)
        monkeypatch.setattr(LiveShard, "apply", noted)
        live = (await open_views(0, state, folder, builder, make_ready)).shards[SHARD]
        assert live.view.count == POINTS
        monkeypatch.setattr(f"projector.view.recovery.{limit}", POINTS - 1)
        live = (await open_views(0, state, folder, builder, make_ready)).shards[SHARD]
        assert (live.view.tail_rows, [part.alive_count for part in live.view.segments]) == (0, [POINTS])
        assert read_manifest(folder.shard(0, SHARD)) is not None
        state.close()
        await builder.close()

    asyncio.run(run())
    assert threads
    assert threading.get_ident() not in threads
