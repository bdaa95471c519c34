"""int8 codes kept in memory with the vectors on disk, beside float32 in memory: what is resident, what searches take.

python -m bench.resident [--points 100000] [--dim 768] [--folder FOLDER] [--ef-construct 100] [--output FILE]

One segment with a graph and codes is built (in FOLDER, unless it is there). Then a process each opens it one way, and
both search in turns, for the 10 nearest at ef 128, rescored by the vectors where there are codes. What each has grown
by since it had everything imported is told by what it is: files of the segment, and the rest. The other way's pages are
not among it, as pages count for a process only once it has touched them. With 100,000 points it takes about five
minutes, nearly all of it building.
"""

import multiprocessing
import tempfile
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from dataclasses import dataclass
from math import inf
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from bench.quantized import clustered
from bench.results import Results, machine, percentile_ms
from bench.word_vectors import progress
from ingest.deadline import Deadline
from projector.frames import ShardId
from projector.segments.build import build_segment
from projector.segments.flat_file import FlatFile
from projector.segments.graph import Graph
from projector.segments.graph_links import Links
from projector.segments.graph_sections import read_repeats
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
from schemas.config import CollectionConfig, Distance, HnswConfig, VectorParams
from schemas.ids import PointId
from schemas.points import encode_point
from schemas.vectors.dense import DenseKind

WAYS = ("int8", "float32")
QUERIES, WANTED, EF = 1000, 10, 128
ROUNDS, TURN = 3, 100
"""The first round is to have in memory what stays there."""
RECALL, SLOWER, OF_MEMORY = 0.97, 1.0, 0.35
"""What is aimed at: recall at least, p50 and memory at most, of float32's."""
WIDTH = 120
MEGABYTE = 1 << 20
KILOBYTE = 1024
BATCH = 1000


def config_of(dim: int, ef_construct: int) -> CollectionConfig:
    """Scalar codes kept in memory, vectors on disk."""
    params = VectorParams(dim, Distance.COSINE, on_disk=True)
    quantization = {"scalar": {"type": "int8", "always_ram": True}}
    return CollectionConfig({"": params}, hnsw=HnswConfig(ef_construct=ef_construct), quantization=quantization)


def build(folder: Path, points: int, config: CollectionConfig) -> None:
    """The segment, and questions with their right answers beside it."""
    dim = config.vectors[""].size
    every = clustered(points + QUERIES, dim)
    questions, matrix = every[:QUERIES], every[QUERIES:]
    progress("right answers")
    parts = [questions[at : at + TURN] @ matrix.T for at in range(0, QUERIES, TURN)]
    nearest = [np.argpartition(-scores, WANTED, axis=1)[:, :WANTED] for scores in parts]
    np.savez(folder / "asked.npz", questions=questions, nearest=np.concatenate(nearest))
    progress("building the segment")
    with write_spill(folder / "spill") as spill:
        for at in range(0, points, BATCH):
            some = range(at, min(at + BATCH, points))
            spill.add([PointId(i) for i in some], [encode_point(1, [(0, matrix[i].tobytes())], b"") for i in some])
    build_segment(BuildSpec(str(folder / "s"), config, [str(folder / "spill")], [], True, threads=2), lambda _: None)
    (folder / "spill").unlink()


