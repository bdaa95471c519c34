"""Search: the nearest points over all parts of all shards."""

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.engine.fetch import Fetcher
from query_api.engine.model import FetchedPoint, NearestQuery, Selection
from query_api.engine.nearest import Candidates, nearest_in_part
from query_api.engine.planning import base_ef, check_vector_name
from query_api.engine.scoring import Floats, Scorer
from schemas.errors import BadInputError
from schemas.ids import PointId

_Hit = tuple[float, PointId, float, Part, int]
"""Farness, id, score, part and slot. Ids are distinct, so hits sort by farness, then id: the order of answers."""


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
    hits = _hits(candidates, query, scorer)
    fetch = Fetcher(selection).fetch
    return [fetch(part, slot, point_id, score) for _, point_id, score, part, slot in hits]


def _scorer(view: ShardView, query: NearestQuery) -> Scorer:
    check_vector_name(view.config, query.using)
    params = view.config.vectors[query.using]
    if len(query.vector) != params.size:
        raise BadInputError(
            f"Wrong input: Vector dimension error: expected dim: {params.size}, got {len(query.vector)}"
        )
    return Scorer.of(params.distance, query.vector)


def _hits(candidates: Sequence[Candidates], query: NearestQuery, scorer: Scorer) -> list[_Hit]:
    """The candidates that are answered, in order."""
    nearness = [scorer.nearness(found.scores) for found in candidates]
    least = _least(nearness, query)
    hits: list[_Hit] = []
    for found, near in zip(candidates, nearness, strict=True):
        slots, scores = found.slots, found.scores
        if least is not None or query.score_threshold is not None:
            chosen = _chosen(near, least, scorer.near_enough(query.score_threshold))
            slots, scores, near = slots[chosen], scores[chosen], near[chosen]
        hits += _hits_of(found.part, slots, scores, near)
    hits.sort()
    if query.excluded is not None:
        hits = [hit for hit in hits if hit[1] != query.excluded]
    return hits[query.offset : query.wanted]


def _chosen(near: Floats, least: float | None, threshold: float) -> NDArray[np.bool_]:
    """The least nearness that fits is included; the threshold's own, as in Qdrant, is not."""
    above = near > threshold
    return above if least is None else above & (near >= least)


def _hits_of(part: Part, slots: NDArray[np.int64], scores: Floats, near: Floats) -> Iterable[_Hit]:
    farness: list[float] = (-near).tolist()
    values: list[float] = scores.tolist()
    places: list[int] = slots.tolist()
    return zip(farness, part.ids_at(slots), values, repeat(part), places, strict=False)


def _least(nearness: Sequence[Floats], query: NearestQuery) -> float | None:
    """The nearness of the last candidate that can be answered; None when there are no more than wanted."""
    surplus = sum(map(len, nearness)) - query.wanted - (query.excluded is not None)
    if surplus <= 0:
        return None
    every = nearness[0] if len(nearness) == 1 else np.concatenate(nearness)
    return float(np.partition(every, surplus)[surplus])
