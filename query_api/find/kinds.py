"""The kinds of leaves: how each is found, and how long that takes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from projector.view.shard_view import ShardView
from query_api.budget import INLINE_US, Allowance
from query_api.find.discover import CONTEXT, DISCOVER
from query_api.find.feedback import WEIGHTED_SCORES
from query_api.find.filter_cost import FilterCost
from query_api.find.nearest import NearestSearch
from query_api.find.ordered import find_ordered, ordered_us
from query_api.find.points import find_points, points_us
from query_api.find.recommend import BEST_SCORE, SUM_SCORES
from query_api.find.sample import find_sample, sample_us
from query_api.find.scroll import find_in_id_order, in_id_order_us
from query_api.find.selection import is_at_hand
from query_api.hits import Hit
from query_api.native import NativeWork
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


class Search(Protocol):
    """A leaf over one view."""

    @property
    def ahead(self) -> Sequence[NativeWork]:
        """What may be done ahead of it."""
        ...

    def us(self) -> float:
        """How long the rest takes, in microseconds, now that it is known what passes its filter."""
        ...

    def run(self, allowance: Allowance) -> list[Hit]:
        """The shard's hits, in order; may be run again. Raises OverEstimateError, TimedOutError."""
        ...


class _Plain:
    """A kind with nothing to prepare."""

    ahead: Sequence[NativeWork] = ()

    def __init__(
        self,
        find: Callable[[ShardView, Any, Allowance], list[Hit]],
        us: Callable[[ShardView, Any], float],
        view: ShardView,
        leaf: Leaf,
    ) -> None:
        self._find = find
        self._us = us
        self._view = view
        self._leaf = leaf

    def us(self) -> float:
        return self._us(self._view, self._leaf)

    def run(self, allowance: Allowance) -> list[Hit]:
        return self._find(self._view, self._leaf, allowance)


def _plain(
    find: Callable[[ShardView, Any, Allowance], list[Hit]], us: Callable[[ShardView, Any], float]
) -> Callable[[ShardView, Any], Search]:
    return partial(_Plain, find, us)


KINDS: dict[type[Leaf], Callable[[ShardView, Any], Search]] = {
    Nearest: NearestSearch,
    Points: _plain(find_points, points_us),
    Scroll: _plain(find_in_id_order, in_id_order_us),
    Ordered: _plain(find_ordered, ordered_us),
    Sample: _plain(find_sample, sample_us),
    BestScore: _plain(BEST_SCORE.find, BEST_SCORE.us),
    SumScores: _plain(SUM_SCORES.find, SUM_SCORES.us),
    WeightedScores: _plain(WEIGHTED_SCORES.find, WEIGHTED_SCORES.us),
    Discover: _plain(DISCOVER.find, DISCOVER.us),
    Context: _plain(CONTEXT.find, CONTEXT.us),
}


class Work(NamedTuple):
    """What finds a leaf's hits, and how long that takes, in microseconds; where that is long, it need not be all.

    ``ahead``: what may be done before; each says itself how long it takes.
    """

    run: Callable[[Allowance], list[Hit]]
    us: float
    ahead: Sequence[NativeWork] = ()


def prepare(view: ShardView, leaf: Leaf) -> Work:
    """What is to be done for a leaf in a shard. Raises what its kind does.

    A filter that is quick to evaluate is evaluated here already, and remembered.
    """
    begin = KINDS[type(leaf)]
    spent = 0.0 if leaf.filter is None else filter_us(view, leaf.filter)
    if spent > INLINE_US:

        def evaluate_too(allowance: Allowance) -> list[Hit]:
            return begin(view, leaf).run(allowance)

        return Work(evaluate_too, spent)
    search = begin(view, leaf)
    return Work(search.run, spent + search.us(), search.ahead)


def filter_us(view: ShardView, filter: Filter | None) -> float:
    """How long it takes to know what passes a filter, as ``Work``."""
    if filter is None or all(is_at_hand(part, filter) for part in view.parts):
        return 0.0
    cost = FilterCost(filter)
    spent = cost.of_selecting(view.parts)
    for part in view.parts:
        if spent > INLINE_US:
            break
        spent += cost.of_evaluating(part)
    return spent
