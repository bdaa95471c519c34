"""Good messages that name several points, in every form a REST body has, and what the points are afterwards."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.producers.target import JsonId, Point, Target, random_payload

Change = tuple[JsonId, Point | None]
"""What a point is after a message; None: it is not there."""
Points = Mapping[JsonId, Point]


@dataclass(frozen=True, slots=True)
class Written:
    """A JSON body, and what its points are once it is applied."""

    kind: str
    body: dict[str, Any]
    changes: tuple[Change, ...]


def random_body(rng: Random, target: Target, ids: Sequence[JsonId], points: Points) -> Written:
    """A body that writes some of ``ids``; ``points`` are those that are there."""
    chosen = rng.sample(ids, rng.randrange(1, len(ids) + 1))
    there = [point_id for point_id in chosen if point_id in points]
    makers: list[Callable[[], Written]] = [
        lambda: _upsert(rng, target, chosen),
        lambda: _batch(rng, target, chosen),
        lambda: _delete(target, chosen),
        lambda: _operations(rng, target, chosen),
    ]
    if there:
        makers += [
            lambda: _set_payload(rng, target, there, points),
            lambda: _overwrite_payload(rng, target, there, points),
            lambda: _delete_payload(target, there, points),
            lambda: _clear_payload(target, there, points),
            lambda: _update_vectors(rng, target, there, points),
        ]
    return rng.choice(makers)()


def new_point(rng: Random, target: Target) -> Point:
    """A point with or without a payload."""
    return Point(target.random_vector(rng), random_payload(rng) if rng.random() < 0.8 else {})


def connector_json(target: Target, point_id: JsonId, point: Point) -> dict[str, Any]:
    """One point as Qdrant's Kafka sink connector takes it."""
    body: dict[str, Any] = {"collection_name": target.collection, "id": point_id, "vector": point.vector}
    return body | {"payload": point.payload} if point.payload else body


def _upsert(rng: Random, target: Target, ids: Sequence[JsonId]) -> Written:
    new = {point_id: new_point(rng, target) for point_id in ids}
    points = [{"id": i, "vector": point.vector, "payload": point.payload} for i, point in new.items()]
    return Written("upsert", {"collection_name": target.collection, "points": points}, tuple(new.items()))


def _batch(rng: Random, target: Target, ids: Sequence[JsonId]) -> Written:
    new = {point_id: new_point(rng, target) for point_id in ids}
    rows = [point.vector for point in new.values()]
    vectors = {name: [_named(row)[name] for row in rows] for name in _named(rows[0])}
    if isinstance(target.vectors, int):
        body: dict[str, Any] = {"ids": list(new), "vectors": rows}
    else:
        body = {"ids": list(new), "vectors": vectors}
    body["payloads"] = [point.payload or None for point in new.values()]
    return Written("batch", {"collection_name": target.collection, "batch": body}, tuple(new.items()))


def _named(vector: list[float] | dict[str, list[float]]) -> dict[str, list[float]]:
    return vector if isinstance(vector, dict) else {"": vector}


def _delete(target: Target, ids: Sequence[JsonId]) -> Written:
    body = {"collection_name": target.collection, "operation": "delete", "points": list(ids)}
    return Written("delete", body, tuple((point_id, None) for point_id in ids))


def _operations(rng: Random, target: Target, ids: Sequence[JsonId]) -> Written:
    """Several operations of one request: points are written, one of them is changed, another is deleted."""
    upsert = _upsert(rng, target, ids)
    points = {point_id: point for point_id, point in upsert.changes if point is not None}
    edit = _set_payload(rng, target, [ids[0]], points)
    delete = _delete(target, [ids[-1]])
    operations = [
        {"upsert": _without_names(upsert.body)},
        {"set_payload": _without_names(edit.body)},
        {"delete": _without_names(delete.body)},
    ]
    changes: dict[JsonId, Point | None] = dict([*upsert.changes, *edit.changes, *delete.changes])
    body = {"collection_name": target.collection, "operations": operations}
    return Written("operations", body, tuple(changes.items()))


def _without_names(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("collection_name", "operation")}


def _edit(kind: str, target: Target, ids: Sequence[JsonId], fields: dict[str, Any]) -> dict[str, Any]:
    return {"collection_name": target.collection, "operation": kind, "points": list(ids), **fields}


def _set_payload(rng: Random, target: Target, ids: Sequence[JsonId], points: Points) -> Written:
    merged = {"n": rng.randrange(1000), f"key {rng.randrange(3)}": random_payload(rng)}
    body = _edit("set_payload", target, ids, {"payload": merged})
    return Written("set_payload", body, _with_payloads(ids, points, lambda payload: payload | merged))


def _overwrite_payload(rng: Random, target: Target, ids: Sequence[JsonId], points: Points) -> Written:
    whole = random_payload(rng)
    body = _edit("overwrite_payload", target, ids, {"payload": whole})
    return Written("overwrite_payload", body, _with_payloads(ids, points, lambda _: whole))


def _delete_payload(target: Target, ids: Sequence[JsonId], points: Points) -> Written:
    body = _edit("delete_payload", target, ids, {"keys": ["n", "inner"]})
    kept = _with_payloads(ids, points, lambda p: {k: v for k, v in p.items() if k not in ("n", "inner")})
    return Written("delete_payload", body, kept)


def _clear_payload(target: Target, ids: Sequence[JsonId], points: Points) -> Written:
    return Written("clear_payload", _edit("clear_payload", target, ids, {}), _with_payloads(ids, points, lambda _: {}))


def _update_vectors(rng: Random, target: Target, ids: Sequence[JsonId], points: Points) -> Written:
    new = {point_id: target.random_vector(rng) for point_id in ids}
    body = {
        "collection_name": target.collection,
        "operation": "update_vectors",
        "points": [{"id": point_id, "vector": vector} for point_id, vector in new.items()],
    }
    changes = tuple((point_id, replace(points[point_id], vector=vector)) for point_id, vector in new.items())
    return Written("update_vectors", body, changes)


def _with_payloads(
    ids: Sequence[JsonId], points: Points, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> tuple[Change, ...]:
    return tuple((point_id, replace(points[point_id], payload=change(points[point_id].payload))) for point_id in ids)


def as_json(rng: Random, body: object) -> bytes:
    """A body as different producers write it: with or without white space, with or without escapes."""
    separators = rng.choice(((",", ":"), (", ", ": ")))
    indent = rng.choice((None, None, 2))
    text = json.dumps(body, ensure_ascii=rng.random() < 0.5, separators=separators, indent=indent)
    return rng.choice(("", "\n ")).encode() + text.encode("utf-8", "surrogatepass")
