"""Query requests to plans. Everything that can be wrong with them is found here."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ingest.http.limits import Limits
from ingest.vector_columns import pack_column
from query_api.plan.fields import check_name, to_filter, to_id, to_selection
from query_api.plan.leaves import Nearest, Scroll
from query_api.plan.tree import Plan
from query_api.points import FetchedPoint
from schemas.config import UNNAMED, CollectionConfig
from schemas.errors import BadInputError, NotFoundError
from schemas.ids import PointId, render_point_id
from schemas.rest import reads
from schemas.rest.decode import not_yet
from schemas.rest.reads import DEFAULT_LIMIT, QueryRequest, SearchParams

Examples = Mapping[PointId, FetchedPoint]
"""The points that a query names, with their vectors."""


def examples_of(request: QueryRequest) -> list[PointId]:
    """The ids of the points whose vectors a query asks for. Raises BadInputError."""
    asked = _asked(request)
    return [] if asked is None or isinstance(asked, list) else [to_id(asked, "query")]


def to_plan(config: CollectionConfig, request: QueryRequest, examples: Examples, limits: Limits) -> Plan:
    """The plan of a query.

    Raises BadInputError, UnprocessableError, NotFoundError for a query by the id of a point that isn't there.
    """
    if request.prefetch is not None and request.prefetch != []:
        raise not_yet("prefetch")
    limit, offset = request.limit or DEFAULT_LIMIT, request.offset or 0
    limits.check_results(limit, offset)
    selection = to_selection(config, request.with_payload, request.with_vector, False)
    return Plan(_root(config, request, examples, limit + offset), offset, selection)


def _root(config: CollectionConfig, request: QueryRequest, examples: Examples, limit: int) -> Nearest | Scroll:
    asked, condition = _asked(request), to_filter(request.filter)
    if asked is None:
        return Scroll(limit=limit, filter=condition)
    using = request.using or UNNAMED
    check_name(config, using)
    params = request.params or SearchParams()
    excluded: frozenset[PointId] = frozenset()
    if isinstance(asked, list):
        vector = pack_column(config, using, [[*asked]], [0], _query_path).values()[0]
    else:
        point_id = to_id(asked, "query")
        vector = _vector_of(examples, point_id, using).tobytes()
        excluded = frozenset((point_id,))
    return Nearest(
        limit=limit,
        filter=condition,
        vector=vector,
        using=using,
        score_threshold=request.score_threshold,
        hnsw_ef=params.hnsw_ef,
        exact=bool(params.exact),
        indexed_only=bool(params.indexed_only),
        excluded=excluded,
    )


def _asked(request: QueryRequest) -> list[float] | int | str | None:
    return request.query.nearest if isinstance(request.query, reads.NearestQuery) else request.query


def _vector_of(examples: Examples, point_id: PointId, using: str) -> NDArray[np.float32]:
    shown = render_point_id(point_id)
    point = examples.get(point_id)
    if point is None:
        raise NotFoundError(f"Not found: No point with id {shown} found")
    vector = (point.vectors or {}).get(using)
    if vector is None:
        raise BadInputError(f"Wrong input: query: point {shown} has no vector{f' `{using}`' if using else ''}")
    return vector


def _query_path(_: int, __: str) -> str:
    return "query"
