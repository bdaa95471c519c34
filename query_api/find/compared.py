"""Leaves that compare points with several vectors: each kind is a function of the nearness to all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projector.view.part import Part, Vectors, slots_of_rows
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.scoring import Floats, Scorer
from query_api.find.selection import Findable
from query_api.find.strategy import check_vector_name, exact_us
from query_api.hits import Hit
from query_api.places import first_place
from query_api.plan.leaves import Compared
from schemas.config import Distance
from schemas.errors import BadInputError

_BLOCK_ROWS = 4096
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
        scorers = [_scorer(view, leaf, vector) for vector in self.vectors(leaf)]
        hits: list[Hit] = []
        for number, part in enumerate(view.parts):
            vectors = part.vectors(leaf.using)
            found = None if vectors is None else Findable(part, vectors, leaf.filter)
            if vectors is not None and found is not None and found.count:
                allowance.spend(exact_us(vectors, found) * max(1, len(scorers)))
                hits += self._in_part(part, first_place(number), vectors, found, leaf, scorers)
        hits.sort()
        if leaf.excluded:
            hits = [hit for hit in hits if hit.id not in leaf.excluded]
        return hits[: leaf.limit]

    def us(self, view: ShardView, leaf: Compared) -> float:
        """How long that takes, in microseconds, once it is known what passes the filter."""
        check_vector_name(view.config, leaf.using)
        spent = 0.0
        for part in view.parts:
            vectors = part.vectors(leaf.using)
            if vectors is not None:
                spent += exact_us(vectors, Findable(part, vectors, leaf.filter))
        return spent * max(1, len(self.vectors(leaf)))

    def _in_part(
        self, part: Part, place: int, vectors: Vectors, found: Findable, leaf: Compared, scorers: Sequence[Scorer]
    ) -> list[Hit]:
        rows = np.arange(found.rows) if found.everything else found.passing_rows()
        blocks = [rows[at : at + _BLOCK_ROWS] for at in range(0, len(rows), _BLOCK_ROWS)]
        scores = np.concatenate([self._scores(vectors.matrix[block], leaf, scorers) for block in blocks])
        if leaf.score_threshold is not None:
            passing = scores > leaf.score_threshold
            rows, scores = rows[passing], scores[passing]
        surplus = len(scores) - leaf.wanted
        if surplus > 0:
            passing = scores >= np.partition(scores, surplus)[surplus]
            rows, scores = rows[passing], scores[passing]
        slots = slots_of_rows(vectors, rows)
        return list(map(Hit, (-scores).tolist(), part.ids_at(slots), scores.tolist(), (slots + place).tolist()))

    def _scores(self, rows: Floats, leaf: Compared, scorers: Sequence[Scorer]) -> Floats:
        nearness = np.empty((len(scorers), len(rows)), np.float32)
        for number, scorer in enumerate(scorers):
            nearness[number] = scorer.nearness(scorer.scores(rows))
            if scorer.distance is Distance.EUCLID:
                nearness[number] *= -nearness[number]
        return self.score(leaf, nearness)


def _scorer(view: ShardView, leaf: Compared, vector: bytes) -> Scorer:
    check_vector_name(view.config, leaf.using)
    params = view.config.vectors[leaf.using]
    values = np.frombuffer(vector, np.float32)
    if len(values) != params.size:
        raise BadInputError(f"Wrong input: Vector dimension error: expected dim: {params.size}, got {len(values)}")
    return Scorer.of(params.distance, values)