def resident() -> int:
    """Bytes of this process."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * KILOBYTE
    raise AssertionError("no Rss")


def mapped(folder: Path) -> Counter[str]:
    """Resident bytes of this process by file of the segment."""
    found: Counter[str] = Counter()
    name = ""
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ")[0]:
            path = line.split(maxsplit=5)[5:]
            name = Path(path[0]).name if path and str(folder) in path[0] else ""
        elif line.startswith("Rss:") and name:
            found[name] += int(line.split()[1]) * KILOBYTE
    return found


@dataclass(frozen=True)
class Searched:
    """Seconds of each search by the clock, and of the processor, and how many of the nearest were found."""

    seconds: list[float]
    processor: list[float]
    found: int

    def __add__(self, other: "Searched") -> "Searched":
        """Two parts as one."""
        return Searched(self.seconds + other.seconds, self.processor + other.processor, self.found + other.found)


NOTHING = Searched([], [], 0)


@dataclass(frozen=True)
class Residency:
    """Bytes: before the segment was opened, what came since, and what of that is mapped, by file."""

    before: int
    grown: int
    files: dict[str, int]


class Way:
    """The segment opened one way, in this process."""

    def __init__(self, folder: Path, way: str) -> None:
        self._folder = folder
        asked = np.load(folder / "asked.npz")
        self._questions: NDArray[np.float32] = asked["questions"]
        self._nearest: list[set[int]] = [set(row) for row in asked["nearest"].tolist()]
        self._before = resident()
        segment = Segment.open(folder / "s")
        params = VectorParams(segment.meta.vectors[0].dim, Distance.COSINE)
        self._kind = DenseKind(params)
        nobody = np.zeros(segment.size, np.bool_)
        live = LiveShard(ShardId(1, 0), CollectionConfig({"": params}), [(segment, nobody)], 0)
        self._part = live.view.segments[0]
        vectors = self._part.vectors("")
        assert isinstance(vectors, DenseVectors)
        self._vectors = vectors
        if way == "float32":
            meta = segment.meta.vectors[0]
            assert meta.graph is not None
            links = Links.open(folder / "s" / meta.graph.file, segment.size)
            repeats = read_repeats(FlatFile(folder / "s" / "segment.flat", "segment"), meta)
            self._graph = Graph(links, vectors.matrix, Distance.COSINE, repeats)
            np.max(vectors.matrix)  # in memory
        else:
            opened = self._part.graph("")
            assert opened is not None
            self._graph = opened

    def search(self, part: slice) -> Searched:
        """Ask some of the questions."""
        seconds: list[float] = []
        processor: list[float] = []
        found = 0
        for question, right in zip(self._questions[part], self._nearest[part], strict=True):
            begun, spent = time.perf_counter(), time.thread_time()
            comparison = DenseComparison(self._kind, question.tobytes())
            search = Asked(Findable(self._part, self._vectors, None), WANTED, EF, QuantizedSearch(rescore=True))
            walk = comparison.begin(self._graph, search)
            query = PartQuery(search, self._graph, walk, False, Allowance(inf, Deadline(inf)))
            rows, scores = comparison.nearest(self._vectors, query)
            processor.append(time.thread_time() - spent)
            seconds.append(time.perf_counter() - begun)
            found += len(right.intersection(rows[np.argsort(-scores)[:WANTED]].tolist()))
        return Searched(seconds, processor, found)

    def residency(self) -> Residency:
        """What is resident now."""
        return Residency(self._before, resident() - self._before, dict(mapped(self._folder)))


def _answer(pipe: Connection, folder: Path, name: str) -> None:
    way = Way(folder, name)
    pipe.send(None)
    while (part := pipe.recv()) is not None:
        pipe.send(way.search(part))
    pipe.send(way.residency())


def measured(folder: Path) -> dict[str, tuple[Searched, Residency]]:
    """Both ways, in turns, a process each."""
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for way in WAYS:
        progress(f"opening it as {way}")
        pipes[way], there = context.Pipe()
        context.Process(target=_answer, args=(there, folder, way), daemon=True).start()
        there.close()
        pipes[way].recv()
    searched: dict[str, Searched] = dict.fromkeys(WAYS, NOTHING)
    for turn in range(ROUNDS):
        progress(f"searching, round {turn + 1} of {ROUNDS}")
        for start in range(0, QUERIES, TURN):
            for way, pipe in pipes.items():
                pipe.send(slice(start, start + TURN))
                some: Searched = pipe.recv()
                if turn:
                    searched[way] += some
    for pipe in pipes.values():
        pipe.send(None)
    return {way: (searched[way], pipe.recv()) for way, pipe in pipes.items()}


def tell(found: dict[str, tuple[Searched, Residency]], results: Results) -> None:
    """As rows: int8, beside it float32 as the peer."""
    (codes, kept), (plain, whole) = (found[way] for way in WAYS)
    recalls = [searched.found / (WANTED * len(searched.seconds)) for searched in (codes, plain)]
    results.aim_above("search", "recall@10", recalls[0], "", RECALL, recalls[1])
    for percent in (50, 99):
        mine, theirs = percentile_ms(codes.seconds, percent), percentile_ms(plain.seconds, percent)
        if percent == 50:
            results.aim("search", "p50", mine, "ms", SLOWER * theirs, theirs)
        else:
            results.add("search", f"p{percent}", mine, "ms", theirs)
    processor = [percentile_ms(searched.processor, 50) for searched in (codes, plain)]
    results.add("search", "processor time, p50", processor[0], "ms", processor[1])
    most = OF_MEMORY * whole.grown / MEGABYTE
    results.aim("resident", "grown by", kept.grown / MEGABYTE, "MB", most, whole.grown / MEGABYTE)
    for name in whole.files | kept.files:
        mine, theirs = (residency.files.get(name, 0) / MEGABYTE for residency in (kept, whole))
        results.add("resident", f"of that {name}", mine, "MB", theirs)
    both = [(residency.before + residency.grown) / MEGABYTE for residency in (kept, whole)]
    results.add("resident", "with the interpreter", both[0], "MB", both[1])


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--ef-construct", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="headwater-resident-") as temporary:
        folder: Path = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "s").exists():
            build(folder, options.points, config_of(options.dim, options.ef_construct))
        results = Results(f"int8 on disk beside float32 (the peer), {options.points:,} x {options.dim}; {machine()}")
        sections = FlatFile(folder / "s" / "segment.flat", "segment").directory.sections
        for name in ("vectors.0", "codes.0"):
            results.add("on disk", name, sections[name].length / MEGABYTE, "MB")
        tell(measured(folder), results)
    console = Console()
    results.show(console if console.is_terminal else Console(width=WIDTH))
    if options.output:
        results.write(options.output)
    progress(f"that took {(time.perf_counter() - begun) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
