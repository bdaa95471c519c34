"""For how long an event loop is held up while a partition is opened, the log is applied, and a tail is sealed.

python -m bench.stalls [POINTS]

A task asks for its turn all the time; told is the longest that it waited for it, in milliseconds, and how long the work
took. The first by the clock, and by the processor time that this process used meanwhile, on any of its threads: on a
machine with other things to do the clock measures those.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

import numpy as np
import uvloop

from ingest.log import Topic
from projector.folders import StateFolder
from projector.frames import ShardId
from projector.segments.builder import SegmentBuilder
from projector.segments.policy import Plan
from projector.segments.replacement import Built, Replacement, publish
from projector.segments.shard_work import ShardWork, begin_work
from projector.state.store import PartitionState
from projector.view.recovery import open_views
from projector.worker.following import READ_BYTES
from projector.worker.partition_runner import PartitionRunner, ignore_frame
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.operations import Upsert
from schemas.records import PointsRecord, ShardOpened, encode_record
from schemas.vectors.dense import DenseColumn
from tests.damage.node import open_node
from tests.support.memory_log import MemoryLog

DIM = 100
RECORD_POINTS = 20
BODY_POINTS = 15_000
CONFIG = CollectionConfig(vectors={"": VectorParams(DIM, Distance.DOT)})
SHARD = ShardId(1, 0)


def fill(log: MemoryLog, points: int) -> None:
    """A shard, and records of so many points."""
    log.put(Topic.POINTS, 0, encode_record(ShardOpened(seq=1, uid=1, shard=0, name="c", config=CONFIG, shard_map=[0])))
    column = DenseColumn(DIM, np.random.default_rng(1).standard_normal((RECORD_POINTS, DIM), np.float32).tobytes())
    payloads = [b'{"text":"%s"}' % (b"x" * 100)] * RECORD_POINTS
    for start in range(0, points, RECORD_POINTS):
        upsert = Upsert(ids=list(range(start, start + RECORD_POINTS)), vectors={"": column}, payloads=payloads)
        log.put(Topic.POINTS, 0, encode_record(PointsRecord(uid=1, shard=0, ops=[upsert])))


async def held(what: str, work: Awaitable[object]) -> None:
    """Do some work and print for how long it held the loop at most."""
    done = asyncio.ensure_future(work)
    longest = longest_used = 0.0
    began = last = time.perf_counter()
    used = time.process_time()
    while not done.done():
        await asyncio.sleep(0)
        now, using = time.perf_counter(), time.process_time()
        longest, longest_used = max(longest, now - last), max(longest_used, using - used)
        last, used = now, using
    await done
    print(f"{what:40}{1000 * longest:10.0f}{1000 * longest_used:16.0f}{1000 * (last - began):10.0f}", flush=True)


async def measure(folder: Path, points: int) -> None:
    log, folders, builder = MemoryLog(), StateFolder(folder), SegmentBuilder()
    fill(log, points)
    state = PartitionState.open(folders.rocksdb(0), log.identity)
    runner = PartitionRunner(log, 0, state, ignore_frame)
    await runner.step(1)
    await held(f"applying a read of {READ_BYTES >> 20} MiB", runner.step())
    await runner.catch_up(await log.end_offset(Topic.POINTS, 0))
    await held(f"opening with {points:,} changed points", open_views(0, state, folders, builder))
    live = (await open_views(0, state, folders, builder)).shards[SHARD]
    work = begin_work(SHARD, live, folders.shard(0, SHARD), 0.0)
    replacement = Replacement(work, Plan(seal=True), state)
    sealed = asyncio.ensure_future(replacement.build(builder, lambda _: None))
    await held(f"sealing {points:,} points", sealed)
    await held("putting the segment in place", put_in_place(work, replacement, await sealed, state))
    state.close()
    await builder.close()


async def put_in_place(work: ShardWork, replacement: Replacement, built: Built, state: PartitionState) -> None:
    replacement.swap(built.segment, 0.0)
    await publish(work, state)


async def measure_body(folder: Path) -> None:
    async with open_node(folder) as node:
        await node.caught_up()
        await node.ask("PUT", "/collections/words", {"vectors": {"size": DIM, "distance": "Dot"}})
        vector = np.random.default_rng(1).standard_normal(DIM).round(6).tolist()
        points = [{"id": i, "vector": vector, "payload": {"text": "x" * 100}} for i in range(BODY_POINTS)]
        body = json.dumps({"points": points}).encode()
        writing = node.send("PUT", "/collections/words/points?wait=true", body)
        await held(f"writing a body of {len(body) >> 20} MiB", writing)


def main() -> None:
    print(f"{'':40}{'held, ms':>10}{'of processor':>16}{'took, ms':>10}")
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(measure(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(measure_body(Path(folder)))


if __name__ == "__main__":
    main()
