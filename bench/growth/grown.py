"""One size of a collection: loaded and indexed, in one go or in parts, and then measured on a server started anew."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench.growth.clusters import Clusters, Floats
from bench.memory import Memory, memory_of
from bench.raw_http import Connection, request, timed
from bench.results import percentile_ms
from bench.word_vectors import progress
from bench.workload import found_ids, recall
from tests.support.launching import new_interpreter
from tests.support.server import Server

PATH = "/collections/growth"
BATCH = 1000
EFS = (64, 128, 256)
SMALL = 50_000
"""Fewer points than this would be left without a graph."""
TOLD_SECONDS = 15.0
"""Between two words of how far it is."""


class OutOfTimeError(Exception):
    """The time given has passed; what is done is kept."""


@dataclass
class Searched:
    """At one ef: milliseconds, and recall@10."""

    ef: int
    p50: float
    p99: float
    recall: float


@dataclass
class Grown:
    """What is known so far of one size. Seconds are those of the server, over all parts that it was done in."""

    points: int
    load_seconds: float = 0.0
    loaded: int = 0
    index_seconds: float = 0.0
    """From the last batch until everything is in graphs."""
    indexed: bool = False
    parts: int = 0
    start_seconds: float = 0.0
    """Of the process that is measured, until it is ready."""
    resident: float = 0.0
    anonymous: float = 0.0
    """Bytes a point beyond what a server without points takes, after the searches."""
    reference_ms: float = 0.0
    """p50 of a bare graph of 20,000 points, searched in turns with the server at the last ef."""
    searched: list[Searched] = field(default_factory=list[Searched])

    def keep(self, path: Path) -> None:
        """Write it; a part that comes later goes on from there."""
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(asdict(self), indent=1) + "\n")
        unfinished.rename(path)

    @classmethod
    def kept(cls, path: Path, points: int) -> "Grown":
        """What was written, or nothing known yet."""
        return msgspec.json.decode(path.read_bytes(), type=cls) if path.exists() else cls(points)


class Size:
    """Brings one size as far as it gets before ``deadline``, a time of ``time.monotonic``."""

    def __init__(self, folder: Path, points: int, clusters: Clusters, deadline: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._clusters, self._deadline = folder, clusters, deadline
        self._record = folder / "grown.json"
        self._told = 0.0
        self.grown = Grown.kept(self._record, points)

    def fill(self) -> None:
        """Load and index. Raises OutOfTimeError."""
        if self.grown.indexed:
            progress(f"{self.grown.points:,}: filled before")
            return
        self.grown.parts += 1
        with self._server() as server:
            server.start()
            if not self._exists(server):
                _ask(server, "PUT", "", self._config())
            self._load(server)
            self._wait_indexed(server)
            server.stop()

    def measure(self, reference: Callable[[slice], list[float]], empty: Memory) -> None:
        """Search it; ``reference`` asks the bare graph some of the questions, ``empty`` is a server without points."""
        if self.grown.searched:
            progress(f"{self.grown.points:,}: measured before")
            return
        progress(f"{self.grown.points:,}: right answers")
        right, queries = self._clusters.right(self.grown.points), self._clusters.queries()
        with self._server() as server:
            begun = time.perf_counter()
            server.start()
            self.grown.start_seconds = time.perf_counter() - begun
            found: list[Searched] = []
            reference_seconds: list[float] = []
            for ef in EFS:
                progress(f"{self.grown.points:,}: searching at ef {ef}")
                requests = _searches(queries, ef)
                timed(server.port, requests)
                seconds: list[float] = []
                bodies: list[bytes] = []
                reference_seconds = []
                for start in range(0, len(requests), 100):
                    part = slice(start, start + 100)
                    some, answers = timed(server.port, requests[part])
                    seconds += some
                    bodies += answers
                    reference_seconds += reference(part)
                p50, p99 = percentile_ms(seconds, 50), percentile_ms(seconds, 99)
                found.append(Searched(ef, p50, p99, recall(found_ids(bodies), right)))
            used = memory_of(server.processes())
        self.grown.resident = (used.resident - empty.resident) / self.grown.points
        self.grown.anonymous = (used.anonymous - empty.anonymous) / self.grown.points
        self.grown.reference_ms = percentile_ms(reference_seconds, 50)
        self.grown.searched = found
        self.grown.keep(self._record)

    def _server(self) -> Server:
        return Server(self._folder / "data", launch=new_interpreter)

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = {"vectors": {"size": len(self._clusters.scales), "distance": "Cosine"}}
        if self.grown.points < SMALL:
            config["optimizers_config"] = {"indexing_threshold": 1000}
        return config

    def _exists(self, server: Server) -> bool:
        return _ask(server, "GET", "/exists")["exists"]

    def _load(self, server: Server) -> None:
        # The server may have more than was noted when an earlier part ended; those are loaded again.
        grown = self.grown
        for start, some in self._clusters.chunks(grown.points, grown.loaded):
            requests = _upserts(start, some)
            grown.load_seconds += sum(timed(server.port, requests)[0])
            grown.loaded = start + len(some)
            grown.keep(self._record)
            self._go_on(f"loaded {grown.loaded:,} at {grown.loaded / grown.load_seconds:,.0f} points/s")

    def _wait_indexed(self, server: Server) -> None:
        grown, before = self.grown, self.grown.index_seconds
        begun = time.perf_counter()
        while not grown.indexed:
            seen = _ask(server, "GET", "")
            grown.index_seconds = before + time.perf_counter() - begun
            grown.indexed = seen["status"] == "green" and seen["indexed_vectors_count"] >= grown.points
            self._go_on(f"{seen['indexed_vectors_count']:,} in graphs, {seen['status']}")
            time.sleep(0.25)
        grown.keep(self._record)

    def _go_on(self, done: str) -> None:
        if time.monotonic() - self._told > TOLD_SECONDS:
            progress(f"{self.grown.points:,}: {done}")
            self._told = time.monotonic()
        if time.monotonic() > self._deadline and not self.grown.indexed:
            self.grown.keep(self._record)
            raise OutOfTimeError(f"{self.grown.points:,}: {done}")


def empty_server(folder: Path) -> Memory:
    """What a server takes that has no points."""
    with Server(folder / "empty", launch=new_interpreter) as server:
        server.start()
        return memory_of(server.processes())


def _ask(server: Server, method: str, path: str, body: object = None) -> Any:
    sent = b"" if body is None else msgspec.json.encode(body)
    with Connection(server.port) as connection:
        return msgspec.json.decode(connection.ask(request(method, PATH + path, sent)))["result"]


def _upserts(start: int, vectors: Floats) -> list[bytes]:
    rows = [[round(value, 5) for value in row] for row in vectors.tolist()]
    points = [{"id": start + i, "vector": row} for i, row in enumerate(rows)]
    bodies = [msgspec.json.encode({"points": points[at : at + BATCH]}) for at in range(0, len(points), BATCH)]
    return [request("PUT", f"{PATH}/points?wait=true", body) for body in bodies]


def _searches(queries: Floats, ef: int) -> list[bytes]:
    bodies = ({"query": row, "limit": 10, "params": {"hnsw_ef": ef}} for row in queries.tolist())
    return [request("POST", f"{PATH}/points/query", msgspec.json.encode(body)) for body in bodies]
