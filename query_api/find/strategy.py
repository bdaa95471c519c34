"""How to search a part: exactly, or through its graph, and how far to look in the graph."""

from typing import NamedTuple

from query_api.find.selection import Findable
from query_api.plan.leaves import Nearest
from schemas.config import CollectionConfig
from schemas.errors import BadInputError

EF_BY_SHARE = 0.25
"""A graph of a share of the rows is searched with ef * share ** EF_BY_SHARE.

Measured on 58,100 word vectors, a graph of 14 % of them beside one of the rest: what either has of the nearest is found
as often then, at ef 32 to 128, for 0.69 of the second walk's cost.
"""

COMPARED_PER_EF = 18
"""How many rows a walk compares for each step of ef. Measured on 200k x 100 (GloVe, M 16): 20 at ef 64, 16 at 256."""

FILTERED = 0.4
"""Where only a share of the rows may be found it compares 1 / share ** FILTERED times as many."""

BUDGET = 0.25
"""The share of what may be found that a filtered walk compares at most.

A compared row costs a walk twice what it costs a scan: where a walk was in vain, because a filter leaves what is far
from the query, walk and scan together take half as long again as the scan alone would have.
"""

WIDENING = 0.75
"""Where points are dead the graph is searched with ef / alive ** WIDENING, and they are left out of what it finds.

Measured likewise, with random filters: 0.75 keeps the recall of the unfiltered search.
"""

RETRY_FACTOR = 4
"""How much further to look when too few of what the graph found are alive."""

_VALUES_PER_US = 1200.0
_GATHERED_VALUES_PER_US = 600.0
"""In order, and from here and there."""
FILTERED_US = 1.5
"""How many times as long a row takes in a filtered walk, what is done for those that don't pass included."""

_COMPARED_US = 0.05
_COMPARED_VALUE_US = 0.0005

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


class WalkPlan(NamedTuple):
    """``ef``: how far to look in a graph; ``budget``: the most rows to compare; ``us``: about how long it takes.

    ``us_each``: how long comparing a row does.
    """

    ef: int
    budget: int | None
    us: float
    us_each: float


def compared_us(dim: int) -> float:
    """Microseconds for each row that a walk compares, of ``dim`` values."""
    return _COMPARED_US + dim * _COMPARED_VALUE_US


def walk_for(found: Findable, ef: int, dim: int) -> WalkPlan | None:
    """How to search the graph of a part of which ``found`` may be found; None when exact search is quicker.

    What a filter leaves is sought within the walk, which ends when ``ef`` that pass are kept. Without one, what is dead
    is left out afterwards: that takes no mask of all rows, which every death would make anew.
    """
    if found.count == 0:
        return None
    share, each = found.count / found.rows, compared_us(dim)
    if found.filtered:
        compared = ef * COMPARED_PER_EF * share**-FILTERED
        budget = int(found.count * BUDGET)
        each *= FILTERED_US
        return WalkPlan(ef, budget, compared * each, each) if compared <= budget else None
    wide = int(ef * share**-WIDENING)
    compared = wide * COMPARED_PER_EF
    return WalkPlan(wide, None, compared * each, each) if 2 * compared < found.count else None


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


def exact_us(dim: int, found: Findable) -> float:
    """Microseconds that comparing all that may be found takes, vectors of ``dim`` values each."""
    return found.count * dim / (_VALUES_PER_US if found.everything else _GATHERED_VALUES_PER_US)
