"""Leaves that compare points with several vectors: each kind is a function of the nearness to all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part, Vectors, slots_of_rows
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.selection import Findable
from query_api.find.strategy import check_vector_name
from query_api.hits import Hit, first_place
from query_api.plan.leaves import Compared
from query_api.sorting import in_order
from query_api.vectors.comparison import Comparison as QueryComparison
from query_api.vectors.comparison import Floats, SomeRows, closeness
from query_api.vectors.registry import comparison_of, score_table

_BLOCK_ROWS = 8192
_HIT_US = 2.0
_ROW_US = 0.03
"""For each row beside comparing it: what is made of its nearness to all vectors, and a score in float64."""
Nearnesses = NDArray[np.float32]
"""float32 [vectors, rows]: larger is nearer; for Euclid it is minus the squared distance."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One kind: the vectors that a leaf has, and the score of rows by their nearness to each."""

    vectors: Callable[[Any], Sequence[bytes]]
    score: Callable[[Any, Nearnesses], Floats]

    def find(self, view: ShardView, leaf: Compared, allowance: Allowance) -> list[Hit]:
        """The best points of a shard, equally good ones by id; everything is compared.

        Raises BadInputError for an unknown vector name or vectors of another size.
        """
        comparisons = _comparisons(view, leaf, self.vectors(leaf))
        hits: list[Hit] = []
        for number, part in enumerate(view.parts):
            vectors = part.vectors(leaf.using)
            found = None if vectors is None else Findable(part, vectors, leaf.filter)
            if allowance.notes is not None:
                count = 0 if found is None else found.count
                allowance.notes.begin(part.name, part.alive_count)
                allowance.notes.say("exact", f"each is compared with {len(comparisons)} vectors", count, count)
            if vectors is not None and found is not None and found.count:
                allowance.spend(_compared_us(vectors, found, comparisons))
                hits += self._in_part(part, first_place(number), vectors, found, leaf, comparisons)
        hits = list(in_order(hits))
        if leaf.excluded:
            hits = [hit for hit in hits if hit.id not in leaf.excluded]
        return hits[: leaf.limit]

    def us(self, view: ShardView, leaf: Compared) -> float:
        """How long that takes, in microseconds, once it is known what passes the filter."""
        comparisons = _comparisons(view, leaf, self.vectors(leaf))
        spent = min(leaf.limit, view.count) * _HIT_US
        for part in view.parts:
            vectors = part.vectors(leaf.using)
            if vectors is not None:
                found = Findable(part, vectors, leaf.filter)
                spent += _compared_us(vectors, found, comparisons)
        return spent

    def _in_part(
        self,
        part: Part,
        place: int,
        vectors: Vectors,
        found: Findable,
        leaf: Compared,
        comparisons: Sequence[QueryComparison],
    ) -> list[Hit]:
        scores = np.concatenate([self._scores(vectors, block, leaf, comparisons) for block in _blocks(found)])
        rows = np.arange(found.rows) if found.everything else found.passing_rows()
        if leaf.score_threshold is not None:
            passing = scores > leaf.score_threshold
            rows, scores = rows[passing], scores[passing]
        if len(scores) > leaf.wanted:
            kept = _best(scores, leaf.wanted, in_id_order=part.in_id_order)
            rows, scores = rows[kept], scores[kept]
        slots = slots_of_rows(vectors, rows)
        return list(map(Hit, (-scores).tolist(), part.ids_at(slots), scores.tolist(), (slots + place).tolist()))

    def _scores(
        self, vectors: Vectors, rows: SomeRows, leaf: Compared, comparisons: Sequence[QueryComparison]
    ) -> Floats:
        if not comparisons:
            return self.score(leaf, np.empty((0, len(rows)), np.float32))
        near = closeness(comparisons[0], score_table(comparisons, vectors, rows))
        return self.score(leaf, near)


def _compared_us(vectors: Vectors, found: Findable, comparisons: Sequence[QueryComparison]) -> float:
    return found.count * _ROW_US + sum(comparison.us(vectors, found) for comparison in comparisons)


def _blocks(found: Findable) -> list[SomeRows]:
    """The rows that may be found, a part of them at a time."""
    if found.everything:
        return [range(at, min(at + _BLOCK_ROWS, found.rows)) for at in range(0, found.rows, _BLOCK_ROWS)]
    rows = found.passing_rows()
    return [rows[at : at + _BLOCK_ROWS] for at in range(0, len(rows), _BLOCK_ROWS)]


def _best(scores: Floats, wanted: int, *, in_id_order: bool) -> NDArray[np.intp]:
    """The places of the ``wanted`` largest scores, and of all that are as large as the last of them.

    Where places are ``in_id_order``, of these only the first ones: many may be equal, as under a context.
    """
    least = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
    if not in_id_order:
        return np.flatnonzero(scores >= least)
    better = np.flatnonzero(scores > least)
    equal = np.flatnonzero(scores == least)[: wanted - len(better)]
    return np.concatenate([better, equal])


def _comparisons(view: ShardView, leaf: Compared, vectors: Sequence[bytes]) -> list[QueryComparison]:
    check_vector_name(view.config, leaf.using)
    kind = view.config.kinds[leaf.using]
    return [comparison_of(kind, vector) for vector in vectors]
