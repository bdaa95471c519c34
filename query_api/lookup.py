"""Points of another collection, that groups' values are the ids of."""

from collections.abc import Sequence

from query_api.plan.fields import to_selection
from query_api.reading import Reader, Reading
from schemas.errors import BadInputError
from schemas.ids import PointId, parse_point_id
from schemas.rest.groups import WithLookup
from schemas.rest.responses import PointResult

Value = int | str
"""What a group's points have in common."""


class Lookup:
    """What a request asks of the other collection."""

    def __init__(self, reader: Reader, reading: Reading, asked: str | WithLookup) -> None:
        """``reading`` is of the collection that was queried.

        Raises NotFoundError, BadInputError for an unknown vector name.
        """
        if isinstance(asked, str):
            asked = WithLookup(asked)
        self._there = reader.other(asked.collection, reading.budget)
        self._rendering = reading.rendering
        vectors = asked.with_vector if asked.with_vectors is None else asked.with_vectors
        self._selection = to_selection(self._there.config, asked.with_payload, vectors, True)

    async def points(self, values: Sequence[Value]) -> dict[Value, PointResult]:
        """Those points that there are, by the values that are their ids. Raises what the shards do."""
        ids = {value: point_id for value in values if (point_id := _as_id(value)) is not None}
        found = list((await self._there.shards.get(list(ids.values()), self._selection)).values())
        rendered = await self._there.budget.run(lambda _: self._rendering.points(found), self._rendering.us(found))
        by_id = {point.id: shown for point, shown in zip(found, rendered, strict=True)}
        return {value: by_id[point_id] for value, point_id in ids.items() if point_id in by_id}


def _as_id(value: Value) -> PointId | None:
    try:
        return parse_point_id(value)
    except BadInputError:
        return None
