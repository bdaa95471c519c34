"""How to search a part: exactly, or through its graph, and how far to look in the graph."""

from typing import NamedTuple

from projector.kernel import kept_of_ef
from query_api.find.selection import Findable
from query_api.plan.leaves import Nearest
from schemas.config import CollectionConfig
from schemas.errors import BadInputError
from schemas.vectors.params import Datatype, Distance

EF_BY_SHARE = 0.25
"""A graph of a share of the rows is searched with ef * share ** EF_BY_SHARE.

Measured on 58,100 word vectors, a graph of 14 % of them beside one of the rest: what either has of the nearest is found
as often then, at ef 32 to 128, for 0.69 of the second walk's cost.
"""

COMPARED, BY_EF, BY_SIZE, MEASURED_ROWS = 40, 0.75, 0.2, 40_000
"""A walk compares about COMPARED * ef ** BY_EF rows, in a graph of more than MEASURED_ROWS that many times
(rows / MEASURED_ROWS) ** BY_SIZE.

Measured on GloVe, x 100, M 16, at ef 64, 128 and 256: 843, 1331 and 2075 of 5,000 rows, 923, 1511 and 2514 of 40,000;
1280 at ef 64 and 4096 at 256 of 200,000.
"""

FILTERED_COMPARED, FILTERED = 64, 0.82
"""A walk for what a share of the rows passes compares about FILTERED_COMPARED * ef ** BY_EF / share ** FILTERED rows.

Measured with random filters of 0.1 to 0.92 at ef 64 to 256: as many of 49,700 word vectors as of 189,700, where it is
2,960 at ef 128 and a share of 0.92, 7,070 at 0.5, 8,520 at 0.3 and 12,680 at 0.1.
"""

BUDGET = 0.25
"""The share of what may be found that a filtered walk compares at most.

A compared row costs a walk twice what it costs a scan: where a walk was in vain, because a filter leaves what is far
from the query, walk and scan together take half as long again as the scan alone would have.
"""

CODED_PICKED, CODED_IN_ORDER = 0.13, 0.06
"""The same where both look at search codes first: CODED_PICKED, or CODED_IN_ORDER / share where that is less, as a mask
by which many pass is gone through in order. A walk that uses it up takes about four fifths of what the scan takes then.
One that a filter leads nowhere, as it leaves out what is near, is given up at three tenths of it.

Measured on 200,000 word vectors: 40 ns a row in filtered walks, 7 in scans of a mask by which 0.3 pass, 3 for each row,
whether it passes or not, in scans that go in order.
"""

SURELY = 0.75
"""A filtered walk is begun where it is expected to compare at most this share of its budget.

Some compare a third more than others, and walks that end in vain are the dearest. Measured at ef 128: of walks expected
to use all of it two in five did.
"""

WIDENING = 0.75
"""Where points are dead the graph is searched with ef / alive ** WIDENING, and they are left out of what it finds.

Measured likewise, with random filters: 0.75 keeps the recall of the unfiltered search.
"""

RETRY_FACTOR = 4
"""How much further to look when too few of what the graph found are alive."""

_IN_ORDER_US, _IN_ORDER_VALUE_US = 0.006, 0.00014
_GATHERED_US, _GATHERED_VALUE_US = 0.012, 0.00016
"""For each row that a scan compares, in order, and from here and there.

Measured with rows of 100 values: 14 to 26 ns a row in order, 19 to 31 ns from here and there, as busy as memory is.
"""
_CODED_US, _CODED_VALUE_US, _CODED_PICKED = 0.0005, 0.000026, 2.0
"""For each row that a scan goes through in order by search codes, and how many times as long one takes that it picks.

Measured beside a walk through a larger graph, so that the caches are full of that: 2.9 ns a row of 100 values, 4 with
AVX2 only; elsewhere 1.2 and 2.2 of 32 values, 29 and 37 of 768. A row that a walk compares by search codes took 43.
Scans took as long as walks where there were 11,000 rows at ef 64, 20,000 at 128 and 37,000 at 256 (those of a search of
150,000 others); these estimates say so from 6,000, 10,000 and 17,000 on, as without AVX-512 it is fewer.
"""
_LEAST_IN_ORDER = 0.4
"""Where such a share of the rows may be found, a scan by codes goes through all in order."""
_EXACTLY, _NORMALISED = 2.0, 6.0
"""How many times as long a row takes where no sum in float32 tells that it is too far, and where it is yet to be made
one of length one, too.

Measured with rows of 32 to 768 values: 1.1 to 2.7 for Dot and Manhattan, 4 to 6 for uint8 under Cosine.
"""
FILTERED_US = 1.2
"""How many times as long a row takes in a filtered walk, what is done for those that don't pass included."""

