"""Measure Headwater: a server over REST, every way to store vectors beside peers, or a cluster on Kafka.

python -m bench [--points N] [--output FILE]        the two that follow
python -m bench rest [--points N] [--output FILE]   load, search, filters, writes, restart, memory
python -m bench plots [--points N] [--output FILE]  recall against latency and throughput, as PNGs beside the file
python -m bench kafka [--points N] [--output FILE] [--only PHASE ...]
"""

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from bench import plots, storage
from bench.dataset import COUNT
from bench.kafka import run as kafka_run
from bench.rest import plot as rest_plot
from bench.rest import run as rest_run
from bench.results import Results, machine
from bench.workload import load_workload

OUTPUT = Path(__file__).parent / "results" / "local"

PLOTTED = 30_000
"""Points, unless it is said how many: there are many graphs to build."""

WIDTH = 150
"""Of the table, where there is no terminal to fit it into."""


def main() -> None:
    """Run all measurements on processes of their own, print a table and write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Headwater.")
    parser.add_argument("what", nargs="?", choices=("rest", "plots", "kafka"), help="which (default rest, then plots)")
    parser.add_argument(
        "--points", type=int, help=f"how many points to load (default {COUNT}, on Kafka {kafka_run.POINTS})"
    )
    parser.add_argument("--output", type=Path, help="where to write the numbers as JSON")
    parser.add_argument(
        "--only", nargs="+", choices=kafka_run.PHASES, default=kafka_run.PHASES, help="these measurements on Kafka"
    )
    options = parser.parse_args()
    if options.what == "kafka":
        points = options.points or kafka_run.POINTS
        results = Results(f"Kafka, {points:,} x 100; {machine()}")
        kafka_run.measure(points, results, tuple(options.only))
        _show(results, options.output or OUTPUT / "kafka.json")
        return
    output: Path = options.output or OUTPUT / "latest.json"
    if options.what != "plots":
        points = options.points or COUNT
        results = Results(f"{points:,} x 100, cosine; {machine()}")
        try:
            rest_run.measure(load_workload(points), results)
        finally:
            _show(results, output)
        rest_plot.draw(results, output.with_name("goals.png"))
        print(output.with_name("goals.png"))
    if options.what != "rest":
        _plot(options.points or PLOTTED, output.parent)


def _show(results: Results, output: Path) -> None:
    console = Console()
    results.show(console if console.is_terminal else Console(width=WIDTH))
    results.write(output)


def _plot(points: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as data:
        measured = list(storage.curves(load_workload(points), Path(data)))
    title = f"{points:,} word vectors of 100 dimensions, ef {storage.EFS[0]} to {storage.EFS[-1]}; {machine()}"
    storage.write(measured, folder / "storage.json")
    for name, draw in (("latency", plots.latency), ("throughput", plots.throughput)):
        draw(measured, title, folder / f"{name}.png")
        print(folder / f"{name}.png")


if __name__ == "__main__":
    main()
