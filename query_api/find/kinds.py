"""The kinds of leaves: how each is found, and how long that takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from projector.view.shard_view import ShardView
from query_api.budget import INLINE_US, Allowance
from query_api.find.discover import CONTEXT, DISCOVER
from query_api.find.feedback import WEIGHTED_SCORES
from query_api.find.filter_cost import FilterCost
from query_api.find.ordered import find_ordered, ordered_us
from query_api.find.points import find_points, points_us
from query_api.find.recommend import BEST_SCORE, SUM_SCORES
from query_api.find.sample import find_sample, sample_us
from query_api.find.scroll import find_in_id_order, in_id_order_us
from query_api.find.search import find_nearest, nearest_us
from query_api.hits import Hit
from query_api.plan.leaves import (
    BestScore,
    Context,
    Discover,
    Leaf,
    Nearest,
    Ordered,
    Points,
    Sample,
    Scroll,
    SumScores,
    WeightedScores,
)
from schemas.filters import Filter


@dataclass(frozen=True, slots=True)
class Kind:
    """``find`` gives a shard's hits in order; ``us`` says how long that takes once it is known what passes."""

    find: Callable[[ShardView, Any, Allowance], list[Hit]]
    us: Callable[[ShardView, Any], float]


KINDS: dict[type[Leaf], Kind] = {
    Nearest: Kind(find_nearest, nearest_us),
    Points: Kind(find_points, points_us),
    Scroll: Kind(find_in_id_order, in_id_order_us),
    Ordered: Kind(find_ordered, ordered_us),
    Sample: Kind(find_sample, sample_us),
    BestScore: Kind(BEST_SCORE.find, BEST_SCORE.us),
    SumScores: Kind(SUM_SCORES.find, SUM_SCORES.us),
    WeightedScores: Kind(WEIGHTED_SCORES.find, WEIGHTED_SCORES.us),
    Discover: Kind(DISCOVER.find, DISCOVER.us),
    Context: Kind(CONTEXT.find, CONTEXT.us),
}


def find(view: ShardView, leaf: Leaf, allowance: Allowance) -> list[Hit]:
    """What a leaf finds in a shard. Raises what its kind does, OverEstimateError, TimedOutError."""
    return KINDS[type(leaf)].find(view, leaf, allowance)


def find_us(view: ShardView, leaf: Leaf) -> float:
    """How long a leaf takes, in microseconds; where that is long, it need not be all of it.

    A filter that is quick to evaluate is evaluated here already, and remembered.
    """
    spent = filter_us(view, leaf.filter)
    return spent if spent > INLINE_US else spent + KINDS[type(leaf)].us(view, leaf)


def filter_us(view: ShardView, filter: Filter | None) -> float:
    """How long it takes to know what passes a filter, as ``find_us``."""
    if filter is None:
        return 0.0
    cost = FilterCost(filter)
    spent = cost.of_selecting(view.parts)
    for part in view.parts:
        if spent > INLINE_US:
            break
        spent += cost.of_evaluating(part)
    return spent
