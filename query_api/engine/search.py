"""Search: the nearest points over all parts of all shards."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.engine.fetch import Fetcher
from query_api.engine.model import FetchedPoint, NearestQuery, Selection
from query_api.engine.nearest import Candidates, nearest_in_part
from query_api.engine.planning import base_ef, check_vector_name
from query_api.engine.scoring import Scorer
from schemas.errors import BadInputError
from schemas.ids import PointId


class _Hit(NamedTuple):
    """Sorts as answers are ordered: the nearest first, then by id."""

    farness: float
    id: PointId
    score: float
    part_number: int
    slot: int


def search(views: Sequence[ShardView], query: NearestQuery, selection: Selection) -> list[FetchedPoint]:
    """The ``limit`` nearest points after the first ``offset``; equally near ones by id.

    Raises BadInputError for an unknown vector name or a vector of another size.
    """
    candidates: list[Candidates] = []
    scorer: Scorer | None = None
    for view in views:
        scorer = scorer or _scorer(view, query)
        ef = base_ef(view.config, query)
        for part in view.parts:
            nearest = nearest_in_part(view.config, part, query, scorer, ef)
            if nearest is not None:
                candidates.append(nearest)
    if scorer is None or not candidates:
        return []
    hits = _hits(candidates, query, scorer)[query.offset : query.wanted]
    fetcher = Fetcher(selection)
    return [fetcher.fetch(candidates[h.part_number].part, h.slot, h.id, h.score) for h in hits]


def _scorer(view: ShardView, query: NearestQuery) -> Scorer:
    check_vector_name(view.config, query.using)
    params = view.config.vectors[query.using]
    if len(query.vector) != params.size:
        raise BadInputError(
            f"Wrong input: Vector dimension error: expected dim: {params.size}, got {len(query.vector)}"
        )
    return Scorer.of(params.distance, query.vector)


def _hits(candidates: Sequence[Candidates], query: NearestQuery, scorer: Scorer) -> list[_Hit]:
    """The ``query.wanted`` nearest candidates in order."""
    nearness = [scorer.nearness(found.scores) for found in candidates]
    least = _least(nearness, query)
    hits: list[_Hit] = []
    for number, (found, near) in enumerate(zip(candidates, nearness, strict=True)):
        chosen = near >= least
        if query.score_threshold is not None:
            chosen &= near > scorer.near_enough(query.score_threshold)
        slots, scores = found.slots[chosen], found.scores[chosen]
        hits += _ordered(found.part, number, slots, scores, near[chosen])
    hits.sort()
    if query.excluded is not None:
        hits = [hit for hit in hits if hit.id != query.excluded]
    return hits[: query.wanted]


def _ordered(
    part: Part, number: int, slots: NDArray[np.int64], scores: NDArray[np.float32], near: NDArray[np.float32]
) -> list[_Hit]:
    farness: list[float] = (-near).tolist()
    values: list[float] = scores.tolist()
    places: list[int] = slots.tolist()
    ids = part.ids_at(slots)
    return [
        _Hit(far, point_id, score, number, slot)
        for far, point_id, score, slot in zip(farness, ids, values, places, strict=True)
    ]


def _least(nearness: Sequence[NDArray[np.float32]], query: NearestQuery) -> np.float32:
    """The nearness of the last candidate that can be among the hits."""
    every = nearness[0] if len(nearness) == 1 else np.concatenate(nearness)
    surplus = len(every) - query.wanted - (query.excluded is not None)
    return np.partition(every, surplus)[surplus] if surplus > 0 else np.float32(-np.inf)
