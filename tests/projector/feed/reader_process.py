"""A reader of one partition, as an api worker is one.

    python -m tests.projector.feed.reader_process FOLDER IDENTITY LAST

Waits for every record up to offset LAST, as clients do, then prints what it was told and what it shows.
"""

import asyncio
import sys
from pathlib import Path

import msgspec
import numpy as np

from projector.feed.partition_follower import PartitionFeedFollower
from projector.folders import StateFolder
from projector.state.digest import digest_points
from projector.view.part import row_of
from projector.view.shard_view import ShardView
from schemas.errors import TimedOutError
from schemas.ids import PointId
from schemas.points import encode_point


class Report(msgspec.Struct):
    """``applied``, ``rejected`` and ``unknown`` are offsets; ``digests`` of the shards' points, by uid."""

    applied: list[int]
    rejected: list[int]
    unknown: list[int]
    digests: dict[int, tuple[int, str]]


async def main(root: Path, identity: str, last: int) -> Report:
    """Read to ``last``."""
    follower = PartitionFeedFollower(StateFolder(root / "state"), 0, identity)
    running = asyncio.create_task(follower.run())
    told: dict[str, list[int]] = {"applied": [], "rejected": [], "unknown": []}
    print("reading", flush=True)
    for offset in range(last + 1):
        outcomes = await follower.waiters.wait(offset, None)
        rejection = next((outcome for outcome in outcomes if not outcome.applied), None)
        if rejection is None:
            told["applied"].append(offset)
        elif rejection.status == TimedOutError.status:
            told["unknown"].append(offset)
        else:
            told["rejected"].append(offset)
    digests = {shard.uid: _digest(live.view) for shard, live in follower.shards.items()}
    running.cancel()
    follower.close()
    return Report(**told, digests=digests)


def _digest(view: ShardView) -> tuple[int, str]:
    points: list[tuple[PointId, bytes]] = []
    for part in view.parts:
        vectors = part.vectors("a")
        for slot in np.flatnonzero(part.alive_mask()).tolist():
            if vectors is None:
                raise AssertionError("every point has a vector")
            data = vectors.value(row_of(vectors, slot)).tobytes()
            points.append((part.id_at(slot), encode_point(part.version_at(slot), [(0, data)], part.payload_at(slot))))
    return digest_points(points)


if __name__ == "__main__":
    report = asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
    print(msgspec.json.encode(report).decode(), flush=True)
