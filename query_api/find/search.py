"""The nearest points over all parts of a shard."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.nearest import Candidates, nearest_in_part
from query_api.find.selection import Findable
from query_api.find.strategy import base_ef, check_vector_name, graph_ef, graph_us, skipped_as_unindexed
from query_api.hits import Hit
from query_api.places import first_place
from query_api.plan.leaves import Nearest
from query_api.vectors.comparison import Comparison, Floats, near_enough, nearness
from query_api.vectors.registry import comparison_of
from schemas.config import CollectionConfig


def find_nearest(view: ShardView, leaf: Nearest, allowance: Allowance) -> list[Hit]:
    """The nearest points of a shard, equally near ones by id.

    Raises BadInputError for an unknown vector name or a vector of another size.
    """
    comparison = _comparison(view, leaf)
    ef = base_ef(view.config, leaf)
    found: list[tuple[int, Candidates]] = []
    for number, part in enumerate(view.parts):
        nearest = nearest_in_part(view.config, part, leaf, comparison, ef, allowance)
        if nearest is not None:
            found.append((first_place(number), nearest))
    return _hits(found, leaf, comparison) if found else []


def nearest_us(view: ShardView, leaf: Nearest) -> float:
    """How long comparing vectors takes, in microseconds, once it is known what passes the filter.

    Raises BadInputError for an unknown vector name.
    """
    comparison = _comparison(view, leaf)
    return sum(_part_us(view.config, part, leaf, comparison) for part in view.parts)


def _part_us(config: CollectionConfig, part: Part, leaf: Nearest, comparison: Comparison) -> float:
    vectors = part.vectors(leaf.using)
    if vectors is None:
        return 0.0
    found = Findable(part, vectors, leaf.filter)
    graph = None if leaf.exact else part.graph(leaf.using)
    if graph is None and skipped_as_unindexed(config, leaf, found.rows):
        return 0.0
    wide = None if graph is None else graph_ef(found, base_ef(config, leaf))
    return comparison.us(vectors, found) if wide is None else graph_us(wide)


def _comparison(view: ShardView, leaf: Nearest) -> Comparison:
    check_vector_name(view.config, leaf.using)
    return comparison_of(view.config.names[leaf.using], leaf.vector)


def _hits(found: Sequence[tuple[int, Candidates]], leaf: Nearest, comparison: Comparison) -> list[Hit]:
    """The candidates that are answered, in order."""
    nears = [nearness(comparison, candidates.scores) for _, candidates in found]
    least = _least(nears, leaf.wanted)
    hits: list[Hit] = []
    for (place, candidates), near in zip(found, nears, strict=True):
        slots, scores = candidates.slots, candidates.scores
        if least is not None or leaf.score_threshold is not None:
            chosen = _chosen(near, least, near_enough(comparison, leaf.score_threshold))
            slots, scores, near = slots[chosen], scores[chosen], near[chosen]
        hits += _hits_of(candidates.part, place, slots, scores, near)
    hits.sort()
    if leaf.excluded:
        hits = [hit for hit in hits if hit.id not in leaf.excluded]
    return hits[: leaf.limit]


def _chosen(near: Floats, least: float | None, threshold: float) -> NDArray[np.bool_]:
    """The least nearness that fits is included; the threshold's own, as in Qdrant, is not."""
    above = near > threshold
    return above if least is None else above & (near >= least)


def _hits_of(part: Part, place: int, slots: NDArray[np.int64], scores: Floats, near: Floats) -> Iterable[Hit]:
    places: list[int] = (slots + place).tolist()
    return map(Hit, (-near).tolist(), part.ids_at(slots), scores.tolist(), places)


def _least(nearness: Sequence[Floats], wanted: int) -> float | None:
    """The nearness of the last candidate that can be answered; None when there are no more than wanted."""
    surplus = sum(map(len, nearness)) - wanted
    if surplus <= 0:
        return None
    every = nearness[0] if len(nearness) == 1 else np.concatenate(nearness)
    return float(np.partition(every, surplus)[surplus])
