"""Whether points are found by their own vectors through a graph where many vectors are equal, or nearly so.

python -m bench.repeats

For each set: how many distinct vectors, how the graph was built, and of 100 points that are not among the equal ones
how many are found by their own vector: among the 1, 10 and 100 nearest, the same with a filter that half of all points
pass, and how many of the truly nearest 10 are among the 10 found.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from bench.engine import search
from projector.frames import ShardId
from projector.segments.build import build_segment
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.view.live_shard import LiveShard
from projector.view.shard_view import ShardView
from query_api.plan.leaves import Nearest
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.filters import parse_filter
from schemas.ids import PointId
from schemas.points import encode_point

POINTS = 6000
ASKED = 100
HALF = parse_filter({"must": [{"key": "half", "match": {"value": True}}]})
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """One set. ``others``: the rows that are asked for."""

    name: str
    distance: Distance
    vectors: Matrix
    others: NDArray[np.int64]


def crowd(name: str, dim: int, distance: Distance, share: float, noise: float | None = None) -> Case:
    """Random vectors, a share of which is one vector (zero for Euclid), or that with noise on it."""
    chance = np.random.default_rng(5)
    vectors = chance.standard_normal((POINTS, dim)).astype(np.float32)
    rows = chance.choice(POINTS, round(share * POINTS), replace=False)
    one = np.zeros(dim, np.float32) if distance is Distance.EUCLID else vectors[0].copy()
    vectors[rows] = one
    if noise is not None:
        vectors[rows] += noise * chance.standard_normal((len(rows), dim)).astype(np.float32)
    others = np.setdiff1d(np.arange(1, POINTS), rows)
    return Case(name, distance, vectors, chance.choice(others, ASKED, replace=False))


def cases() -> Iterator[Case]:
    yield crowd("32-d Cosine, all different", 32, Distance.COSINE, 0.0)
    yield crowd("32-d Cosine, 20 % equal", 32, Distance.COSINE, 0.2)
    yield crowd("32-d Cosine, 50 % equal", 32, Distance.COSINE, 0.5)
    yield crowd("512-d Cosine, 30 % equal", 512, Distance.COSINE, 0.3)
    for share in (0.02, 0.05, 0.2):
        yield crowd(f"32-d Euclid, {share:.0%} zero", 32, Distance.EUCLID, share)
    for share, noise in ((0.2, 1e-7), (0.5, 1e-7), (0.2, 1e-4), (0.5, 1e-4), (0.5, 1e-2)):
        yield crowd(f"32-d Cosine, {share:.0%} within {noise:g}", 32, Distance.COSINE, share, noise)
    yield crowd("32-d Euclid, 50% within 1e-4", 32, Distance.EUCLID, 0.5, 1e-4)


def open_view(case: Case, folder: Path) -> ShardView:
    config = CollectionConfig(vectors={"": VectorParams(case.vectors.shape[1], case.distance)})
    points = [
        encode_point(row + 1, [(0, vector.tobytes())], b'{"half":%s}' % (b"true" if row % 2 else b"false"))
        for row, vector in enumerate(case.vectors)
    ]
    with write_spill(folder / "points.spill") as spill:
        spill.add([PointId(row) for row in range(POINTS)], points)
    build_segment(BuildSpec(str(folder / "s"), config, [str(folder / "points.spill")], [], graph=True), lambda _: None)
    segment = Segment.open(folder / "s")
    segment.load_graphs()
    return LiveShard(ShardId(1, 0), config, [(segment, np.zeros(segment.size, np.bool_))], 0).view


def nearest(case: Case, row: int, limit: int, *, filtered: bool = False) -> Nearest:
    """A query for what is nearest to a row."""
    return Nearest(limit=limit, filter=HALF if filtered else None, vector=case.vectors[row].tobytes(), using="")


def found(view: ShardView, case: Case, limit: int, *, filtered: bool) -> int:
    """How many of the others are found among the ``limit`` nearest of their own vectors."""
    rows: list[int] = case.others.tolist()
    asked = [row for row in rows if row % 2 or not filtered]
    hits = 0
    for row in asked:
        query = nearest(case, row, limit, filtered=filtered)
        hits += any(point.id == row for point in search(view, query))
    return round(ASKED * hits / len(asked))


def recall(view: ShardView, case: Case) -> float:
    hits = 0
    for row in case.others:
        query = nearest(case, row, 10)
        true = {point.id for point in search(view, replace(query, exact=True))}
        hits += len(true & {point.id for point in search(view, query)})
    return hits / (10 * len(case.others))


def how(segment: Segment) -> str:
    meta = segment.meta.vectors[0]
    if meta.unfit is not None:
        return f"left out ({meta.unfit.own:.0%}, {meta.unfit.far:.0%}): exact"
    graph = segment.graph("")
    return "none" if graph is None else f"{graph.size:,} in the graph"


def main() -> None:
    print(f"{'':34}{'':34}{'1':>5}{'10':>5}{'100':>5}   with filter: {'1':>5}{'10':>5}{'100':>5}   recall@10")
    for case in cases():
        if len(sys.argv) > 1 and sys.argv[1] not in case.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            view = open_view(case, Path(folder))
            plain, filtered = (
                "".join(f"{found(view, case, limit, filtered=f):5}" for limit in (1, 10, 100)) for f in (False, True)
            )
            print(
                f"{case.name:34}{how(view.segments[0].segment):34}{plain}{'':15}{filtered}   {recall(view, case):.3f}"
            )


if __name__ == "__main__":
    main()
