"""Measure a Headwater server over REST: load, search, filters, writes, restart, memory.

python -m bench [--points N] [--output FILE]
"""

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from bench.dataset import COUNT
from bench.phases import Bench
from bench.results import Results, machine
from bench.workload import load_workload
from tests.support.server import Server

OUTPUT = Path(__file__).parent / "results" / "local" / "latest.json"

WIDTH = 130
"""Of the table, where there is no terminal to fit it into."""


def main() -> None:
    """Run all measurements on a server of its own, print a table and write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure a Headwater server.")
    parser.add_argument("--points", type=int, default=COUNT, help=f"how many points to load (default {COUNT})")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where to write the numbers as JSON")
    options = parser.parse_args()
    results = Results(f"{options.points:,} x 100, cosine; {machine()}")
    work = load_workload(options.points)
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
    console = Console()
    results.show(console if console.is_terminal else Console(width=WIDTH))
    results.write(options.output)


if __name__ == "__main__":
    main()
