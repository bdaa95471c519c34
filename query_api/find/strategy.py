"""How to search a part: exactly, or through its graph, and how far to look in the graph."""

from query_api.find.selection import Findable
from query_api.plan.leaves import Nearest
from schemas.config import CollectionConfig
from schemas.errors import BadInputError

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


def base_ef(config: CollectionConfig, leaf: Nearest) -> int:
    """The ef of an unfiltered search: the leaf's, else ef_construct as in Qdrant; at least as many as wanted."""
    if leaf.hnsw_ef is not None:
        return max(leaf.hnsw_ef, leaf.wanted)
    params = config.vectors.get(leaf.using)
    own = None if params is None else params.hnsw_config
    ef = config.hnsw.ef_construct if own is None or own.ef_construct is None else own.ef_construct
    return max(ef, leaf.wanted)


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
    if name not in config.names:
        raise BadInputError(f"Wrong input: Not existing vector name error: {name}")


def skipped_as_unindexed(config: CollectionConfig, leaf: Nearest, rows: int) -> bool:
    """Whether ``indexed_only`` leaves out a part without a graph: it is too large to be searched exactly as a rule."""
    params = config.vectors.get(leaf.using)
    if not leaf.indexed_only or params is None or params.multivector_config is not None:
        return False
    size = rows * params.size * _FLOAT_BYTES
    return size > max(config.optimizers.indexing_threshold, config.hnsw.full_scan_threshold) * _KILOBYTE


def graph_us(ef: int) -> float:
    """Microseconds that a graph takes to look so far."""
    return ef * _GRAPH_US_PER_EF


def exact_us(dim: int, found: Findable) -> float:
    """Microseconds that comparing all that may be found takes, vectors of ``dim`` values each."""
    return found.count * dim / _VALUES_PER_US
