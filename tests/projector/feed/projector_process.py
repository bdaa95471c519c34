"""A projector of one partition that follows a log on disk until it is killed.

    python -m tests.projector.feed.projector_process FOLDER

FOLDER has the log and gets the state. Prints a line once it has begun to apply records.
"""

import asyncio
import sys
from pathlib import Path

from ingest.embedded.log import EmbeddedLog
from ingest.log import Topic
from projector.feed.partition_feed import PartitionFeed
from projector.fold.chunk import ChunkLimit
from projector.folders import StateFolder
from projector.frames import Frame
from projector.segments.builder import SegmentBuilder
from projector.segments.optimizer import Optimizer
from projector.state.store import PartitionState
from projector.view.recovery import open_views
from projector.worker.partition_runner import PartitionRunner, ignore_frame

BATCH_BYTES = 4000
FILE_BYTES = 50_000
PAUSE_SECONDS = 0.002


async def main(root: Path) -> None:
    """Follow the log for ever."""
    log = await EmbeddedLog.open(root / "log", 1)
    folder = StateFolder(root / "state")
    state = PartitionState.open(folder.rocksdb(0), log.identity)
    await PartitionRunner(log, 0, state, ignore_frame).finish_pending()
    builder = SegmentBuilder()
    follower = await open_views(0, state, folder, builder)
    feed = await PartitionFeed.open(folder, 0, log.identity, state, file_bytes=FILE_BYTES)
    optimizer = Optimizer(builder)
    optimizer.add(0, state, follower, folder, feed.resealed)

    def on_frame(frame: Frame) -> None:
        follower.on_frame(frame)
        feed.on_frame(frame)

    runner = PartitionRunner(log, 0, state, on_frame, read_bytes=BATCH_BYTES, chunk=ChunkLimit(5))
    async with asyncio.TaskGroup() as group:
        group.create_task(optimizer.run())
        print("working", flush=True)
        while True:
            if not await runner.step():
                await log.wait(Topic.POINTS, 0, state.applied + 1)
            feed.flush()
            await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
