"""Qdrant's own engine in this process, with the same points and parameters as the server: the second peer."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qdrant_edge as edge

from bench.curve import one_by_one
from bench.peers import EF_CONSTRUCT, M
from bench.workload import BATCH, FIELD, Floats, K, Workload, rounded_row

THRESHOLD_KB = 200
"""Of vectors, from which on there is a graph."""
Asked = Sequence[Any]


class Engine:
    """A shard with all points in one graph, asked by direct calls: there is no protocol to pay for."""

    def __init__(self, folder: Path, work: Workload) -> None:
        """Loads batch by batch, then indexes; ``load_seconds`` and ``build_seconds`` say how long that took."""
        folder.mkdir()
        config = edge.EdgeConfig(
            edge.EdgeVectorParams(work.vectors.shape[1], edge.Distance.Cosine),
            hnsw_config=edge.HnswIndexConfig(M, EF_CONSTRUCT, THRESHOLD_KB),
            optimizers=edge.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=THRESHOLD_KB),
        )
        self._shard: Any = edge.EdgeShard.create(str(folder), config)
        self._shard.update(edge.UpdateOperation.create_field_index(FIELD, edge.PayloadSchemaType.Integer))
        self.load_seconds = 0.0
        for start in range(0, work.size, BATCH):
            numbers = range(start, min(start + BATCH, work.size))
            points = [point(i, rounded_row(work.vectors[i]), int(work.numbers[i])) for i in numbers]
            begun = time.perf_counter()
            self._shard.update(edge.UpdateOperation.upsert_points(points))
            self.load_seconds += time.perf_counter() - begun
        begun = time.perf_counter()
        self._shard.optimize()
        self.build_seconds = time.perf_counter() - begun

    def query(self, asked: Asked) -> tuple[list[float], list[list[int]]]:
        """Seconds of each query, and the ids that it found."""
        seconds, answers = one_by_one(self._shard.query, asked)
        return seconds, [[hit.id for hit in answer] for answer in answers]

    def count(self, asked: Asked) -> tuple[list[float], list[int]]:
        """Seconds of each, and the counts."""
        return one_by_one(self._shard.count, asked)

    def scroll(self, asked: Asked) -> tuple[list[float], list[list[int]]]:
        """Seconds of each page, and its ids."""
        seconds, answers = one_by_one(self._shard.scroll, asked)
        return seconds, [[record.id for record in records] for records, _ in answers]

    def update(self, asked: Asked) -> tuple[list[float], list[None]]:
        """Seconds of each operation."""
        return one_by_one(self._shard.update, asked)

    def close(self) -> None:
        """Let go of its files."""
        self._shard.close()


def point(number: int, vector: list[float], value: int | None = None) -> Any:
    """A point, with a payload if there is a value."""
    return edge.Point(number, vector, {} if value is None else {FIELD: value})


def upserts(points: Sequence[Any]) -> Asked:
    """One point each."""
    return [edge.UpdateOperation.upsert_points([each]) for each in points]


def queries(vectors: Floats, ef: int | None, below: int | None = None) -> Asked:
    """For the nearest 10, by the graph or (``ef`` None) exactly, among those whose number is less than ``below``."""
    params = edge.SearchParams(exact=True) if ef is None else edge.SearchParams(hnsw_ef=ef)
    passing = None if below is None else _numbers(lt=below)
    return [
        edge.QueryRequest(K, query=edge.Query.Nearest(rounded_row(vector)), params=params, filter=passing)
        for vector in vectors
    ]


def counts(ranges: Sequence[tuple[int, int]]) -> Asked:
    """Of the points whose number is in each range."""
    return [edge.CountRequest(exact=True, filter=_numbers(gte=start, lt=end)) for start, end in ranges]


def pages(size: int, page: int) -> Asked:
    """Of all points by id, with their payloads."""
    return [edge.ScrollRequest(offset=at, limit=page, with_payload=True) for at in range(0, size, page)]


def _numbers(**bounds: float) -> Any:
    return edge.Filter(must=[edge.FieldCondition(FIELD, range=edge.RangeFloat(**bounds))])
