"""REST read requests to what the engine takes. Everything that can be wrong with them is found here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.http.limits import Limits
from ingest.vector_columns import pack_column
from projector.view.shard_view import ShardView
from query_api.engine import NearestQuery, PayloadExclude, PayloadInclude, Selection, retrieve, vector_of
from schemas.config import UNNAMED, CollectionConfig
from schemas.errors import BadInputError, NotFoundError
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId, parse_point_id, render_point_id
from schemas.json_path import Path, parse_path
from schemas.rest import reads
from schemas.rest.decode import not_yet
from schemas.rest.points import JsonFilter, JsonId

_EVERYTHING = Filter()


def to_filter(obj: JsonFilter | None) -> Filter | None:
    """The filter, None when everything passes. Raises BadInputError."""
    if obj is None:
        return None
    parsed = parse_filter(obj)
    return None if parsed == _EVERYTHING else parsed


def to_id(value: JsonId, where: str) -> PointId:
    """A point id; ``where`` is its path in the body. Raises BadInputError."""
    try:
        return parse_point_id(value)
    except BadInputError as error:
        raise BadInputError(f"Wrong input: {where}: {error.message}") from error


def to_ids(values: Sequence[JsonId]) -> list[PointId]:
    """Point ids. Raises BadInputError naming a bad one."""
    return [to_id(value, f"ids[{position}]") for position, value in enumerate(values)]


def to_selection(
    config: CollectionConfig,
    with_payload: reads.WithPayload | None,
    with_vector: reads.WithVector | None,
    default_payload: bool,
) -> Selection:
    """What to fetch of each point. Raises BadInputError for a bad payload key or an unknown vector name."""
    return Selection(_payload_selection(with_payload, default_payload), _vector_selection(config, with_vector))


def _payload_selection(asked: reads.WithPayload | None, default: bool) -> bool | PayloadInclude | PayloadExclude:
    if asked is None:
        return default
    if isinstance(asked, bool):
        return asked
    if isinstance(asked, list):
        return PayloadInclude(_paths(asked))
    if asked.include is not None:
        return PayloadInclude(_paths(asked.include))
    return PayloadExclude(_paths(asked.exclude or []))


def _paths(keys: Sequence[str]) -> tuple[Path, ...]:
    return tuple(parse_path(key) for key in keys)


def _vector_selection(config: CollectionConfig, asked: reads.WithVector | None) -> bool | tuple[str, ...]:
    if asked is None or isinstance(asked, bool):
        return bool(asked)
    for name in asked:
        check_name(config, name)
    return tuple(dict.fromkeys(asked))


def vector_values(
    config: CollectionConfig, views: Sequence[ShardView], points: int, asked: reads.WithVector | None
) -> int:
    """How many numbers the vectors of an answer with so many points have at most."""
    if not asked:
        return 0
    names = config.vectors if asked is True else set(asked) & config.vectors.keys()
    return min(points, sum(view.count for view in views)) * sum(config.vectors[name].size for name in names)


def check_name(config: CollectionConfig, name: str) -> None:
    """Raise BadInputError when the collection has no vectors of that name."""
    if name in config.vectors:
        return
    known = ", ".join(f"`{known}`" for known in sorted(config.vectors) if known)
    hint = f"; this collection has {known}" if known else ""
    raise BadInputError(f"Wrong input: Not existing vector name error: {name}{hint}")


def to_nearest(
    config: CollectionConfig, views: Sequence[ShardView], request: reads.QueryRequest, limits: Limits
) -> NearestQuery | None:
    """The engine's query; None when the request has none, so that points come in id order.

    Raises BadInputError, UnprocessableError, NotFoundError for a query by the id of a point that isn't there.
    """
    if request.prefetch is not None and request.prefetch != []:
        raise not_yet("prefetch")
    limit, offset = request.limit or reads.DEFAULT_LIMIT, request.offset or 0
    limits.check_results(limit, offset)
    asked = request.query.nearest if isinstance(request.query, reads.NearestQuery) else request.query
    if asked is None:
        return None
    using = request.using or UNNAMED
    check_name(config, using)
    excluded = None
    if isinstance(asked, list):
        vector = _vector(config, using, asked)
    else:
        excluded = to_id(asked, "query")
        vector = _vector_of(views, excluded, using)
    params = request.params or reads.SearchParams()
    return NearestQuery(
        vector=vector,
        using=using,
        limit=limit,
        offset=offset,
        filter=to_filter(request.filter),
        score_threshold=request.score_threshold,
        hnsw_ef=params.hnsw_ef,
        exact=bool(params.exact),
        indexed_only=bool(params.indexed_only),
        excluded=excluded,
    )


def _vector(config: CollectionConfig, using: str, values: list[float]) -> NDArray[np.float32]:
    column = pack_column(config, using, [[*values]], [0], _query_path)
    return np.frombuffer(column.data, np.float32)


def _vector_of(views: Sequence[ShardView], point_id: PointId, using: str) -> NDArray[np.float32]:
    vector = vector_of(views, point_id, using)
    if vector is not None:
        return vector
    shown = render_point_id(point_id)
    if not retrieve(views, [point_id], Selection(with_payload=False)):
        raise NotFoundError(f"Not found: No point with id {shown} found")
    raise BadInputError(f"Wrong input: query: point {shown} has no vector{f' `{using}`' if using else ''}")


def _query_path(_: int, __: str) -> str:
    return "query"
