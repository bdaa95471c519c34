"""What stays resident of 768 dimensions: int8 codes kept in memory with the vectors on disk, beside float32 in memory.

python -m bench.resident [--points 100000] [--dim 768] [--folder FOLDER] [--ef-construct 100]

One segment with a graph and codes is built (in FOLDER, unless it is there). Then a process each opens it one way and
searches; what it has grown by since it had everything imported is told by what it is: codes, vectors, links, the rest.
Before, the other way's pages are not among it, as pages count for a process only once it has touched them.
"""

import json
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from math import inf
from pathlib import Path

import numpy as np

from bench.quantized import clustered
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

WAYS = ("float32", "int8")
QUERIES, WANTED, EF = 1000, 10, 128
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
    nearest = [np.argpartition(-(matrix @ question), WANTED)[:WANTED] for question in questions]
    np.savez(folder / "asked.npz", questions=questions, nearest=np.stack(nearest))
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


def measure(folder: Path, way: str) -> dict[str, float]:
    """Open the segment one way, search, and say what that takes."""
    asked = np.load(folder / "asked.npz")
    questions, nearest = asked["questions"], asked["nearest"]
    before = resident()
    segment = Segment.open(folder / "s")
    params = VectorParams(segment.meta.vectors[0].dim, Distance.COSINE)
    kind = DenseKind(params)
    nobody = np.zeros(segment.size, np.bool_)
    part = LiveShard(ShardId(1, 0), CollectionConfig({"": params}), [(segment, nobody)], 0).view.segments[0]
    vectors = part.vectors("")
    assert isinstance(vectors, DenseVectors)
    if way == "float32":
        meta = segment.meta.vectors[0]
        assert meta.graph is not None
        links = Links.open(folder / "s" / meta.graph.file, segment.size)
        repeats = read_repeats(FlatFile(folder / "s" / "segment.flat", "segment"), meta)
        graph = Graph(links, vectors.matrix, Distance.COSINE, repeats)
        np.max(vectors.matrix)  # in memory
    else:
        opened = part.graph("")
        assert opened is not None
        graph = opened
    hits, started = 0, time.thread_time()
    for question, right in zip(questions, nearest, strict=True):
        comparison = DenseComparison(kind, question.tobytes())
        search = Asked(Findable(part, vectors, None), WANTED, EF, QuantizedSearch(rescore=True))
        query = PartQuery(search, graph, comparison.walk(graph, search), False, Allowance(inf, Deadline(inf)))
        rows, scores = comparison.nearest(vectors, query)
        hits += len({*rows[np.argsort(-scores)[:WANTED]].tolist()} & {*right.tolist()})
    spent = (time.thread_time() - started) / len(questions)
    files = {f"{name}, MB": size / MEGABYTE for name, size in mapped(folder).items()}
    return {
        "grown by, MB": (resident() - before) / MEGABYTE,
        "before, MB": before / MEGABYTE,
        **files,
        "recall": hits / (WANTED * len(questions)),
        "us": spent * 1e6,
    }


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--ef-construct", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--way", choices=WAYS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(options.folder, options.way)))
        return
    with tempfile.TemporaryDirectory(prefix="headwater-resident-") as temporary:
        folder: Path = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "s").exists():
            print("building", flush=True)
            build(folder, options.points, config_of(options.dim, options.ef_construct))
        sections = FlatFile(folder / "s" / "segment.flat", "segment").directory.sections
        for name, place in sections.items():
            if place.length > MEGABYTE:
                print(f"{name}: {place.length / MEGABYTE:.1f} MB")
        found: dict[str, dict[str, float]] = {}
        for way in WAYS:
            command = [sys.executable, "-m", "bench.resident", "--way", way, "--folder", str(folder)]
            found[way] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
            print(way, {name: round(value, 3) for name, value in found[way].items()}, flush=True)
        grown = [found[way]["grown by, MB"] for way in ("int8", "float32")]
        whole = [found[way]["grown by, MB"] + found[way]["before, MB"] for way in ("int8", "float32")]
        print(f"int8 of float32: {grown[0] / grown[1]:.3f}; with the interpreter {whole[0] / whole[1]:.3f}")


if __name__ == "__main__":
    main()
