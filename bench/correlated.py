"""Filters that have much to do with the query: recall at the default ef, and cost beside the exact scan of what passes.

python -m bench.correlated [POINTS [FOLDER]]

The points are in 12 clusters (k-means). A query looks among all but those of its nearest cluster, among those of the
farthest alone, and among those of its own; and, to compare, among a twelfth and eleven twelfths by chance. Costs are by
processor time of the thread; the segment of the first POINTS (default 60,000) word vectors is built in FOLDER (default:
bench/data/clusters-POINTS) unless it is there.
"""

import sys
import time
from pathlib import Path
from statistics import median

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.dataset import glove_200k
from bench.engine import CONFIG, HELD_OUT, WANTED, Matrix, open_segment, search
from bench.word_vectors import CACHE
from projector.frames import ShardId
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.plan.leaves import Nearest
from schemas.filters import Filter, parse_filter
from schemas.points import encode_point

CLUSTERS = 12
ROUNDS = 8
QUERIES = 150
EFS = (None, 64, 256)


def centres_of(vectors: Matrix) -> Matrix:
    """The means of clusters, float32 [CLUSTERS, dim], by Lloyd's algorithm."""
    centres = vectors[np.random.default_rng(1).choice(len(vectors), CLUSTERS, replace=False)].copy()
    for _ in range(ROUNDS):
        nearest = np.argmax(vectors @ centres.T, axis=1)
        for cluster in range(CLUSTERS):
            centres[cluster] = vectors[nearest == cluster].mean(axis=0)
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return centres


def is_in(cluster: int) -> dict[str, object]:
    return {"key": "cluster", "match": {"value": cluster}}


def filters_of(likeness: NDArray[np.float32]) -> dict[str, Filter]:
    """By what they are called, those of a query that is so like each cluster's centre."""
    nearest, farthest = int(np.argmax(likeness)), int(np.argmin(likeness))
    return {
        "all but the nearest": parse_filter({"must_not": [is_in(nearest)]}),
        "only the farthest": parse_filter({"must": [is_in(farthest)]}),
        "its own": parse_filter({"must": [is_in(nearest)]}),
        "11/12 by chance": parse_filter({"must": [{"key": "chance", "range": {"lt": 11 / CLUSTERS}}]}),
        "1/12 by chance": parse_filter({"must": [{"key": "chance", "range": {"lt": 1 / CLUSTERS}}]}),
    }


def timed(view: ShardView, leaf: Nearest) -> tuple[set[int], float]:
    """What is found, and microseconds; the filter's answer is there already."""
    search(view, leaf)
    started = time.thread_time()
    found = search(view, leaf)
    return {int(point.id) for point in found}, (time.thread_time() - started) * 1e6


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else CACHE / f"clusters-{points}"
    vectors = np.ascontiguousarray(glove_200k()[:points])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    centres = centres_of(vectors)
    clusters = np.argmax(vectors @ centres.T, axis=1)
    chances = np.random.default_rng(2).random(points)

    def stored(all_vectors: Matrix, rank: int) -> bytes:
        payload = {"cluster": int(clusters[rank]), "chance": float(chances[rank])}
        return encode_point(rank + 1, [(0, all_vectors[rank].tobytes())], msgspec.json.encode(payload))

    segment = open_segment(folder, vectors, stored)
    view = LiveShard(ShardId(1, 0), CONFIG, [(segment, np.zeros(segment.size, np.bool_))], 0).view
    likeness = vectors[:HELD_OUT] @ centres.T
    print(f"{'ef':>8} {'among':22}{'recall':>8}{'us':>8}{'exact us':>10}{'ratio':>7}{'worst':>7}")
    for ef in EFS:
        for name in filters_of(likeness[0]):
            hits, times, exact_times = 0, list[float](), list[float]()
            for number in range(QUERIES):
                filter = filters_of(likeness[number])[name]
                leaf = Nearest(limit=WANTED, vector=vectors[number].tobytes(), using="", hnsw_ef=ef, filter=filter)
                exact = msgspec.structs.replace(leaf, exact=True)
                # In turns, as the second finds in the cache what the first one compared.
                if number % 2:
                    (true, exact_us), (found, us) = timed(view, exact), timed(view, leaf)
                else:
                    (found, us), (true, exact_us) = timed(view, leaf), timed(view, exact)
                hits += len(found & true)
                times.append(us)
                exact_times.append(exact_us)
            ratios = np.array(times) / np.array(exact_times)
            print(
                f"{ef or 'default':>8} {name:22}{hits / (QUERIES * WANTED):8.3f}{median(times):8.0f}"
                f"{median(exact_times):10.0f}{median(ratios.tolist()):7.2f}{float(np.percentile(ratios, 95)):7.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
