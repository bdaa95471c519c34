"""Plans: a query as a tree. Leaves find candidates in shards, inner nodes combine them."""

import msgspec

from query_api.plan.filters import both
from query_api.plan.formula import Formula
from query_api.plan.leaves import Leaf
from query_api.plan.selection import Selection
from schemas.filters import Filter
from schemas.json_path import Path
from schemas.vectors.params import VectorParams


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """What all inner nodes have: they work on what ``inputs`` find, and give ``limit`` hits."""

    inputs: tuple["Node", ...]
    limit: int
    score_threshold: float | None = None


class RankFusion(Inner, frozen=True, kw_only=True, tag="rrf"):
    """Points by the sum of their reciprocal ranks; ``weights``, one for each input, are 1 when there are none."""

    k: int
    weights: tuple[float, ...] = ()


class ScoreFusion(Inner, frozen=True, kw_only=True, tag="dbsf"):
    """Points by the sum of their scores, each input's brought to one scale by its mean and deviation."""


class Rescore(Inner, frozen=True, kw_only=True, tag="rescore"):
    """Points of the inputs as ``leaf`` scores them."""

    leaf: Leaf


class Diversify(Inner, frozen=True, kw_only=True, tag="mmr"):
    """Points that are near, and unlike those before them; ``diversity`` from 0 to 1 says how much of each.

    ``params``: those of the name ``using``; None when its vectors are sparse.
    """

    using: str
    params: VectorParams | None
    diversity: float


class ByFormula(Inner, frozen=True, kw_only=True, tag="formula"):
    """Points of the inputs by what a formula makes of them."""

    formula: Formula


InnerNode = RankFusion | ScoreFusion | Rescore | Diversify | ByFormula
Node = Leaf | InnerNode


class Plan(msgspec.Struct, frozen=True):
    """What to answer: what ``root`` finds after the first ``offset``, fetched as ``selection`` says."""

    root: Node
    offset: int
    selection: Selection


class GroupPlan(msgspec.Struct, frozen=True):
    """What to answer: the best points that ``root`` finds for each of ``groups`` values at the path ``by``."""

    root: Node
    by: Path
    groups: int
    size: int
    selection: Selection


def narrowed(node: Node, condition: Filter) -> Node:
    """The node with only those leaves' points that pass one more condition."""
    if isinstance(node, Leaf):
        return msgspec.structs.replace(node, filter=both(node.filter, condition))
    inputs = tuple(narrowed(inner, condition) for inner in node.inputs)
    return msgspec.structs.replace(node, inputs=inputs)
