"""Measure Headwater: a server over REST (load, search, filters, writes, restart, memory), or a cluster on Kafka.

python -m bench [rest] [--points N] [--output FILE]
python -m bench kafka [--points N] [--output FILE] [--only PHASE ...]
"""

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from bench.dataset import COUNT
from bench.kafka import run as kafka_run
from bench.phases import Bench
from bench.results import Results, machine
from bench.workload import load_workload
from tests.support.server import Server

OUTPUT = Path(__file__).parent / "results" / "local"

WIDTH = 130
"""Of the table, where there is no terminal to fit it into."""


def main() -> None:
    """Run all measurements on processes of their own, print a table and write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Headwater.")
    parser.add_argument("what", nargs="?", choices=("rest", "kafka"), default="rest", help="which (default rest)")
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
        output = options.output or OUTPUT / "kafka.json"
    else:
        points = options.points or COUNT
        results = Results(f"{points:,} x 100, cosine; {machine()}")
        _measure_rest(points, results)
        output = options.output or OUTPUT / "latest.json"
    console = Console()
    results.show(console if console.is_terminal else Console(width=WIDTH))
    results.write(output)


def _measure_rest(points: int, results: Results) -> None:
    work = load_workload(points)
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder, Server(Path(folder) / "data") as server:
        server.start()
        bench = Bench(server, work, results)
        bench.create()
        bench.load()
        bench.search()
        bench.filtered()
        bench.throughput()
        bench.upserts()
        bench.restart()


if __name__ == "__main__":
    main()