_COMPARED_US = 0.02
_COMPARED_VALUE_US = 0.0003
"""Measured with rows of 100 values: 40 to 57 ns a row."""

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


def coded_budget(found: Findable) -> float:
    """The share of what may be found that a filtered walk by search codes compares at most."""
    return CODED_PICKED if found.count == 0 else min(CODED_PICKED, CODED_IN_ORDER * found.rows / found.count)


def compared_us(dim: int) -> float:
    """Microseconds for each row that a walk compares, of ``dim`` values."""
    return _COMPARED_US + dim * _COMPARED_VALUE_US


def compared_rows(ef: float, rows: int) -> float:
    """About how many rows an unfiltered walk compares in a graph of ``rows``."""
    return COMPARED * ef**BY_EF * max(1.0, rows / MEASURED_ROWS) ** BY_SIZE


def walk_for(
    found: Findable, ef: int, dim: int, most: float = BUDGET, cost: float = 1.0, scan_us: float | None = None
) -> WalkPlan | None:
    """How to search the graph of a part of which ``found`` may be found; None when exact search is quicker.

    ``most``: the share of what may be found that a filtered walk compares at most. ``cost``: how long comparing a row
    takes, of what it takes by vectors of ``dim`` float32. ``scan_us``: how long exact search takes, in microseconds;
    None where a row takes it half as long as a walk.

    What a filter leaves is sought within the walk, which ends when ``ef`` that pass are kept. Without one, what is dead
    is left out afterwards: that takes no mask of all rows, which every death would make anew.
    """
    if found.count == 0:
        return None
    share, each = found.count / found.rows, compared_us(dim) * cost
    if found.filtered:
        compared = FILTERED_COMPARED * (ef * kept_of_ef(share)) ** BY_EF * share**-FILTERED
        budget = int(found.count * most)
        each *= FILTERED_US
        return WalkPlan(ef, budget, compared * each, each) if compared <= SURELY * budget else None
    wide = int(ef * share**-WIDENING)
    us = compared_rows(wide, found.rows) * each
    return WalkPlan(wide, None, us, each) if us < (found.count * each / 2 if scan_us is None else scan_us) else None


def check_vector_name(config: CollectionConfig, name: str) -> None:
    """Raise BadInputError when the collection has no vectors of this name."""
    if name not in config.names:
        raise no_vectors_named(name)


def no_vectors_named(name: str) -> BadInputError:
    """The error for a name of which the collection has no vectors."""
    return BadInputError(f"Wrong input: Not existing vector name error: {name}")


def skipped_as_unindexed(config: CollectionConfig, leaf: Nearest, rows: int) -> bool:
    """Whether ``indexed_only`` leaves out a part without a graph: it is too large to be searched exactly as a rule."""
    params = config.vectors.get(leaf.using)
    if not leaf.indexed_only or params is None or params.multivector_config is not None:
        return False
    size = rows * params.size * _FLOAT_BYTES
    return size > max(config.optimizers.indexing_threshold, config.hnsw.full_scan_threshold) * _KILOBYTE


def exact_us(dim: int, found: Findable, distance: Distance, datatype: Datatype) -> float:
    """Microseconds that comparing all that may be found takes one thread, vectors of ``dim`` values each."""
    if distance is Distance.COSINE and datatype is Datatype.UINT8:
        dearer = _NORMALISED
    else:
        dearer = 1.0 if distance in (Distance.COSINE, Distance.EUCLID) else _EXACTLY
    if found.everything:
        return dearer * found.count * (_IN_ORDER_US + dim * _IN_ORDER_VALUE_US)
    return dearer * found.count * (_GATHERED_US + dim * _GATHERED_VALUE_US)


def coded_scan_us(dim: int, found: Findable) -> float:
    """The same by search codes."""
    each = _CODED_US + dim * _CODED_VALUE_US
    if found.count >= _LEAST_IN_ORDER * found.rows:
        return found.rows * each
    return found.count * each * _CODED_PICKED
