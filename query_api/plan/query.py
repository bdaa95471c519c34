"""Query requests to plans. Everything that can be wrong with them is found here."""

import secrets
from collections.abc import Callable, Sequence

import msgspec

from ingest.http.limits import Limits
from query_api.plan.examples import Examples, Known, pairs_of, prefetches
from query_api.plan.feedback import weights
from query_api.plan.fields import to_filter, to_selection
from query_api.plan.filters import both, without
from query_api.plan.formula_parser import to_formula
from query_api.plan.leaves import (
    BestScore,
    Compared,
    Context,
    Corpus,
    Discover,
    Leaf,
    Nearest,
    QuantizedSearch,
    Sample,
    Scroll,
    SumScores,
    WeightedScores,
)
from query_api.plan.order import to_ordered
from query_api.plan.tree import ByFormula, Diversify, GroupPlan, Node, Plan, RankFusion, Rescore, ScoreFusion
from schemas.config import CollectionConfig
from schemas.errors import BadInputError, UnprocessableError
from schemas.filters import Filter
from schemas.json_path import parse_path
from schemas.rest.groups import DEFAULT_GROUP_SIZE, QueryGroupsRequest
from schemas.rest.queries import Mmr, Prefetch, QueryObject, QueryRequest, Recommend, Rrf, VectorInput
from schemas.rest.reads import DEFAULT_LIMIT, IdfCorpus, QuantizationParams, SearchParams
from schemas.vectors.idf import weighs
from schemas.vectors.params import SparseVectorParams

MAX_DEPTH = 32
"""Prefetches within prefetches."""
DEFAULT_K = 2
DEFAULT_DIVERSITY = 0.5
_DEFAULT_PARAMS = SearchParams()
_DEFAULT_QUANTIZED = QuantizedSearch()


def to_plan(config: CollectionConfig, request: QueryRequest, known: Known, limits: Limits) -> Plan:
    """The plan of a query; ``known`` has the vectors it names by id.

    Raises BadInputError, UnprocessableError, NotFoundError for a query by the id of a point that isn't there.
    """
    limit, offset = request.limit or DEFAULT_LIMIT, request.offset or 0
    selection = to_selection(config, request.with_payload, request.with_vector, False)
    root = _Planner(config, known, limits).node(request, None, limit + offset, 0)
    return Plan(root, offset, selection)


def to_group_plan(config: CollectionConfig, request: QueryGroupsRequest, known: Known, limits: Limits) -> GroupPlan:
    """The plan of a query in groups. Raises as ``to_plan``.

    Prefetches find as many times what they say as there are points in a group, as in Qdrant.
    """
    groups, size = request.limit or DEFAULT_LIMIT, request.group_size or DEFAULT_GROUP_SIZE
    selection = to_selection(config, request.with_payload, request.with_vector, False)
    by = parse_path(request.group_by)
    root = _Planner(config, known, limits, widening=size).node(request, None, groups * size, 0)
    return GroupPlan(root, by, groups, size, selection)


