"""How to search a part: exactly, or through its graph, and how far to look in the graph."""

from collections.abc import Sequence

from projector.view.part import Part
from projector.view.shard_view import ShardView
from query_api.engine.filter_cost import COSTLY_US, FilterCost
from query_api.engine.model import NearestQuery
from query_api.engine.selection import Findable
from schemas.config import CollectionConfig
from schemas.errors import BadInputError
from schemas.filters import Filter

ROWS_PER_EF = 16
"""How many rows exact search compares in the time in which the graph goes one step of ef further.

Measured on 200k x 100 (GloVe, Cosine, M 16): a step of ef takes 1.2 us, a gathered row 0.06 to 0.1 us. Both grow alike
with the size of the vectors. At ef 256 the two ways cross at about 11 % of the points, at ef 100 at about 6 %.
"""

WIDENING = 0.75
"""The graph is searched with ef / selectivity ** WIDENING, and the filter applied to what it finds.

Measured likewise, 10 nearest, random filters: 0.75 keeps the recall of the unfiltered search (ef 100: .965; at 10 %:
.972, 30 %: .965, 50 %: .96), 0.5 loses one to two points of it, and 1 takes twice as long to gain one or two.
"""

RETRY_FACTOR = 4
"""How much further to look when too few of what the graph found may be found."""

_VALUES_PER_US = 1200.0
_GRAPH_US_PER_EF = 1.5

_KILOBYTE = 1024
_FLOAT_BYTES = 4


def base_ef(config: CollectionConfig, query: NearestQuery) -> int:
    """The ef of an unfiltered search: the query's, else ef_construct as in Qdrant; at least as many as wanted."""
    if query.hnsw_ef is not None:
        return max(query.hnsw_ef, query.wanted)
    own = config.vectors[query.using].hnsw_config
    ef = config.hnsw.ef_construct if own is None or own.ef_construct is None else own.ef_construct
    return max(ef, query.wanted)


def graph_ef(found: Findable, ef: int) -> int | None:
    """How far to look in the graph of a part of which ``found`` may be found; None when exact search is quicker."""
    if found.count == 0:
        return None
    wide = widened(ef, found)
    return wide if wide * ROWS_PER_EF < found.count else None


def widened(ef: int, found: Findable) -> int:
    """The ef that keeps the recall of an unfiltered search with ``ef`` though only some rows may be found."""
    return int(ef * (found.rows / found.count) ** WIDENING)


def check_vector_name(config: CollectionConfig, name: str) -> None:
    """Raise BadInputError when the collection has no vectors of this name."""
    if name not in config.vectors:
        raise BadInputError(f"Wrong input: Not existing vector name error: {name}")


def skipped_as_unindexed(config: CollectionConfig, query: NearestQuery, rows: int) -> bool:
    """Whether ``indexed_only`` leaves out a part without a graph: it is too large to be searched exactly as a rule."""
    if not query.indexed_only:
        return False
    size = rows * config.vectors[query.using].size * _FLOAT_BYTES
    return size > max(config.optimizers.indexing_threshold, config.hnsw.full_scan_threshold) * _KILOBYTE


def is_costly(views: Sequence[ShardView], query: NearestQuery) -> bool:
    """Whether to search on a worker thread, going by an estimate of the time it takes.

    A filter that is quick to evaluate is evaluated here already, and remembered for the search.
    Raises BadInputError for an unknown vector name.
    """
    for view in views:
        check_vector_name(view.config, query.using)
    searched = [(view.config, part) for view in views for part in view.parts if part.vectors(query.using) is not None]
    cost = None if query.filter is None else FilterCost(query.filter)
    spent = 0.0 if cost is None else cost.of_selecting([part for _, part in searched])
    for config, part in searched:
        if spent <= COSTLY_US and cost is not None:
            spent += cost.of_evaluating(part)
        if spent > COSTLY_US:
            return True
        spent += _search_us(config, part, query)
    return spent > COSTLY_US


def is_costly_filter(views: Sequence[ShardView], filter: Filter | None) -> bool:
    """Whether to count or scroll with this filter on a worker thread. Evaluates what is quick, as ``is_costly``."""
    if filter is None:
        return False
    cost, parts = FilterCost(filter), [part for view in views for part in view.parts]
    spent = cost.of_selecting(parts)
    for part in parts:
        if spent > COSTLY_US:
            return True
        spent += cost.of_evaluating(part)
    return spent > COSTLY_US


def _search_us(config: CollectionConfig, part: Part, query: NearestQuery) -> float:
    """How long comparing vectors takes, once it is known what passes the filter."""
    vectors = part.vectors(query.using)
    if vectors is None:
        return 0.0
    found = Findable(part, vectors, query.filter)
    graph = None if query.exact else part.graph(query.using)
    if graph is None and skipped_as_unindexed(config, query, found.rows):
        return 0.0
    wide = None if graph is None else graph_ef(found, base_ef(config, query))
    if wide is not None:
        return wide * _GRAPH_US_PER_EF
    return found.count * vectors.matrix.shape[1] / _VALUES_PER_US
