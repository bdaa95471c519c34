"""Points scored by a formula."""

from collections.abc import Sequence

from msgspec.structs import replace

from query_api.combine.expressions import Scored, formula_us, payload_paths, scores
from query_api.combine.shards import Shards
from query_api.hits import Hit
from query_api.plan.formula import Formula
from query_api.plan.leaves import Points
from query_api.plan.selection import PayloadInclude, Selection
from query_api.sorting import in_order
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.validation import decode_payload


async def by_formula(shards: Shards, formula: Formula, inputs: Sequence[Sequence[Hit]]) -> list[Hit]:
    """All points of the inputs, best first.

    Raises BadInputError where a point has not what the formula needs, and what the shards do.
    """
    hits: dict[PointId, Hit] = {}
    given: dict[PointId, dict[int, float]] = {}
    for number, ranking in enumerate(inputs):
        for hit in ranking:
            hits.setdefault(hit.id, hit)
            given.setdefault(hit.id, {})[number] = hit.score
    if not hits:
        return []
    holding = [await _holding(shards, frozenset(hits), condition) for condition in formula.conditions]
    payloads = [b""] * len(hits)
    if formula.paths:
        selection = Selection(with_payload=PayloadInclude(payload_paths(formula)))
        payloads = [point.payload or b"" for point in await shards.fetch(list(hits.values()), selection)]

    def score() -> list[Hit]:
        points = [
            Scored(given[point_id], decode_payload(payload), [point_id in ids for ids in holding])
            for point_id, payload in zip(hits, payloads, strict=True)
        ]
        found = scores(formula, points)
        ranked = (replace(h, order=-value, score=value) for h, value in zip(hits.values(), found, strict=True))
        return list(in_order(ranked))

    return await shards.compute(score, formula_us(formula, len(hits)))


async def _holding(shards: Shards, ids: frozenset[PointId], condition: Filter) -> frozenset[PointId]:
    found = await shards.find(Points(ids=ids, limit=len(ids), filter=condition))
    return frozenset(hit.id for hit in found)
