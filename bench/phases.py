"""The measurements, each on a running server that holds what the ones before it loaded."""

import json
import time
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from bench import peers
from bench.memory import memory_of
from bench.raw_http import Connection, RequestError, request, throughput, timed
from bench.results import Results, percentile_ms
from bench.word_vectors import progress
from bench.workload import (
    COLLECTION,
    FIELD_VALUES,
    QUERIES,
    K,
    Workload,
    exact_ids,
    found_ids,
    load_requests,
    recall,
    search_requests,
    upsert_requests,
)
from tests.support.server import Server

EFS = (64, 128, 256, 384, 512)
SELECTIVITIES = (0.001, 0.01, 0.1, 0.3, 0.5)
PLAIN_EF = 128
AIMED_RECALL = 0.97
FILTERED_QUERIES = 300
TURN = 100
"""Queries before the peer has its turn: a machine that slows down meanwhile slows both."""
UPSERTS = 1000
MEGABYTE = 1 << 20
TIMEOUT_SECONDS = 1200.0
SMALL = 50_000
"""Fewer points than this would be left without a graph."""


@dataclass
class Bench:
    """A server, what is asked of it, and what was measured."""

    server: Server
    work: Workload
    results: Results
    graph: peers.Graph | None = None

    def create(self) -> None:
        """The collection."""
        config: dict[str, Any] = {"vectors": {"size": self.work.vectors.shape[1], "distance": "Cosine"}}
        if self.work.size < SMALL:
            config["optimizers_config"] = {"indexing_threshold": 1000}
        with Connection(self.server.port) as connection:
            connection.ask(request("PUT", f"/collections/{COLLECTION}", json.dumps(config).encode()))

    def memory(self, when: str) -> None:
        """How much memory the server's processes take; the peer holds the bare graph."""
        used = memory_of(self.server.processes())
        peer = self.graph.memory / MEGABYTE if self.graph else None
        group = f"memory, {when}"
        self.results.aim(group, "resident", used.resident / MEGABYTE, "MB", 400, peer)
        self.results.add(group, "proportional", used.proportional / MEGABYTE, "MB")
        self.results.add(group, "anonymous", used.anonymous / MEGABYTE, "MB")
        self.results.add(group, "processes", used.processes, "")

    def load(self) -> None:
        """Batches of 1000 points, waited for, one at a time; then until everything is in graphs."""
        requests = load_requests(self.work)
        progress("loading")
        seconds, _ = timed(self.server.port, requests)
        self.results.aim_above("load", "points, waited for", self.work.size / sum(seconds), "points/s", 30_000)
        self.results.add("load", "a batch of 1000, p50", percentile_ms(seconds, 50), "ms")
        self.results.add("load", "a batch of 1000, p99", percentile_ms(seconds, 99), "ms")
        self.memory("loaded")
        progress("waiting for the graphs")
        begun = time.perf_counter()
        self._wait_green()
        waited = time.perf_counter() - begun
        progress("building the peer's graph")
        self.graph = peers.build_graph(self.work)
        self.results.add("load", "from the last batch to green", waited, "s", self.graph.build_seconds)
        total = sum(seconds) + waited
        self.results.add("load", "load and index", total, "s", self.graph.build_seconds)
        self.memory("indexed")

    def _wait_green(self) -> None:
        info = request("GET", f"/collections/{COLLECTION}")
        deadline = time.monotonic() + TIMEOUT_SECONDS
        seen: dict[str, Any] = {}
        with Connection(self.server.port) as connection:
            while time.monotonic() < deadline:
                seen = msgspec.json.decode(connection.ask(info))["result"]
                if seen["status"] == "green" and seen["indexed_vectors_count"] >= self.work.size:
                    return
                time.sleep(0.25)
        raise TimeoutError(f"not green with everything indexed after {TIMEOUT_SECONDS:.0f} s: {seen}")

    def search(self) -> None:
        """One query at a time at several ef; the peer is the bare graph."""
        if self.graph is None:
            raise AssertionError("load comes before search")
        right = exact_ids(self.work)
        reached = None
        for ef in EFS:
            progress(f"searching at ef {ef}")
            requests = search_requests(self.work.queries, ef)
            timed(self.server.port, requests[:100])
            seconds: list[float] = []
            bodies: list[bytes] = []
            peer_seconds: list[float] = []
            peer_found: list[list[int]] = []
            for start in range(0, QUERIES, TURN):
                some, answers = timed(self.server.port, requests[start : start + TURN])
                seconds += some
                bodies += answers
                some, labels = peers.graph_search(self.graph, self.work.queries[start : start + TURN], ef)
                peer_seconds += some
                peer_found += labels
            group, found = f"search, ef {ef}", recall(found_ids(bodies), right)
            for percent in (50, 95, 99):
                peer = percentile_ms(peer_seconds, percent)
                self.results.add(group, f"p{percent}", percentile_ms(seconds, percent), "ms", peer)
            self.results.add(group, "recall@10", found, "", recall(peer_found, right))
            if reached is None and found >= AIMED_RECALL:
                reached = percentile_ms(seconds, 50)
        if reached is not None:
            self.results.aim("search", f"p50 at recall {AIMED_RECALL}", reached, "ms", 1.3)

    def filtered(self) -> None:
        """A range filter that so many points pass; the peer is an exact search over these points with numpy."""
        for share in SELECTIVITIES:
            progress(f"searching among {share:.1%}")
            below = round(share * FIELD_VALUES)
            passing = self.work.numbers < below
            requests = search_requests(self.work.queries[:FILTERED_QUERIES], PLAIN_EF, below)
            timed(self.server.port, requests[:20])
            seconds, bodies = timed(self.server.port, requests)
            peer = peers.exact_search(self.work, passing, FILTERED_QUERIES // 3)
            right = exact_ids(self.work, passing)[:FILTERED_QUERIES]
            group = f"filtered, {share:.1%} pass"
            self.results.add(group, "p50", percentile_ms(seconds, 50), "ms", percentile_ms(peer, 50))
            self.results.add(group, "p99", percentile_ms(seconds, 99), "ms", percentile_ms(peer, 99))
            self.results.add(group, "recall@10", recall(found_ids(bodies), right), "", 1.0)

    def throughput(self) -> None:
        """Several connections at once."""
        requests = search_requests(self.work.queries, PLAIN_EF) * 4
        for connections in (1, 8, 32):
            progress(f"searching over {connections} connections")
            rate = throughput(self.server.port, requests, connections)
            self.results.add("throughput, ef 128", f"{connections} connections", rate, "searches/s")

    def upserts(self) -> None:
        """One new point at a time, waited for; the peer is a synced append of the same bytes."""
        progress("upserting one point at a time")
        requests = upsert_requests(self.work, UPSERTS)
        timed(self.server.port, requests[:50])
        seconds, _ = timed(self.server.port, requests)
        peer = peers.synced_appends(requests)
        p50, p99 = percentile_ms(seconds, 50), percentile_ms(seconds, 99)
        self.results.aim("one point, waited for", "p50", p50, "ms", 1.0, percentile_ms(peer, 50))
        self.results.add("one point, waited for", "p99", p99, "ms", percentile_ms(peer, 99))

    def restart(self) -> None:
        """Killed, then from the start of the next process to its first answer; the peer loads its graph's file."""
        if self.graph is None:
            raise AssertionError("load comes before restart")
        progress("killing and restarting")
        self.server.kill()
        question = search_requests(self.work.queries[:1], PLAIN_EF)[0]
        begun = time.perf_counter()
        self.server.launch()
        while len(self._answer(question)) < K:
            time.sleep(0.005)
        seconds = time.perf_counter() - begun
        peer = peers.reload_seconds(self.graph, self.work)
        self.results.aim("restart", "from start to first answer", seconds, "s", 2.0, peer)
        self._check_restarted()
        self.memory("restarted")

    def _answer(self, question: bytes) -> list[int]:
        if self.server.poll() is not None:
            raise AssertionError(f"the server did not come back\n{self.server.last_output()}")
        try:
            with Connection(self.server.port) as connection:
                return found_ids([connection.ask(question)])[0]
        except (OSError, RequestError):
            return []

    def _check_restarted(self) -> None:
        count = request("POST", f"/collections/{COLLECTION}/points/count", b'{"exact": true}')
        with Connection(self.server.port) as connection:
            seen = msgspec.json.decode(connection.ask(count))["result"]["count"]
        if seen != self.work.size + UPSERTS:
            raise AssertionError(f"{seen} points after the restart, expected {self.work.size + UPSERTS}")
        added = np.arange(UPSERTS) % QUERIES
        everything = replace(self.work, vectors=np.concatenate((self.work.vectors, self.work.queries[added])))
        _, bodies = timed(self.server.port, search_requests(self.work.queries, PLAIN_EF))
        found = recall(found_ids(bodies), exact_ids(everything))
        self.results.add("restart", f"recall@10 at ef {PLAIN_EF}, new points included", found, "")
