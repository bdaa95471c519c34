"""Leaves: what is asked of every shard by itself. Each finds at most ``limit`` points that pass ``filter``."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar

import msgspec

from schemas.filters import Filter
from schemas.ids import PointId
from schemas.json_path import Path


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """What all leaves have. ``limit`` counts what an offset skips; ``filter`` is None where everything passes."""

    limit: int
    filter: Filter | None = None


class Corpus(msgspec.Struct, frozen=True):
    """The points in whose sparse vectors indices are counted: those that pass ``filter``; None: all."""

    filter: Filter | None = None


class QuantizedSearch(msgspec.Struct, frozen=True):
    """How quantized vectors are searched: ``ignore`` codes, or compare what is found by them exactly (``rescore``).

    ``oversampling``: of how many times as many points as are wanted that is done; None: as suits the codes.
    """

    ignore: bool = False
    rescore: bool = True
    oversampling: float | None = None


class Nearest(Leaf, frozen=True, kw_only=True, tag="nearest"):
    """The points nearest to ``vector``, in the bytes of its kind, by the vectors named ``using``.

    ``score_threshold`` leaves out what is less near. ``hnsw_ef``: None for the collection's ef_construct. ``exact``
    compares with every vector. ``indexed_only`` leaves out large parts that have no graph yet. ``excluded`` are points
    that are no answers, as when this vector is theirs. ``idf``: the vector, a sparse one, is yet to be weighed by how
    rare its indices are in all shards together.
    """

    vector: bytes
    using: str
    score_threshold: float | None = None
    hnsw_ef: int | None = None
    exact: bool = False
    indexed_only: bool = False
    excluded: frozenset[PointId] = frozenset()
    idf: Corpus | None = None
    quantization: QuantizedSearch = QuantizedSearch()

    @property
    def wanted(self) -> int:
        """How many of a part's nearest it takes to have ``limit`` hits."""
        return self.limit + len(self.excluded)


class Scroll(Leaf, frozen=True, kw_only=True, tag="scroll"):
    """Points in id order, from the id ``start`` on; each scores 1."""

    start: PointId | None = None


class Points(Leaf, frozen=True, kw_only=True, tag="points"):
    """The points of these ids, in id order; each scores 1."""

    ids: frozenset[PointId]


class Compared(Leaf, frozen=True, kw_only=True):
    """Points by how they compare with several vectors named ``using``, of its kind. ``idf`` as in ``Nearest``."""

    using: str
    score_threshold: float | None = None
    excluded: frozenset[PointId] = frozenset()
    idf: Corpus | None = None

    @property
    def wanted(self) -> int:
        """How many of a part's best it takes to have ``limit`` hits."""
        return self.limit + len(self.excluded)


class BestScore(Compared, frozen=True, kw_only=True, tag="best_score"):
    """Points by their nearest example: well for a positive one, ill for a negative one."""

    positive: tuple[bytes, ...]
    negative: tuple[bytes, ...]


class SumScores(Compared, frozen=True, kw_only=True, tag="sum_scores"):
    """Points by the sum of their nearness to positive examples less that to negative ones."""

    positive: tuple[bytes, ...]
    negative: tuple[bytes, ...]


class WeightedScores(Compared, frozen=True, kw_only=True, tag="weighted_scores"):
    """Points by the sum of their nearness to ``vectors``, each times its weight."""

    vectors: tuple[bytes, ...]
    weights: tuple[float, ...]


class Discover(Compared, frozen=True, kw_only=True, tag="discover"):
    """Points by how many of the pairs' positive sides they are on, then by nearness to ``target``."""

    target: bytes
    pairs: tuple[tuple[bytes, bytes], ...]


class Context(Compared, frozen=True, kw_only=True, tag="context"):
    """Points by how far they are on the wrong side of pairs; 0 is on the right side of all."""

    pairs: tuple[tuple[bytes, bytes], ...]


class Ordered(Leaf, frozen=True, kw_only=True, tag="ordered"):
    """Points in the order of what they have at the path ``by``, once for each such value; each scores 1.

    ``data_type``: "integer", "float", or "datetime", whose values are microseconds since 1970. ``start_from``, a value,
    is the first that may be found.
    """

    by: Path
    data_type: Literal["integer", "float", "datetime"]
    descending: bool = False
    start_from: int | float | None = None


class Sample(Leaf, frozen=True, kw_only=True, tag="sample"):
    """Points by chance; ``seed`` says by which."""

    seed: int


LeafT = TypeVar("LeafT", bound=Leaf)


def vectors_of(leaf: Leaf) -> Iterator[bytes]:
    """The vectors that a leaf compares with. Of what leaves have, they alone are bytes, and in tuples."""
    for name in leaf.__struct_fields__:
        yield from _bytes_in(getattr(leaf, name))


def with_vectors(leaf: LeafT, change: Callable[[bytes], bytes]) -> LeafT:
    """The leaf with each of its vectors changed."""
    fields = {name: getattr(leaf, name) for name in leaf.__struct_fields__}
    changed = {name: _changed(value, change) for name, value in fields.items() if isinstance(value, bytes | tuple)}
    return msgspec.structs.replace(leaf, **changed)


def _bytes_in(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, tuple):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _bytes_in(item)


def _changed(value: Any, change: Callable[[bytes], bytes]) -> Any:
    if isinstance(value, bytes):
        return change(value)
    return tuple(_changed(item, change) for item in value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownVariableType]
