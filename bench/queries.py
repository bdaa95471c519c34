"""Kinds of queries beside Qdrant's own engine in one process (qdrant-edge-py), in turns: a table of ratios.

python -m bench.queries [--dense 50000] [--sparse 200000] [--multi 2000] [--only dense sparse multi]

Both have everything in optimized segments. Ours is asked as a route asks: planned, found, fetched, rendered.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, cast

import msgspec
import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray
from rich.console import Console

from bench.results import Results, machine
from ingest.deadline import Deadline
from ingest.http.limits import Limits
from projector.frames import ShardId
from projector.segments.build import build_segment
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.view.live_shard import LiveShard
from query_api.answering import Answering
from query_api.budget import Budget
from query_api.combine.shards import Shards
from query_api.local import LocalShard
from query_api.reading import Reader, Reading
from query_api.threads import ReadThreads
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.rest.groups import QueryGroupsRequest
from schemas.rest.queries import QueryRequest
from schemas.vectors.params import Modifier, MultivectorConfig, SparseVectorParams
from schemas.vectors.sparse import PAIR

DIM, MULTI_DIM, MULTI_ROWS = 100, 128, 32
TERMS, USUAL_TERMS, QUERY_TERMS = 60_000, 60, 6
QUERIES, ROUNDS = 40, 3
BATCH = 2000
SEED = 5
ANSWER_BYTES = 1 << 30
GROUPS, GROUP_SIZE = 10, 3
Answer = Callable[[int], Any]
Spent = tuple[float, float]
"""Seconds by the clock, and of processors: where others are at work, the latter say more."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of query: what answers its i-th one, in both."""

    name: str
    ours: Answer
    theirs: Answer


class Ours:
    """One shard of one segment, and what answers requests over it."""

    def __init__(
        self, folder: Path, config: CollectionConfig, points: Iterator[tuple[int, list[tuple[int, bytes]], bytes]]
    ) -> None:
        self._config = config
        with write_spill(folder / "spill") as writer:
            for number, vectors, payload in points:
                writer.add([PointId(number)], [encode_point(1, vectors, payload)])
        build_segment(
            BuildSpec(str(folder / "segment"), config, [str(folder / "spill")], [], True, threads=2), lambda _: None
        )
        live = LiveShard(ShardId(1, 0), config, [], 0)
        live.replace(live.view, [], [Segment.open(folder / "segment")], tail_sealed=False)
        self._shard = LocalShard(live.view)
        self._answering = Answering(cast("Reader", _Limited()))
        self._threads = ReadThreads()
        self._loop = asyncio.new_event_loop()

    def answer(self, request: QueryRequest | QueryGroupsRequest) -> Any:
        """What a route would answer."""
        budget = Budget(self._threads, Deadline(60.0), ANSWER_BYTES)
        reading = Reading(1, self._config, Shards([self._shard], budget), budget)
        if isinstance(request, QueryGroupsRequest):
            return self._loop.run_until_complete(self._answering.answer_groups(reading, request))
        return self._loop.run_until_complete(self._answering.answer(reading, request))


class _Limited:
    limits = Limits()


def measure(cases: Sequence[Case], results: Results, group: str) -> None:
    """Ask in turns, and keep the median of each."""
    for case in cases:
        for at in range(3):
            case.ours(at)
            case.theirs(at)
        ours: list[Spent] = []
        theirs: list[Spent] = []
        for _ in range(ROUNDS):
            for at in range(QUERIES):
                ours.append(_timed(case.ours, at))
                theirs.append(_timed(case.theirs, at))
        results.add(group, case.name, *_both(ours, theirs, 0))
        results.add(group, f"{case.name}, processor time", *_both(ours, theirs, 1))


def _both(ours: Sequence[Spent], theirs: Sequence[Spent], which: int) -> tuple[float, str, float]:
    mine, other = (median(each[which] for each in some) * 1e3 for some in (ours, theirs))
    return mine, "ms", other


def _timed(answer: Answer, at: int) -> Spent:
    started, used = time.perf_counter(), time.process_time()
    answer(at)
    return time.perf_counter() - started, time.process_time() - used


def edge_shard(folder: Path, config: Any, points: Iterator[Any]) -> Any:
    """Qdrant's engine with these points, optimized."""
    folder.mkdir()
    shard = edge.EdgeShard.create(str(folder), config)
    batch: list[Any] = []
    for point in points:
        batch.append(point)
        if len(batch) == BATCH:
            shard.update(edge.UpdateOperation.upsert_points(batch))
            batch = []
    if batch:
        shard.update(edge.UpdateOperation.upsert_points(batch))
    shard.update(edge.UpdateOperation.create_field_index("group", edge.PayloadSchemaType.Integer))
    shard.optimize()
    return shard