class _Planner:
    def __init__(self, config: CollectionConfig, known: Known, limits: Limits, widening: int = 1) -> None:
        """Prefetches find ``widening`` times as many points as they say."""
        self._config = config
        self._known = known
        self._limits = limits
        self._widening = widening
        self._nodes = 0

    def node(self, request: Prefetch, outer: Filter | None, limit: int, depth: int) -> Node:
        """The node of one level; the filter of every level holds for those within it."""
        if depth > MAX_DEPTH:
            raise BadInputError(f"Wrong input: prefetches are nested deeper than {MAX_DEPTH} levels")
        self._nodes += 1
        if self._nodes > self._limits.max_queries:
            raise UnprocessableError(
                f"Validation error in JSON body: [prefetch: at most {self._limits.max_queries} in a query]"
            )
        self._limits.check_results(limit, 0)
        condition = outer if request.filter is None else both(outer, to_filter(request.filter))
        inner = () if request.prefetch is None else prefetches(request)
        query = request.query
        if query is None:
            if inner:
                raise BadInputError(
                    "Bad request: A query is needed to merge the prefetches. Can't have prefetches without defining a "
                    "query."
                )
            if request.score_threshold is not None:
                raise BadInputError(
                    "Bad request: A query is needed to use the score_threshold. Can't have score_threshold without "
                    "defining a query."
                )
            return Scroll(limit=limit, filter=condition)
        if isinstance(query, QueryObject):
            if query.fusion is not None or query.rrf is not None:
                return _fusion(request, query, self._inputs(inner, condition, depth), limit)
            if query.formula is not msgspec.UNSET:
                return _by_formula(request, query, self._inputs(inner, condition, depth), limit)
            if query.order_by is not None:
                if request.score_threshold is not None:
                    raise BadInputError("Bad request: Can't use score_threshold with an order_by query.")
                return self._over(to_ordered(self._config, query.order_by, condition, limit), inner, depth)
            if query.mmr is not None and query.nearest is not None:
                return self._diversify(request, query.nearest, query.mmr, condition, limit, depth)
            if query.nearest is None:
                return self._over(self._leaf(request, query, condition, limit), inner, depth)
            query = query.nearest
        examples = Examples(self._config, request, self._known)
        return self._over(_nearest(request, examples, examples.vector(query), condition, limit), inner, depth)

    def _inputs(self, inner: Sequence[Prefetch], condition: Filter | None, depth: int) -> tuple[Node, ...]:
        widening = self._widening
        return tuple(self.node(p, condition, (p.limit or DEFAULT_LIMIT) * widening, depth + 1) for p in inner)

    def _over(self, leaf: Leaf, inner: Sequence[Prefetch], depth: int) -> Node:
        """The leaf over everything, or over what its prefetches find, where its own examples are not found either."""
        if not inner:
            return leaf
        condition = without(leaf.filter, leaf.excluded) if isinstance(leaf, Nearest | Compared) else leaf.filter
        inputs = self._inputs(inner, condition, depth)
        return Rescore(inputs=inputs, limit=leaf.limit, leaf=_exact(leaf))

    def _leaf(self, request: Prefetch, query: QueryObject, condition: Filter | None, limit: int) -> Leaf:
        examples = Examples(self._config, request, self._known)
        if query.recommend is not None:
            return _recommend(request, query.recommend, examples, condition, limit)
        if query.relevance_feedback is not None:
            asked = query.relevance_feedback
            return WeightedScores(
                limit=limit,
                filter=condition,
                using=examples.using,
                score_threshold=request.score_threshold,
                weights=weights(asked),
                vectors=examples.vectors([asked.target, *(item.example for item in asked.feedback)]),
                excluded=examples.excluded,
                idf=_corpus(request, examples),
            )
        if query.sample is not None:
            return Sample(limit=limit, filter=condition, seed=secrets.randbits(63))
        if query.discover is not None:
            target = examples.vector(query.discover.target)
            pairs = examples.pairs(pairs_of(query.discover.context))
            return Discover(
                limit=limit,
                filter=condition,
                using=examples.using,
                score_threshold=request.score_threshold,
                excluded=examples.excluded,
                idf=_corpus(request, examples),
                target=target,
                pairs=pairs,
            )
        pairs = examples.pairs(pairs_of(query.context))
        return Context(
            limit=limit,
            filter=condition,
            using=examples.using,
            score_threshold=request.score_threshold,
            excluded=examples.excluded,
            idf=_corpus(request, examples),
            pairs=pairs,
        )

    def _diversify(
        self,
        request: Prefetch,
        nearest: VectorInput,
        mmr: Mmr,
        condition: Filter | None,
        limit: int,
        depth: int,
    ) -> Node:
        diversity = DEFAULT_DIVERSITY if mmr.diversity is None else mmr.diversity
        if not 0.0 <= diversity <= 1.0:
            raise UnprocessableError(
                f"Validation error in JSON body: [query.mmr.diversity: value {diversity} invalid, must be from 0.0 to "
                "1.0]"
            )
        candidates = limit if mmr.candidates_limit is None else mmr.candidates_limit
        self._limits.check_results(candidates, 0)
        examples = Examples(self._config, request, self._known)
        params = examples.params
        leaf = _nearest(request, examples, examples.vector(nearest), condition, candidates)
        return Diversify(
            inputs=(self._over(leaf, prefetches(request), depth),),
            limit=limit,
            using=examples.using,
            params=None if isinstance(params, SparseVectorParams) else params,
            diversity=diversity,
        )


