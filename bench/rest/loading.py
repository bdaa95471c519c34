"""Loading, and what it takes until everything is in graphs."""

import time
from typing import Any

from bench import peers
from bench.raw_http import timed
from bench.rest import goals
from bench.rest.engine import Engine
from bench.rest.stage import TIMEOUT_SECONDS, Stage
from bench.results import percentile_ms
from bench.word_vectors import progress
from bench.workload import load_requests

SMALL = 50_000
"""Fewer points than this would be left without a graph."""


def create(stage: Stage) -> None:
    """The collection."""
    config: dict[str, Any] = {"vectors": {"size": stage.work.vectors.shape[1], "distance": "Cosine"}}
    if stage.work.size < SMALL:
        config["optimizers_config"] = {"indexing_threshold": 1000}
    stage.ask("PUT", "", config)


def load(stage: Stage) -> None:
    """Batches of 1000 points, waited for, one at a time; then until everything is in graphs. Then the peers."""
    work, results = stage.work, stage.results
    progress("making the requests")
    requests = load_requests(work)
    progress("loading")
    seconds, _ = timed(stage.server.port, requests)
    stage.memory("loaded")
    progress("waiting for the graphs")
    begun = time.perf_counter()
    if not stage.wait_green(work.size):
        raise TimeoutError(f"not green with everything indexed after {TIMEOUT_SECONDS:.0f} s: {stage.ask('GET', '')}")
    waited = time.perf_counter() - begun
    progress("building the bare graph")
    graph = stage.found_graph = peers.build_graph(work)
    progress("loading and indexing Qdrant's engine (about a minute)")
    engine = stage.found_engine = Engine(stage.folder / "engine", work)
    loaded, rate = sum(seconds), work.size / sum(seconds)
    theirs = work.size / engine.load_seconds
    results.aim_above("load", "points, waited for", rate, "points/s", goals.LOADED_PER_SECOND, engine=theirs)
    results.add("load", "a batch of 1000, p50", percentile_ms(seconds, 50), "ms")
    results.add("load", "a batch of 1000, p99", percentile_ms(seconds, 99), "ms")
    results.add("load", "from the last batch to green", waited, "s", graph.build_seconds, engine.build_seconds)
    most, both = goals.LOAD_AND_INDEX_SECONDS, engine.load_seconds + engine.build_seconds
    results.aim("load", "load and index", loaded + waited, "s", most, graph.build_seconds, both)
    stage.memory("indexed")
