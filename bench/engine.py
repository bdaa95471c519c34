"""How fast the read engine answers from one segment with a graph, from a tail, and from both; and what it finds.

python -m bench.engine [FOLDER]

Builds a segment of 200,000 word vectors in FOLDER (default: bench/data/engine) unless one is there.
"""

import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from math import inf
from pathlib import Path
from statistics import median
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.dataset import glove_200k
from bench.word_vectors import CACHE
from ingest.deadline import Deadline
from projector.frames import ShardId
from projector.segments.build import build_segment
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.vectors.dense import DenseVectors
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.budget import Allowance, Budget
from query_api.combine.run import run
from query_api.combine.shards import Shards
from query_api.find.selection import Findable
from query_api.find.strategy import WalkPlan
from query_api.find.walks import GraphWalk
from query_api.local import LocalShard
from query_api.native import NativeWork
from query_api.plan.leaves import Nearest, Points, Scroll
from query_api.plan.selection import Selection
from query_api.plan.tree import Node, Plan
from query_api.points import FetchedPoint
from query_api.threads import ReadThreads
from query_api.vectors.scoring import Scorer
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId
from schemas.points import encode_point

HELD_OUT = 300
WANTED = 10
TAIL = 10_000
BATCH = 1000
SHARES = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
CONFIG = CollectionConfig(vectors={"": VectorParams(100, Distance.COSINE)})
HITS = Selection(with_payload=True)
ResultT = TypeVar("ResultT")
Matrix = NDArray[np.float32]


_THREADS = ReadThreads()


class Inline(Budget):
    """All work at once on the calling thread, whatever it costs."""

    def __init__(self) -> None:
        super().__init__(_THREADS, Deadline(inf), 1 << 40)

    async def ahead(self, works: Sequence[NativeWork]) -> None:
        """Nothing."""

    async def run(self, work: Callable[[Allowance], ResultT], estimate: float) -> ResultT:
        """What ``work`` gives."""
        return work(Allowance(inf, self.deadline))


def read(view: ShardView, ask: Callable[[Shards], Coroutine[None, None, ResultT]]) -> ResultT:
    """What ``ask`` gets from a shard; nothing in it waits, so it takes no event loop."""
    try:
        ask(Shards([LocalShard(view)], Inline())).send(None)
    except StopIteration as end:
        result: ResultT = end.value
        return result
    raise RuntimeError("a read waits")


def search(view: ShardView, leaf: Node) -> list[FetchedPoint]:
    """The points that a leaf finds."""

    async def ask(shards: Shards) -> list[FetchedPoint]:
        return await shards.fetch(await run(shards, Plan(leaf, 0, HITS)), HITS)

    return read(view, ask)


def count(view: ShardView, filter: Filter) -> int:
    """How many points pass."""
    return read(view, lambda shards: shards.count(filter))


def percentiles(work: Sequence[Callable[[], object]]) -> tuple[float, float]:
    """The median and the 99th percentile of how long each takes, in microseconds."""
    times: list[float] = []
    for call in work:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e6)
    return median(times), float(np.percentile(times, 99))


def stored(vectors: Matrix, rank: int) -> bytes:
    payload = b'{"rank":%d,"share":%d,"word":"word %d"}' % (rank, rank * 7919 % 1000, rank)
    return encode_point(rank + 1, [(0, vectors[rank].tobytes())], payload)