def _exact(leaf: Leaf) -> Leaf:
    return msgspec.structs.replace(leaf, exact=True) if isinstance(leaf, Nearest) else leaf


def _nearest(request: Prefetch, examples: Examples, vector: bytes, condition: Filter | None, limit: int) -> Nearest:
    params = request.params or _DEFAULT_PARAMS
    return Nearest(
        limit=limit,
        filter=condition,
        vector=vector,
        using=examples.using,
        score_threshold=request.score_threshold,
        hnsw_ef=params.hnsw_ef,
        exact=bool(params.exact),
        indexed_only=bool(params.indexed_only),
        excluded=examples.excluded,
        idf=_corpus(request, examples),
        quantization=_DEFAULT_QUANTIZED if params.quantization is None else _quantized(params.quantization),
    )


def _quantized(params: QuantizationParams) -> QuantizedSearch:
    return QuantizedSearch(bool(params.ignore), params.rescore is not False, params.oversampling)


def _corpus(request: Prefetch, examples: Examples) -> Corpus | None:
    """In what a query's indices are counted; None where they are not."""
    asked = None if request.params is None else request.params.idf
    if not weighs(examples.params):
        if asked is not None:
            raise BadInputError(
                f"Wrong input: Validation failed: search param `idf` requires a sparse vector with the `idf` modifier, "
                f'which vector "{examples.using}" is not'
            )
        return None
    return Corpus(to_filter(asked.corpus)) if isinstance(asked, IdfCorpus) else Corpus()


def _recommend(request: Prefetch, asked: Recommend, examples: Examples, condition: Filter | None, limit: int) -> Leaf:
    if not asked.positive and not asked.negative:
        raise UnprocessableError(
            "Validation error in JSON body: [query.recommend.positives, negatives: Validation error: At least one "
            "positive or negative vector/id must be provided]"
        )
    kind = _STRATEGIES.get(asked.strategy or "")
    if kind is None:
        if not asked.positive:
            raise BadInputError("Wrong input: Positive vectors should not be empty with `average` strategy")
        return _nearest(request, examples, examples.average(asked.positive, asked.negative or []), condition, limit)
    positive, negative = examples.vectors(asked.positive), examples.vectors(asked.negative)
    return kind(
        limit=limit,
        filter=condition,
        using=examples.using,
        score_threshold=request.score_threshold,
        excluded=examples.excluded,
        idf=_corpus(request, examples),
        positive=positive,
        negative=negative,
    )


_STRATEGIES: dict[str, Callable[..., BestScore | SumScores]] = {"best_score": BestScore, "sum_scores": SumScores}


def _by_formula(request: Prefetch, query: QueryObject, inputs: tuple[Node, ...], limit: int) -> Node:
    if not inputs:
        raise BadInputError("Wrong input: Validation failed: cannot apply Formula without prefetches")
    formula = to_formula(query.formula, {} if query.defaults is msgspec.UNSET else query.defaults)
    return ByFormula(inputs=inputs, limit=limit, score_threshold=request.score_threshold, formula=formula)


def _fusion(request: Prefetch, query: QueryObject, inputs: tuple[Node, ...], limit: int) -> Node:
    if request.using is not None:
        raise BadInputError("Bad request: Fusion queries cannot be combined with the 'using' field.")
    if not inputs:
        raise BadInputError("Wrong input: Validation failed: cannot apply Fusion without prefetches")
    threshold = request.score_threshold
    if query.fusion == "dbsf":
        return ScoreFusion(inputs=inputs, limit=limit, score_threshold=threshold)
    rrf = query.rrf or Rrf()
    weights = tuple(rrf.weights or ())
    if rrf.weights is not None and len(weights) != len(inputs):
        raise BadInputError(
            f"Wrong input: Validation failed: RRF weights length ({len(weights)}) does not match number of prefetches "
            f"({len(inputs)})"
        )
    if any(weight < 0 for weight in weights):
        raise BadInputError("Bad request: RRF weights must not be negative")
    k = DEFAULT_K if rrf.k is None else rrf.k
    return RankFusion(inputs=inputs, limit=limit, score_threshold=threshold, k=k, weights=weights)
