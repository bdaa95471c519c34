"""Shards driven together with a plain dict that says what every read must answer."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from schemas.config import CollectionConfig, Distance
from schemas.filters import Filter
from schemas.ids import PointId, shard_of
from schemas.matching import matches
from schemas.points import encode_point
from schemas.vectors.normalise import normalise
from tests.projector.view.memory_segment import build_from
from tests.query_api.engine import FoundPoint, NearestQuery

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class ModelPoint:
    """A point as a client wrote it; a candidate for filters."""

    id: PointId
    version: int
    payload: Mapping[str, Any]
    vectors: Mapping[str, Vector]

    @property
    def vector_names(self) -> Container[str]:
        return self.vectors


class ShardModel:
    """One collection in ``shards`` shards, and all its points in a dict."""

    def __init__(self, config: CollectionConfig, shards: int = 1) -> None:
        self.config = config
        self.points: dict[PointId, ModelPoint] = {}
        self.live = [LiveShard(ShardId(1, number), config, [], 0) for number in range(shards)]
        self._offset = 0
        self._version = 0

    @property
    def views(self) -> list[ShardView]:
        return [live.view for live in self.live]

    def upsert(self, point_id: PointId, vectors: Mapping[str, Sequence[float]], payload: Mapping[str, Any]) -> None:
        self._version += 1
        arrays = {name: np.array(values, np.float32) for name, values in vectors.items()}
        self.points[point_id] = ModelPoint(point_id, self._version, payload, arrays)
        names = list(self.config.vectors)
        raw = sorted((names.index(name), array.tobytes()) for name, array in arrays.items())
        encoded = msgspec.json.encode(payload) if payload else b""
        self._apply(point_id, encode_point(self._version, raw, encoded))

    def delete(self, point_id: PointId) -> None:
        self.points.pop(point_id, None)
        self._apply(point_id, None)

    def publish(self) -> None:
        self._offset += 1
        for live in self.live:
            live.publish(self._offset)

    def seal(self, merge: bool, graph: bool) -> None:
        """Seal the tails, merging what is there already if asked."""
        names = list(self.config.vectors) if graph else []
        for live in self.live:
            removed = live.view.segments if merge else ()
            built = build_from(live.view, removed, True, names)
            live.replace(live.view, [p.segment for p in removed], [built] if built.size else [], tails_sealed=True)

    def matching(self, filter: Filter | None) -> list[ModelPoint]:
        """The matching points by id."""
        chosen = (p for p in self.points.values() if filter is None or matches(filter, p))
        return sorted(chosen, key=lambda p: p.id)

    def nearest(self, query: NearestQuery) -> list[tuple[PointId, float]]:
        """What a search must find: ids and scores."""
        distance = self.config.vectors[query.using].distance
        found: list[tuple[float, PointId, float]] = []
        for point in self.matching(query.filter):
            if query.using not in point.vectors or point.id == query.excluded:
                continue
            score = float(np.float32(reference_score(distance, query.vector, point.vectors[query.using])))
            sign = -1.0 if distance.higher_is_nearer else 1.0
            if query.score_threshold is None or sign * score < sign * query.score_threshold:
                found.append((sign * score, point.id, score))
        found.sort()
        return [(point_id, score) for _, point_id, score in found[query.offset : query.offset + query.limit]]

    def _apply(self, point_id: PointId, stored: bytes | None) -> None:
        self.live[shard_of(point_id, len(self.live))].apply([point_id], [stored], self._offset + 1)


def reference_score(distance: Distance, query: Vector, vector: Vector) -> float:
    """A score by its definition."""
    pair = np.stack([query, vector])
    left, right = (normalise(pair) if distance is Distance.COSINE else pair).astype(np.float64)
    match distance:
        case Distance.COSINE | Distance.DOT:
            return float(np.sum(left * right))
        case Distance.EUCLID:
            return float(np.sqrt(np.sum((left - right) ** 2)))
        case Distance.MANHATTAN:
            return float(np.sum(np.abs(left - right)))


def scored(points: Sequence[FoundPoint]) -> list[tuple[PointId, float]]:
    return [(p.id, p.score) for p in points]


def as_kept(distance: Distance, vector: Vector) -> list[float]:
    """A vector as it is answered."""
    kept = normalise(vector[np.newaxis])[0] if distance is Distance.COSINE else vector
    return kept.tolist()
