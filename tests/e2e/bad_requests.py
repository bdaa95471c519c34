"""A table of bad requests: what each must be answered with, and what the message must mention."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

GOOD = "/collections/good"
POINTS = GOOD + "/points"
SEARCH: dict[str, Any] = {"query": [1.0, 0.0, 0.0, 0.0], "limit": 10, "with_payload": True, "with_vector": True}
CREATE: dict[str, Any] = {"vectors": {"size": 4, "distance": "Dot"}}
NOT_DEEP = "deep|nest|recurs"
LONG = "n" * 300


@dataclass(frozen=True)
class Bad:
    """One request. ``mentions`` is a pattern that the message must contain, in whatever case."""

    name: str
    mentions: str
    method: str
    path: str
    body: bytes | Callable[[], bytes] = b""
    statuses: tuple[int, ...] = (400, 422)


def nested(levels: int) -> dict[str, Any]:
    """A filter in so many others."""
    inner: dict[str, Any] = {"must": [{"key": "a", "match": {"value": 1}}]}
    for _ in range(levels):
        inner = {"must": [inner]}
    return inner


def _deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def _upsert(name: str, mentions: str, point: str) -> Bad:
    return Bad(name, mentions, "PUT", POINTS + "?wait=true", f'{{"points": [{point}]}}'.encode())


def _vector(name: str, mentions: str, vector: str) -> Bad:
    return _upsert(name, mentions, f'{{"id": 1, "vector": {vector}}}')


def _id(name: str, point_id: str, mentions: str = "id") -> Bad:
    return _upsert(name, mentions, f'{{"id": {point_id}, "vector": [1, 2, 3, 4]}}')


def _payload(name: str, mentions: str, payload: str) -> Bad:
    return _upsert(name, mentions, f'{{"id": 1, "vector": [1, 2, 3, 4], "payload": {payload}}}')


def _put(name: str, mentions: str, body: bytes | Callable[[], bytes], statuses: tuple[int, ...] = (400, 422)) -> Bad:
    return Bad(name, mentions, "PUT", POINTS + "?wait=true", body, statuses)


def _query(name: str, mentions: str, statuses: tuple[int, ...] = (400, 422), **changes: Any) -> Bad:
    body = json.dumps({**SEARCH, **changes}).encode()
    return Bad(name, mentions, "POST", POINTS + "/query", body, statuses)


def _post(name: str, mentions: str, path: str, body: object, statuses: tuple[int, ...] = (400, 422)) -> Bad:
    return Bad(name, mentions, "POST", POINTS + path, json.dumps(body).encode(), statuses)


def _condition(name: str, mentions: str, condition: object) -> Bad:
    return _post(name, mentions, "/count", {"filter": {"must": [condition]}})


def _create(name: str, mentions: str, body: object, path: str = "new", statuses: tuple[int, ...] = (400, 422)) -> Bad:
    return Bad(name, mentions, "PUT", "/collections/" + path, json.dumps(body).encode(), statuses)


def _hundred_megabytes() -> bytes:
    return b'{"points": [' + b" " * (100 << 20) + b"]}"


UPSERTS = [
    _vector("too many dimensions", "dim", "[1, 2, 3, 4, 5]"),
    _vector("too few dimensions", "dim", "[1]"),
    _vector("empty vector", "dim|empty", "[]"),
    _upsert("second point wrong", "dim", '{"id": 1, "vector": [9, 9, 9, 9]}, {"id": 9, "vector": [1]}'),
    _vector("NaN", "json|nan", "[NaN, 0, 0, 0]"),
    _vector("Infinity", "json|infin", "[Infinity, 0, 0, 0]"),
    _vector("larger than 32 bits hold", "vector|finite|float|range", "[1e39, 0, 0, 0]"),
    _vector("larger than 64 bits hold", "vector|finite|float|range", "[1e999, 0, 0, 0]"),
    _vector("word in vector", "vector|float|number", '["x", 0, 0, 0]'),
    _vector("null in vector", "vector|float|number", "[null, 0, 0, 0]"),
    _vector("unknown vector name", "nope", '{"nope": [1, 2, 3, 4]}'),
    _upsert("no vector", "vector", '{"id": 1}'),
    _upsert("no id", "id", '{"vector": [1, 2, 3, 4]}'),
    _id("negative id", "-1"),
    _id("id of 2**64", str(2**64)),
    _id("id of 400 digits", "9" * 400),
    _id("id with a fraction", "1.5"),
    _id("id is true", "true"),
    _id("id is null", "null"),
    _id("id is no UUID", '"not-a-uuid"', "not-a-uuid"),
    _id("UUID too short", f'"{str(uuid.UUID(int=7))[:-1]}"'),
    _payload("payload is a list", "payload", "[1]"),
    _payload("payload 5000 deep", NOT_DEEP, _deep(5000)),
    _payload("payload 200 deep", NOT_DEEP, _deep(200)),
    _payload("lone surrogate", "surrogate|utf|unicode|escape|json", '{"a": "\\ud800"}'),
    _payload("integer of 5000 digits", "number|integer|range", '{"n": 1' + "0" * 5000 + "}"),
    _put("not UTF-8", "utf", b'{"points": [{"id": 1, "vector": [1, 2, 3, 4], "payload": {"a": "\xff\xfe"}}]}'),
    _put("malformed", "json", b'{"points": ['),
    _put("more after the end", "json|trailing|extra", b'{"points": []} {}'),
    _put("empty body", "json|body|empty|eof", b""),
    _put("a list", "expected a map", b"[]"),
    _put("null", "expected a map", b"null"),
    _put("no points", "empty", b'{"points": []}'),
    _put("neither points nor batch", "points|batch", b"{}"),
    _put("points is a word", "points", b'{"points": "x"}'),
    _put("unequal lengths", "ids|vectors|length", b'{"batch": {"ids": [1, 2], "vectors": [[1, 2, 3, 4]]}}'),
    _put("100 MB", "large|limit|size|bytes", _hundred_megabytes, (400, 413)),
]
DEEP_FILTER = b'{"query": [1, 0, 0, 0], "filter": ' + b'{"must":[' * 5000 + b"]}" * 5000 + b"}"
FAR_NORTH = {"key": "a", "geo_radius": {"center": {"lat": 99, "lon": 0}, "radius": 1}}
READS = [
    _query("query of wrong dimension", "dim", query=[1.0]),
    _query("query by unknown point", "999999", (404,), query=999_999),
    _query("query with unknown name", "nope", using="nope"),
    _query("query of a word", "word|id|query", query="word"),
    _query("query with NaN", "json|nan", query=[float("nan"), 0, 0, 0]),
    _query("limit of 0", "limit", limit=0),
    _query("limit of -1", "limit", limit=-1),
    _query("limit of 2**70", "limit", limit=2**70),
    _query("limit of 10**9", "limit", limit=10**9),
    _query("limit is a word", "limit", limit="ten"),
    _query("offset of -1", "offset", offset=-1),
    _query("filter is a word", "filter", filter="x"),
    _query("filter 64 deep", NOT_DEEP, filter=nested(64)),
    Bad("filter 5000 deep", NOT_DEEP, "POST", POINTS + "/query", DEEP_FILTER),
    _query("unknown clause", "musty", filter={"musty": []}),
    _condition("unknown condition", "wat|condition", {"key": "a", "wat": 1}),
    _condition("bad range", "gt|range", {"key": "a", "range": {"gt": "x"}}),
    _condition("bad path", r"a\[", {"key": "a[", "match": {"value": 1}}),
    _condition("bad latitude", "lat", FAR_NORTH),
    _post("scroll of limit 0", "limit", "/scroll", {"limit": 0}),
    _post("scroll of limit 10**9", "limit", "/scroll", {"limit": 10**9}),
    _post("scroll from a bad id", "nope|offset", "/scroll", {"offset": "nope"}),
    _post("bad with_payload", "with_payload", "/scroll", {"with_payload": 7}),
    _post("retrieve of a bad id", "-5|id", "", {"ids": [-5]}),
    Bad("unknown point", "999999", "GET", POINTS + "/999999", statuses=(404,)),
    Bad("bad point id", "nope", "GET", POINTS + "/nope", statuses=(400, 404, 422)),
]
SHORT = b'{"points": [{"id": 1, "vector": [1]}]}'
SET = {"payload": {"a": 1}}
EDITS = [
    _post("delete of nothing", "points|filter", "/delete", {}),
    _post("delete of no ids", "empty|points", "/delete", {"points": []}),
    _post("payload without selection", "points|filter", "/payload?wait=true", SET),
    _post("payload of a missing point", "999999", "/payload?wait=true", {**SET, "points": [999_999]}, (404,)),
    _post("payload is a number", "payload", "/payload?wait=true", {"payload": 1, "points": [1]}),
    _post("payload at a bad path", r"a\[", "/payload?wait=true", {**SET, "points": [1], "key": "a["}),
    _post("unknown operation", "explode|operation", "/batch?wait=true", {"operations": [{"explode": 1}]}),
    _post("operations is a number", "operations", "/batch?wait=true", {"operations": 3}),
    _post("delete of no vectors", "vector", "/vectors/delete?wait=true", {"points": [1], "vector": []}),
    Bad("vectors of no points", "points", "PUT", POINTS + "/vectors?wait=true", b'{"points": []}'),
    _post("delete of unknown vector", "nope", "/vectors/delete?wait=true", {"points": [1], "vector": ["nope"]}),
    Bad("vectors of wrong dimension", "dim", "PUT", POINTS + "/vectors?wait=true", SHORT),
    Bad("bad wait", "parameters", "PUT", POINTS + "?wait=maybe", b'{"points": [{"id": 1, "vector": [1, 2, 3, 4]}]}'),
]
COLLECTIONS = [
    _create("name of 300 bytes", "name", CREATE, path=LONG),
    _create("name with a slash", "name|not found", CREATE, path="a%2Fb", statuses=(400, 404, 422)),
    _create("size of 0", "size", {"vectors": {"size": 0, "distance": "Dot"}}),
    _create("size of -1", "size", {"vectors": {"size": -1, "distance": "Dot"}}),
    _create("size of 10**9", "size", {"vectors": {"size": 10**9, "distance": "Dot"}}),
    _create("unknown distance", "chebyshev|distance", {"vectors": {"size": 4, "distance": "Chebyshev"}}),
    _create("vectors is a list", "vectors", {"vectors": []}),
    _create("no size", "size|vectors", {"vectors": {"distance": "Dot"}}),
    _create("no shards", "shard_number", {**CREATE, "shard_number": 0}),
    _create("10**9 shards", "shard_number", {**CREATE, "shard_number": 10**9}),
    _create("vector name of 300 bytes", "name", {"vectors": {LONG: CREATE["vectors"]}}),
    _create("exists already", "already exists", CREATE, path="good", statuses=(409,)),
    Bad("malformed create", "json", "PUT", "/collections/new", b"{"),
    Bad("empty create", "json|body|empty|eof", "PUT", "/collections/new"),
    Bad("no such route", "not found|nowhere", "GET", "/nowhere", statuses=(404,)),
]
_ALIAS = b'{"actions": [{"create_alias": {"collection_name": "none", "alias_name": "x"}}]}'
UNKNOWN = [
    Bad("upsert to no collection", "none", "PUT", "/collections/none/points", SHORT, (404,)),
    Bad("query of no collection", "none", "POST", "/collections/none/points/query", b'{"query": [1]}', (404,)),
    Bad("count of no collection", "none", "POST", "/collections/none/points/count", b"{}", (404,)),
    Bad("no collection", "none", "GET", "/collections/none", statuses=(404,)),
    Bad("patch of no collection", "none", "PATCH", "/collections/none", b"{}", (404,)),
    Bad("alias of no collection", "none", "POST", "/collections/aliases", _ALIAS, (404,)),
    Bad("bad alias action", "burn|action", "POST", "/collections/aliases", b'{"actions": [{"burn_alias": {}}]}'),
]
ALL = [*UPSERTS, *READS, *EDITS, *COLLECTIONS, *UNKNOWN]
