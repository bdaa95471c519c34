"""Runs all measurements of a server, in the order that they stand on each other."""

import tempfile
import time
from pathlib import Path

from bench.rest import filters, loading, reading, restart, searching, throughput, writing
from bench.rest.stage import LASTING, Lasting, Stage
from bench.results import Results
from bench.word_vectors import progress
from bench.workload import Workload
from tests.support.launching import new_interpreter
from tests.support.server import Server

PHASES = (
    searching.search,
    filters.filtered,
    searching.exact,
    reading.count,
    reading.scroll,
    throughput.concurrent,
    writing.upserts,
    restart.restart,
    writing.searches_while_writing,
    writing.trickle,
    writing.searches_after_writing,
)
"""After loading. What comes after the restart leaves more points than the right answers know of."""


def measure(work: Workload, results: Results, lasting: Lasting = LASTING) -> None:
    """Measure with a server of its own, started as users start it: a fork would share memory with what it is from."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        with Server(folder / "data", launch=new_interpreter) as server:
            stage = Stage(server.start(), work, results, folder, lasting)
            loading.create(stage)
            loading.load(stage)
            for phase in PHASES:
                stage.refer()
                phase(stage)
            stage.refer()
            stage.tell_reference()
            stage.engine.close()
    minutes = (time.perf_counter() - begun) / 60
    results.add("this run", "took", minutes, "min")
    progress(f"that took {minutes:.1f} minutes")