def open_segment(folder: Path, vectors: Matrix, point: Callable[[Matrix, int], bytes] = stored) -> Segment:
    """The segment of everything but the queries and the tail."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        spill = folder.with_suffix(".spill")
        with write_spill(spill) as writer:
            rows = range(TAIL + HELD_OUT, len(vectors))
            writer.add([PointId(i) for i in rows], [point(vectors, i) for i in rows])
        spec = BuildSpec(str(folder), CONFIG, [str(spill)], [], graph=True)
        result = build_segment(spec, lambda _: None)
        spill.unlink()
        print(f"built {result.slots:,} slots, graph in {result.graph_seconds:.1f} s")
    segment = Segment.open(folder)
    segment.load_graphs()
    return segment


def below(share: float) -> Filter:
    """A filter that about this share of the points passes."""
    return parse_filter({"must": [{"key": "share", "range": {"lt": share * 1000}}]})


def nearest(vectors: Matrix, ef: int | None = None, share: float | None = None, exact: bool = False) -> list[Nearest]:
    """One query for each held out vector."""
    filter = None if share is None else below(share)
    return [
        Nearest(limit=WANTED, filter=filter, vector=vectors[i].tobytes(), using="", hnsw_ef=ef, exact=exact)
        for i in range(HELD_OUT)
    ]


def ids(view: ShardView, queries: Sequence[Nearest]) -> Iterator[set[PointId]]:
    return ({p.id for p in search(view, query)} for query in queries)


def recall(view: ShardView, queries: Sequence[Nearest]) -> float:
    """Of the truly nearest, how many are found."""
    queries = queries[:100]
    exact = ids(view, [msgspec.structs.replace(query, exact=True) for query in queries])
    pairs = zip(ids(view, queries), exact, strict=True)
    return sum(len(found & true) for found, true in pairs) / (WANTED * len(queries))


def searches(view: ShardView, queries: Sequence[Nearest]) -> list[Callable[[], object]]:
    return [partial(search, view, query) for query in queries]


def floats(query: Nearest) -> NDArray[np.float32]:
    return np.frombuffer(query.vector, np.float32)


class Alone:
    """The two ways to search a segment, without what is around them."""

    def __init__(self, view: ShardView) -> None:
        part = view.segments[0]
        graph, held = part.graph(""), part.vectors("")
        if graph is None or not isinstance(held, DenseVectors):
            raise SystemExit("the segment has no graph: remove it and run again")
        self._part, self._graph, self._vectors = part, graph, held

    def bare(self, queries: Sequence[Nearest], ef: int) -> list[Callable[[], object]]:
        """The kernel and nothing else."""
        return [partial(self._graph.search, floats(query), ef, ef) for query in queries]

    def compared(self, queries: Sequence[Nearest], ef: int) -> tuple[float, float]:
        """How long the exact way and the graph's take under the queries' filter, in microseconds."""
        found = Findable(self._part, self._vectors, queries[0].filter)
        plan = WalkPlan(ef, None, 0.0, 0.0)

        def by_graph(scorer: Scorer) -> object:
            wanted = min(WANTED, found.count)
            finish = self._graph.rescoring.finish(scorer.query, wanted, found.kept(self._graph.repeats))
            walk = GraphWalk(self._graph, scorer.query, found, wanted, plan, finish=finish)
            return walk.nearest(Allowance(inf, Deadline(inf)))

        scorers = [Scorer.of(Distance.COSINE, floats(query)) for query in queries]
        exact = [partial(scorer.nearest, self._vectors.matrix, WANTED, found.chosen()) for scorer in scorers]
        graph = [partial(by_graph, scorer) for scorer in scorers]
        return percentiles(exact)[0], percentiles(graph)[0]


def bench_unfiltered(view: ShardView, vectors: Matrix) -> None:
    print(f"{'ef':>6} {'kernel alone':>14} {'search p50':>11} {'p99':>8} {'recall':>7}   (us)")
    for ef in (64, 100, 128, 256, 512):
        queries = nearest(vectors, ef)
        # Turn by turn, so that whatever else the machine does slows both.
        pairs = zip(Alone(view).bare(queries, ef), searches(view, queries), strict=True)
        turns = [percentiles([call])[0] for pair in pairs for call in pair]
        found = turns[1::2]
        p99 = float(np.percentile(found, 99))
        print(f"{ef:6} {median(turns[::2]):14.0f} {median(found):11.0f} {p99:8.0f} {recall(view, queries):7.3f}")


def bench_filtered(view: ShardView, vectors: Matrix) -> None:
    titles = f"{'new filter':>11} {'search p50':>11} {'p99':>7} {'recall':>7} {'exact':>7} {'graph':>7}"
    print(f"{'pass':>6} {'ef':>5} {titles}")
    for share in SHARES:
        for ef in (100, 256):
            queries = nearest(vectors, ef, share)[:100]
            fresh = [msgspec.structs.replace(q, filter=below(share + i / 1e9)) for i, q in enumerate(queries[:20])]
            first, _ = percentiles(searches(view, fresh))
            p50, p99 = percentiles(searches(view, queries))
            exact, graph = Alone(view).compared(queries[:30], ef)
            found = recall(view, queries)
            print(f"{share:6.1%} {ef:5} {first:11.0f} {p50:11.0f} {p99:7.0f} {found:7.3f} {exact:7.0f} {graph:7.0f}")


def bench_tail(live: LiveShard, vectors: Matrix) -> None:
    points = [stored(vectors, i + HELD_OUT) for i in range(TAIL)]
    times: list[float] = []
    for start in range(0, TAIL, BATCH):
        batch = [PointId(HELD_OUT + i) for i in range(start, start + BATCH)]
        began = time.perf_counter()
        live.apply(batch, points[start : start + BATCH], start + 1)
        live.publish(start + 1)
        times.append((time.perf_counter() - began) * 1e3)
    print(f"apply and publish {BATCH} points: p50 {median(times):.2f} ms, worst {max(times):.2f} ms")
    queries = nearest(vectors, 256)
    p50, p99 = percentiles(searches(live.view, queries))
    print(f"search with a tail of {TAIL:,}: p50 {p50:.0f} us, p99 {p99:.0f} us")
    filtered = nearest(vectors, 256, 0.1)
    first, _ = percentiles(searches(live.view, filtered[:1]))
    p50, p99 = percentiles(searches(live.view, filtered[1:]))
    print(
        f"the same, 10 % pass: first {first / 1e3:.0f} ms (columns are built), then p50 {p50:.0f} us, p99 {p99:.0f} us"
    )


def bench_others(view: ShardView, vectors: Matrix) -> None:
    queries = nearest(vectors, exact=True)[:50]
    p50, p99 = percentiles(searches(view, queries))
    print(f"exact search over all {view.count:,}: p50 {p50:.0f} us, p99 {p99:.0f} us")
    for name, offset in (("first", 0), ("last", len(vectors) - 101)):
        p50, _ = percentiles([partial(search, view, Scroll(limit=101, start=PointId(offset)))] * 200)
        print(f"scroll, {name} page of 100: p50 {p50:.0f} us")
    page = Scroll(limit=101, filter=below(0.1), start=PointId(150_000))
    p50, _ = percentiles([partial(search, view, page)] * 200)
    print(f"scroll, 10 % pass: p50 {p50:.0f} us")
    p50, _ = percentiles([partial(count, view, below(0.1 + i / 1e9)) for i in range(100)])
    print(f"count, a new filter each time: p50 {p50:.0f} us")
    asked = Points(limit=10, ids=frozenset(PointId(TAIL + HELD_OUT + i * 1999) for i in range(10)))
    p50, _ = percentiles([partial(search, view, asked)] * 200)
    print(f"retrieve 10 points: p50 {p50:.0f} us")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CACHE / "engine"
    vectors = glove_200k()
    segment = open_segment(folder / "segment", vectors)
    live = LiveShard(ShardId(1, 0), CONFIG, [(segment, np.zeros(segment.size, np.bool_))], 0)
    print(
        f"{segment.size:,} points of {vectors.shape[1]} values in one segment, the {WANTED} nearest, payloads included"
    )
    bench_unfiltered(live.view, vectors)
    bench_filtered(live.view, vectors)
    bench_others(live.view, vectors)
    bench_tail(live, vectors)


if __name__ == "__main__":
    main()
