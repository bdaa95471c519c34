"""What the measurements share: a server, what is asked of it and of the peers, and what was measured."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench import peers
from bench.memory import memory_of
from bench.raw_http import Connection, request, timed
from bench.rest import goals
from bench.rest.engine import Engine
from bench.rest.turns import Ask
from bench.results import Results
from bench.workload import COLLECTION, Workload
from tests.support.server import Server

EFS = (64, 128, 256, 384, 512)
MEGABYTE = 1 << 20
TIMEOUT_SECONDS = 1200.0
REFERENCE_EF = 256
REFERENCE_QUERIES = 100


@dataclass(frozen=True)
class Lasting:
    """Seconds of what goes on for a while."""

    throughput: float = 3.0
    """Searches over each number of connections, in each round."""
    beside_trickle: float = 5.0
    """Searches before points come in a trickle, and after."""
    writing: float = 8.0
    """Searches while many points are written, each time."""
    settling: float = 10.0
    """Waiting before that, at most, for graphs that earlier writes have begun."""


LASTING = Lasting()


@dataclass
class Stage:
    """Each measurement stands on what those before it left here; ``folder`` is for what peers store."""

    server: Server
    work: Workload
    results: Results
    folder: Path
    lasting: Lasting = LASTING
    found_graph: peers.Graph | None = None
    found_engine: Engine | None = None
    ef: int = EFS[-1]
    """The least that reaches the recall aimed at, once searches found it."""
    points: int = 0
    """How many the server has, and the next new one's id, once single ones were upserted."""
    per_second: dict[int, float] = field(default_factory=dict[int, float])
    """Searches a second at that ef while nothing is written, by connections."""
    reference: list[list[float]] = field(default_factory=list[list[float]])
    """Seconds of the bare graph's searches, each time it was asked."""

    @property
    def loaded(self) -> Path:
        """A copy of the server's data, of when it was killed."""
        return self.folder / "loaded"

    @property
    def graph(self) -> peers.Graph:
        """The bare graph."""
        assert self.found_graph is not None, "loading comes first"
        return self.found_graph

    @property
    def engine(self) -> Engine:
        """Qdrant's."""
        assert self.found_engine is not None, "loading comes first"
        return self.found_engine

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """A request about the collection; the result of its answer."""
        sent = b"" if body is None else msgspec.json.encode(body)
        with Connection(self.server.port) as connection:
            answer = connection.ask(request(method, f"/collections/{COLLECTION}{path}", sent))
        return msgspec.json.decode(answer)["result"]

    def over_rest(self, requests: list[bytes]) -> Ask:
        """Asks the server on a connection a turn; answers are bodies."""
        return lambda part: timed(self.server.port, requests[part])

    def graph_at(self, ef: int) -> Ask:
        """Asks the bare graph; answers are ids."""
        return lambda part: peers.graph_search(self.graph, self.work.queries[part], ef)

    def wait_green(self, points: int, seconds: float = TIMEOUT_SECONDS) -> bool:
        """Wait until nothing is being built and so many points are in graphs; whether that was within ``seconds``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            seen = self.ask("GET", "")
            if seen["status"] == "green" and seen["indexed_vectors_count"] >= points:
                return True
            time.sleep(0.25)
        return False

    def memory(self, when: str) -> None:
        """How much memory the server's processes take; the peer holds the bare graph."""
        used = memory_of(self.server.processes())
        peer = self.found_graph.memory / MEGABYTE if self.found_graph else None
        group = f"memory, {when}"
        self.results.aim(group, "resident", used.resident / MEGABYTE, "MB", goals.RESIDENT_MEGABYTES, peer)
        self.results.add(group, "proportional", used.proportional / MEGABYTE, "MB")
        self.results.aim(group, "anonymous", used.anonymous / MEGABYTE, "MB", goals.ANONYMOUS_MEGABYTES)
        self.results.add(group, "processes", used.processes, "")

    def tell_reference(self) -> None:
        """Note U, and the range of its medians: how much the machine's speed changed while the rest was measured."""
        medians = [median(some) * 1000 for some in self.reference]
        group = f"U: the bare graph at ef {REFERENCE_EF}"
        self.results.add(group, "p50 of all", self.results.reference_ms or 0.0, "ms")
        self.results.add(group, "lowest p50 between two phases", min(medians), "ms")
        self.results.add(group, "highest p50 between two phases", max(medians), "ms")

    def refer(self) -> None:
        """Ask the bare graph, for what the machine's speed is now. U is the median of all its searches so far."""
        queries = self.work.queries[:REFERENCE_QUERIES]
        seconds, _ = peers.graph_search(self.graph, queries, REFERENCE_EF)
        self.reference.append(seconds)
        self.results.reference_ms = median([each for some in self.reference for each in some]) * 1000
