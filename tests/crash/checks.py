"""Reading a collection back in every way there is; all ways must agree."""

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.crash.client_thread import CrashError
from tests.crash.model import Id, Layout, Point
from tests.crash.writers import describe
from tests.support.http import Http

PAGE = 1000
TOLERANCE = 1e-3
Hits = list[dict[str, Any]]


def point_of(record: dict[str, Any]) -> Point:
    """A point as REST shows it: decimals are short, and mean the 32 bits nearest to them."""
    vector = record["vector"]
    named: dict[str, list[float]] = {"": vector} if isinstance(vector, list) else vector
    vectors = {name: tuple(np.array(values, np.float32).tolist()) for name, values in named.items()}
    return Point(vectors, record["payload"] or {})


class Reading:
    """One collection, read by scroll first; the other ways are held against that."""

    def __init__(self, http: Http, layout: Layout, rng: random.Random) -> None:
        self._http = http
        self._layout = layout
        self._path = f"/collections/{layout.name}/points"
        self._rng = rng
        self.points = self._scroll()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._http.post(self._path + path, body)
        if answer.status != 200:
            raise CrashError(f"POST {self._path}{path} {body} answered {answer.status}: {answer.body[:500]!r}")
        return answer.json()["result"]

    def _scroll(self) -> dict[Id, Point]:
        found: dict[Id, Point] = {}
        start: Id | None = None
        while True:
            page = self._post("/scroll", {"limit": PAGE, "offset": start, "with_payload": True, "with_vector": True})
            for record in page["points"]:
                if record["id"] in found:
                    raise CrashError(f"{self._layout.name}: scroll shows {record['id']} twice")
                found[record["id"]] = point_of(record)
            start = page["next_page_offset"]
            if start is None:
                return found

    def check(self, ids: list[Id]) -> dict[Id, int]:
        """Hold retrieve, count, exact and approximate search against the scroll; returns each point's version.

        ``ids`` are all that were ever used. Raises CrashError where two ways of reading differ.
        """
        self._check_retrieve(ids)
        count = self._post("/count", {"exact": True})["count"]
        if count != len(self.points):
            raise CrashError(f"{self._layout.name}: count says {count}, scroll {len(self.points)}")
        self._check_filtered()
        versions: dict[Id, int] = {}
        for name in self._layout.sizes:
            versions |= self._check_search(name)
        return versions

    def _check_retrieve(self, ids: list[Id]) -> None:
        for start in range(0, len(ids), PAGE):
            asked = ids[start : start + PAGE]
            records = self._post("", {"ids": asked, "with_payload": True, "with_vector": True})
            found = {record["id"]: point_of(record) for record in records}
            for point_id in asked:
                if found.get(point_id) != self.points.get(point_id):
                    raise CrashError(
                        f"{self._layout.name}: retrieve shows {point_id} as {describe(found.get(point_id))},"
                        f" scroll as {describe(self.points.get(point_id))}"
                    )

    def _check_filtered(self) -> None:
        bucket = self._rng.randrange(8)
        condition = {"must": [{"key": "bucket", "match": {"value": bucket}}]}
        count = self._post("/count", {"exact": True, "filter": condition})["count"]
        expected = sum(point.payload.get("bucket") == bucket for point in self.points.values())
        if count != expected:
            raise CrashError(f"{self._layout.name}: {count} points pass bucket {bucket}, scroll shows {expected}")

    def _search(self, name: str, query: NDArray[np.float32], limit: int, exact: bool) -> Hits:
        body: dict[str, Any] = {"query": query.tolist(), "limit": limit, "params": {"exact": exact}}
        body |= {"with_payload": True, "with_vector": [name] if name else True}
        if name:
            body["using"] = name
        hits: Hits = self._post("/query", body)["points"]
        for hit in hits:
            self._check_hit(hit, name, query)
        scores = [hit["score"] for hit in hits]
        if scores != sorted(scores, reverse=True):
            raise CrashError(f"{self._layout.name}: scores out of order")
        return hits

    def _check_hit(self, hit: dict[str, Any], name: str, query: NDArray[np.float32]) -> None:
        point = self.points.get(hit["id"])
        if point is None:
            raise CrashError(f"{self._layout.name}: search finds {hit['id']}, which scroll does not show")
        seen = point_of(hit)
        if seen.payload != point.payload or seen.vectors.get(name) != point.vectors.get(name):
            raise CrashError(f"{self._layout.name}: search shows {describe(seen)}, scroll {describe(point)}")
        score = float(np.dot(np.array(point.vectors[name]), query))
        if abs(score - hit["score"]) > TOLERANCE * max(1.0, abs(score)):
            raise CrashError(f"{self._layout.name}: {hit['id']} scores {hit['score']}, not {score}")

    def _check_search(self, name: str) -> dict[Id, int]:
        size = self._layout.sizes[name]
        query = np.array([self._rng.randint(-1024, 1024) / 1024 for _ in range(size)], np.float32)
        expected = {point_id for point_id, point in self.points.items() if name in point.vectors}
        hits = self._search(name, query, len(expected) + 10, exact=True)
        if {hit["id"] for hit in hits} != expected or len(hits) != len(expected):
            raise CrashError(f"{self._layout.name}: exact search finds {len(hits)} of {len(expected)} points")
        self._search(name, query, 10, exact=False)
        return {hit["id"]: hit["version"] for hit in hits}
