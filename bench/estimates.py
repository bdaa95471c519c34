"""What leaves are estimated to take beside what they take, by processor time of the thread.

python -m bench.estimates [POINTS [FOLDER]]

Over a segment of the first POINTS (default 60,000) word vectors, which is built in FOLDER (default:
bench/data/engine-POINTS) unless one is there. A ratio above 1 says that it took longer than was estimated.
"""

import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from math import inf
from pathlib import Path
from statistics import median

import numpy as np

from bench.dataset import glove_200k
from bench.engine import CONFIG, HELD_OUT, TAIL, Matrix, open_segment
from bench.word_vectors import CACHE
from ingest.deadline import Deadline
from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.budget import Allowance
from query_api.find.count import count_passing
from query_api.find.facet import count_values, facet_us
from query_api.find.kinds import filter_us, prepare
from query_api.plan.facet import Facet
from query_api.plan.leaves import (
    BestScore,
    Context,
    Discover,
    Leaf,
    Nearest,
    Ordered,
    Points,
    Sample,
    Scroll,
    SumScores,
)
from schemas.filters import Filter, parse_filter
from schemas.ids import PointId
from schemas.json_path import Path as JsonPath

REPEATS = 9
OFF = 3.0
"""What is off by more than this is marked."""
SHARES = (0.001, 0.01, 0.1, 0.5)

Case = tuple[str, Callable[[], tuple[float, float]]]
"""What is measured, and what gives microseconds: those that were estimated and those that it took."""
_fresh = count(1)


def fresh_below(share: float) -> Filter:
    """A filter that about this share of the points passes, and that nobody has asked before."""
    return parse_filter({"must": [{"key": "share", "range": {"lt": share * 1000 + next(_fresh) / 1e6}}]})


def words(text: str) -> Filter:
    """One of which columns say little: every text is looked at."""
    return parse_filter({"must": [{"key": "word", "match": {"text": f"{text} {next(_fresh)}"}}]})


def of_leaf(view: ShardView, make: Callable[[], Leaf]) -> tuple[float, float]:
    """A leaf's, made anew each time."""
    leaf = make()
    started = time.thread_time()
    work = prepare(view, leaf)
    estimate = work.us + sum(ahead.us for ahead in work.ahead)
    work.run(Allowance(inf, Deadline(inf)))
    return estimate, (time.thread_time() - started) * 1e6


def of_count(view: ShardView, filter: Filter) -> tuple[float, float]:
    """A count's."""
    estimate = filter_us(view, filter)
    started = time.thread_time()
    count_passing(view, filter)
    return estimate, (time.thread_time() - started) * 1e6


def of_facet(view: ShardView, facet: Facet) -> tuple[float, float]:
    """A facet's."""
    estimate = facet_us(view, facet)
    started = time.thread_time()
    count_values(view, facet, Allowance(inf, Deadline(inf)))
    return estimate, (time.thread_time() - started) * 1e6


def cases(view: ShardView, vectors: Matrix) -> Iterator[Case]:
    turn = count()

    def query() -> bytes:
        return vectors[next(turn) % HELD_OUT].tobytes()

    def leaf(name: str, make: Callable[[], Leaf]) -> Case:
        return name, lambda: of_leaf(view, make)

    for ef in (16, 64, 256, 1024):
        yield leaf(f"nearest, ef {ef}", lambda ef=ef: Nearest(limit=10, vector=query(), using="", hnsw_ef=ef))
    yield leaf("nearest, exact", lambda: Nearest(limit=10, vector=query(), using="", exact=True))
    for share in SHARES:
        yield leaf(
            f"nearest, {share:.1%} pass, new",
            lambda share=share: Nearest(limit=10, vector=query(), using="", hnsw_ef=64, filter=fresh_below(share)),
        )
        filter = fresh_below(share)
        yield leaf(
            f"nearest, {share:.1%} pass, known",
            lambda filter=filter: Nearest(limit=10, vector=query(), using="", hnsw_ef=64, filter=filter),
        )
        yield f"count, {share:.1%} pass, new", lambda share=share: of_count(view, fresh_below(share))
    yield "count, texts are read", lambda: of_count(view, words("word"))
    for limit in (10, 1000, 10_000):
        yield leaf(f"scroll {limit}", lambda limit=limit: Scroll(limit=limit))
        yield leaf(f"scroll {limit}, 10 % pass", lambda limit=limit: Scroll(limit=limit, filter=fresh_below(0.1)))
        ids = frozenset(PointId(TAIL + HELD_OUT + i) for i in range(limit))
        yield leaf(f"points {limit}", lambda ids=ids: Points(limit=len(ids), ids=ids))
        by = JsonPath(("rank",))
        yield leaf(f"ordered {limit}", lambda limit=limit, by=by: Ordered(limit=limit, by=by, data_type="integer"))
        yield leaf(f"sample {limit}", lambda limit=limit: Sample(limit=limit, seed=next(_fresh)))
    for examples in (1, 8):
        yield leaf(
            f"best score, {examples}",
            lambda n=examples: BestScore(limit=10, using="", positive=tuple(query() for _ in range(n)), negative=()),
        )
        yield leaf(
            f"sum scores, {examples}",
            lambda n=examples: SumScores(limit=10, using="", positive=tuple(query() for _ in range(n)), negative=()),
        )
        yield leaf(
            f"discover, {examples}",
            lambda n=examples: Discover(
                limit=10, using="", target=query(), pairs=tuple((query(), query()) for _ in range(n))
            ),
        )
        yield leaf(
            f"context, {examples}",
            lambda n=examples: Context(limit=10, using="", pairs=tuple((query(), query()) for _ in range(n))),
        )
    for share in (0.01, 0.5):
        yield (
            f"facet, {share:.0%} pass",
            lambda share=share: of_facet(
                view, Facet(by=JsonPath(("share",)), data_type="integer", filter=fresh_below(share))
            ),
        )


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else CACHE / f"engine-{points}"
    vectors = np.ascontiguousarray(glove_200k()[:points])
    segment = open_segment(folder, vectors)
    view = LiveShard(ShardId(1, 0), CONFIG, [(segment, np.zeros(segment.size, np.bool_))], 0).view
    print(f"{'microseconds':34}{'estimated':>10}{'took':>10}{'ratio':>8}")
    for name, measure in cases(view, vectors):
        measure()
        pairs = [measure() for _ in range(REPEATS)]
        estimated, took = (median(values) for values in zip(*pairs, strict=True))
        ratio = took / max(estimated, 1.0)
        mark = "  *" if not 1 / OFF <= ratio <= OFF else ""
        print(f"{name:34}{estimated:10.0f}{took:10.0f}{ratio:8.2f}{mark}", flush=True)


if __name__ == "__main__":
    main()
