"""A segment that was never written to disk, and how to build one from a view."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from projector.columns.columns import Columns
from projector.segments.graph import Graph, supports
from projector.segments.meta import SegmentMeta
from projector.segments.reader import Segment
from projector.segments.slot_ids import SlotIds, uuid_array
from projector.vectors.dense import DenseVectors
from projector.view.part import row_of
from projector.view.segment_part import SegmentPart
from projector.view.shard_view import ShardView
from projector.view.stored_points import JoinedPoints
from schemas.config import CollectionConfig, Distance
from schemas.ids import UUID_BASE, PointId
from schemas.points import decode_point, encode_point
from schemas.vectors.normalise import normalise
from tests.support.graphs import graph_over

Row = tuple[PointId, bytes]


class MemorySegment(Segment):
    """Holds stored points in memory; ``graph_names`` get a graph."""

    def __init__(self, config: CollectionConfig, rows: Sequence[Row], graph_names: Sequence[str] = ()) -> None:
        ordered = sorted(rows)
        ids = [point_id for point_id, _ in ordered]
        points = [decode_point(stored) for _, stored in ordered]
        self.folder = Path("memory")
        self.name = "memory"
        numbers = np.array([i for i in ids if i < UUID_BASE], np.uint64)
        self.slot_ids = SlotIds(numbers, uuid_array(i for i in ids if i >= UUID_BASE))
        self.meta = SegmentMeta(len(numbers), len(ids) - len(numbers), [])
        self.size = len(ids)
        self.versions = np.array([p.version for p in points], np.uint64)
        payloads = [p.payload for p in points]
        self._payloads = memoryview(b"".join(payloads))
        self._payload_offsets = np.cumsum([0, *map(len, payloads)], dtype=np.uint64)
        self._offset_view = self._payload_offsets.data
        self.columns = Columns.build(payloads)
        dense = dict(_vector_files(config, [p.vectors for p in points]))
        self._vectors = {**dense}
        self.positions = config.positions
        self._graphs: dict[str, Graph | None] = dict.fromkeys(config.vectors)
        for name in graph_names:
            hnsw, distance = config.hnsw_for(name), config.vectors[name].distance
            if name in dense and supports(distance):
                matrix = dense[name].matrix
                self._graphs[name] = graph_over(matrix, distance, hnsw.m, hnsw.ef_construct)


def _vector_files(config: CollectionConfig, vectors: Sequence[dict[int, bytes]]) -> Iterator[tuple[str, DenseVectors]]:
    for position, (name, params) in enumerate(config.vectors.items()):
        slots = [slot for slot, held in enumerate(vectors) if position in held]
        if not slots:
            continue
        data = b"".join(vectors[slot][position] for slot in slots)
        matrix = np.frombuffer(data, np.float32).reshape(len(slots), params.size)
        if params.distance is Distance.COSINE:
            matrix = normalise(matrix)
        everywhere = len(slots) == len(vectors)
        yield name, DenseVectors(matrix, None if everywhere else np.array(slots, np.uint32))


def live_rows(config: CollectionConfig, part: SegmentPart) -> Iterator[Row]:
    """The points that are alive in a segment, as they would be stored."""
    slots: list[int] = np.flatnonzero(~part.dead_mask()).tolist()
    for slot in slots:
        yield part.id_at(slot), stored_at(config, part.segment, slot)


def stored_at(config: CollectionConfig, segment: Segment, slot: int) -> bytes:
    """The stored point at a slot, its vectors normalised."""
    vectors: list[tuple[int, bytes]] = []
    for position, name in enumerate(config.vectors):
        held = segment.vectors(name)
        row = -1 if held is None else row_of(held, slot)
        if isinstance(held, DenseVectors) and row >= 0:
            vectors.append((position, held.matrix[row].tobytes()))
    return encode_point(int(segment.versions[slot]), vectors, segment.payload_at(slot))


def each_of(points: JoinedPoints) -> list[bytes]:
    """One by one."""
    ends: list[int] = np.cumsum(points.lengths).tolist()
    return [points.data[start:end] for start, end in pairwise([0, *ends])]


def build_from(
    base: ShardView, removed: Sequence[SegmentPart], with_tails: bool, graph_names: Sequence[str] = ()
) -> MemorySegment:
    """One segment of the points alive in ``removed`` and, if asked, in the base's tails."""
    rows = [row for part in removed for row in live_rows(base.config, part)]
    if with_tails:
        for tail in base.tails:
            for points in tail.live_points():
                rows += zip(tail.ids_at(points.rows), each_of(points), strict=True)
    return MemorySegment(base.config, rows, graph_names)


def nobody_dead(segment: Segment) -> NDArray[np.bool_]:
    """The mask of a segment in which nothing is deleted."""
    return np.zeros(segment.size, np.bool_)
