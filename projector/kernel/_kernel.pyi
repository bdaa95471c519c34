from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

class DamagedGraphError(ValueError): ...
class DamagedPostingsError(ValueError): ...
class DamagedEndsError(ValueError): ...

class Graph:
    def __init__(
        self,
        vectors: NDArray[Any],  # [rows, dim], float32, float16 or uint8; of codes [rows, width], uint8
        metric: str,  # "dot": 1 - dot product; "squared": squared length of the difference; of codes their form
        links: NDArray[np.uint32],  # [rows, 1 + most]
        upper: list[tuple[NDArray[np.uint32], NDArray[np.uint32]]],
        entry: int,
        level: str | None = None,  # one of levels(); None: the best
    ) -> None: ...
    def search(
        self,
        query: NDArray[Any],  # float32 [dim]; for codes prepared, uint8
        wanted: int,
        ef: int,
        allowed: NDArray[np.bool_] | None = None,  # [rows]
        budget: int | None = None,
        finish: Finish | None = None,  # then rows and scores are those that it gives, int64
    ) -> tuple[NDArray[Any], NDArray[np.float32], int, bool]: ...

class Pool:
    def __init__(self, threads: int) -> None: ...
    def descriptor(self) -> int: ...  # can be read from when something is finished
    def walk(
        self,
        ticket: int,
        graph: Graph,
        query: NDArray[Any],
        wanted: int,
        ef: int,
        allowed: NDArray[np.bool_] | None = None,
        budget: int | None = None,
        finish: Finish | None = None,
    ) -> None: ...
    def nearest(  # as Parts.nearest
        self, ticket: int, parts: Parts, measure: str, query: NDArray[np.float32], wanted: int
    ) -> None: ...
    def finished(self) -> list[tuple[int, Any]]: ...  # since it was asked last: tickets, and what is found or why not

def distances(
    vectors: NDArray[Any],
    metric: str,
    query: NDArray[Any],
    rows: NDArray[np.int64] | None = None,  # None: all
    level: str | None = None,
) -> NDArray[np.float32]: ...
def kept_of_ef(share: float) -> float: ...  # how many of ef a walk keeps where so much may be found
def levels() -> list[str]: ...

# A measure is "cosine" (of vectors of length one, but for uint8 ones), "dot", "euclid" or "manhattan".
# Which rows are compared: a list, a mask, or None for all. The nearest come with all that are as near as the last of
# them, ascending. Scores are summed in float64.
Rows = NDArray[np.int64] | NDArray[np.bool_] | None
Found = tuple[NDArray[np.int64], NDArray[np.float32]]

# Of each part vectors, [rows, dim], which rows, and their search codes.
Scanned = Sequence[tuple[NDArray[Any], Rows, SearchCodes | None]]

# Of each part its graph by vectors, its rescoring, the same graph by search codes and these, where it is walked by
# them, which rows may be found (None: all), how many of them are to be, and how far to look.
Walked = Sequence[tuple[Graph, Rescoring, Graph | None, SearchCodes | None, Passing | None, int, int]]

# A part that is yet to be searched, as a walk was in vain: which it is, whether that was for the budget, and how its
# graph is damaged, if it is.
Unfound = tuple[int, bool, str | None]

# Some parts, for any number of searches. Those that are scanned have the first numbers.
class Parts:
    def __init__(self, scanned: Scanned, walked: Walked = ()) -> None: ...
    def nearest(  # of all together; by part and row: the numbers of parts, rows and scores; rows that walks compared
        self,
        measure: str,
        query: NDArray[np.float32],  # [dim]
        wanted: int,
        budget: int | None = None,  # about so many rows walks compare at most
        level: str | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], int, Sequence[Unfound]]: ...

# Which rows may be found: those of a mask, bool [rows]; or those in whose slot nothing died up to ``at``. ``dead_at``
# is by slot, ``slots`` by row, None where a row's slot is its number. Arrays are looked at as they are when it is used.
class Passing:
    @overload
    def __init__(self, mask: NDArray[np.bool_]) -> None: ...
    @overload
    def __init__(self, dead_at: NDArray[np.uint64], at: int, slots: NDArray[np.uint32] | None = None) -> None: ...

# A query as search codes are compared with it; ``bytes`` as a walk takes it, uint8.
class CodedQuery:
    @property
    def bytes(self) -> NDArray[np.uint8]: ...

# Codes of all rows, as ``encoded`` gave them. ``error``, ``length`` and ``scale``: the largest that it gave.
class SearchCodes:
    def __init__(
        self,
        rows: NDArray[np.uint8],  # [rows, 8 + dim]
        centre: NDArray[np.float32],  # [dim]
        measure: str,
        error: float,
        length: float,
        scale: float,
        level: str | None = None,
    ) -> None: ...
    def query(self, query: NDArray[np.float32]) -> CodedQuery | None: ...  # None: its numbers are too large for them

def encoded(  # codes, uint8 [rows, 8 + dim], of rows that are counted from a centre on; their error, length and scale
    rows: NDArray[np.float32],  # [rows, dim], at most 1e15 in size
    centre: NDArray[np.float32],  # [dim]
    measure: str,
    level: str | None = None,
) -> tuple[NDArray[np.uint8], float, float, float]: ...

class Finish: ...

