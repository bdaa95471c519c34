"""Recall against processor time for each kind of quantization: one segment and one graph, searched in turns.

python -m bench.quantized [--points 50000] [--dim 768] [--only float32 scalar] [--output out.json]

The data are clusters with a few directions of their own each, the questions more of the same. Times are processor time
of one thread, the median of rounds that take all kinds in turns; the ratios to float32 in the same run say most.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ingest.deadline import Deadline
from projector.frames import ShardId
from projector.quantization.codes import Codes
from projector.quantization.kind import Shape
from projector.quantization.registry import trained
from projector.segments.build import build_segment
from projector.segments.graph import Graph
from projector.segments.graph_links import Links
from projector.segments.reader import Segment
from projector.segments.spec import BuildSpec
from projector.segments.spill import write_spill
from projector.vectors.dense import DenseVectors
from projector.view.live_shard import LiveShard
from query_api.budget import Allowance
from query_api.find.selection import Findable
from query_api.plan.leaves import QuantizedSearch
from query_api.vectors.comparison import Asked, PartQuery
from query_api.vectors.dense import DenseComparison
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.quantization import read_quantization
from schemas.vectors.dense import DenseKind
from schemas.vectors.normalise import normalise

WANTED, QUERIES, ROUNDS = 10, 100, 3
EFS = (32, 64, 128, 256)
GOAL = 0.97
SEED = 5
CLUSTERS, DIRECTIONS = 200, 48
KINDS: dict[str, dict[str, Any] | None] = {
    "float32": None,
    "scalar": {"scalar": {"type": "int8"}},
    "scalar, quantile .99": {"scalar": {"type": "int8", "quantile": 0.99}},
    "turbo bits4": {"turbo": {}},
    "turbo bits2": {"turbo": {"bits": "bits2"}},
    "turbo bits1": {"turbo": {"bits": "bits1"}},
    "binary": {"binary": {}},
    "binary, binary query": {"binary": {"query_encoding": "binary"}},
    "binary two_bits": {"binary": {"encoding": "two_bits"}},
    "product x8": {"product": {"compression": "x8"}},
    "product x16": {"product": {"compression": "x16"}},
    "product x32": {"product": {"compression": "x32"}},
}
Matrix = NDArray[np.float32]


@dataclass(slots=True)
class Result:
    """One kind at one ``ef``: the share of the nearest found, and processor microseconds of a search."""

    kind: str
    row_bytes: int
    ef: int
    recall: float
    us: float
    us_without_rescoring: float
    recall_without_rescoring: float


def clustered(points: int, dim: int) -> Matrix:
    """Points around centres, each cluster spread along a few directions of its own, and a little along all."""
    rng = np.random.default_rng(SEED)
    centres = rng.standard_normal((CLUSTERS, dim), np.float32)
    directions = rng.standard_normal((CLUSTERS, DIRECTIONS, dim), np.float32)
    of = rng.integers(0, CLUSTERS, points)
    found = np.empty((points, dim), np.float32)
    for cluster in range(CLUSTERS):
        rows = np.flatnonzero(of == cluster)
        along = rng.standard_normal((len(rows), DIRECTIONS), np.float32) / np.float32(np.sqrt(DIRECTIONS))
        noise = rng.standard_normal((len(rows), dim), np.float32)
        found[rows] = centres[cluster] + along @ directions[cluster] + 0.1 * noise
    return normalise(found)


class Bench:
    """One segment, and a graph over it for every kind."""

    def __init__(self, folder: Path, matrix: Matrix, questions: Matrix, console: Console) -> None:
        params = VectorParams(matrix.shape[1], Distance.COSINE)
        self._kind = DenseKind(params)
        config = CollectionConfig(vectors={"": params})
        self._questions = questions
        with write_spill(folder / "1.spill") as spill:
            for at in range(0, len(matrix), 1000):
                some = range(at, min(at + 1000, len(matrix)))
                spill.add([PointId(i) for i in some], [encode_point(1, [(0, matrix[i].tobytes())], b"") for i in some])
        console.print("building the graph")
        build_segment(BuildSpec(str(folder / "s1"), config, [str(folder / "1.spill")], [], True), lambda _: None)
        segment = Segment.open(folder / "s1")
        nobody = np.zeros(segment.size, np.bool_)
        part = LiveShard(ShardId(1, 0), config, [(segment, nobody)], 0).view.segments[0]
        vectors, graph, links = part.vectors(""), part.graph(""), folder / "s1" / "graph.0.links"
        assert isinstance(vectors, DenseVectors)
        assert graph is not None
        self._vectors = vectors
        self._repeats = graph.repeats
        self._links = Links.open(links, len(matrix))
        self._found = Findable(part, vectors, None)
        exact = questions @ matrix.T
        self._truth = [set(np.argpartition(-row, WANTED)[:WANTED].tolist()) for row in exact]

    def graph(self, settings: dict[str, Any] | None) -> tuple[Graph, int]:
        """A graph with codes as asked for, and how many bytes of each row a walk reads."""
        matrix, codes = self._vectors.matrix, None
        if settings is not None:
            quantization = read_quantization(settings)
            assert quantization is not None
            quantizer = trained(quantization, Shape(matrix.shape[1], Distance.COSINE), matrix)
            encoded = [quantizer.encode(matrix[at : at + 2000]) for at in range(0, len(matrix), 2000)]
            codes = Codes(np.concatenate(encoded), quantizer)
        width = matrix.shape[1] * 4 if codes is None else codes.quantizer.width
        return Graph(self._links, matrix, Distance.COSINE, self._repeats, codes), width

    def searched(self, graph: Graph, ef: int, *, rescore: bool) -> tuple[float, float]:
        """Recall, and processor microseconds of a search."""
        hits = 0
        started = time.thread_time()
        answers: list[NDArray[np.integer]] = []
        for question in self._questions:
            comparison = DenseComparison(self._kind, question.tobytes())
            allowance = Allowance(inf, Deadline(600))
            asked = Asked(self._found, WANTED, ef, QuantizedSearch(rescore=rescore))
            query = PartQuery(asked, graph, comparison.begin(graph, asked), False, allowance)
            rows, scores = comparison.nearest(self._vectors, query)
            answers.append(rows[np.argsort(-scores)[:WANTED]])
        spent = time.thread_time() - started
        for rows, truth in zip(answers, self._truth, strict=True):
            hits += len(truth.intersection(rows.tolist()))
        count = len(self._questions)
        return hits / (WANTED * count), spent / count * 1e6


def measured(bench: Bench, kinds: dict[str, dict[str, Any] | None], console: Console) -> list[Result]:
    """All kinds at all efs, in turns."""
    graphs: dict[str, tuple[Graph, int]] = {}
    for kind, settings in kinds.items():
        started = time.process_time()
        graphs[kind] = bench.graph(settings)
        console.print(f"{kind}: codes made in {time.process_time() - started:.1f} s")
    results: list[Result] = []
    for ef in EFS:
        with_it: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
        without: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, (graph, _) in graphs.items():
                with_it[kind].append(bench.searched(graph, ef, rescore=True))
                without[kind].append(bench.searched(graph, ef, rescore=False))
        for kind, (_, width) in graphs.items():
            us, bare = (median(spent for _, spent in each[kind]) for each in (with_it, without))
            results.append(Result(kind, width, ef, with_it[kind][0][0], us, bare, without[kind][0][0]))
    return results


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--only", nargs="*", choices=list(KINDS))
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    console = Console(width=110)
    every = clustered(args.points + QUERIES, args.dim)
    chosen = {kind: s for kind, s in KINDS.items() if not args.only or kind in (*args.only, "float32")}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), every[QUERIES:], every[:QUERIES], console)
        results = measured(bench, chosen, console)
    plain = {result.ef: result.us for result in results if result.kind == "float32"}
    table = Table("kind", "bytes", "ef", "recall", "us", "of float32", "not rescored: recall", "of float32")
    for result in sorted(results, key=lambda r: (list(KINDS).index(r.kind), r.ef)):
        table.add_row(
            result.kind,
            str(result.row_bytes),
            str(result.ef),
            f"{result.recall:.3f}",
            f"{result.us:.0f}",
            f"{result.us / plain[result.ef]:.2f}",
            f"{result.recall_without_rescoring:.3f}",
            f"{result.us_without_rescoring / plain[result.ef]:.2f}",
        )
    console.print(table)
    for kind in chosen:
        good = [result for result in results if result.kind == kind and result.recall >= GOAL]
        said = f"{min(r.us for r in good):.0f} us" if good else "not reached"
        console.print(f"{kind}: recall {GOAL}: {said}")
    if args.output is not None:
        args.output.write_text(json.dumps([{n: getattr(r, n) for n in Result.__slots__} for r in results], indent=1))


if __name__ == "__main__":
    main()