def clustered(count: int, dim: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Vectors in a thousand clusters, as texts' are."""
    centres = random.normal(size=(1000, dim))
    return (centres[random.integers(0, 1000, count)] + 0.7 * random.normal(size=(count, dim))).astype(np.float32)


def documents(
    count: int, usual: int, random: np.random.Generator
) -> list[tuple[NDArray[np.uint32], NDArray[np.float32]]]:
    """Sparse vectors with terms as frequent as words are (Zipf)."""
    weights = 1.0 / np.arange(3, TERMS + 3)
    cumulated = np.cumsum(weights / weights.sum())
    found: list[tuple[NDArray[np.uint32], NDArray[np.float32]]] = []
    for length in random.poisson(usual, count).tolist():
        terms = np.unique(np.searchsorted(cumulated, random.random(max(1, length)))).astype(np.uint32)
        found.append((terms, (0.5 + random.random(len(terms))).astype(np.float32)))
    return found


def pairs_bytes(terms: NDArray[np.uint32], values: NDArray[np.float32]) -> bytes:
    """A sparse vector as it is stored."""
    pairs = np.empty(len(terms), PAIR)
    pairs["index"], pairs["value"] = terms, values
    return pairs.tobytes()


def request(**body: Any) -> QueryRequest:
    """A query, decoded."""
    return msgspec.json.decode(msgspec.json.encode(body), type=QueryRequest)


def mixed(folder: Path, dense: int, sparse: int, results: Results) -> None:
    """Dense and sparse vectors in one collection: nearest, filtered, recommend, fusion, groups."""
    random = np.random.default_rng(SEED)
    vectors = clustered(dense + QUERIES, DIM, random)
    asked, vectors = vectors[:QUERIES], vectors[QUERIES:]
    texts = documents(sparse, USUAL_TERMS, random)
    short = documents(QUERIES, QUERY_TERMS, random)
    groups = random.integers(0, 100, sparse).tolist()
    config = CollectionConfig(
        vectors={"d": VectorParams(DIM, Distance.COSINE)},
        sparse_vectors={"s": SparseVectorParams(), "t": SparseVectorParams(modifier=Modifier.IDF)},
    )

    def stored() -> Iterator[tuple[int, list[tuple[int, bytes]], bytes]]:
        for number in range(sparse):
            pairs = pairs_bytes(*texts[number])
            first = [(0, vectors[number].tobytes())] if number < dense else []
            yield number, [*first, (1, pairs), (2, pairs)], b'{"group":%d}' % groups[number]

    def points() -> Iterator[Any]:
        for number in range(sparse):
            terms, values = texts[number]
            pairs = edge.SparseVector(terms.tolist(), values.tolist())
            first = {"d": vectors[number].tolist()} if number < dense else {}
            yield edge.Point(number, {**first, "s": pairs, "t": pairs}, {"group": groups[number]})

    ours = Ours(folder, config, stored())
    theirs = edge_shard(
        folder / "edge",
        edge.EdgeConfig(
            {"d": edge.EdgeVectorParams(DIM, edge.Distance.Cosine)},
            {"s": edge.EdgeSparseVectorParams(), "t": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        ),
        points(),
    )
    lists = [vector.tolist() for vector in asked]
    sparse_lists = [(terms.tolist(), values.tolist()) for terms, values in short]

    def near(using: str, at: int) -> Any:
        if using == "d":
            return edge.Query.Nearest(lists[at], "d")
        return edge.Query.Nearest(edge.SparseVector(*sparse_lists[at]), using)

    def as_json(using: str, at: int) -> Any:
        indices, values = sparse_lists[at]
        return lists[at] if using == "d" else {"indices": indices, "values": values}

    ef = edge.SearchParams(hnsw_ef=128)
    passing = {share: [g for g in range(100) if g < share] for share in (1, 10, 50)}

    def filtered(share: int) -> Any:
        return edge.Filter(must=[edge.FieldCondition("group", match=edge.MatchAny(passing[share]))])

    def nearest(using: str, share: int | None = None, **body: Any) -> Case:
        condition = {} if share is None else {"filter": {"must": [{"key": "group", "match": {"any": passing[share]}}]}}
        asks = [
            request(query=as_json(using, at), using=using, params={"hnsw_ef": 128}, **condition)
            for at in range(QUERIES)
        ]
        there = [
            edge.QueryRequest(10, query=near(using, at), params=ef, filter=None if share is None else filtered(share))
            for at in range(QUERIES)
        ]
        what = {"d": "dense", "s": "sparse", "t": "sparse, idf"}[using]
        name = f"{what} nearest" if share is None else f"{what}, {share} % pass"
        return Case(name, lambda at: ours.answer(asks[at]), lambda at: theirs.query(there[at]))

    best = [
        request(
            query={
                "recommend": {
                    "positive": [lists[at], lists[at - 1]],
                    "negative": [lists[at - 2]],
                    "strategy": "best_score",
                }
            },
            using="d",
        )
        for at in range(QUERIES)
    ]
    best_there = [
        edge.QueryRequest(
            10,
            query=edge.Query.RecommendBestScore(edge.RecommendQuery([lists[at], lists[at - 1]], [lists[at - 2]]), "d"),
            params=edge.SearchParams(exact=True),
        )
        for at in range(QUERIES)
    ]
    fused = [
        request(
            prefetch=[
                {"query": as_json("d", at), "using": "d", "limit": 50, "params": {"hnsw_ef": 128}},
                {"query": as_json("t", at), "using": "t", "limit": 50},
            ],
            query={"fusion": "rrf"},
        )
        for at in range(QUERIES)
    ]
    fused_there = [
        edge.QueryRequest(
            10,
            prefetches=[edge.Prefetch(50, query=near("d", at), params=ef), edge.Prefetch(50, query=near("t", at))],
            query=edge.Fusion.Rrf(2),
        )
        for at in range(QUERIES)
    ]
    grouped = [
        QueryGroupsRequest(query=lists[at], using="d", group_by="group", limit=GROUPS, group_size=GROUP_SIZE)
        for at in range(QUERIES)
    ]
    grouped_there = [
        edge.QueryRequest(GROUPS * GROUP_SIZE, query=near("d", at), with_payload=True) for at in range(QUERIES)
    ]
    measure(
        [
            nearest("d"),
            nearest("d", 1),
            nearest("d", 10),
            nearest("d", 50),
            nearest("s"),
            nearest("t"),
            nearest("t", 10),
            Case(
                "recommend, best_score, exact",
                lambda at: ours.answer(best[at]),
                lambda at: theirs.query(best_there[at]),
            ),
            Case(
                "fusion of dense and sparse",
                lambda at: ours.answer(fused[at]),
                lambda at: theirs.query(fused_there[at]),
            ),
            Case(
                "groups (peer: one query of as many points)",
                lambda at: ours.answer(grouped[at]),
                lambda at: _grouped(theirs.query(grouped_there[at])),
            ),
        ],
        results,
        f"{dense:,} dense x {DIM}, {sparse:,} sparse",
    )
    theirs.close()


def _grouped(hits: Sequence[Any]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for hit in hits:
        groups.setdefault(hit.payload["group"], []).append(hit)
    return groups


def multivectors(folder: Path, count: int, results: Results) -> None:
    """Multivectors, all compared, and as a second look at what dense vectors found."""
    random = np.random.default_rng(SEED)
    vectors = random.normal(size=(count + QUERIES, MULTI_ROWS, MULTI_DIM)).astype(np.float32)
    asked, vectors = vectors[:QUERIES], vectors[QUERIES:]
    first = np.ascontiguousarray(vectors[:, 0])
    config = CollectionConfig(
        vectors={
            "d": VectorParams(MULTI_DIM, Distance.COSINE),
            "m": VectorParams(MULTI_DIM, Distance.COSINE, multivector_config=MultivectorConfig()),
        }
    )
    ours = Ours(
        folder,
        config,
        ((n, [(0, first[n].tobytes()), (1, vectors[n].tobytes())], b'{"group":1}') for n in range(count)),
    )
    several = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
    theirs = edge_shard(
        folder / "edge",
        edge.EdgeConfig(
            {
                "d": edge.EdgeVectorParams(MULTI_DIM, edge.Distance.Cosine),
                "m": edge.EdgeVectorParams(MULTI_DIM, edge.Distance.Cosine, multivector_config=several),
            },
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=10_000_000),
        ),
        (edge.Point(n, {"d": first[n].tolist(), "m": vectors[n].tolist()}, {"group": 1}) for n in range(count)),
    )
    lists = [vector.tolist() for vector in asked]
    whole = [request(query=lists[at], using="m") for at in range(QUERIES)]
    exact = edge.SearchParams(exact=True)
    whole_there = [
        edge.QueryRequest(10, query=edge.Query.Nearest(lists[at], "m"), params=exact) for at in range(QUERIES)
    ]
    again = [
        request(prefetch={"query": lists[at][0], "using": "d", "limit": 100}, query=lists[at], using="m")
        for at in range(QUERIES)
    ]
    again_there = [
        edge.QueryRequest(
            10,
            prefetches=[edge.Prefetch(100, query=edge.Query.Nearest(lists[at][0], "d"))],
            query=edge.Query.Nearest(lists[at], "m"),
        )
        for at in range(QUERIES)
    ]
    measure(
        [
            Case("all compared", lambda at: ours.answer(whole[at]), lambda at: theirs.query(whole_there[at])),
            Case("100 scored again", lambda at: ours.answer(again[at]), lambda at: theirs.query(again_there[at])),
        ],
        results,
        f"{count:,} multivectors of {MULTI_ROWS} x {MULTI_DIM}",
    )
    theirs.close()


def main() -> None:
    """Run what is asked for, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.queries", description=__doc__)
    parser.add_argument("--dense", type=int, default=50_000)
    parser.add_argument("--sparse", type=int, default=200_000)
    parser.add_argument("--multi", type=int, default=2_000)
    parser.add_argument("--only", nargs="+", choices=("mixed", "multi"), default=("mixed", "multi"))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    results = Results(f"beside qdrant-edge-py; {machine()}")
    try:
        for what in options.only:
            with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
                if what == "mixed":
                    mixed(Path(folder), options.dense, options.sparse, results)
                else:
                    multivectors(Path(folder), options.multi, results)
    finally:
        results.show(Console(width=130))
    if options.output is not None:
        results.write(options.output)


if __name__ == "__main__":
    main()
