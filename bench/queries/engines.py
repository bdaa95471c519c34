"""The two that are asked: one shard of ours, one of the peer's, each in a folder; what is there already is opened."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import qdrant_edge as edge

from ingest.deadline import Deadline
from ingest.http.limits import Limits
from projector.frames import ShardId
from projector.segments.build import build_segment
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.view.live_shard import LiveShard
from query_api.answering import Answering
from query_api.budget import Budget
from query_api.combine.shards import Shards
from query_api.local import LocalShard
from query_api.reading import Reader, Reading
from query_api.threads import ReadThreads
from schemas.config import CollectionConfig
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.rest.groups import QueryGroupsRequest
from schemas.rest.queries import QueryRequest

BATCH = 2000
ANSWER_BYTES = 1 << 30
Stored = tuple[int, list[tuple[int, bytes]], bytes]
"""A point: its number, its vectors by the positions of their names, its payload."""


class Ours:
    """One shard of one segment, and what answers requests over it."""

    def __init__(self, folder: Path, config: CollectionConfig, points: Iterator[Stored]) -> None:
        self._config = config
        if not (folder / "built").exists():
            _build(folder, config, points)
        live = LiveShard(ShardId(1, 0), config, [], 0)
        live.replace(live.view, [], [Segment.open(folder / "segment")], tails_sealed=False)
        self._shard = LocalShard(live.view)
        self._answering = Answering(cast("Reader", _Limited()))
        self._threads = ReadThreads()

    async def answer(self, request: QueryRequest | QueryGroupsRequest) -> Any:
        """What a route would answer."""
        budget = Budget(self._threads, Deadline(60.0), ANSWER_BYTES)
        reading = Reading(1, self._config, Shards([self._shard], budget), budget)
        if isinstance(request, QueryGroupsRequest):
            return await self._answering.answer_groups(reading, request)
        return await self._answering.answer(reading, request)


class _Limited:
    limits = Limits()


def _build(folder: Path, config: CollectionConfig, points: Iterator[Stored]) -> None:
    with write_spill(folder / "spill") as writer:
        for number, vectors, payload in points:
            writer.add([PointId(number)], [encode_point(1, vectors, payload)])
    build_segment(
        BuildSpec(str(folder / "segment"), config, [str(folder / "spill")], [], True, threads=2), lambda _: None
    )
    (folder / "built").touch()


def peer(folder: Path, config: Any, points: Iterator[Any]) -> Any:
    """Qdrant's engine with these points, optimized."""
    there, built = folder / "edge", folder / "edge-built"
    if built.exists():
        return edge.EdgeShard.load(str(there))
    there.mkdir()
    shard = edge.EdgeShard.create(str(there), config)
    batch: list[Any] = []
    for point in points:
        batch.append(point)
        if len(batch) == BATCH:
            shard.update(edge.UpdateOperation.upsert_points(batch))
            batch = []
    if batch:
        shard.update(edge.UpdateOperation.upsert_points(batch))
    shard.update(edge.UpdateOperation.create_field_index("group", edge.PayloadSchemaType.Integer))
    shard.optimize()
    shard.flush()
    built.touch()
    return shard


def request(**body: Any) -> QueryRequest:
    """A query, decoded."""
    return msgspec.json.decode(msgspec.json.encode(body), type=QueryRequest)
