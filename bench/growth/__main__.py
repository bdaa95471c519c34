"""How a server does as a collection grows: time of a search, memory of a point, loading and indexing.

python -m bench.growth [--points 20000 200000 2000000] [--dim 100] [--keep FOLDER] [--minutes M] [--output FILE]

Each size is a server of its own with made-up clusters, loaded over REST; once everything is in graphs it is started
anew and searched at fixed ef. It says how far it is. With --keep what was loaded, indexed and measured stays in FOLDER,
and another call goes on from there: so a size can be added later, and one that takes long can be done in parts, each
ended by --minutes or Ctrl-C. 2,000,000 points may take an hour.
"""

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import hnswlib
from rich.console import Console
from rich.table import Table

from bench.growth.clusters import Clusters
from bench.growth.grown import EFS, Grown, OutOfTimeError, Size, empty_server
from bench.peers import EF_CONSTRUCT, M
from bench.results import machine
from bench.word_vectors import progress

POINTS = (20_000, 200_000, 2_000_000)
DIM = 100
REFERENCE_POINTS, REFERENCE_EF, K = 20_000, 256, 10
OUTPUT = Path(__file__).parents[1] / "results" / "local" / "growth.json"
WIDTH = 150
UNITS = {"p50": ", ms", "p99": ", ms", "recall": ""}


def main() -> None:
    """Measure each size as far as there is time, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=POINTS)
    parser.add_argument("--dim", type=int, default=DIM)
    parser.add_argument("--keep", type=Path, help="a folder for what is loaded, to go on from")
    parser.add_argument("--minutes", type=float, default=math.inf, help="end loading and waiting after so many")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory(prefix="headwater-growth-") as temporary:
        folder: Path = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        clusters = Clusters.of(options.dim)
        sizes = [
            Size(folder / f"{options.dim}-{points}", points, clusters, deadline) for points in sorted(options.points)
        ]
        try:
            for size in sizes:
                size.fill()
            reference = _reference(clusters)
            empty = empty_server(Path(temporary))
            for size in sizes:
                size.measure(reference, empty)
        except (OutOfTimeError, KeyboardInterrupt) as ended:
            progress(f"ended early, {ended or 'by Ctrl-C'}" + ("; call again to go on" if options.keep else ""))
        grown = [size.grown for size in sizes]
    title = f"{options.dim} dimensions, cosine; {machine()}"
    _show([each for each in grown if each.loaded], title)
    output: Path = options.output
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"machine": title, "sizes": [asdict(each) for each in grown]}, indent=1) + "\n")


def _reference(clusters: Clusters) -> Callable[[slice], list[float]]:
    index = hnswlib.Index("cosine", len(clusters.scales))
    index.init_index(REFERENCE_POINTS, M=M, ef_construction=EF_CONSTRUCT)
    for _, some in clusters.chunks(REFERENCE_POINTS):
        index.add_items(some)
    index.set_ef(REFERENCE_EF)
    queries = clusters.queries()

    def ask(part: slice) -> list[float]:
        seconds: list[float] = []
        for query in queries[part]:
            begun = time.perf_counter()
            index.knn_query(query, k=K, num_threads=1)
            seconds.append(time.perf_counter() - begun)
        return seconds

    return ask


Measure = Callable[[Grown], float | None]


def _measures() -> dict[str, Measure]:
    def searched(at: int, name: str) -> Measure:
        return lambda size: getattr(size.searched[at], name) if size.searched else None

    def measured(name: str) -> Measure:
        return lambda size: getattr(size, name) if size.searched else None

    found: dict[str, Measure] = {
        "log n": lambda size: math.log(size.points),
        "load, points/s": lambda size: size.loaded / size.load_seconds,
        "from the last batch to green, s": lambda size: size.index_seconds if size.indexed else None,
        "load and index, us a point": lambda size: (
            (size.load_seconds + size.index_seconds) / size.points * 1e6 if size.indexed else None
        ),
        "parts that took": lambda size: size.parts,
    }
    for at, ef in enumerate(EFS):
        found |= {f"ef {ef}: {name}{unit}": searched(at, name) for name, unit in UNITS.items()}
    found |= {
        f"ef {EFS[-1]}: p50 in U (bare graph of {REFERENCE_POINTS:,})": lambda size: (
            size.searched[-1].p50 / size.reference_ms if size.searched else None
        ),
        "resident, bytes a point": measured("resident"),
        "anonymous, bytes a point": measured("anonymous"),
        "started anew until ready, s": measured("start_seconds"),
    }
    return found


def _show(sizes: Sequence[Grown], title: str) -> None:
    table = Table(title=title)
    table.add_column("")
    for at, size in enumerate(sizes):
        table.add_column(f"{size.points:,}", justify="right")
        if at:
            table.add_column(f"of {sizes[0].points:,}'s", justify="right")
    for name, measure in _measures().items():
        cells = [name]
        first = measure(sizes[0]) if sizes else None
        for at, size in enumerate(sizes):
            value = measure(size)
            cells.append("" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}")
            if at:
                cells.append(f"{value / first:.2f}" if value is not None and first else "")
        table.add_row(*cells)
    console = Console()
    (console if console.is_terminal else Console(width=WIDTH)).print(table)


if __name__ == "__main__":
    main()
