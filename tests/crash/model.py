"""What a writer knows about its points: the state of each after everything acknowledged, and what is in flight."""

import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Id = int | str
Vectors = dict[str, tuple[float, ...]]
GRID = 1024


@dataclass(frozen=True)
class Layout:
    """A collection: its vectors (name to size; "" is the unnamed one) and shards."""

    name: str
    sizes: dict[str, int]
    shards: int

    @property
    def atomic(self) -> bool:
        """Whether a request is one record, and so takes effect whole or not at all."""
        return self.shards == 1


@dataclass(frozen=True)
class Point:
    """A point as it should be read back. Never changed, only replaced."""

    vectors: Vectors
    payload: dict[str, Any]

    def wire_vectors(self) -> Any:
        """The vectors as REST has them."""
        return list(self.vectors[""]) if "" in self.vectors else {n: list(v) for n, v in self.vectors.items()}


State = dict[Id, Point | None]
"""None: the point is not there."""


@dataclass(frozen=True)
class Request:
    """One write request, and what each point is after it."""

    method: str
    path: str
    body: dict[str, Any]
    effects: State


@dataclass
class Owner:
    """The points that one writer alone writes."""

    number: int
    layout: Layout
    rng: random.Random
    ids: list[Id]
    known: State = field(default_factory=dict[Id, Point | None])
    revision: int = 0

    @classmethod
    def of(cls, number: int, layout: Layout, seed: int, count: int) -> "Owner":
        """An owner of ``count`` ids, one in ten of them a UUID."""
        rng = random.Random(f"{seed}/{number}")
        ids: list[Id] = [
            str(uuid.UUID(int=rng.getrandbits(128))) if i % 10 == 0 else number * 1_000_000 + i for i in range(count)
        ]
        return cls(number, layout, rng, ids, dict.fromkeys(ids))

    @property
    def present(self) -> list[Id]:
        """The ids that are there."""
        return [point_id for point_id, point in self.known.items() if point is not None]

    def vector(self, size: int) -> tuple[float, ...]:
        """Values that 32 bits hold exactly."""
        return tuple(self.rng.randint(-2 * GRID, 2 * GRID) / GRID for _ in range(size))

    def new_point(self) -> Point:
        """A point with another revision than any before it."""
        self.revision += 1
        payload: dict[str, Any] = {"owner": self.number, "bucket": self.rng.randrange(8), "revision": self.revision}
        if self.rng.random() < 0.3:
            payload["text"] = "x" * self.rng.randrange(400)
        return Point({name: self.vector(size) for name, size in self.layout.sizes.items()}, payload)

    def next_request(self) -> Request:
        """A random request."""
        choices = [(30, self._upsert), (8, self._delete), (2, self._delete_bucket), (4, self._batch)]
        if self.present:
            choices += [(8, self._set), (3, self._set_bucket), (3, self._overwrite), (3, self._delete_keys)]
            choices += [(2, self._clear), (6, self._update_vectors)]
        weights, makers = zip(*choices, strict=True)
        make: Callable[[], Request] = self.rng.choices(makers, weights)[0]
        return make()

    def _request(self, path: str, body: dict[str, Any], effects: State, method: str = "POST") -> Request:
        wait = "true" if self.rng.random() < 0.5 else "false"
        return Request(method, f"/collections/{self.layout.name}/points{path}?wait={wait}", body, effects)

    def _some(self, ids: Iterable[Id], most: int = 20) -> list[Id]:
        listed = list(ids)
        return self.rng.sample(listed, min(len(listed), self.rng.randint(1, most)))

    def _in_bucket(self, bucket: int) -> dict[Id, Point]:
        wanted = (self.number, bucket)
        return {
            point_id: point
            for point_id, point in self.known.items()
            if point is not None and (point.payload.get("owner"), point.payload.get("bucket")) == wanted
        }

    def _bucket_filter(self, bucket: int) -> dict[str, Any]:
        return {
            "must": [
                {"key": "owner", "match": {"value": self.number}},
                {"key": "bucket", "match": {"value": bucket}},
            ]
        }

    def _upserted(self) -> dict[Id, Point]:
        most = 200 if self.rng.random() < 0.2 else 20
        return {point_id: self.new_point() for point_id in self._some(self.ids, most)}

    def fill_requests(self, size: int) -> list[Request]:
        """Upserts of all ids, so many in each."""
        parts = [self.ids[start : start + size] for start in range(0, len(self.ids), size)]
        return [self._upsert_of({point_id: self.new_point() for point_id in part}) for part in parts]

    def _upsert_of(self, points: dict[Id, Point]) -> Request:
        return self._request("", {"points": _listed(points)}, dict(points), method="PUT")

    def _upsert(self) -> Request:
        return self._upsert_of(self._upserted())

    def _delete(self) -> Request:
        ids = self._some(self.ids)
        return self._request("/delete", {"points": ids}, dict.fromkeys(ids))

    def _delete_bucket(self) -> Request:
        bucket = self.rng.randrange(8)
        effects: State = dict.fromkeys(self._in_bucket(bucket))
        return self._request("/delete", {"filter": self._bucket_filter(bucket)}, effects)

    def _edit(self, path: str, body: dict[str, Any], ids: Iterable[Id], edit: Callable[[Point], Point]) -> Request:
        effects: State = {}
        for point_id in ids:
            point = self.known[point_id]
            if point is None:
                raise AssertionError("only points that are there are edited")
            effects[point_id] = edit(point)
        method = "PUT" if path == "/vectors" else "POST"
        return self._request(path, body, effects, method)

    def _set(self) -> Request:
        self.revision += 1
        ids, new = self._some(self.present), {"revision": self.revision, "set": self.rng.random() < 0.5}
        body = {"points": ids, "payload": new}
        return self._edit("/payload", body, ids, lambda p: Point(p.vectors, {**p.payload, **new}))

    def _set_bucket(self) -> Request:
        self.revision += 1
        bucket, new = self.rng.randrange(8), {"swept": self.revision}
        body = {"filter": self._bucket_filter(bucket), "payload": new}
        ids = self._in_bucket(bucket)
        return self._edit("/payload", body, ids, lambda p: Point(p.vectors, {**p.payload, **new}))

    def _overwrite(self) -> Request:
        ids, new = self._some(self.present), self.new_point().payload
        request = self._edit("/payload", {"points": ids, "payload": new}, ids, lambda p: Point(p.vectors, new))
        return Request("PUT", request.path, request.body, request.effects)

    def _delete_keys(self) -> Request:
        ids, keys = self._some(self.present), ["text", "set"]

        def edit(point: Point) -> Point:
            return Point(point.vectors, {k: v for k, v in point.payload.items() if k not in keys})

        return self._edit("/payload/delete", {"points": ids, "keys": keys}, ids, edit)

    def _clear(self) -> Request:
        ids = self._some(self.present)
        return self._edit("/payload/clear", {"points": ids}, ids, lambda p: Point(p.vectors, {}))

    def _update_vectors(self) -> Request:
        name = self.rng.choice(list(self.layout.sizes))
        new = {point_id: self.vector(self.layout.sizes[name]) for point_id in self._some(self.present)}
        points = [{"id": i, "vector": list(v) if name == "" else {name: list(v)}} for i, v in new.items()]
        effects: State = {}
        for point_id, vector in new.items():
            old = self.known[point_id]
            if old is not None:
                effects[point_id] = Point({**old.vectors, name: vector}, old.payload)
        return self._request("/vectors", {"points": points}, effects, "PUT")

    def _batch(self) -> Request:
        points = self._upserted()
        changed = self._some(points, 5)
        gone = self._some(self.ids, 5)
        operations = [
            {"upsert": {"points": _listed(points)}},
            {"set_payload": {"payload": {"batch": self.revision}, "points": changed}},
            {"delete": {"points": gone}},
        ]
        effects: State = dict(points)
        for point_id in changed:
            point = points[point_id]
            effects[point_id] = Point(point.vectors, {**point.payload, "batch": self.revision})
        effects.update(dict.fromkeys(gone))
        return self._request("/batch", {"operations": operations}, effects)


def _listed(points: dict[Id, Point]) -> list[dict[str, Any]]:
    return [{"id": i, "vector": point.wire_vectors(), "payload": point.payload} for i, point in points.items()]