# What follows a walk, of which ``rows`` and ``distances`` are given, nearest first. A graph's ``firsts``, ``ends`` and
# ``rows`` are those of its repeats.
class Rescoring:
    def __init__(
        self,
        vectors: NDArray[Any],  # [rows, dim]
        measure: str,
        firsts: NDArray[np.uint32],
        ends: NDArray[np.uint32],
        rows: NDArray[np.uint32],
        level: str | None = None,
    ) -> None: ...
    def spread(  # with the repeats beside the rows that stand for them, of each row the ``most`` lowest that pass
        self,
        rows: NDArray[np.uint32],
        distances: NDArray[np.float32],
        most: int,
        passing: Passing | None = None,
    ) -> tuple[NDArray[np.uint32], NDArray[np.float32]]: ...
    def nearest(  # of these, as the function below; none where fewer than wanted pass
        self,
        rows: NDArray[np.uint32],
        distances: NDArray[np.float32],  # of the vectors; of their search codes where a query of these is given
        query: NDArray[np.float32],  # [dim]
        wanted: int,
        passing: Passing | None = None,
        codes: CodedQuery | None = None,
    ) -> Found: ...
    def finish(  # the same of what a search through the graph finds, where it is given to that
        self,
        query: NDArray[np.float32],
        wanted: int,
        passing: Passing | None = None,
        codes: CodedQuery | None = None,
    ) -> Finish: ...
    def finish_of(  # likewise, of the ``kept`` nearest that pass, by whatever distances; none where fewer do
        self,
        kept: int,
        query: NDArray[np.float32],
        wanted: int,
        passing: Passing | None = None,
    ) -> Finish: ...

def nearest(
    vectors: NDArray[Any],  # [rows, dim]
    measure: str,
    query: NDArray[np.float32],  # [dim]
    wanted: int,
    rows: Rows = None,
    level: str | None = None,
    codes: SearchCodes | None = None,  # which is found sooner by; what is found is the same
) -> Found: ...
def scores(
    vectors: NDArray[Any],
    measure: str,
    queries: NDArray[np.float32],  # [queries, dim]
    rows: NDArray[np.int64] | None = None,
    level: str | None = None,
) -> NDArray[np.float32]: ...  # [queries, rows]

class Postings:
    def __init__(
        self,
        terms: NDArray[np.uint32],  # ascending
        starts: NDArray[np.int64],  # [terms + 1]
        rows: NDArray[np.uint32],
        values: NDArray[np.float32],
        size: int,  # how many rows there are
    ) -> None: ...
    def nearest(
        self,
        terms: NDArray[np.uint32],  # ascending
        weights: NDArray[np.float64],
        wanted: int,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Found: ...
    def counts(  # how many rows have each of some terms, in any order
        self, terms: NDArray[np.uint32], allowed: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]: ...

def sparse_scores(
    pairs: NDArray[np.uint32],  # [pairs, 2]: an index and the bits of a value
    ends: NDArray[np.int64],  # [rows + 1]
    terms: NDArray[np.uint32],
    weights: NDArray[np.float64],
    rows: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]: ...  # NaN for rows that have none of the terms
def max_sim_nearest(
    vectors: NDArray[Any],
    ends: NDArray[np.int64],  # [rows + 1]
    measure: str,
    queries: NDArray[np.float32],
    wanted: int,
    rows: Rows = None,
    level: str | None = None,
) -> Found: ...
def max_sim_scores(
    vectors: NDArray[Any],
    ends: NDArray[np.int64],
    measure: str,
    queries: NDArray[np.float32],
    rows: NDArray[np.int64] | None = None,
    level: str | None = None,
) -> NDArray[np.float32]: ...

# As schemas.vectors.normalise does, [dim] or [vectors, dim]; one vector of length one is given back itself.
def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]: ...

# What follows on ``head``, which each run has at ``at``, in ``width`` bytes: of all runs one after another. None where
# one has not so much, or anything else.
def row_of_each(runs: list[bytes], head: bytes, at: int, width: int) -> bytes | None: ...

# Each row of ``width`` bytes behind ``head`` and before its rest. Raises ValueError where there are not as many.
def around_rows(head: bytes, rows: bytes, width: int, rests: list[bytes]) -> list[bytes]: ...

# The runs without their bytes from ``start`` up to ``stop``, joined. Raises ValueError where one ends before.
def without_middle(runs: list[bytes], start: int, stop: int) -> bytes: ...

# Runs of so many bytes, one after another in ``joined``. Those chosen get, behind ``at`` bytes, ``head``, and then of
# each matrix what it is headed by and the row at the run's place. Raises ValueError for what doesn't fit.
def with_rows(
    joined: bytes,
    lengths: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    at: int,
    head: bytes,
    heads: list[bytes],
    matrices: list[NDArray[Any]],  # [rows, width] each
    places: list[NDArray[np.int64]],  # [runs] each, of which only those of chosen runs are looked at
) -> bytes: ...
def rotated(rows: NDArray[np.float32], signs: NDArray[np.float32]) -> NDArray[np.float32]: ...
def product_codes(
    rows: NDArray[np.float32],  # [rows, chunks * width]
    codebook: NDArray[np.float32],  # [chunks, width, 256]
) -> NDArray[np.uint8]: ...  # [rows, chunks]
def product_table(
    query: NDArray[np.float32],  # [chunks * width]
    codebook: NDArray[np.float32],  # [chunks, width, 256]
    squared: bool,
) -> NDArray[np.float32]: ...  # [chunks, 256]

class WireSchema:
    def __init__(
        self,
        # Of each message, by the numbers of its fields: which message one holds, bytes for each time that it is there,
        # bytes for each number of a packed one.
        messages: list[dict[int, tuple[int | None, int, int]]],
        unknown: int,  # bytes for each field that isn't known
    ) -> None: ...
    def parsed_size(self, data: bytes, message: int, limit: int) -> int: ...  # or anything above the limit
