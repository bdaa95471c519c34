"""The vectors that a query names: given as numbers, or by the id of the point that has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from numpy.typing import NDArray

from query_api.plan.average import average
from query_api.plan.fields import check_name, to_id, unknown_name
from schemas.config import UNNAMED, CollectionConfig
from schemas.errors import NotFoundError
from schemas.ids import PointId, render_point_id
from schemas.rest.queries import ContextPair, Pairs, Prefetch, QueryObject, VectorInput
from schemas.vectors.given import given
from schemas.vectors.inference import VectorObject, asked_vector
from schemas.vectors.params import AnyVectorParams
from schemas.vectors.shapes import check_shape

_NOBODY: frozenset[PointId] = frozenset()


class Reference(NamedTuple):
    """A point's vector; ``collection`` is None for the one that is queried."""

    collection: str | None
    name: str
    id: PointId


@dataclass(frozen=True, slots=True)
class Known:
    """The vectors of the points that there are, as parts hold them; None where a point has none of that name.

    ``own``: of the collections that are looked up, those names that mean the one that is queried.
    """

    vectors: Mapping[Reference, NDArray[Any] | None]
    own: frozenset[str]


NOTHING_KNOWN = Known({}, frozenset())


def names_no_points(request: Prefetch) -> bool:
    """Whether it is plain that a query has no ``references`` and no ``lookups``: most just give a vector."""
    return isinstance(request.query, list | VectorObject) and request.prefetch is None and request.lookup_from is None


def references(request: Prefetch) -> Iterator[Reference]:
    """What a query and all its prefetches name by id. Raises BadInputError for a malformed id."""
    for value in _inputs(request.query):
        if not isinstance(value, list | VectorObject):
            yield reference(request, value)
    for inner in prefetches(request):
        yield from references(inner)


def reference(request: Prefetch, value: int | str) -> Reference:
    """What an id in a query stands for. Raises BadInputError."""
    lookup = request.lookup_from
    using = request.using or UNNAMED
    if lookup is None:
        return Reference(None, using, to_id(value, "query"))
    return Reference(lookup.collection, using if lookup.vector is None else lookup.vector, to_id(value, "query"))


def lookups(request: Prefetch) -> Iterator[str]:
    """The other collections that a query and all its prefetches name."""
    if request.lookup_from is not None:
        yield request.lookup_from.collection
    for inner in prefetches(request):
        yield from lookups(inner)


def prefetches(request: Prefetch) -> Sequence[Prefetch]:
    """The queries whose results this one works on."""
    if isinstance(request.prefetch, Prefetch):
        return [request.prefetch]
    return request.prefetch or []


def pairs_of(pairs: Pairs | msgspec.UnsetType | None) -> Sequence[ContextPair]:
    """Pairs, of which one may stand alone."""
    if isinstance(pairs, ContextPair):
        return [pairs]
    return [] if pairs is msgspec.UNSET else pairs or []


def _inputs(query: object) -> Iterator[VectorInput]:
    if not isinstance(query, QueryObject):
        if isinstance(query, list | int | str):
            yield query  # pyright: ignore[reportUnknownVariableType]
        return
    if query.nearest is not None:
        yield query.nearest
    if query.relevance_feedback is not None:
        yield query.relevance_feedback.target
        yield from (item.example for item in query.relevance_feedback.feedback)
    if query.recommend is not None:
        yield from query.recommend.positive or []
        yield from query.recommend.negative or []
    pairs = pairs_of(query.context)
    if query.discover is not None:
        yield query.discover.target
        pairs = pairs_of(query.discover.context)
    for pair in pairs:
        yield pair.positive
        yield pair.negative


class Examples:
    """The vectors of one query, in the bytes of their kind."""

    def __init__(self, config: CollectionConfig, request: Prefetch, known: Known) -> None:
        self._config = config
        self._request = request
        self._known = known
        self.using = request.using or UNNAMED
        self._excluded: set[PointId] = set()

    @property
    def params(self) -> AnyVectorParams:
        """The parameters of the name that is compared. Raises BadInputError when the collection has none of it."""
        params = self._config.names.get(self.using)
        if params is None:
            raise unknown_name(self._config, self.using)
        return params

    @property
    def excluded(self) -> frozenset[PointId]:
        """The points of this collection whose vectors were asked for: they are no answers."""
        return frozenset(self._excluded) if self._excluded else _NOBODY

    def vector(self, value: VectorInput) -> bytes:
        """One vector. Raises as ``held``."""
        kind = self._config.kinds.get(self.using)
        if kind is None:
            raise unknown_name(self._config, self.using)
        if not isinstance(value, list | VectorObject):
            return kind.of_point(self.held(value))
        # What ``of_point`` makes of ``given``, in one go.
        vector = value if isinstance(value, list) else asked_vector(value, "query")
        check_shape(vector, "query")
        return kind.pack([vector], _in_query, None).data

    def average(self, positive: Sequence[VectorInput], negative: Sequence[VectorInput]) -> bytes:
        """What is meant by the mean of some. Raises as ``held``."""
        params = self.params
        mean = average(params, [self.held(value) for value in positive], [self.held(value) for value in negative])
        return self._config.kinds[self.using].of_point(mean)

    def held(self, value: VectorInput) -> NDArray[Any]:
        """One vector as a part could hold it, of float32 where it is given as numbers.

        Raises BadInputError, NotFoundError for a point that isn't there or has no such vector.
        """
        if isinstance(value, list | VectorObject):
            vector = asked_vector(value, "query")
            check_shape(vector, "query")
            return given(self.params, vector, "query")
        check_name(self._config, self.using)
        meant = reference(self._request, value)
        if meant not in self._known.vectors:
            raise NotFoundError(f"Not found: No point with id {render_point_id(meant.id)} found")
        found = self._known.vectors[meant]
        if found is None:
            raise NotFoundError(f'Not found: Vector with name "{meant.name}" for point not found')
        if meant.collection is None or meant.collection in self._known.own:
            self._excluded.add(meant.id)
        # Of the kind that is compared: what is averaged must be alike.
        self._config.kinds[self.using].of_point(found)
        return found

    def vectors(self, values: Sequence[VectorInput] | None) -> tuple[bytes, ...]:
        """Several. Raises as ``vector``."""
        return tuple(self.vector(value) for value in values or ())

    def pairs(self, pairs: Sequence[ContextPair]) -> tuple[tuple[bytes, bytes], ...]:
        """Pairs of positive and negative ones. Raises as ``vector``."""
        return tuple((self.vector(pair.positive), self.vector(pair.negative)) for pair in pairs)


def _in_query(_: int) -> str:
    return "query"
