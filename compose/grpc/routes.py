"""Which route of REST each call is, and how its result is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from compose.grpc import configuration, filters, mutations, queries, values
from compose.grpc.answers import write, write_all, write_fields
from compose.grpc.encoded import encoded, joined
from compose.grpc.fields import Json, read
from compose.grpc.messages import message_named
from schemas.rest.responses import GroupsResult, QueryResult, ScrollResult

READING = (configuration, filters, mutations, queries, values)
"""The modules that say how requests are read."""
Body = Callable[[Any], Json]
Answer = Callable[[Json, Any], list[bytes] | None]
_C = "/collections/{collection_name}"
_P = f"{_C}/points"
_SNAPSHOTS = "/snapshots"
PATH_FIELDS = ("collection_name", "snapshot_name", "vector_name", "field_name")
"""Fields of requests that stand in the path of a route that names them."""


@dataclass(frozen=True, slots=True)
class Route:
    """``body`` makes the request's body, None where the route takes none; ``answer`` fills in the response.

    ``rendered``: the handler renders points as encoded messages; ``answer`` takes its result as it is, else as JSON,
    and gives the fields that hold them, encoded. The order of a message's fields doesn't matter.
    """

    method: str
    path: str
    answer: Answer
    body: Body | None = None
    rendered: bool = False


def _result(value: Json, response: Any) -> None:
    write_fields({"result": value}, response)


def _update(value: Json, response: Any) -> None:
    write_fields({"result": value}, response)
    response.usage.SetInParent()


def _spread(value: Json, response: Any) -> None:
    write_fields(value, response)


def _points(value: Any, response: Any) -> list[bytes]:
    points: Any = value.points if isinstance(value, QueryResult) else value
    return encoded(type(response), "result", points)


def _batch(value: list[Any], response: Any) -> list[bytes]:
    one = message_named("qdrant.BatchResult")
    return encoded(type(response), "result", [joined(_points(points, one())) for points in value])


def _page(value: ScrollResult, response: Any) -> list[bytes]:
    if value.next_page_offset is not None:
        write(value.next_page_offset, response.next_page_offset)
    return _points(value.points, response)


def _groups(value: GroupsResult, response: Any) -> list[bytes]:
    result = encoded(message_named("qdrant.GroupsResult"), "groups", [_group(group) for group in value.groups])
    return encoded(type(response), "result", [joined(result)])


def _group(group: Any) -> bytes:
    message: Any = message_named("qdrant.PointGroup")()
    write(group.id, message.id)
    parts = [message.SerializeToString(), *encoded(type(message), "hits", group.hits)]
    if group.lookup is not UNSET:
        parts += encoded(type(message), "lookup", [group.lookup])
    return joined(parts)


def _keys(value: Json, response: Any) -> None:
    write_all(value["shard_keys"], response.shard_keys)


def _described(value: Json, response: Any) -> None:
    write(value, response.snapshot_description)


def _listed(value: Json, response: Any) -> None:
    write_all(value, response.snapshot_descriptions)


def _nothing(_: Json, response: Any) -> None:
    response.SetInParent()


def _health(value: Json, response: Any) -> None:
    write_fields(value, response)


def _searches(name: str) -> Body:
    return lambda message: {"searches": [read(one) for one in getattr(message, name)]}


def _operations(message: Any) -> Json:
    return {"operations": [read(one) for one in message.operations]}


def _shard_key(message: Any) -> Json:
    return read(message.request)


COLLECTIONS: Mapping[str, Route] = {
    "Get": Route("GET", _C, _result),
    "List": Route("GET", "/collections", _spread),
    "Create": Route("PUT", _C, _result, read),
    "Update": Route("PATCH", _C, _result, read),
    "Delete": Route("DELETE", _C, _result),
    "UpdateAliases": Route("POST", "/collections/aliases", _result, read),
    "ListCollectionAliases": Route("GET", f"{_C}/aliases", _spread),
    "ListAliases": Route("GET", "/aliases", _spread),
    "CollectionClusterInfo": Route("GET", f"{_C}/cluster", _spread),
    "CollectionExists": Route("GET", f"{_C}/exists", _result),
    "UpdateCollectionClusterSetup": Route("POST", f"{_C}/cluster", _result, read),
    "CreateShardKey": Route("PUT", f"{_C}/shards", _result, _shard_key),
    "DeleteShardKey": Route("POST", f"{_C}/shards/delete", _result, _shard_key),
    "ListShardKeys": Route("GET", f"{_C}/shards", _keys),
}

POINTS: Mapping[str, Route] = {
    "Upsert": Route("PUT", _P, _update, read),
    "Delete": Route("POST", f"{_P}/delete", _update, read),
    "Get": Route("POST", _P, _points, read, rendered=True),
    "UpdateVectors": Route("PUT", f"{_P}/vectors", _update, read),
    "DeleteVectors": Route("POST", f"{_P}/vectors/delete", _update, read),
    "SetPayload": Route("POST", f"{_P}/payload", _update, read),
    "OverwritePayload": Route("PUT", f"{_P}/payload", _update, read),
    "DeletePayload": Route("POST", f"{_P}/payload/delete", _update, read),
    "ClearPayload": Route("POST", f"{_P}/payload/clear", _update, read),
    "CreateFieldIndex": Route("PUT", f"{_C}/index", _update, read),
    "DeleteFieldIndex": Route("DELETE", f"{_C}/index/{{field_name}}", _update),
    "CreateVectorName": Route("PUT", f"{_C}/vectors/{{vector_name}}", _update, read),
    "DeleteVectorName": Route("DELETE", f"{_C}/vectors/{{vector_name}}", _update),
    "Search": Route("POST", f"{_P}/search", _points, read, rendered=True),
    "SearchBatch": Route("POST", f"{_P}/search/batch", _batch, _searches("search_points"), rendered=True),
    "SearchGroups": Route("POST", f"{_P}/search/groups", _groups, read, rendered=True),
    "Scroll": Route("POST", f"{_P}/scroll", _page, read, rendered=True),
    "Recommend": Route("POST", f"{_P}/recommend", _points, read, rendered=True),
    "RecommendBatch": Route("POST", f"{_P}/recommend/batch", _batch, _searches("recommend_points"), rendered=True),
    "RecommendGroups": Route("POST", f"{_P}/recommend/groups", _groups, read, rendered=True),
    "Discover": Route("POST", f"{_P}/discover", _points, read, rendered=True),
    "DiscoverBatch": Route("POST", f"{_P}/discover/batch", _batch, _searches("discover_points"), rendered=True),
    "Count": Route("POST", f"{_P}/count", _result, read),
    "UpdateBatch": Route("POST", f"{_P}/batch", _result, _operations),
    "Query": Route("POST", f"{_P}/query", _points, read, rendered=True),
    "QueryBatch": Route("POST", f"{_P}/query/batch", _batch, _searches("query_points"), rendered=True),
    "QueryGroups": Route("POST", f"{_P}/query/groups", _groups, read, rendered=True),
    "Facet": Route("POST", f"{_C}/facet", _spread, read),
    "SearchMatrixPairs": Route("POST", f"{_P}/search/matrix/pairs", _result, read),
    "SearchMatrixOffsets": Route("POST", f"{_P}/search/matrix/offsets", _result, read),
}

SNAPSHOTS: Mapping[str, Route] = {
    "Create": Route("POST", f"{_C}{_SNAPSHOTS}", _described),
    "List": Route("GET", f"{_C}{_SNAPSHOTS}", _listed),
    "Delete": Route("DELETE", f"{_C}{_SNAPSHOTS}/{{snapshot_name}}", _nothing),
    "CreateFull": Route("POST", _SNAPSHOTS, _described),
    "ListFull": Route("GET", _SNAPSHOTS, _listed),
    "DeleteFull": Route("DELETE", f"{_SNAPSHOTS}/{{snapshot_name}}", _nothing),
}

ROUTES: Mapping[str, Mapping[str, Route]] = {
    "qdrant.Collections": COLLECTIONS,
    "qdrant.Points": POINTS,
    "qdrant.Snapshots": SNAPSHOTS,
    "qdrant.Qdrant": {"HealthCheck": Route("GET", "/", _health)},
}
